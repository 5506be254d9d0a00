"""Bans: by whatever name a viewer is known, and for as long as they hold."""

from typing import Any

import pytest

from sakuga import store
from sakuga.errors import ViewerBanned
from sakuga.job import JobStatus, RequestedBy
from sakuga.moderation import Moderation
from sakuga.queue import Queue
from tests.fakes.jobs import submitted

ALICE = "alice"
WITHOUT_ID = RequestedBy(platform="twitch", login="Jo").model_dump_json()
DIGITS = RequestedBy(platform="twitch", id="77", login="3000").model_dump_json()


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


@pytest.fixture
def moderation(redis: store.Client) -> Moderation:
    return Moderation(redis)


@pytest.mark.parametrize("named", ["twitch:3000", "twitch:mika", "twitch:Mika"])
async def test_a_viewer_is_kept_out_by_id_and_by_login(queue: Queue, moderation: Moderation, named: str) -> None:
    job = await submitted(queue)
    _, ended = await moderation.ban(named, by=ALICE)
    assert ended == [job.id]
    assert (await queue.look(job.id))[0].status is JobStatus.CANCELLED
    with pytest.raises(ViewerBanned):
        await submitted(queue)
    assert await moderation.unban(named, by=ALICE)
    await submitted(queue)


async def test_capitals_of_a_login_let_nobody_in(queue: Queue, moderation: Moderation) -> None:
    await moderation.ban("twitch:Jo", by=ALICE)
    with pytest.raises(ViewerBanned):
        await submitted(queue, requested_by=WITHOUT_ID)


async def test_a_login_that_looks_like_the_id_of_somebody_banned_is_not_taken_for_it(
    queue: Queue, moderation: Moderation
) -> None:
    await submitted(queue, requested_by=DIGITS)
    _, ended = await moderation.ban("twitch:3000", by=ALICE)
    assert ended == []
    await submitted(queue, requested_by=DIGITS)


async def test_taking_a_cancel_back_brings_no_job_of_somebody_who_is_kept_out(
    queue: Queue, moderation: Moderation
) -> None:
    job = await submitted(queue)
    await moderation.ban("twitch:3000", by=ALICE)
    act = next(entry for entry in await moderation.audit.latest() if entry.act.type == "job.cancelled")
    with pytest.raises(ViewerBanned):
        await moderation.undo(act.id, by="bob")
    assert (await queue.board()).waiting_count == 0
    await moderation.unban("twitch:3000", by="bob")
    await moderation.undo(act.id, by="bob")
    again, _ = await queue.look((await queue.look(job.id))[0].retried_as)
    assert again.status is JobStatus.QUEUED


async def test_a_ban_made_while_the_last_one_is_forgotten_holds(
    redis: store.Client, moderation: Moderation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await moderation.ban("twitch:3000", by=ALICE, until=1.0)
    read = redis.hgetall

    async def meanwhile(name: str) -> Any:
        found = await read(name)
        await moderation.ban("twitch:3000", by="bob")
        return found

    with monkeypatch.context() as during:
        during.setattr(redis, "hgetall", meanwhile)
        await moderation.bans()
    assert [ban.by for ban in await moderation.bans()] == ["bob"]
