from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.youtube import quota as room
from bot.youtube.quota import READ, SPEAK, Quota, pacific

NOON = datetime(2026, 11, 20, 20, tzinfo=UTC)  # in California


class Day:
    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def new_quota(folder: Path, day: Day, limit: int = 10_000) -> Quota:
    return Quota(folder / "var" / "youtube-quota.json", limit, now=day.now)


def test_units_are_counted_across_restarts_until_midnight_in_california(tmp_path: Path) -> None:
    day = Day()
    quota = new_quota(tmp_path, day)
    assert quota.take(READ)
    assert quota.take_for_speaking()
    again = new_quota(tmp_path, day)
    assert (again.used, again.left) == (25, 9975)
    assert again.resets_at == datetime(2026, 11, 21, 8, tzinfo=UTC)
    day.at = again.resets_at - timedelta(seconds=1)
    assert again.used == 25
    day.at = again.resets_at
    assert again.used == 0
    assert again.resets_at == datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_a_day_in_which_the_clocks_change_is_as_long_as_it_is(tmp_path: Path) -> None:
    autumn = Day(datetime(2026, 11, 1, 7, tzinfo=UTC))  # midnight, by summer time
    assert new_quota(tmp_path, autumn).resets_in_s == 25 * 3600
    spring = Day(datetime(2026, 3, 8, 8, tzinfo=UTC))
    assert new_quota(tmp_path, spring).resets_in_s == 23 * 3600


def test_where_no_zones_are_known_the_day_ends_an_hour_late_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise room.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(room, "ZoneInfo", unknown)
    assert pacific().utcoffset(NOON) == timedelta(hours=-8)


def test_nothing_is_taken_that_the_day_does_not_have(tmp_path: Path) -> None:
    quota = new_quota(tmp_path, Day(), limit=9)
    assert [quota.take(READ), quota.take(READ), quota.used] == [True, False, 5]
    assert quota.pause_s(4) == quota.resets_in_s


def test_answers_get_a_share_of_the_day_and_no_more(tmp_path: Path) -> None:
    quota = new_quota(tmp_path, Day(), limit=1000)
    said = [quota.take_for_speaking() for _ in range(30)]
    assert said == [True] * 20 + [False] * 10
    assert quota.used == 20 * SPEAK
    assert quota.take(READ)


def test_over_the_planned_hours_the_pace_is_even_and_then_the_reserve_lasts_for_the_day(tmp_path: Path) -> None:
    day = Day(datetime(2026, 11, 20, 8, tzinfo=UTC))
    quota = new_quota(tmp_path, day, limit=1000)
    end, pauses = quota.resets_at, []
    while day.at < end:
        assert quota.take(READ)
        pause_s = quota.pause_s(4)
        pauses.append((day.at, pause_s))
        quota.listened(pause_s)
        day.at += timedelta(seconds=pause_s)
    first_hours = [pause for at, pause in pauses if at < end - timedelta(hours=21)]
    assert min(first_hours) == pytest.approx(80, abs=3)
    assert max(first_hours) == pytest.approx(80, abs=3)
    assert max(pause for _, pause in pauses) < 70 * 60


def test_late_in_the_day_what_is_left_is_used_faster(tmp_path: Path) -> None:
    quota = new_quota(tmp_path, Day(datetime(2026, 11, 21, 7, tzinfo=UTC)))
    assert quota.pause_s(4) == pytest.approx(1.8)


def test_a_day_that_youtube_calls_used_up_is_used_up(tmp_path: Path) -> None:
    day = Day()
    quota = new_quota(tmp_path, day)
    quota.exhaust()
    assert (quota.left, quota.take(1), new_quota(tmp_path, day).left) == (0, False, 0)


def test_a_broken_file_is_named_and_the_day_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "var" / "youtube-quota.json"
    path.parent.mkdir()
    for broken in ("not json", "[]", '{"day": "2026-11-20", "units": "many"}', '{"days": 3}'):
        path.write_text(broken)
        with capture_logs() as logs:
            assert new_quota(tmp_path, Day()).used == 0
        assert [line["event"] for line in logs] == ["quota.unreadable"]


def test_a_file_that_can_not_be_written_is_named_and_counting_goes_on(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("no folder")
    with capture_logs() as logs:
        quota = new_quota(tmp_path, Day())
        assert quota.take(READ)
    assert quota.used == READ
    assert logs[-1]["event"] == "quota.not_kept"
