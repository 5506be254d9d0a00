from pathlib import Path
from typing import Any

from sakuga.clip import Clip
from sakuga.engine import Cost, Making, RenderResult
from sakuga.job import Job
from sakuga.lane import Lane
from tests.fakes.jobs import MIKA, clip

MAKING = Making(
    engine="ltx-video-2b", preset="draft", mode="image-to-video", adapters=("hana:0.8",), seconds={"denoise": 3.2}
)
COST = Cost(gpu="H100", seconds=8.4, usd=0.0092)


def finished(tmp_path: Path, asked: dict[str, Any] | None = None, **made: Any) -> Clip:
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"0123456789")
    result = RenderResult(video_path=str(video), poster_path="", width=576, height=320, fps=24, num_frames=121, **made)
    job = Job(
        id="job_1",
        number=42,
        status="finishing",
        prompt="cat",
        style="neon",
        engine="wan2.1-t2v-1.3b",
        characters=["hana"],
        duration_s=5,
        seed=7,
        requested_by=MIKA,
        lane=Lane.VIEWER,
        requested_at=90,
        start_number=90,
        started_at=100,
        attempt=2,
        **asked or {},
    )
    return Clip.of(job, renderer="modal", result=result, finished_at=108.5)


def test_a_sidecar_says_what_was_really_made_and_not_what_was_asked_for(tmp_path: Path) -> None:
    clip = finished(tmp_path, renderer="local", has_sound=True, making=MAKING, cost=COST)
    assert (clip.engine, clip.preset, clip.mode, clip.renderer) == ("ltx-video-2b", "draft", "image-to-video", "local")
    assert (clip.width, clip.height, clip.num_frames, clip.has_sound) == (576, 320, 121, True)
    assert (clip.characters, clip.attempt, clip.render_s, clip.bytes) == (["hana"], 2, 8.5, 10)
    assert (clip.making, clip.cost) == (MAKING, COST)


def test_a_result_that_tells_nothing_of_its_making_is_what_was_asked_for(tmp_path: Path) -> None:
    clip = finished(tmp_path)
    assert (clip.engine, clip.preset, clip.renderer) == ("wan2.1-t2v-1.3b", "live", "modal")
    assert clip.making is clip.cost is None


def test_a_sidecar_names_the_parent_and_all_who_asked_but_not_what_bans_call_them(tmp_path: Path) -> None:
    asked = {"parent": "clip_1", "parent_number": 12, "ensemble": ["Mika", "Jo"], "crowd": ["twitch:3000"]}
    clip = finished(tmp_path, asked)
    assert (clip.parent, clip.parent_number, clip.ensemble) == ("clip_1", 12, ["Mika", "Jo"])
    assert "crowd" not in clip.model_dump_json()
    plain = finished(tmp_path)
    assert (plain.parent, plain.parent_number, plain.ensemble) == (None, None, [])


def test_a_sidecar_reads_back_whole(tmp_path: Path) -> None:
    clip = finished(tmp_path, making=MAKING, cost=COST)
    assert Clip.model_validate_json(clip.model_dump_json()) == clip


def test_a_sidecar_of_an_older_studio_is_read() -> None:
    new = {"preset", "mode", "characters", "has_sound", "making", "cost"}
    old = Clip.model_validate(clip().model_dump(exclude=new))
    assert (old.preset, old.characters, old.has_sound, old.cost) == ("live", [], False, None)
