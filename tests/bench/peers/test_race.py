"""The race runs: ours and stock arq, which need no other packages, in its shortest form; nothing is said of speed."""

import dataclasses
import re
from pathlib import Path

import pytest

from tests.bench.peers import race
from tests.bench.peers.contender import ARQ, CONTENDERS, SAKUGA, turn
from tests.bench.peers.environment import OURS, lock_of
from tests.fakes.valkey import Valkey

HASTY = dataclasses.replace(SAKUGA, options={"lease_s": 1.0})


async def test_every_contender_is_measured_in_every_round_and_told_beside_ours(valkey: Valkey, tmp_path: Path) -> None:
    pair = [SAKUGA, ARQ]
    p50s, p99s, rates = await race.milliseconds(pair, valkey.url, tmp_path, rounds=1, requests=3, jobs=20)
    for figures in (p50s, p99s, rates):
        assert set(figures) == {"Sakuga", "arq"}
        assert all(len(values) == 1 and values[0] > 0 for values in figures.values())
    assert all(p50s[name] <= p99s[name] for name in p50s)
    head, ours, arq = race.told(pair, p50s, p99s, rates).splitlines()
    assert "p50" in head
    assert re.search(r"Sakuga .* 1\.00 +\+0\.00 ", ours)
    assert arq.split()[0] == "arq"


async def test_a_job_is_seen_to_begin_again_after_its_worker_was_killed(valkey: Valkey, tmp_path: Path) -> None:
    seen = await race.recoveries([HASTY], valkey.url, tmp_path, limit_s=20)
    assert 0 < seen["Sakuga"] < 20


async def test_who_does_not_begin_again_within_the_limit_is_left_out(valkey: Valkey, tmp_path: Path) -> None:
    assert await race.recoveries([ARQ], valkey.url, tmp_path, limit_s=0.1) == {}


async def test_a_contender_that_can_not_ask_says_why(tmp_path: Path) -> None:
    async with turn(ARQ, f"unix://{tmp_path}/nowhere.sock", tmp_path, "lost") as one:
        with pytest.raises(ChildProcessError, match="ConnectionError"):
            await one.ask(["job"])


def test_every_peer_is_locked_with_hashes() -> None:
    for library in {one.library for one in CONTENDERS} - OURS:
        blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", lock_of(library).read_text("utf-8"), flags=re.MULTILINE))
        assert any(block.startswith(f"{library}==") for block in blocks)
        assert all("--hash=sha256:" in block for block in blocks)
