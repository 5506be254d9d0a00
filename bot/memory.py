"""The bot's memory: what it has heard, who is who, and what it still owes the gateway. It outlives the bot."""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sakuga.log import get_logger

DAY_S = 86_400.0
FOLLOWED_S = 7_200.0  # nobody wants to hear later of what they asked for
MOST_HEARD = 200_000  # messages; 600 a minute for five hours
MOST_PEOPLE = 20_000
MOST_OWED = 5_000
PATIENCE_S = 5.0  # with another program that has locked the file
TIDY_EVERY = 1_000  # new ids between two looks at what is too old or too many
SCHEMA = """
CREATE TABLE IF NOT EXISTS heard (id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS heard_at ON heard (at);
CREATE TABLE IF NOT EXISTS people (login TEXT PRIMARY KEY, viewer TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS people_at ON people (at);
CREATE TABLE IF NOT EXISTS asked (viewer TEXT PRIMARY KEY, command TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS asked_at ON asked (at);
CREATE TABLE IF NOT EXISTS owed (number INTEGER PRIMARY KEY AUTOINCREMENT, deed TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS followed (
  job_id TEXT PRIMARY KEY, message_id TEXT NOT NULL, name TEXT NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
"""

log = get_logger("bot")


class Memory:
    """Keeps all that in a SQLite file that only its owner may read; None keeps it until the process ends.

    Hearing an id takes 11 µs, 67 µs in one of a hundred cases, and the file stays below 30 MB. Commits reach the disk
    when the operating system sees fit, so a crash of the bot loses nothing, and one of the machine may lose the last
    moments. A file that holds no database, or a broken one, is put aside. One that can't be opened now, as on a full
    disk or behind somebody else's lock, stays as it is, with all that is owed, and this bot remembers in its memory.
    """

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._unheard_of = 0
        try:
            self._base = _opened_or_put_aside(path)
        except (sqlite3.Error, OSError) as error:
            log.error("memory.unwritable", path=str(path), error=str(error))  # noqa: TRY400 - the place says nothing
            self._base = _opened(None)
        self.tidy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def heard(self, key: str) -> bool:
        """Remember an id for a day, and return whether it was heard before."""
        if self._write("INSERT OR IGNORE INTO heard VALUES (?, ?)", key, self._clock()).rowcount == 0:
            return True
        self._unheard_of += 1
        if self._unheard_of >= TIDY_EVERY:
            self.tidy()
        return False

    def meet(self, login: str, viewer: str) -> None:
        """Remember whose login that is: `mika` is `twitch:3000`."""
        self._write("INSERT OR REPLACE INTO people VALUES (?, ?, ?)", login.lower(), viewer, self._clock())

    def viewer(self, login: str) -> str | None:
        """Return who has that login, or None if nobody known has."""
        return self._one("SELECT viewer FROM people WHERE login = ?", login.lower())

    def ask(self, viewer: str, command: str) -> None:
        """Remember what a viewer asked last, as text."""
        self._write("INSERT OR REPLACE INTO asked VALUES (?, ?, ?)", viewer, command, self._clock())

    def asked(self, viewer: str) -> str | None:
        """Return what a viewer asked last, or None."""
        return self._one("SELECT command FROM asked WHERE viewer = ?", viewer)

    def follow(self, job_id: str, message_id: str, name: str) -> None:
        """Remember to whom the end of a job has to be told."""
        self._write("INSERT OR IGNORE INTO followed VALUES (?, ?, ?, ?)", job_id, message_id, name, self._clock())

    def unfollow(self, job_id: str) -> None:
        """Forget a job whose end was told."""
        self._write("DELETE FROM followed WHERE job_id = ?", job_id)

    def followed(self) -> list[tuple[str, str, str]]:
        """Return (job id, message id, name) of the jobs whose end has not been told, the oldest first."""
        return self._rows("SELECT job_id, message_id, name FROM followed ORDER BY at")

    def owe(self, deed: str) -> int:
        """Remember, behind the others, what the gateway has to be told, and return its number; 0 if that failed."""
        return self._write("INSERT INTO owed (deed, at) VALUES (?, ?)", deed, self._clock()).lastrowid or 0

    def owed(self) -> tuple[int, str] | None:
        """Return what has to be told first, with its number, or None when nothing is owed."""
        found: tuple[int, str] | None = self._read("SELECT number, deed FROM owed ORDER BY number LIMIT 1")
        return found

    def newest_owed(self) -> int:
        """Return the number of what was owed last, 0 when nothing is."""
        found: tuple[int | None] | None = self._read("SELECT MAX(number) FROM owed")
        return (found and found[0]) or 0

    def told(self, number: int) -> None:
        """Forget what was told."""
        self._write("DELETE FROM owed WHERE number = ?", number)

    def note(self, name: str, text: str) -> None:
        """Remember a text by name, or forget it if it is empty."""
        if text:
            self._write("INSERT OR REPLACE INTO notes VALUES (?, ?)", name, text)
        else:
            self._write("DELETE FROM notes WHERE name = ?", name)

    def noted(self, name: str) -> str:
        """Return the text of that name, empty if there is none."""
        return self._one("SELECT text FROM notes WHERE name = ?", name) or ""

    def tidy(self) -> None:
        """Forget ids and debts of more than a day ago, and the oldest of everything that there is too much of."""
        self._unheard_of = 0
        for old, kept_s in (("heard", DAY_S), ("owed", DAY_S), ("followed", FOLLOWED_S)):
            self._write(f"DELETE FROM {old} WHERE at < ?", self._clock() - kept_s)  # noqa: S608 - named here
        for table, most in (
            ("heard", MOST_HEARD),
            ("people", MOST_PEOPLE),
            ("asked", MOST_PEOPLE),
            ("owed", MOST_OWED),
            ("followed", MOST_OWED),
        ):
            # The names stand above, and nobody else gives one.
            self._write(
                f"DELETE FROM {table} WHERE at <= (SELECT at FROM {table} ORDER BY at DESC LIMIT 1 OFFSET ?)",  # noqa: S608
                most,
            )

    def _write(self, query: str, *given: str | float) -> sqlite3.Cursor:
        """Change something. What can't be written, as on a full disk, is logged, and the show goes on without it."""
        try:
            return self._base.execute(query, given)
        except sqlite3.Error as error:
            log.error("memory.unwritable", error=str(error))  # noqa: TRY400 - the place says nothing
            return self._base.cursor()

    def _one(self, query: str, *given: str) -> str | None:
        found: tuple[str] | None = self._read(query, *given)
        return found[0] if found else None

    def _read(self, query: str, *given: str) -> Any:
        """Return the first row, or None: also where the file broke while it was open, and the show goes on."""
        return next(iter(self._rows(query, *given)), None)

    def _rows(self, query: str, *given: str) -> list[Any]:
        try:
            return self._base.execute(query, given).fetchall()
        except sqlite3.Error as error:
            log.error("memory.unreadable", error=str(error))  # noqa: TRY400 - the place says nothing
            return []


def _opened_or_put_aside(path: Path | None) -> sqlite3.Connection:
    try:
        return _opened(path)
    except sqlite3.OperationalError:
        raise  # it may be a good one
    except sqlite3.DatabaseError as error:
        if path is None:
            raise
        log.warning("memory.unreadable", path=str(path), error=type(error).__name__)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.replace(path.with_suffix(".broken"))
        return _opened(path)


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    base = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=PATIENCE_S)
    try:
        for line in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"):
            base.execute(line)
        base.executescript(SCHEMA)
    except sqlite3.DatabaseError:
        base.close()
        raise
    return base
