"""The race: contenders take turns on one server, round by round, and are told as ratios to ours in the same round."""

import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from sakuga import store
from tests.bench.peers.contender import Contender, Turn, turn
from tests.bench.peers.hand import LONG

APART_S = (0.01, 0.06)
WIDTH = 40
Figures = dict[str, list[float]]


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextlib.asynccontextmanager
async def _alone(contender: Contender, url: str, folder: Path, name: str) -> AsyncIterator[Turn]:
    redis = store.connect(url)
    await redis.flushall()
    await redis.aclose()
    async with turn(contender, url, folder, name) as one:
        yield one


async def latency(one: Turn, count: int) -> tuple[float, float]:
    """Return p50 and p99 of the milliseconds from just before a request until its job begins in an idle worker."""
    await one.ask(["warm"])
    await one.work()
    await one.until(1)
    asked = await one.ask([f"job{number}" for number in range(count)], APART_S)
    waits = [(at - asked[name]) * 1000 for name, at in await one.until(count + 1) if name in asked]
    return quantile(waits, 0.5), quantile(waits, 0.99)


async def rate(one: Turn, count: int) -> float:
    """Return how many jobs that do nothing one worker begins per second, when they all wait before it starts."""
    await one.ask([f"job{number}" for number in range(count)])
    await one.work()
    times = [at for _, at in await one.until(count)]
    return (count - 1) / (max(times) - min(times))


async def milliseconds(
    contenders: Sequence[Contender], url: str, folder: Path, *, rounds: int, requests: int, jobs: int
) -> tuple[Figures, Figures, Figures]:
    """Return p50, p99 and jobs per second of each contender, one of each per round; print them as they come."""
    p50s: Figures = {one.name: [] for one in contenders}
    p99s: Figures = {one.name: [] for one in contenders}
    rates: Figures = {one.name: [] for one in contenders}
    for number in range(rounds):
        for place in range(len(contenders)):
            contender = contenders[(place + number) % len(contenders)]  # nobody is always behind the same one
            name = f"{number}-{place}"
            async with _alone(contender, url, folder, f"latency-{name}") as one:
                p50, p99 = await latency(one, requests)
            async with _alone(contender, url, folder, f"rate-{name}") as one:
                per_second = await rate(one, jobs)
            for figures, value in ((p50s, p50), (p99s, p99), (rates, per_second)):
                figures[contender.name].append(value)
            print(f"  round {number + 1}: {contender.name:{WIDTH}} {p50:8.2f} {p99:8.2f} {per_second:8.0f}", flush=True)
    return p50s, p99s, rates


async def recoveries(contenders: Sequence[Contender], url: str, folder: Path, *, limit_s: float) -> dict[str, float]:
    """Return seconds from `kill -9` of a worker in a job, and another's start, until the job is begun again.

    Who doesn't within the limit is left out. All wait at the same time, each in a database of its own.
    """
    redis = store.connect(url)
    await redis.flushall()
    await redis.aclose()
    async with contextlib.AsyncExitStack() as stack:
        waiting: list[asyncio.Task[float | None]] = []
        for number, contender in enumerate(contenders):
            there = f"{url}?db={number}"
            one = await stack.enter_async_context(turn(contender, there, folder, f"crash-{number}-{time.time_ns()}"))
            await one.ask(["warm"])
            await one.work()
            await one.until(1)
            await one.ask([LONG])
            await one.until(2)
            await asyncio.sleep(random.uniform(1, 3))  # leases are renewed now and then: any moment of that
            await one.kill()
            killed_at = time.time()
            await one.work()
            waiting.append(asyncio.create_task(_again(one, killed_at, limit_s)))
        ended = await asyncio.gather(*waiting)
    return {one.name: after for one, after in zip(contenders, ended, strict=True) if after is not None}


async def _again(one: Turn, killed_at: float, limit_s: float) -> float | None:
    other = 0
    while time.time() < killed_at + limit_s:
        if again := [at for name, at in one.begun() if name == LONG and at > killed_at]:
            return again[0] - killed_at
        if one.contender.busy:
            other += 1
            await one.ask([f"other{other}"])
        await asyncio.sleep(1 if one.contender.busy else 0.02)
    return None


def told(contenders: Sequence[Contender], p50s: Figures, p99s: Figures, rates: Figures) -> str:
    """Return the table of what counts in milliseconds; ratios are medians of those within one round."""
    ours = contenders[0].name
    head = f"  {'':{WIDTH}} {'p50 ms':>8} {'/ ours':>7} {'- ours':>7} {'p99 ms':>8} {'jobs/s':>8} {'/ ours':>7}"
    lines = [head]
    for name in (one.name for one in contenders):
        to_ours = [theirs / mine for theirs, mine in zip(p50s[name], p50s[ours], strict=True)]
        beyond = [theirs - mine for theirs, mine in zip(p50s[name], p50s[ours], strict=True)]
        share = [theirs / mine for theirs, mine in zip(rates[name], rates[ours], strict=True)]
        lines.append(
            f"  {name:{WIDTH}} {statistics.median(p50s[name]):8.2f} {statistics.median(to_ours):7.2f}"
            f" {statistics.median(beyond):+7.2f} {statistics.median(p99s[name]):8.2f}"
            f" {statistics.median(rates[name]):8.0f} {statistics.median(share):7.2f}"
        )
    return "\n".join(lines)
