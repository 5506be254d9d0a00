"""POST /retractions, and bans that take back: what the bot sends when a platform's moderators have acted."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.state import State
from bot.moderators import Moderators
from sakuga import store
from sakuga.clip import Clip
from sakuga.engine import Progress
from sakuga.errors import StorageUnavailable
from sakuga.gateway import Gateway
from sakuga.job import JobStatus
from sakuga.keys import Keys
from sakuga.lifecycle import Lifecycle
from sakuga.role import Role
from sakuga.stage import StageState
from sakuga.storage import Storage
from tests.fakes.jobs import MIKA
from tests.fakes.keys import KEY, bearer

BASE = "http://127.0.0.1:8420"
BY = "twitch:alice"


@pytest.fixture
async def gateway(studio: State, worker: None) -> AsyncIterator[Gateway]:
    async with Gateway(BASE, key=KEY, transport=httpx.ASGITransport(app=studio.app)) as client:  # type: ignore[attr-defined]
        yield client


@pytest.fixture
async def moderators(studio: State, worker: None, redis: store.Client) -> AsyncIterator[Moderators]:
    secret, _ = await Keys(redis).new(Role.MODERATOR, "chat")
    transport = httpx.ASGITransport(app=studio.app)  # type: ignore[attr-defined]
    async with Moderators(BASE, key=secret, transport=transport) as client:
        yield client


async def ask(gateway: Gateway, key: str = "m1", **changes: Any) -> str:
    viewer = MIKA.model_copy(update=changes)
    return (await gateway.generate("girl with sword", requested_by=viewer, key=key, message_id=key)).job_id


async def test_a_deleted_message_ends_its_job_and_shows_its_words_to_nobody(
    gateway: Gateway, moderators: Moderators, http: httpx.AsyncClient
) -> None:
    job_id = await ask(gateway)
    assert (await http.get(f"/status/{job_id}")).json()["prompt"] == "girl with sword"
    gone = await moderators.retract("message", "twitch", message_id="m1", by=BY)
    assert (gone.cancelled, gone.removed) == ((job_id,), ())
    told = (await http.get(f"/status/{job_id}")).json()
    assert (told["status"], told["prompt"]) == ("cancelled", "")
    again = await moderators.retract("message", "twitch", message_id="m1", by=BY)
    assert (again.cancelled, again.removed) == ((), ())


async def test_a_message_that_is_deleted_first_is_refused_when_it_comes(
    moderators: Moderators, http: httpx.AsyncClient
) -> None:
    await moderators.retract("message", "twitch", message_id="late", by=BY)
    body = {"prompt": "cat", "requested_by": MIKA.model_dump(), "message_id": "late"}
    answer = await http.post("/generate", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "message_retracted")


async def test_only_from_a_bots_key_upwards_a_message_is_named(
    studio: State, worker: None, redis: store.Client
) -> None:
    transport = httpx.ASGITransport(app=studio.app)  # type: ignore[attr-defined]
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=await bearer(redis, Role.VIEWER)) as http:
        answer = await http.post("/generate", json={"prompt": "cat", "message_id": "m1"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_a_ban_with_clips_takes_them_off_stage_gallery_and_storage_in_one_request(
    studio: State, gateway: Gateway, moderators: Moderators, redis: store.Client, stored_clip: Clip
) -> None:
    await redis.zadd(store.CLIPS, {stored_clip.id: await store.clock(redis)})
    await studio.playout.show(StageState.RESULT, stored_clip.id, None)
    job_id = await ask(gateway)
    gone = await moderators.ban("twitch:3000", minutes=10, clips=True, reason="by Twitch")
    assert len(gone.cancelled) == 1
    assert await studio.gallery.newest(10) == []
    assert (await studio.playout.now()).state is StageState.IDLE
    assert await Storage.open(studio.settings).size(stored_clip.video_key) is None
    (ban,) = await studio.moderation.bans()
    assert ban.until == pytest.approx(ban.at + 600, abs=5)
    acts = [entry.act for entry in await studio.moderation.audit.latest()]
    assert [(act.type, act.by) for act in acts] == [("chat.retracted", "chat"), ("ban.added", "chat")]
    assert acts[0].detail["cancelled"] == [job_id]
    assert acts[0].detail["removed"] == [stored_clip.id]
    # And an unban lets them ask again, and brings nothing back
    await moderators.unban("twitch:3000")
    await ask(gateway, "m2", bits=100)
    assert await studio.gallery.newest(10) == []
    assert (await studio.queue.look(job_id))[0].status is JobStatus.CANCELLED


async def test_a_ban_by_hand_still_keeps_the_clips(studio: State, moderators: Moderators, stored_clip: Clip) -> None:
    await moderators.ban("twitch:3000", by=BY)
    assert [clip.id for clip in await studio.gallery.newest(10)] == [stored_clip.id]


async def test_a_cleared_chat_is_taken_back_by_platform(gateway: Gateway, moderators: Moderators) -> None:
    mine, other = await ask(gateway), await ask(gateway, "m2", platform="youtube", id="UCjo")
    assert (await moderators.retract("chat", "twitch")).cancelled == (mine,)
    assert (await moderators.retract("chat", "youtube")).cancelled == (other,)


async def test_where_the_storage_is_away_the_clip_is_gone_for_everybody_and_its_files_follow(
    studio: State, moderators: Moderators, redis: store.Client, stored_clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StorageUnavailable(reason="away")

    await redis.zadd(store.CLIPS, {stored_clip.id: await store.clock(redis)})
    with monkeypatch.context() as during:
        during.setattr(Storage, "remove", away)
        assert (await moderators.retract("viewer", "twitch", viewer="twitch:3000")).removed == (stored_clip.id,)
    assert await studio.gallery.newest(10) == []
    assert await studio.shredder.shred() == 1
    assert await studio.storage.size(stored_clip.video_key) is None


@pytest.mark.parametrize(
    "body",
    [
        {"platform": "twitch", "kind": "message"},
        {"platform": "twitch", "kind": "viewer"},
        {"platform": "twitch", "kind": "chat", "viewer": "twitch:3000"},
        {"platform": "twitch", "kind": "viewer", "viewer": "youtube:3000"},
        {"platform": "twitch", "kind": "message", "message_id": "m 1"},
        {"platform": "twitch", "kind": "everything"},
    ],
)
async def test_a_retraction_that_does_not_say_of_what_is_refused(
    moderator: httpx.AsyncClient, body: dict[str, str]
) -> None:
    answer = await moderator.post("/retractions", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "request_invalid")


async def test_a_stream_that_ends_cancels_what_waits_or_is_held_and_says_how_many(
    studio: State, gateway: Gateway, moderator: httpx.AsyncClient
) -> None:
    await moderator.post("/session/begin")
    jobs = [await ask(gateway, f"m{number}", id=str(number)) for number in range(3)]
    await studio.moderation.hold(jobs[2], by="alice")
    assert await gateway.end_session(rest="cancel") == 3
    assert {(await studio.queue.look(job_id))[0].status for job_id in jobs} == {JobStatus.CANCELLED}
    ended = [event for event in await studio.events.after("0-0") if event.type == "session.ended"]
    assert [event.data["cancelled"] for event in ended] == [3]
    (act,) = [entry.act for entry in await studio.moderation.audit.latest() if entry.act.type == "session.ended"]
    assert act.detail == {"cancelled": 3}
    assert await gateway.end_session(rest="cancel") == 0
    board = await studio.queue.board()
    assert (board.waiting_count, board.held_count, board.closed) == (0, 0, False)


async def test_a_stream_that_ends_draws_what_waits_if_nobody_says_otherwise(studio: State, gateway: Gateway) -> None:
    job_id = await ask(gateway)
    assert await gateway.end_session() == 0
    assert (await studio.queue.look(job_id))[0].status is JobStatus.QUEUED


async def test_what_is_taken_back_while_it_is_drawn_is_no_longer_seen_before_it_has_stopped(
    studio: State, gateway: Gateway, moderators: Moderators, http: httpx.AsyncClient, redis: store.Client
) -> None:
    job_id = await ask(gateway)
    await studio.queue.admit()
    job = (await studio.queue.look(job_id))[0].model_copy(update={"attempt": 1, "handle": "render-1"})
    lifecycle = Lifecycle(redis)
    assert await lifecycle.begin_attempt(job)
    assert await lifecycle.progress(job, Progress(sequence=1, stage="denoise", fraction=0.4, preview=b"\xff\xd8"))
    assert (await http.get(f"/status/{job_id}/preview")).status_code == 200
    assert (await moderators.retract("viewer", "twitch", viewer="twitch:mika")).cancelled == (job_id,)
    told = (await http.get(f"/status/{job_id}")).json()
    assert (told["status"], told["prompt"], told["preview_url"]) == ("rendering", "", None)
    assert (await http.get(f"/status/{job_id}/preview")).status_code == 404
    (running,) = (await http.get("/queue")).json()["running"]
    assert running["prompt"] == ""
