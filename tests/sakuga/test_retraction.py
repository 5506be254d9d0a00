"""Retractions: what a chat takes back is taken back here, wherever it is by then, once and in one step."""

import json

import pytest

from sakuga import store
from sakuga.ban import Ban
from sakuga.clip import Clip, clip_id_of
from sakuga.engine import Progress
from sakuga.errors import MessageRetracted, ViewerBanned
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.gallery import Gallery
from sakuga.job import Job, JobStatus, RequestedBy
from sakuga.lifecycle import Lifecycle
from sakuga.moderation import Moderation
from sakuga.playout import Playout
from sakuga.queue import Queue, Terms
from sakuga.retraction import Gone, Retractions
from sakuga.session import Sessions
from sakuga.stage import StageState
from tests.fakes.jobs import MIKA, clip, submitted

BY = "chat"
MESSAGE = Terms(message="twitch:m1")
JO = RequestedBy(platform="youtube", id="UCjo", login="jo", display_name="Jo")


@pytest.fixture
def queue(redis: store.Client) -> Queue:
    return Queue(redis)


@pytest.fixture
def retractions(redis: store.Client) -> Retractions:
    return Retractions(redis)


async def shown(redis: store.Client, number: int, by: RequestedBy = MIKA, **changes: object) -> Clip:
    """Hang a clip into the gallery that was finished now."""
    document = clip(number, requested_by=by, finished_at=await store.clock(redis), **changes)
    await redis.zadd(store.CLIPS, {document.id: document.finished_at})
    await redis.hset(store.CLIP_DOCUMENTS, document.id, document.model_dump_json())
    return document


async def begun(redis: store.Client, job: Job) -> None:
    """Bring a waiting job onto the desk, a tenth of it drawn."""
    await Queue(redis).configure(slots=10)
    await Queue(redis).admit()
    job = job.model_copy(update={"attempt": 1, "handle": "render-1"})
    assert await Lifecycle(redis).begin_attempt(job)
    assert await Lifecycle(redis).progress(job, Progress(sequence=1, stage="denoise", fraction=0.1))


async def drawn(redis: store.Client, job: Job) -> Clip:
    """Draw a job to its end."""
    await begun(redis, job)
    lifecycle = Lifecycle(redis)
    now, _ = await lifecycle.read(job.id)
    assert await lifecycle.finish(now)
    now, _ = await lifecycle.read(job.id)
    document = clip(7, id=clip_id_of(job.id), job_id=job.id, finished_at=await store.clock(redis))
    assert await lifecycle.succeed(now, document)
    return document


async def acts(redis: store.Client) -> list[dict[str, object]]:
    entries = await Moderation(redis).audit.latest()
    return [entry.act.detail for entry in entries if entry.act.type == "chat.retracted"]


async def test_a_deleted_message_ends_its_waiting_job_and_no_other(queue: Queue, retractions: Retractions) -> None:
    other = await submitted(queue, Terms(message="twitch:m2"))
    job = await submitted(queue, MESSAGE)
    assert await retractions.message("twitch", "m1", by=BY) == Gone(cancelled=[job.id])
    assert (await queue.look(job.id))[0].status is JobStatus.CANCELLED
    assert (await queue.look(other.id))[0].status is JobStatus.QUEUED


async def test_a_message_of_that_id_on_another_platform_is_another_message(
    queue: Queue, retractions: Retractions
) -> None:
    await submitted(queue, MESSAGE)
    assert await retractions.message("youtube", "m1", by=BY) == Gone()


async def test_a_deleted_message_ends_a_held_job(queue: Queue, retractions: Retractions) -> None:
    job = await submitted(queue, Terms(message="twitch:m1", held_for="word list: hold"))
    assert (await retractions.message("twitch", "m1", by=BY)).cancelled == [job.id]
    assert (await queue.look(job.id))[0].status is JobStatus.CANCELLED


