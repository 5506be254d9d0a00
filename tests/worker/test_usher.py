"""The usher looks after the waiting room."""

from pathlib import Path

import pytest

from sakuga import store
from sakuga.errors import BallotNotOpen
from sakuga.job import JobStatus
from sakuga.moderation import Moderation
from sakuga.queue import Queue, Terms
from sakuga.studio_file import StudioFile
from sakuga.votes import Votes
from sakuga.warmth import Warmth
from tests.fakes.jobs import submitted
from worker.usher import Usher


@pytest.fixture
def usher(redis: store.Client, tmp_path: Path) -> Usher:
    (tmp_path / "studio.toml").write_text("[votes]\nauto = true\n")
    return Usher(redis, StudioFile(tmp_path / "studio.toml"))


async def test_late_jobs_expire(usher: Usher, redis: store.Client) -> None:
    queue = Queue(redis)
    job = await submitted(queue, Terms(expire_s=60))
    await redis.zadd(store.DEADLINES, {job.id: 1})
    await usher.go_round()
    assert (await queue.look(job.id))[0].status is JobStatus.EXPIRED


async def test_a_drained_queue_lets_go_of_its_gpu_after_the_last_job(usher: Usher, redis: store.Client) -> None:
    queue, moderation = Queue(redis), Moderation(redis)
    await Warmth(redis).wish(warm=True, seconds=60)
    job = await submitted(queue)
    await moderation.drain(by="alice")
    await usher.go_round()
    assert (await Warmth(redis).wished()).warm
    await queue.cancel(job.id)
    await usher.go_round()
    assert not (await Warmth(redis).wished()).warm
    assert not (await queue.board()).draining


async def test_ballots_open_by_themselves_where_the_show_wants_that(usher: Usher, redis: store.Client) -> None:
    with pytest.raises(BallotNotOpen):
        await Votes(redis).now()
    for _ in range(3):
        await submitted(Queue(redis))
    await usher.go_round()
    assert (await Votes(redis).now()).state == "open"


async def test_a_level_of_the_budget_that_is_crossed_is_told_once(redis: store.Client, tmp_path: Path) -> None:
    (tmp_path / "studio.toml").write_text("[budget]\nsession_usd = 1\n")
    usher = Usher(redis, StudioFile(tmp_path / "studio.toml"))
    await redis.set(store.SPENT_PREFIX + "session:", 900_000)
    for _ in range(2):
        await usher.go_round()
    told = [fields["data"] for _, fields in await redis.xrange(store.EVENTS) if fields["type"] == "budget.changed"]
    assert told == ['{"level":"soft","before":"open"}']
