"""The accounts: `python -m sakuga ledger` writes what was spent as CSV."""

import argparse
import csv
import sys
from datetime import UTC, date, datetime
from typing import TextIO

from sakuga import broker
from sakuga.budget import MICRO
from sakuga.ledger import Entry, Ledger
from sakuga.settings import Settings

COLUMNS = ("at", "type", "usd", "job_id", "attempt", "viewer", "session_id", "by", "reason")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def add_options(command: argparse.ArgumentParser) -> None:
    """Add what `ledger` can be told to a parser."""
    command.add_argument("--session", metavar="ID", help="only one stream session")
    command.add_argument("--day", metavar="YYYY-MM-DD", type=date.fromisoformat, help="only one day (UTC)")


async def run(settings: Settings, asked: argparse.Namespace, out: TextIO | None = None) -> int:
    """Write the lines that are kept, the oldest first, and return 0. Raises BrokerFailed."""
    async with broker.lent(settings) as redis:
        writer = csv.writer(out or sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        async for entry in Ledger(redis).entries(session_id=asked.session, day=asked.day):
            writer.writerow(map(_cell, _row(entry)))
    return 0


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        entry.type,
        f"{entry.usd_micro / MICRO:.6f}",
        entry.job_id,
        str(entry.attempt or ""),
        entry.viewer,
        entry.session_id,
        entry.by,
        entry.reason,
    )


def _cell(text: str) -> str:
    """Return a cell that a spreadsheet takes for text, whatever somebody wrote."""
    return f"'{text}" if text.startswith(FORMULAS) else text
