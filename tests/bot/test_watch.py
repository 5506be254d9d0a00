import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.memory import Memory
from bot.watch import Watch, pause_s
from sakuga.gateway import Gateway, JobDocument
from sakuga.replies import Replies
from tests.bot.paper_answers import refusal
from tests.bot.paper_gateway import PaperGateway

Said = asyncio.Queue[tuple[str, str]]


@pytest.fixture
def said() -> Said:
    return asyncio.Queue()


@pytest.fixture
async def watch(gateway: Gateway, said: Said) -> AsyncIterator[Watch]:
    watch = Watch(
        gateway,
        lambda text, message_id, name: said.put_nowait((text, message_id)),
        replies=Replies(),
        link=lambda path: f"https://studio.example{path}",
        away_pause_s=0.02,
    )
    yield watch
    await watch.close()


async def announced(said: Said) -> tuple[str, str]:
    async with asyncio.timeout(5):
        return await said.get()


async def test_the_end_of_a_job_is_told_to_who_asked(watch: Watch, paper: PaperGateway, said: Said) -> None:
    paper.seconds_each = 0.05
    paper.fill(2)
    first, second = paper.jobs
    watch.follow(first, "message-1", "Mika")
    watch.follow(second, "message-2", "Mika")
    paper.finish(second, "failed", ("render_failed", "-"))
    assert await announced(said) == ("C-042 could not be drawn. Ask again, best in other words.", "message-2")
    paper.finish(first)
    link = f"https://studio.example/clips/{first.replace('job', 'clip')}/video"
    assert await announced(said) == (f"C-041 is ready: {link}", "message-1")


async def test_following_twice_tells_once(watch: Watch, paper: PaperGateway, said: Said) -> None:
    paper.fill(1)
    (job_id,) = paper.jobs
    watch.follow(job_id, "message-1", "Mika")
    watch.follow(job_id, "message-1", "Mika")
    paper.finish(job_id, "cancelled")
    assert await announced(said) == ("C-041 was taken off the list.", "message-1")
    assert said.empty()


async def test_a_gateway_that_was_away_is_asked_again(watch: Watch, paper: PaperGateway, said: Said) -> None:
    paper.fill(1)
    (job_id,) = paper.jobs
    paper.finish(job_id)
    paper.next_answers = [None, refusal(503, "broker_unavailable", "-"), refusal(500, "unexpected", "-")]
    watch.follow(job_id, "message-1", "Mika")
    assert (await announced(said))[0].startswith("C-041 is ready")
    assert len(paper.requests) == 4


async def test_a_job_that_the_gateway_forgot_is_let_go(watch: Watch, paper: PaperGateway, said: Said) -> None:
    watch.follow("job_gone", "message-1", "Mika")
    await asyncio.gather(*watch._following.values())
    assert not watch._following
    assert said.empty()


@pytest.mark.parametrize(("eta_s", "expected_s"), [(None, 0.5), (1, 0.5), (20, 5), (4000, 10)])
def test_a_job_far_from_its_turn_is_asked_for_less_often(eta_s: float | None, expected_s: float) -> None:
    job = JobDocument.model_validate(
        {"job_id": "j", "number": 1, "cut": "C-001", "status": "queued", "requested_by": {"platform": "twitch"}}
        | {"eta_seconds": eta_s, "poll_after_ms": 500}
    )
    assert pause_s(job) == expected_s


async def test_a_job_that_is_seen_to_end_before_it_is_left_is_not_told_either(
    watch: Watch, paper: PaperGateway, said: Said
) -> None:
    paper.fill(1)
    (job_id,) = paper.jobs
    paper.finish(job_id, "cancelled")
    watch.follow(job_id, "message-1", "Mika")
    [task] = watch._following.values()
    await asyncio.wait([task], timeout=0.2)
    assert paper.requests
    watch.leave(job_id)
    await asyncio.wait([task])
    assert task.cancelled()
    assert said.empty()


async def test_a_job_that_was_left_can_be_followed_anew(watch: Watch, paper: PaperGateway, said: Said) -> None:
    paper.fill(1)
    (job_id,) = paper.jobs
    watch.follow(job_id, "message-1", "Mika")
    watch.leave(job_id)
    watch.follow(job_id, "message-2", "Mika")
    paper.finish(job_id, "cancelled")
    assert await announced(said) == ("C-041 was taken off the list.", "message-2")
    await asyncio.gather(*watch._following.values())
    assert not watch._following


async def test_a_job_whose_end_was_told_already_is_left(watch: Watch, paper: PaperGateway, said: Said) -> None:
    paper.fill(1)
    (job_id,) = paper.jobs
    watch.follow(job_id, "message-1", "Mika")
    [task] = watch._following.values()
    watch.leave(job_id)
    watch.leave("job_unknown")
    await asyncio.wait([task])
    assert task.cancelled()
    assert said.empty()


async def test_the_next_bot_tells_of_what_this_one_followed_once(
    gateway: Gateway, paper: PaperGateway, said: Said, tmp_path: Path
) -> None:
    paper.seconds_each = 0.05
    paper.fill(3)
    told, left, open_still = paper.jobs

    def watching(memory: Memory) -> Watch:
        return Watch(
            gateway,
            lambda text, message_id, name: said.put_nowait((text, message_id)),
            replies=Replies(),
            link=lambda _: None,
            memory=memory,
        )

    with Memory(tmp_path / "bot.sqlite") as memory:
        watch = watching(memory)
        for number, job_id in enumerate((told, left, open_still)):
            watch.follow(job_id, f"message-{number}", "Mika")
        watch.leave(left)
        paper.finish(told)
        assert (await announced(said))[1] == "message-0"
        await watch.close()
    for job_id in (left, open_still):
        paper.finish(job_id)
    with Memory(tmp_path / "bot.sqlite") as memory:
        watch = watching(memory)
        watch.resume()
        assert (await announced(said))[1] == "message-2"
        assert memory.followed() == []
        await watch.close()
    assert said.empty()
