"""Which clips a night draws, and that each is drawn as the show would draw it."""

from pathlib import Path
from typing import Any

import pytest

from gpu.cloud import heroes
from gpu.cloud.catalog import Catalog
from gpu.cloud.workspace import RENTED
from sakuga import catalog as studio
from sakuga.engine import RenderRequest
from sakuga.errors import SettingsInvalid, StudioFileInvalid
from sakuga.job import Job, JobStatus, RequestedBy
from sakuga.lane import Lane
from sakuga.order import order

WAN, LTX = "wan2.1-t2v-1.3b", "ltx-video-2b"
STYLES = """
[styles.neon]
title = "Neon"
prompt = "neon city at night"
negative_prompt = "daylight"
loras = [{file = "neon.safetensors", repository = "maker/neon", weight = 0.8}]

[styles.plain]
title = "Plain"
"""


def planned(folder: Path, text: str, usual: str = WAN, gpu: str | None = None) -> heroes.Plan:
    path = folder / "studio.toml"
    path.write_text(f"style = 'plain'\n{text}\n{STYLES}", "utf-8")
    studio.Catalog.load(path)  # what is tried here is a studio file that the studio takes
    return heroes.plan(Catalog.read(path), path, RENTED, usual, gpu)


def asked(plan: heroes.Plan, shelf: Path) -> list[RenderRequest]:
    return list(heroes.missing(shelf, plan, RENTED[plan.engine], attempt=1))


def job_of(request: RenderRequest, seconds: float) -> Job:
    same = request.model_dump(include={"number", "prompt", "style", "engine", "preset", "seed", "attempt"})
    times = {"duration_s": seconds, "requested_at": 0.0, "start_number": 0.0}
    return Job(
        id=request.job_id,
        status=JobStatus.STARTING,
        requested_by=RequestedBy(display_name="The house"),
        lane=Lane.VIEWER,
        **same,
        **times,
    )


@pytest.mark.parametrize("preset", ["draft", "live", "quality"])
@pytest.mark.parametrize("engine", [WAN, LTX, "ltx-2"])
def test_a_hero_is_ordered_as_a_viewers_clip_would_be(tmp_path: Path, engine: str, preset: str) -> None:
    hero = f"preset = '{preset}'\n[hero]\nengine = '{engine}'\nstyle = 'neon'\nseconds = 3\nprompts = ['a tram']"
    plan = planned(tmp_path, hero)
    (request,) = asked(plan, tmp_path)
    ordered = order(job_of(request, 3), studio.Catalog.load(tmp_path / "studio.toml"), RENTED[engine])
    assert request == ordered.model_copy(update={"requested_by": ""})
    assert request.words == "a tram, neon city at night"
    assert request.adapters


def test_what_the_table_leaves_out_is_the_shows(tmp_path: Path) -> None:
    plan = planned(tmp_path, f"engine = '{LTX}'\nhero.prompts = [' a tram ', '', 'a tram', 'a bay']", gpu="H200")
    assert (plan.engine, plan.style, plan.preset, plan.gpu) == (LTX, "plain", "live", "H200")
    assert plan.seconds == RENTED[LTX].default_s
    assert plan.prompts == ("a tram", "a bay")
    # And where the show's engine can't be rented, or there is none, it is the first of those that are offered
    assert planned(tmp_path, "engine = 'tiny'\nhero.prompts = ['a']", usual="mochi-1").engine == "mochi-1"
    assert planned(tmp_path, "hero.prompts = ['a']", usual="mochi-1").engine == "mochi-1"


@pytest.mark.parametrize("text", ["", "[hero]", "hero.style = 'neon'", "hero.prompts = ['  ']"])
def test_nothing_to_draw_is_told_with_what_to_write(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        planned(tmp_path, text)
    example = str(refused.value).partition("for example:")[2]
    assert str(tmp_path / "studio.toml") in str(refused.value)
    assert len(planned(tmp_path, example).prompts) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("engine = 'vhs'", rf"hero\.engine: there is no engine 'vhs' on Modal; choose one of {WAN}, "),
        ("engine = 'rehearsal'", "there is no engine 'rehearsal' on Modal"),
        ("engine = 'wan2.1-i2v-14b-480p'", "begins with a picture"),
        (f"engine = '{WAN}'\nseconds = 9", rf"hero\.seconds: {WAN} draws clips of 1 to 5 seconds"),
    ],
)
def test_what_no_gpu_could_draw_is_refused_before_the_night(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(StudioFileInvalid, match=words):
        planned(tmp_path, f"[hero]\nprompts = ['a tram']\n{text}")


def test_another_look_of_a_prompt_is_another_clip_and_another_wording_of_the_style_is_not(tmp_path: Path) -> None:
    base: dict[str, Any] = {"engine": WAN, "preset": "live", "style": "neon", "seconds": 3.0, "prompts": ("a tram",)}
    first = heroes.Plan(**base)

    def same(**other: Any) -> bool:
        (one,), (two,) = asked(first, tmp_path), asked(heroes.Plan(**(base | other)), tmp_path)
        return one.job_id == two.job_id

    assert same(style_prompt="neon, rain")
    for other in ({"style": "plain"}, {"preset": "draft"}, {"seconds": 4.0}, {"engine": LTX}, {"prompts": ("a bay",)}):
        assert not same(**other)


def test_an_engine_without_the_shows_preset_draws_with_its_own_first(tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text("preset = 'quality'\nhero.prompts = ['a']", "utf-8")
    catalog = Catalog.read(tmp_path / "studio.toml")
    wan = RENTED[WAN]
    few, none = (wan.model_copy(update={"presets": found}) for found in ({"draft": wan.presets["draft"]}, {}))
    for spec, preset in ((few, "draft"), (none, "quality")):
        plan = heroes.plan(catalog, tmp_path, {WAN: spec}, WAN)
        assert plan.preset == preset
        (request,) = heroes.missing(tmp_path, plan, spec, attempt=1)
        assert (request.width, request.height) == (spec.presets[preset].size if spec.presets else spec.sizes[0])
