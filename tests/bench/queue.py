"""How soon a request is begun, how many go through, and what a long queue costs; ours beside stock arq."""

import asyncio
import contextlib
import json
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool

from sakuga import store
from sakuga.amendment import Amendment
from sakuga.job import new_job_id
from sakuga.moderation import Moderation
from sakuga.queue import RENDER_TASK, Queue, Terms, encode_task
from tests.bench.crew import BEGUN
from tests.fakes.jobs import fields
from tests.fakes.valkey import Valkey

Submit = Callable[[str], Awaitable[object]]


@dataclass
class Place:
    """A queue and who looks after it."""

    queue: Queue
    moderation: Moderation


KINDS = ("sakuga", "arq")
ANY = Terms(waiting=1_000_000, active=1_000_000)


def quantile(values: list[float], share: float) -> float:
    """Return the value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextlib.asynccontextmanager
async def _crew(kind: str, valkey: Valkey) -> AsyncIterator[None]:
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.crew", kind, valkey.url)
    yield
    worker.kill()
    await worker.wait()


async def _submitter(kind: str, valkey: Valkey) -> tuple[store.Client, Submit]:
    redis = store.connect(valkey.url)
    await redis.flushall()
    if kind == "sakuga":
        queue = Queue(redis)
        await queue.configure(slots=10)
        return redis, lambda job_id: queue.submit(job_id, fields(), [], ANY)
    arq = ArqRedis(ConnectionPool.from_url(valkey.url), job_serializer=encode_task, job_deserializer=json.loads)
    return redis, lambda job_id: arq.enqueue_job(RENDER_TASK, job_id, _job_id=job_id)


async def _begun(redis: store.Client, count: int) -> dict[str, float]:
    async with asyncio.timeout(120):
        while await redis.llen(BEGUN) < count:  # noqa: ASYNC110 - it is another process that begins them
            await asyncio.sleep(0.01)
    lines = [line.split() for line in await redis.lrange(BEGUN, 0, -1)]
    return {job_id: float(at) for job_id, at in lines}


async def latency(valkey: Valkey, count: int = 300) -> None:
    """Print how long after its request a job is begun by an idle worker."""
    print(f"request -> render start, idle worker, {count} requests")
    p50s: list[float] = []
    for kind in KINDS:
        redis, submit = await _submitter(kind, valkey)
        async with _crew(kind, valkey):
            await submit(new_job_id())
            await _begun(redis, 1)
            asked: dict[str, float] = {}
            for _ in range(count):
                job_id = new_job_id()
                asked[job_id] = time.time()
                await submit(job_id)
                await asyncio.sleep(random.uniform(0.01, 0.06))
            begun = await _begun(redis, count + 1)
        waits = [(begun[job_id] - at) * 1000 for job_id, at in asked.items()]
        p50s.append(quantile(waits, 0.5))
        print(f"  {kind:7} p50 {p50s[-1]:8.2f}   p99 {quantile(waits, 0.99):8.2f}")
        await redis.aclose()
    print(f"  arq / sakuga at p50: {p50s[1] / p50s[0]:.0f}\n")


async def throughput(valkey: Valkey, count: int = 2000) -> None:
    """Print how many jobs that do nothing go through one worker per second."""
    print(f"jobs/s, one worker, 10 at a time, {count} jobs that do nothing")
    rates: list[float] = []
    for kind in KINDS:
        redis, submit = await _submitter(kind, valkey)
        for _ in range(count):
            await submit(new_job_id())
        async with _crew(kind, valkey):
            begun = sorted((await _begun(redis, count)).values())
        rates.append(count / (begun[-1] - begun[0]))
        print(f"  {kind:7} {rates[-1]:8.0f}")
        await redis.aclose()
    print(f"  sakuga / arq: {rates[0] / rates[1]:.1f}\n")


async def cost(valkey: Valkey, sizes: tuple[int, ...] = (10, 1_000, 10_000), turns: int = 30) -> None:
    """Print what submit, position and move cost in queues of several lengths, measured turn by turn."""
    queues: dict[int, tuple[Place, list[str]]] = {}
    clients: list[store.Client] = []
    for number, size in enumerate(sizes):
        redis = store.connect(f"{valkey.url}?db={number}")
        clients.append(redis)
        await redis.flushdb()
        jobs = [new_job_id() for _ in range(size)]
        queues[size] = (Place(Queue(redis), Moderation(redis)), jobs)
        for job_id in jobs:
            await queues[size][0].queue.submit(job_id, fields(), [], ANY)
    while (await clients[0].info("persistence"))["aof_rewrite_in_progress"]:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    times: dict[int, list[list[float]]] = {size: [[], [], []] for size in sizes}
    for _ in range(turns):
        for size, (place, jobs) in queues.items():
            for call, seen in zip((_submit, _position, _move), times[size], strict=True):
                seen += [await call(place, jobs) for _ in range(20)]
    medians = {size: [statistics.median(seen) for seen in lists] for size, lists in times.items()}
    print("cost of one call, by jobs waiting")
    print("  waiting   submit  position   move")
    for size, values in medians.items():
        print(f"  {size:7} " + "".join(f"{value:9.3f}" for value in values))
    ratios = [last / first for first, last in zip(medians[sizes[0]], medians[sizes[-1]], strict=True)]
    print(f"  {sizes[-1]} / {sizes[0]}: " + "".join(f"{ratio:8.2f}" for ratio in ratios) + "\n")
    for redis in clients:
        await redis.aclose()


async def _submit(place: Place, jobs: list[str]) -> float:
    job_id = new_job_id()
    began = time.perf_counter()
    await place.queue.submit(job_id, fields(), [], ANY)
    took = time.perf_counter() - began
    await place.queue.cancel(job_id)  # so that the queue keeps its length
    return took * 1000


async def _position(place: Place, jobs: list[str]) -> float:
    job_id = random.choice(jobs)
    began = time.perf_counter()
    await place.queue.peek(job_id)
    return (time.perf_counter() - began) * 1000


async def _move(place: Place, jobs: list[str]) -> float:
    job_id, goal = random.choice(jobs), random.randint(1, len(jobs))
    began = time.perf_counter()
    await place.moderation.amend(job_id, Amendment(place=goal), by="alice")
    return (time.perf_counter() - began) * 1000
