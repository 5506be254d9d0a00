from datetime import UTC, datetime, timedelta

import pytest

from overlay.playlist import EYECATCH_S, Cue, next_cue
from sakuga.gateway import ClipDocument, StageDocument
from sakuga.stage import StageState

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def clip(number: int, *, age_s: float = 60, duration: float = 5) -> ClipDocument:
    return ClipDocument.model_validate(
        {
            "clip_id": f"clip_{number}",
            "job_id": f"job_{number}",
            "number": number,
            "cut": f"C-{number:03d}",
            "requested_by": {"platform": "studio"},
            "video_url": "/v",
            "poster_url": "/p",
            "duration": duration,
            "finished_at": NOW - timedelta(seconds=age_s),
        }
    )


def stage(state: str = "idle", **fields: object) -> StageDocument:
    return StageDocument.model_validate({"state": state, "revision": 1, "server_time": NOW, **fields})


def on_air(state: str, shown: ClipDocument, *, left_s: float, **fields: object) -> StageDocument:
    return stage(state, clip=shown, until=NOW + timedelta(seconds=left_s), **fields)


OLD, NEW, NEWEST = clip(1, age_s=90), clip(2, age_s=30), clip(3, age_s=10)


def test_an_empty_studio_is_idle() -> None:
    assert next_cue(stage(), [], NOW) == Cue(StageState.IDLE)


def test_while_a_job_is_drawn_the_desk_is_shown() -> None:
    assert next_cue(stage(cooking=["job_9"]), [OLD], NOW - timedelta(hours=-1)) == Cue(StageState.COOKING)


def test_a_new_clip_is_shown_to_its_end_and_a_little_longer() -> None:
    cue = next_cue(stage(last_result="clip_1"), [NEW, OLD], NOW)
    assert cue == Cue(StageState.RESULT, "clip_2", 5 + EYECATCH_S)


def test_new_clips_are_shown_in_order_of_completion() -> None:
    assert next_cue(stage(last_result="clip_1"), [NEWEST, NEW, OLD], NOW).clip_id == "clip_2"
    assert next_cue(stage(last_result="clip_2"), [NEWEST, NEW, OLD], NOW).clip_id == "clip_3"


def test_a_result_is_not_cut_short_by_the_next_one_or_by_the_desk() -> None:
    showing = on_air("result", NEW, left_s=1, last_result="clip_2", cooking=["job_9"])
    assert next_cue(showing, [NEWEST, NEW], NOW) == Cue(StageState.RESULT, "clip_2")


def test_a_clip_is_a_result_only_once() -> None:
    over = on_air("result", NEW, left_s=-1, last_result="clip_2")
    assert next_cue(over, [NEW, OLD], NOW) != Cue(StageState.RESULT, "clip_2", 5 + EYECATCH_S)
    assert next_cue(over, [NEW, OLD], NOW).state is StageState.GALLERY


def test_a_clip_that_finished_long_ago_goes_to_the_gallery_without_a_premiere() -> None:
    assert next_cue(stage(), [clip(1, age_s=3600)], NOW).state is StageState.GALLERY


def test_the_gallery_goes_round_from_newest_to_oldest() -> None:
    clips = [NEWEST, NEW, OLD]
    shown, order = stage("idle", last_result="clip_3"), []
    for _ in range(4):
        cue = next_cue(shown, clips, NOW)
        order.append(cue.clip_id)
        current = next(c for c in clips if c.clip_id == cue.clip_id)
        shown = on_air("gallery", current, left_s=0, last_result="clip_3")
    assert order == ["clip_3", "clip_2", "clip_1", "clip_3"]


def test_a_gallery_clip_gives_way_to_the_desk_and_to_a_premiere() -> None:
    showing = on_air("gallery", OLD, left_s=3, last_result="clip_1", cooking=["job_9"])
    assert next_cue(showing, [OLD], NOW) == Cue(StageState.COOKING)
    assert next_cue(showing, [NEW, OLD], NOW).clip_id == "clip_2"


@pytest.mark.parametrize("cooking", [[], ["job_9"]])
def test_what_is_dumped_stays_dumped(cooking: list[str]) -> None:
    assert next_cue(stage("dumped", cooking=cooking), [NEW], NOW) == Cue(StageState.DUMPED)
