import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot import memory as room
from bot.memory import DAY_S, Memory


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_id_is_heard_once_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "var" / "bot.sqlite"
    with Memory(path) as memory:
        assert [memory.heard("m-1"), memory.heard("m-1"), memory.heard("m-2")] == [False, True, False]
    with Memory(path) as memory:
        assert [memory.heard("m-1"), memory.heard("m-3")] == [True, False]


def test_what_was_written_survives_a_bot_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    killed = os.fork()
    if not killed:
        memory = Memory(path)
        memory.heard("m-1")
        memory.owe("a raid")
        os._exit(0)  # neither closed nor flushed
    os.waitpid(killed, 0)
    with Memory(path) as memory:
        assert memory.heard("m-1")
        assert memory.owed() == (1, "a raid")


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    path.touch(0o644)
    with Memory(path) as memory:
        memory.note("a", "b")
        files = list(tmp_path.iterdir())
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_ids_are_forgotten_after_a_day_and_the_oldest_when_there_are_too_many(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TIDY_EVERY", 10)
    monkeypatch.setattr(room, "MOST_HEARD", 25)
    with Memory(clock=clock) as memory:
        memory.heard("old")
        clock.now += DAY_S + 1
        for number in range(9):
            memory.heard(f"m-{number}")
            clock.now += 1
        assert not memory.heard("old")
        for number in range(9, 60):
            memory.heard(f"m-{number}")
            clock.now += 1
        assert memory.heard("m-59")
        assert not memory.heard("m-9")


def test_people_and_their_last_requests_are_bounded_too(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_PEOPLE", 3)
    with Memory(clock=clock) as memory:
        for number in range(6):
            memory.meet(f"viewer{number}", f"twitch:{number}")
            memory.ask(f"twitch:{number}", "{}")
            clock.now += 1
        memory.tidy()
        assert [memory.viewer(f"viewer{number}") for number in range(6)] == [
            None, None, None, "twitch:3", "twitch:4", "twitch:5",
        ]  # fmt: skip
        assert [memory.asked(f"twitch:{number}") is None for number in range(6)] == [True] * 3 + [False] * 3


def test_people_are_known_by_login_and_the_last_request_counts(tmp_path: Path) -> None:
    with Memory(tmp_path / "bot.sqlite") as memory:
        memory.meet("Mika", "twitch:3000")
        memory.ask("twitch:3000", "one")
        memory.ask("twitch:3000", "two")
    with Memory(tmp_path / "bot.sqlite") as memory:
        assert (memory.viewer("mIKA"), memory.viewer("jo")) == ("twitch:3000", None)
        assert (memory.asked("twitch:3000"), memory.asked("twitch:1")) == ("two", None)


def test_debts_stay_in_order_until_they_are_told_or_a_day_old(clock: Clock) -> None:
    with Memory(clock=clock) as memory:
        assert (memory.owed(), memory.newest_owed()) == (None, 0)
        first, second = memory.owe("one"), memory.owe("two")
        assert memory.owed() == (first, "one")
        memory.told(first)
        assert (memory.owed(), memory.newest_owed()) == ((second, "two"), second)
        memory.told(second)
        assert memory.owe("three") > second
        clock.now += DAY_S + 1
        memory.tidy()
        assert memory.owed() is None


def test_notes_are_kept_by_name_and_forgotten_when_empty() -> None:
    with Memory() as memory:
        memory.note("curtain", "up")
        memory.note("curtain", "down")
        assert memory.noted("curtain") == "down"
        memory.note("curtain", "")
        assert memory.noted("curtain") == ""


def test_a_file_that_can_not_be_read_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    path.write_bytes(b"this is no database at all, but long enough to look like one" * 20)
    with capture_logs() as logs, Memory(path) as memory:
        assert not memory.heard("m-1")
    assert [line["event"] for line in logs] == ["memory.unreadable"]
    assert path.with_suffix(".broken").exists()


def test_a_file_that_somebody_else_has_locked_is_left_as_it_is_with_what_is_owed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE_S", 0)
    path = tmp_path / "bot.sqlite"
    with Memory(path) as memory:
        memory.owe("a raid")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with capture_logs() as logs, Memory(path) as memory:
            assert [memory.heard("m-1"), memory.heard("m-1")] == [False, True]
    assert [line["event"] for line in logs] == ["memory.unwritable"]
    with Memory(path) as memory:
        assert memory.owed() == (1, "a raid")


def test_a_folder_that_can_not_be_written_does_not_stop_the_bot(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("no folder")
    with capture_logs() as logs, Memory(tmp_path / "var" / "bot.sqlite") as memory:
        assert memory.owe("a raid") == 1
    assert [line["event"] for line in logs] == ["memory.unwritable"]


def test_a_file_that_breaks_while_it_is_open_does_not_stop_the_bot(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    with Memory(path) as memory:
        for number in range(2000):
            memory.heard(f"m-{number:060}")
    pages = path.stat().st_size // 4096
    with Memory(path) as memory, capture_logs() as logs:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096 * (pages - 1))
        assert [memory.owed(), memory.newest_owed(), memory.noted("a"), memory.viewer("mika")] == [None, 0, "", None]
        assert [memory.owe("a raid"), memory.heard("m-new")] == [0, False]
    assert {line["event"] for line in logs} == {"memory.unreadable", "memory.unwritable"}


def test_a_memory_that_can_not_be_written_does_not_stop_the_bot(tmp_path: Path) -> None:
    with Memory(tmp_path / "bot.sqlite") as memory, capture_logs() as logs:
        memory.heard("m-1")
        memory._base.execute("PRAGMA query_only = ON")
        assert [memory.heard("m-1"), memory.heard("m-2"), memory.owe("a raid")] == [False, False, 0]
        memory.meet("mika", "twitch:3000")
    assert {line["event"] for line in logs} == {"memory.unwritable"}
