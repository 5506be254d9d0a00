import pytest

from api.paces import UNKNOWN_S, Paces, Seen, learnt
from sakuga.engine import EngineSpec, Recipe
from sakuga.history import Ended
from sakuga.job import JobStatus

SPEC = EngineSpec(
    name="wan",
    summary="For tests.",
    sizes=((832, 480),),
    fps=16,
    shortest_s=1,
    longest_s=10,
    default_s=5,
    frame_step=4,
    typical_s=60,
    presets={
        "live": Recipe(num_inference_steps=20, guidance_scale=5, typical_s=40),
        "draft": Recipe(num_inference_steps=5, guidance_scale=1, typical_s=10),
    },
)


def ended(took_s: float = 40, *, at: float = 1000, lead_s: float = 1, **changes: object) -> Ended:
    document = {
        "job_id": "job_1",
        "status": JobStatus.SUCCEEDED,
        "engine": "wan",
        "duration_s": 5,
        "requested_at": at - took_s - lead_s,
        "start_number": at - took_s - lead_s,
        "admitted_at": at - took_s - lead_s,
        "started_at": at - took_s,
        "ended_at": at,
    }
    return Ended.model_validate(document | changes)


def paces(*history: Ended) -> Paces:
    return Paces({"wan": SPEC}, list(history))


def test_without_history_an_engine_is_believed() -> None:
    assert paces().render("wan", "live").middle_s == pytest.approx(40)
    assert paces().render("wan", "draft").middle_s == pytest.approx(10)
    assert paces().render("wan", "unheard-of").middle_s == pytest.approx(60)
    assert paces().render("unheard-of", "live").middle_s == pytest.approx(UNKNOWN_S)


def test_a_longer_clip_takes_longer() -> None:
    assert paces().render("wan", "live", 10).middle_s == pytest.approx(40 * 161 / 81)


def test_history_takes_over_smoothly() -> None:
    guesses = [paces(*[ended(80)] * count).render("wan", "live").middle_s for count in (0, 1, 5, 60)]
    assert guesses == sorted(guesses)
    assert guesses[0] == pytest.approx(40)
    assert 60 < guesses[1] < 70
    assert guesses[3] == pytest.approx(80, rel=0.02)


def test_the_more_is_known_the_smaller_is_the_doubt() -> None:
    doubts = [paces(*[ended(80)] * count).render("wan", "live").doubt for count in (0, 1, 5, 60)]
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[0] == pytest.approx(0.35)
    assert doubts[3] < 0.03


def test_other_lengths_and_presets_tell_something_too() -> None:
    other = [ended(20, preset="draft")] * 5  # twice what the engine says of its drafts
    assert 60 < paces(*other).render("wan", "live").middle_s < 80
    longer = [ended(160, duration_s=10)] * 5
    assert 60 < paces(*longer).render("wan", "live").middle_s < 80
    assert paces(*[ended(99, engine="ltx")] * 5).render("wan", "live").middle_s == pytest.approx(40)


def test_what_happened_last_counts_most() -> None:
    faster = [*[ended(20)] * 30, *[ended(80)] * 30]
    slower = [*[ended(80)] * 30, *[ended(20)] * 30]
    assert paces(*faster).render("wan", "live").middle_s < 40 < paces(*slower).render("wan", "live").middle_s


def test_jobs_without_a_clip_say_nothing_of_renders_but_of_slots_that_are_given_back() -> None:
    broken = [ended(2, status=JobStatus.FAILED, attempt=2)] * 10
    assert paces(*broken).render("wan", "live").middle_s == pytest.approx(40)
    assert paces(*broken).without_clip > 0.4
    assert paces(*broken).again > 0.3
    assert paces().without_clip == paces().again == pytest.approx(0.02)


def test_cold_and_warm_starts_are_told_apart() -> None:
    first = ended(at=1000, lead_s=30)
    second = ended(at=1050, lead_s=1)
    third = ended(at=2000, lead_s=32)  # nothing was drawn for a quarter of an hour
    known = paces(third, second, first)
    assert known.cold_start.middle_s > 10
    assert known.warm_start.middle_s < 2
    assert known.is_cold(2061)
    assert not known.is_cold(2059)
    assert paces().is_cold(0)


def test_the_wait_for_an_attempt_that_broke_is_no_start() -> None:
    assert paces(ended(lead_s=500, attempt=2)).cold_start.middle_s < 2


def test_lots_are_drawn_around_the_middle() -> None:
    pace = learnt(40, 0.35, [Seen(50, 1.0), Seen(30, 1.0), Seen(40, 1.0)])
    assert sorted(pace.table)[256] == pytest.approx(pace.middle_s, rel=0.01)
    assert min(pace.table) < 30
    assert max(pace.table) > 50
    assert pace.most_s > pace.middle_s
