"""What a deployment says to Modal, as the real client sends it to a FakeWorkspace."""

import asyncio
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from modal_proto import api_pb2 as proto

from gpu.app import RENTED, UV
from gpu.cloud import heroes
from gpu.cloud.container import CORES, IDLE_S, memory_gib
from gpu.engines import ENGINES, find_spec
from gpu.price import cost
from sakuga.engine import Source
from tests.fakes.modal_deploy import Deployed, FakeWorkspace
from tests.gpu.conftest import ROOT

MINUTE = 60
SHOW = """
style = "rain"
hero.prompts = ["a tram in the rain", "fireworks over the bay"]
hero.seconds = 3

[styles.rain]
title = "Rain"
prompt = "warm rain"
negative_prompt = "photo"
loras = [{file = "rain.safetensors", repository = "maker/rain"}]

[characters.hana]
title = "Hana"
loras = [{file = "hana.safetensors", repository = "maker/hana", engines = ["ltx-video-2b"]}]
"""


def deployed(folder: Path, *options: str) -> FakeWorkspace:
    """Deploy by the command that people use, from the folder of the studio, and return what Modal was told."""

    async def run() -> FakeWorkspace:
        async with FakeWorkspace() as fake:
            places = ["--media", str(folder), "--studio-file", str(folder / "studio.toml")]
            command = ["-m", "gpu.cloud", *places, "deploy", *options]
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, cwd=ROOT, env=fake.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            out, _ = await process.communicate()
            assert process.returncode == 0, out.decode()
            fake.said = out.decode()
        return fake

    return asyncio.run(run())


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> FakeWorkspace:
    return deployed(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> FakeWorkspace:
    """Deployed with everything that can be asked for."""
    folder = tmp_path_factory.mktemp("media")
    (folder / "studio.toml").write_text(SHOW, "utf-8")
    return deployed(folder, "--nightly", "15 3 * * *", "--secret", "huggingface")


def classes(fake: FakeWorkspace) -> dict[str, Deployed]:
    """Return the classes by the names of their engines."""
    return {spec.name: fake.functions[f"{spec.class_name}.*"] for spec in RENTED}


def dockerfile(fake: FakeWorkspace, function: str) -> str:
    return "\n".join(fake.images[fake.functions[function].one.image_id])


def test_every_engine_with_weights_and_a_gpu_is_a_class_and_no_other(plain: FakeWorkspace) -> None:
    specs = [find_spec(name) for name in ENGINES]
    wanted = {f"{spec.class_name}.*" for spec in specs if spec.source and spec.gpus}
    assert "Wan21T2v13b.*" in wanted
    assert not {"Rehearsal.*", "Tiny.*"} & wanted
    assert set(plain.functions) == wanted | {"fetch", "let_go"}
    assert plain.published
    assert {f"{name}.*" for name in plain.published.class_ids} == wanted
    assert plain.published.name == "sakuga"
    assert dict(plain.published.tags) == {"product": "sakuga"}


def test_a_class_lists_the_gpus_of_its_engine_in_their_order(plain: FakeWorkspace) -> None:
    assert {name: tuple(each.gpus) for name, each in classes(plain).items()} == {
        spec.name: spec.gpus for spec in RENTED
    }


def test_the_card_is_part_of_the_snapshot(plain: FakeWorkspace) -> None:
    for each in classes(plain).values():
        assert all(way.checkpointing_enabled for way in each.ways)
        assert dict(each.plan.experimental_options) == {"enable_gpu_snapshot": "True"}


def test_engines_read_weights_and_media_and_write_only_their_cache(plain: FakeWorkspace) -> None:
    for each in classes(plain).values():
        assert each.volumes == {
            "/weights": ("sakuga-weights", True),
            "/media": ("sakuga-media", True),
            "/cache": ("sakuga-cache", False),
        }
    assert plain.functions["fetch"].volumes == {"/weights": ("sakuga-weights", False)}


def test_time_and_containers_are_limited_and_a_failure_is_paid_for_once(plain: FakeWorkspace) -> None:
    for each in classes(plain).values():
        assert (each.plan.timeout_secs, each.plan.startup_timeout_secs) == (20 * MINUTE, 20 * MINUTE)
        scaling = each.plan.autoscaler_settings
        assert (scaling.scaledown_window, scaling.max_containers) == (60, 4)
        assert not scaling.min_containers
        assert each.one.retry_policy.retries == 0
    fetch = plain.functions["fetch"]
    assert fetch.one.timeout_secs >= 60 * MINUTE
    assert fetch.gpus == []


def test_a_container_has_memory_for_what_the_card_holds(plain: FakeWorkspace) -> None:
    for spec in RENTED:
        for way in classes(plain)[spec.name].ways:
            assert way.resources.memory_mb >= (spec.variants[0].vram_gb + 8) * 1024
            assert way.resources.milli_cpu == 4000


def test_one_clip_is_drawn_at_a_time_by_a_plain_method(plain: FakeWorkspace) -> None:
    for each in classes(plain).values():
        assert each.one.max_concurrent_inputs == 0
        assert list(each.plan.method_definitions) == ["render"]
        assert each.plan.method_definitions["render"].function_type == proto.Function.FUNCTION_TYPE_FUNCTION
        assert not each.plan.class_parameter_info.schema


def test_the_image_is_our_lock_with_its_hashes_on_python_3_12(plain: FakeWorkspace) -> None:
    lines = dockerfile(plain, "Wan21T2v13b.*")
    assert re.search(r"^FROM python:3\.12\.\d+-slim", lines, re.MULTILINE)
    size = (ROOT / "requirements" / "gpu.txt").stat().st_size
    assert f"gpu.txt: {size} bytes" in lines
    assert re.search(r"uv pip install .*--require-hashes --requirements \S*gpu\.txt$", lines, re.MULTILINE)
    assert "ENV HF_HUB_OFFLINE=1" in lines
    assert "HF_HUB_OFFLINE" not in dockerfile(plain, "fetch")


def test_uv_is_the_one_that_made_the_lock(plain: FakeWorkspace) -> None:
    assert f"uv=={UV} " in (ROOT / "requirements" / "uv.txt").read_text("utf-8")
    assert f"uv:{UV} " in dockerfile(plain, "fetch")


def test_containers_get_no_more_of_the_studio_than_engines_see(plain: FakeWorkspace) -> None:
    files = {file for mount in plain.mounts.values() for file in mount}
    assert "/root/gpu/engines/wan.py" in files
    ours = {PurePosixPath(file).relative_to("/root/sakuga") for file in files if file.startswith("/root/sakuga/")}
    assert {path.parts[0] for path in ours} == {"__init__.py", "engine.py", "errors"}
    assert all(file.endswith(".py") for file in files)


def test_a_container_finds_what_it_is_told_to_run(rich: FakeWorkspace, tmp_path: Path) -> None:
    # Given a machine that has the files of the image, and nothing else of ours
    for mount in rich.mounts.values():
        for file in mount:
            target = tmp_path / PurePosixPath(file).relative_to("/root")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / PurePosixPath(file).relative_to("/root"), target)
    definitions = tmp_path / "definitions"
    definitions.mkdir()
    for name, each in rich.functions.items():
        (definitions / name).write_bytes(each.one.SerializeToString())
    # When Modal's own entry point looks for each function and class there
    script = """
import pathlib, sys
from modal._runtime import user_code_imports as entry
from modal_proto import api_pb2
for file in sorted(pathlib.Path("definitions").iterdir()):
    wanted = api_pb2.Function.FromString(file.read_bytes())
    if wanted.is_class:
        service = entry.import_class_service(wanted, None, "cs-1", None, None, (), {})
        assert set(service.get_finalized_functions(wanted, None)) == {"load", "wake", "leave", "render"}
        assert len(service.service_deps) == len(wanted.object_dependencies), wanted.function_name
    else:
        service = entry.import_single_function_service(wanted, None)
    assert service.app.name == "sakuga"
    print(wanted.function_name)
assert "torch" not in sys.modules
"""
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={}, capture_output=True, text=True, check=False, timeout=60
    )
    # Then it finds them all
    assert found.stdout.split() == sorted(rich.functions), found.stderr


