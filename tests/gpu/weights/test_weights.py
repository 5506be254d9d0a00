"""Weights on disk: found, told apart from half of them, and loaded by the real diffusers."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from diffusers import DiffusionPipeline, WanTransformer3DModel

from gpu import weights
from gpu.engines import find_spec
from gpu.engines.tiny import tiny_wan
from sakuga.engine import EngineSpec, Licence, Recipe, Source
from sakuga.errors import LicenceNotAccepted, WeightsMissing, WeightsUnreachable
from tests.fakes.hub import FakeHub, fake_hub
from tests.fakes.weights.shelf import REAL, stock

ROOT = Path(__file__).parents[3]
TERMS = Licence(name="Terms", url="https://example.com/terms", must_accept=True)
MODEL = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": b"model"}


def spec(**more: object) -> EngineSpec:
    fields = {
        "name": "small",
        "summary": "Small.",
        "sizes": ((64, 64),),
        "fps": 16,
        "shortest_s": 1,
        "longest_s": 2,
        "default_s": 1,
        "frame_step": 4,
        "typical_s": 1,
        "source": Source(repository="studio/small"),
        "extras": (Source(repository="studio/upscaler"),),
        "presets": {
            "draft": Recipe(num_inference_steps=4, guidance_scale=1, typical_s=1),
            "live": Recipe(
                num_inference_steps=4,
                guidance_scale=1,
                typical_s=1,
                source=Source(repository="studio/loras", file="fast.safetensors"),
            ),
            "quality": Recipe(
                num_inference_steps=4, guidance_scale=1, typical_s=1, source=Source(repository="studio/distilled")
            ),
        },
    }
    return EngineSpec.model_validate(fields | more)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    with fake_hub(monkeypatch, tmp_path) as running:
        running.add("studio/small", MODEL)
        running.add("studio/upscaler", MODEL | {"diffusion_pytorch_model.safetensors": b"larger"})
        running.add("studio/loras", {"fast.safetensors": b"fast", "slow.safetensors": b"slow"})
        distilled = {f"transformer/{name}": text for name, text in MODEL.items()}
        beside = {"model_index.json": b"{}", "vae/config.json": b"{}", "vae/model.safetensors": b"again"}
        running.add("studio/distilled", distilled | beside)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real pipeline, its transformer in full and in bf16, and the whole of it as a pickle besides."""
    folder = tmp_path_factory.mktemp("tiny")
    pipe = tiny_wan()
    pipe.save_pretrained(folder, max_shard_size="40KB")
    pipe.transformer.save_pretrained(folder / "transformer", variant="bf16", max_shard_size="40KB")
    (folder / "original.pt").write_bytes(b"pickle")
    return folder


def test_an_engine_comes_with_its_extras_and_what_its_presets_need(hub: FakeHub, folder: Path) -> None:
    assert not weights.present(spec(), folder)
    list(weights.fetch(spec(), folder, endpoint=hub.url))
    assert weights.present(spec(), folder)
    lora, distilled = (weights.sources(spec())[index] for index in (2, 3))
    assert weights.find(lora, folder, engine="small").read_bytes() == b"fast"
    assert weights.find(distilled, folder, engine="small").name == "transformer"
    assert not list(folder.rglob("slow.safetensors"))
    assert not list(folder.rglob("vae"))


@pytest.mark.parametrize("name", ["small", "upscaler", "loras", "distilled"])
def test_an_engine_is_there_only_with_everything(hub: FakeHub, folder: Path, name: str) -> None:
    list(weights.fetch(spec(), folder, endpoint=hub.url))
    for file in weights.home(f"studio/{name}", folder).rglob("*.safetensors"):
        file.unlink()
    assert not weights.present(spec(), folder)


def test_a_distilled_repository_is_its_transformer_and_no_pipeline(hub: FakeHub, folder: Path) -> None:
    list(weights.fetch(spec(), folder, endpoint=hub.url))
    distilled = Source(repository="studio/distilled")
    part = weights.find(distilled.model_copy(update={"file": "transformer"}), folder, engine="small")
    assert (part / "config.json").is_file()
    with pytest.raises(WeightsMissing):
        weights.find(distilled, folder, engine="small")
    assert not weights.present(spec(source=distilled, extras=(), presets={}), folder)


def test_an_engine_without_weights_is_always_there(folder: Path) -> None:
    assert weights.present(spec(source=None, extras=(), presets={}), folder)


