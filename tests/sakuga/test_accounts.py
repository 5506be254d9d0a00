"""`python -m sakuga ledger`."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from sakuga import accounts, store
from sakuga.__main__ import parser
from sakuga.ledger import Ledger
from tests.fakes.valkey import Valkey


async def lines(valkey: Valkey, *words: str) -> list[dict[str, str]]:
    out = StringIO()
    assert await accounts.run(valkey.settings, parser().parse_args(["ledger", *words]), out) == 0
    return list(csv.DictReader(StringIO(out.getvalue())))


@pytest.fixture
async def ledger(valkey: Valkey) -> Ledger:
    """Two refills, in two sessions."""
    redis = store.connect(valkey.url)
    ledger = Ledger(redis)
    await ledger.refill(2_000_000, by="alice", reason="=1+1")
    await redis.hset(store.STUDIO, "session", "ses_2")
    await ledger.refill(7, by="bob", reason='said "go on"')
    await redis.aclose()
    return ledger


async def test_the_ledger_is_a_table_that_a_spreadsheet_reads(valkey: Valkey, ledger: Ledger) -> None:
    first, second = await lines(valkey)
    assert (first["type"], first["usd"], first["by"], first["session_id"]) == ("refilled", "2.000000", "alice", "")
    assert (second["usd"], second["reason"], second["session_id"]) == ("0.000007", 'said "go on"', "ses_2")
    assert first["at"].endswith("Z")


async def test_what_somebody_wrote_is_no_formula(valkey: Valkey, ledger: Ledger) -> None:
    assert (await lines(valkey))[0]["reason"] == "'=1+1"


async def test_one_session_or_one_day_can_be_asked_for(valkey: Valkey, ledger: Ledger) -> None:
    today = datetime.now(UTC).date()
    assert [line["by"] for line in await lines(valkey, "--session", "ses_2")] == ["bob"]
    assert len(await lines(valkey, "--day", today.isoformat())) == 2
    assert await lines(valkey, "--day", (today - timedelta(days=2)).isoformat()) == []