def test_a_secret_is_for_fetching_alone_and_only_where_one_is_named(plain: FakeWorkspace, rich: FakeWorkspace) -> None:
    assert all(not each.one.secret_ids for each in plain.functions.values())
    named = {name: list(each.one.secret_ids) for name, each in rich.functions.items() if each.one.secret_ids}
    assert named == {"fetch": ["st-huggingface"]}


def test_nothing_is_drawn_at_night_unless_that_is_asked_for(plain: FakeWorkspace, rich: FakeWorkspace) -> None:
    assert "nightly" not in plain.functions
    assert [name for name, each in plain.functions.items() if each.one.HasField("schedule")] == ["let_go"]
    nightly = rich.functions["nightly"]
    assert nightly.one.schedule.cron.cron_string == "15 3 * * *"
    assert nightly.gpus == []
    assert nightly.volumes == {"/media": ("sakuga-media", False)}


def test_what_is_kept_warm_for_nobody_is_looked_for_every_ten_minutes_without_a_gpu(plain: FakeWorkspace) -> None:
    look = plain.functions["let_go"]
    assert look.one.schedule.period.minutes == 10
    assert look.gpus == []


def test_what_the_night_draws_is_what_the_studio_file_says(rich: FakeWorkspace) -> None:
    plan = heroes.Plan.model_validate_json(rich.volumes["sakuga-media"]["hero/plan.json"])
    assert (plan.engine, plan.preset, plan.seconds) == ("wan2.1-t2v-1.3b", "live", 3)
    assert plan.prompts == ("a tram in the rain", "fireworks over the bay")
    assert (plan.style, plan.style_prompt, plan.negative_prompt) == ("rain", "warm rain", "photo")
    (lora,) = plan.adapters
    assert lora.source == Source(repository="maker/rain", file="rain.safetensors")
    sentence = "At night (15 3 * * *, UTC) it draws 2 clips of 3 s with wan2.1-t2v-1.3b (live), in the style rain; "
    assert re.search(
        re.escape(sentence) + r"12 a night at most, which costs by guess 0\.\d\d USD and a start", rich.said
    )