def test_missing_weights_name_the_engine_and_how_to_get_it(folder: Path) -> None:
    with pytest.raises(WeightsMissing, match="python -m sakuga gpu weights small"):
        weights.find(Source(repository="studio/small"), folder, engine="small")
    with pytest.raises(WeightsMissing):
        weights.find(Source(repository="studio/small", revision="0" * 40), folder, engine="small")


def test_a_blob_that_is_gone_is_noticed(hub: FakeHub, folder: Path) -> None:
    small = Source(repository="studio/small")
    list(weights.fetch_sources("small", [small], folder, endpoint=hub.url))
    model = weights.find(small, folder, engine="small") / "diffusion_pytorch_model.safetensors"
    model.resolve().unlink()
    with pytest.raises(WeightsMissing):
        weights.find(small, folder, engine="small")
    list(weights.fetch_sources("small", [small], folder, endpoint=hub.url))
    assert model.read_bytes() == b"model"


def test_a_commit_is_read_off_a_path() -> None:
    commit = "0fad780a534b6463e45facd96134c9f345acfa5b"
    assert weights.commit_of(Path("var/weights/models--a--b/snapshots") / commit / "transformer") == commit
    assert weights.commit_of(Path("somewhere/else")) == ""


def test_terms_have_to_be_accepted_before_anything_is_asked(hub: FakeHub, folder: Path) -> None:
    with pytest.raises(LicenceNotAccepted, match=r"comes under Terms\. Read https://example.com/terms"):
        weights.fetch(spec(licence=TERMS), folder, endpoint=hub.url)
    assert hub.asked == []
    list(weights.fetch(spec(licence=TERMS), folder, accept_licence=True, endpoint=hub.url))
    list(weights.fetch(spec(licence=Licence(name="Apache-2.0")), folder, endpoint=hub.url))


def test_looking_for_weights_takes_neither_torch_nor_the_hub_s_client(folder: Path) -> None:
    code = """
import sys
from pathlib import Path
from gpu import weights
from gpu.engines import find_spec
assert not weights.present(find_spec("wan2.1-t2v-1.3b"), Path("nowhere"))
print({"torch", "diffusers", "huggingface_hub"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_real_pipeline_comes_in_bf16_and_is_loaded(hub: FakeHub, folder: Path, saved: Path) -> None:
    hub.add("studio/tiny", saved)
    tiny = Source(repository="studio/tiny")
    list(weights.fetch_sources("tiny", [tiny], folder, endpoint=hub.url))
    found = weights.find(tiny, folder, engine="tiny")
    names = {path.name for path in (found / "transformer").iterdir()}
    assert len(names) > 3
    assert all("bf16" in name for name in names - {"config.json"})
    assert not list(folder.rglob("*.pt"))
    assert weights.variant(found) == "bf16"
    pipe = DiffusionPipeline.from_pretrained(found, variant="bf16", local_files_only=True)
    assert type(pipe.transformer) is WanTransformer3DModel


def test_a_real_pipeline_without_variants_needs_none(hub: FakeHub, folder: Path, saved: Path) -> None:
    files = {path.relative_to(saved).as_posix(): path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    hub.add("studio/tiny", {name: text for name, text in files.items() if "bf16" not in name})
    tiny = Source(repository="studio/tiny")
    list(weights.fetch_sources("tiny", [tiny], folder, endpoint=hub.url))
    found = weights.find(tiny, folder, engine="tiny")
    assert weights.variant(found) is None
    assert DiffusionPipeline.from_pretrained(found, variant=None, local_files_only=True)


@pytest.mark.parametrize("name", REAL)
def test_every_engine_of_ours_comes_from_the_hub_whole(hub: FakeHub, folder: Path, tmp_path: Path, name: str) -> None:
    engine, shelf = find_spec(name), stock(name, tmp_path / "shelf")
    for source in weights.sources(engine):
        lies = weights.home(source.repository, shelf) / "snapshots" / str(source.revision)
        hub.add(source.repository, lies, commit=source.revision)
    list(weights.fetch(engine, folder, accept_licence=True, endpoint=hub.url))
    assert weights.present(engine, folder)
    assert engine.source
    assert weights.commit_of(weights.find(engine.source, folder, engine=name)) == engine.source.revision


def test_half_of_a_repository_on_the_hub_is_told(hub: FakeHub, folder: Path) -> None:
    hub.add("studio/small", {"config.json": b"{}", "diffusion_pytorch_model-00001-of-00002.safetensors": b"half"})
    with pytest.raises(WeightsUnreachable, match="does not hold weights"):
        weights.fetch_sources("small", [Source(repository="studio/small")], folder, endpoint=hub.url)