async def test_a_deleted_message_stops_its_render_and_hides_its_words_at_once(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    job = await submitted(queue, MESSAGE)
    await begun(redis, job)
    before = (await queue.look(job.id))[0].revision
    assert (await retractions.message("twitch", "m1", by=BY)).cancelled == [job.id]
    now, stop = await Lifecycle(redis).read(job.id)
    assert stop
    assert now.unseen
    assert now.held_for == "message deleted in chat"
    assert now.revision > before


async def test_a_deleted_message_takes_its_clip_from_gallery_and_stage(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    job = await submitted(queue, MESSAGE)
    document = await drawn(redis, job)
    await Playout(redis).show(StageState.RESULT, document.id, None)
    assert await retractions.message("twitch", "m1", by=BY) == Gone(removed=[document.id])
    assert await Gallery(redis).newest(10) == []
    assert (await Playout(redis).now()).state is StageState.IDLE
    assert (await queue.look(job.id))[0].unseen
    assert await redis.hkeys(store.CLIPS_TAKEN_OUT) == [document.id]
    told = [event.data for event in await Events(redis).after("0-0") if event.type is EventType.CLIP_REMOVED]
    assert told == [{"clip_id": document.id}]


async def test_a_job_that_was_tried_again_goes_with_its_message_as_well(
    queue: Queue, redis: store.Client, retractions: Retractions
) -> None:
    job = await submitted(queue, MESSAGE)
    moderation = Moderation(redis)
    await moderation.cancel(job.id, by="alice")
    again = await moderation.retry(job.id, by="alice")
    assert (await retractions.message("twitch", "m1", by=BY)).cancelled == [again.id]


async def test_what_was_taken_back_is_held_when_a_moderator_tries_it_again(
    queue: Queue, redis: store.Client, retractions: Retractions
) -> None:
    job = await submitted(queue, MESSAGE)
    await retractions.message("twitch", "m1", by=BY)
    assert (await Moderation(redis).retry(job.id, by="alice")).status is JobStatus.HELD


async def test_one_act_names_all_that_went_and_a_repeat_finds_nothing_and_writes_none(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    job = await submitted(queue)
    document = await shown(redis, 3)
    gone = Gone(cancelled=[job.id], removed=[document.id])
    assert await retractions.viewer("twitch:3000", by="twitch:alice via chat") == gone
    assert await retractions.viewer("twitch:3000", by="twitch:alice via chat") == Gone()
    told = {"kind": "viewer", "platform": "twitch", "cancelled": [job.id], "removed": [document.id]}
    assert await acts(redis) == [told]
    (entry,) = [entry for entry in await Moderation(redis).audit.latest() if entry.act.type == "chat.retracted"]
    assert (entry.act.by, entry.act.viewer, entry.act.undo) == ("twitch:alice via chat", "twitch:3000", None)


async def test_a_job_that_is_already_being_stopped_is_not_ended_twice(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    job = await submitted(queue, MESSAGE)
    await begun(redis, job)
    assert (await retractions.message("twitch", "m1", by=BY)).cancelled == [job.id]
    assert await retractions.message("twitch", "m1", by=BY) == Gone()


async def test_most_deleted_messages_asked_for_nothing_and_leave_no_trace_in_the_audit(
    redis: store.Client, retractions: Retractions
) -> None:
    assert await retractions.message("twitch", "hello", by=BY) == Gone()
    assert await acts(redis) == []
    assert 0 < await redis.ttl(store.MESSAGE_PREFIX + "twitch:hello") <= 600


async def test_a_message_that_was_deleted_before_it_is_heard_here_asks_for_nothing(
    queue: Queue, retractions: Retractions
) -> None:
    await retractions.message("twitch", "m1", by=BY)
    with pytest.raises(MessageRetracted):
        await submitted(queue, MESSAGE)
    assert (await queue.board()).waiting_count == 0


@pytest.mark.parametrize("named", ["twitch:3000", "twitch:mika", "twitch:Mika"])
async def test_a_removed_viewer_loses_all_of_this_stream_by_whatever_name(
    redis: store.Client, queue: Queue, retractions: Retractions, named: str
) -> None:
    older = await shown(redis, 1)
    await redis.zadd(store.CLIPS, {older.id: older.finished_at - 60})
    await Sessions(redis).begin(by=BY)
    waits, held = await submitted(queue), await submitted(queue, Terms(held_for="doubt"))
    mine, theirs = await shown(redis, 2), await shown(redis, 3, JO)
    gone = await retractions.viewer(named, by=BY)
    assert sorted(gone.cancelled) == sorted([waits.id, held.id])
    assert gone.removed == [mine.id]
    assert {clip.id for clip in await Gallery(redis).newest(10)} == {older.id, theirs.id}


async def test_without_a_stream_a_removed_viewer_loses_the_last_twelve_hours(
    redis: store.Client, retractions: Retractions
) -> None:
    now = await store.clock(redis)
    old, new = await shown(redis, 1), await shown(redis, 2)
    await redis.zadd(store.CLIPS, {old.id: now - 13 * 3600, new.id: now - 11 * 3600})
    assert (await retractions.viewer("twitch:3000", by=BY)).removed == [new.id]


async def test_what_still_waits_from_before_the_stream_goes_with_its_viewer(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    job = await submitted(queue)
    await Sessions(redis).begin(by=BY)
    assert (await retractions.viewer("twitch:3000", by=BY)).cancelled == [job.id]


async def test_more_clips_than_one_reply_holds_are_all_looked_at(redis: store.Client, retractions: Retractions) -> None:
    now = await store.clock(redis)
    documents = [clip(number, finished_at=now, requested_by=MIKA if number % 2 else JO) for number in range(1, 1202)]
    await redis.zadd(store.CLIPS, {document.id: now for document in documents})
    await redis.hset(store.CLIP_DOCUMENTS, mapping={clip.id: clip.model_dump_json() for clip in documents})
    assert len((await retractions.viewer("twitch:3000", by=BY)).removed) == 601
    assert await redis.zcard(store.CLIPS) == 600


async def test_a_clip_whose_document_is_damaged_is_no_way_to_keep_another(
    redis: store.Client, retractions: Retractions
) -> None:
    mine = await shown(redis, 1)
    await redis.zadd(store.CLIPS, {"clip_torn": mine.finished_at - 1})
    await redis.hset(store.CLIP_DOCUMENTS, "clip_torn", "{")
    assert (await retractions.viewer("twitch:3000", by=BY)).removed == [mine.id]


async def test_a_cleared_chat_ends_what_is_under_way_from_there_and_keeps_the_gallery(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    drawn_now = await submitted(queue)
    await begun(redis, drawn_now)
    waits = await submitted(queue, viewer="1")
    elsewhere = await submitted(queue, requested_by=JO.model_dump_json())
    kept, on_air = await shown(redis, 1), await shown(redis, 2)
    await Playout(redis).show(StageState.GALLERY, on_air.id, None)
    gone = await retractions.chat("twitch", by=BY)
    assert sorted(gone.cancelled) == sorted([drawn_now.id, waits.id])
    assert gone.removed == [on_air.id]
    assert [clip.id for clip in await Gallery(redis).newest(10)] == [kept.id]
    assert (await queue.look(elsewhere.id))[0].status is JobStatus.QUEUED


async def test_a_cleared_chat_leaves_the_clip_of_another_platform_on_the_stage(
    redis: store.Client, retractions: Retractions
) -> None:
    on_air = await shown(redis, 1, JO)
    await Playout(redis).show(StageState.RESULT, on_air.id, None)
    assert await retractions.chat("twitch", by=BY) == Gone()
    assert (await Playout(redis).now()).clip_id == on_air.id


async def test_a_ban_of_the_platform_keeps_out_and_takes_back_and_an_unban_returns_the_right_alone(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    job, document = await submitted(queue), await shown(redis, 2)
    ban, gone = await retractions.ban("twitch:3000", by=BY, reason="by Twitch")
    assert (ban.viewer, ban.until) == ("twitch:3000", None)
    assert gone == Gone(cancelled=[job.id], removed=[document.id])
    with pytest.raises(ViewerBanned):
        await submitted(queue)
    assert await Moderation(redis).unban("twitch:3000", by=BY)
    await submitted(queue)
    assert await Gallery(redis).newest(10) == []
    assert (await queue.look(job.id))[0].status is JobStatus.CANCELLED


async def test_a_time_out_never_shortens_a_ban(redis: store.Client, retractions: Retractions) -> None:
    now = await store.clock(redis)
    moderation = Moderation(redis)
    await moderation.ban("twitch:3000", by="alice", reason="for good")
    held, _ = await retractions.ban("twitch:3000", by=BY, until=now + 600)
    assert (held.by, held.until) == ("alice", None)
    await moderation.ban("twitch:1", by="alice", until=now + 60)
    longer, _ = await retractions.ban("twitch:1", by=BY, until=now + 600)
    assert longer.until == now + 600
    assert [ban.until for ban in await moderation.bans() if ban.viewer == "twitch:3000"] == [None]
    assert Ban.model_validate(json.loads(await redis.hget(store.BANS, "twitch:1"))).by == BY


async def test_the_words_of_a_deleted_message_do_not_live_on_in_remixes(
    redis: store.Client, queue: Queue, retractions: Retractions
) -> None:
    # Given a clip, a remix of it by somebody else, a remix of that, and one more that waits
    document = await drawn(redis, job := await submitted(queue, MESSAGE))
    remix = await shown(redis, 11, JO, parent=document.id, parent_number=7)
    second = await shown(redis, 12, JO, parent=remix.id, parent_number=11)
    waits = await submitted(queue, viewer="1", parent=second.id)
    other = await shown(redis, 13, JO, parent="clip_of_another", parent_number=9)
    # When its message is deleted
    gone = await retractions.message("twitch", "m1", by=BY)
    # Then all of them go, and no other
    assert gone.cancelled == [waits.id]
    assert sorted(gone.removed) == sorted([document.id, remix.id, second.id])
    assert [clip.id for clip in await Gallery(redis).newest(10)] == [other.id]
    assert (await queue.look(job.id))[0].unseen


@pytest.mark.parametrize("kind", ["viewer", "chat"])
async def test_what_a_viewer_asked_for_together_with_others_goes_as_well(
    redis: store.Client, queue: Queue, retractions: Retractions, kind: str
) -> None:
    crowd = json.dumps(["youtube:UCjo", "twitch:3000", "twitch:mika"])
    made = await submitted(queue, requested_by=JO.model_dump_json(), crowd=crowd)
    document = await drawn(redis, made)
    waits = await submitted(queue, requested_by=JO.model_dump_json(), crowd=crowd)
    gone = await (retractions.viewer("twitch:mika", by=BY) if kind == "viewer" else retractions.chat("twitch", by=BY))
    assert gone == Gone(cancelled=[waits.id], removed=[document.id] if kind == "viewer" else [])