def test_what_is_still_to_be_brought_is_told_with_the_command_for_it(plain: FakeWorkspace, rich: FakeWorkspace) -> None:
    assert lacked(plain) == "the weights of wan2.1-t2v-1.3b"
    assert lacked(rich) == "the weights of wan2.1-t2v-1.3b, the LoRA of rain"  # nobody draws with hana's


def lacked(fake: FakeWorkspace) -> str:
    found = re.search(r"Not on Modal yet: (.*)\. Bring them: python -m sakuga gpu weights wan2.1-t2v-1.3b\n", fake.said)
    assert found
    return found[1]


def test_what_the_papers_say_it_costs_is_what_the_price_list_says() -> None:
    paper = (ROOT / "docs" / "how-to" / "modal.md").read_text("utf-8")
    found = re.findall(r"^\| `([\w.-]+)` \| (\S+) \| \$(\S+) \| \$(\S+) \|", paper, re.MULTILINE)
    assert {name for name, *_ in found} == {spec.name for spec in RENTED}
    for name, gpu, *told in found:
        spec = find_spec(name)
        costs = [cost(gpu=gpu, seconds=each, cores=CORES, memory_gib=memory_gib(spec)) for each in (3600, IDLE_S)]
        assert gpu == spec.gpus[0]
        assert told == [f"{each.usd:.2f}" for each in costs if each]
