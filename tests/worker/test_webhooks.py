"""Webhooks on a real Valkey, to a real receiver."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sakuga import store
from sakuga.event import EventType
from sakuga.webhook import DeliveryState
from sakuga.webhooks import GROUP
from tests.fakes.jobs import happened
from tests.fakes.post_office import BASE, PostOffice, all_are, ended, receivers
from tests.fakes.receiver import FakeReceiver
from tests.fakes.valkey import Valkey


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


@pytest.fixture
async def office(redis: store.Client) -> AsyncIterator[PostOffice]:
    office = PostOffice(redis)
    yield office
    for task in office.tasks:
        await ended(task)


@pytest.fixture
async def receiver() -> AsyncIterator[FakeReceiver]:
    async with FakeReceiver() as receiver:
        yield receiver


async def test_a_receiver_hears_of_an_event_with_a_signature_that_the_package_accepts(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    hook = await office.add(receiver)
    await office.redis.hset(
        store.JOB_PREFIX + "job_1", mapping={"status": "succeeded", "clip_id": "clip_1", "prompt": "girl with sword"}
    )
    event_id = await office.happens("clip.ready", clip_id="clip_1")
    office.deliver()
    (heard,) = await receiver.hears()
    assert heard.payload == {
        "type": "clip.ready",
        "timestamp": heard.payload["timestamp"],
        "data": {
            "job_id": "job_1",
            "number": 42,
            "cut": "C-042",
            "status": "succeeded",
            "clip_id": "clip_1",
            "status_url": f"{BASE}/status/job_1",
            "video_url": f"{BASE}/clips/clip_1/video",
            "poster_url": f"{BASE}/clips/clip_1/poster",
        },
    }
    assert heard.payload["timestamp"].endswith("Z")
    assert heard.id.startswith(f"msg_{event_id}_")
    assert "." not in heard.id
    (delivery,) = await office.until(hook, all_are(DeliveryState.DELIVERED))
    assert (delivery.message.outcome, delivery.message.attempts) == ("204", 1)


async def test_a_prompt_leaves_the_studio_only_where_that_was_asked_for(office: PostOffice) -> None:
    async with receivers(2) as (without, knowing):
        await office.add(without)
        await office.add(knowing, prompts=True)
        await office.redis.hset(store.JOB_PREFIX + "job_1", mapping={"status": "queued", "prompt": "girl with sword"})
        await office.happens()
        office.deliver()
        (first,), (second,) = await without.hears(), await knowing.hears()
        assert "girl" not in str(first.payload)
        assert second.payload["data"]["prompt"] == "girl with sword"


@pytest.mark.parametrize("fields", [{"status": "held"}, {"status": "rejected"}, {"status": "expired", "held_for": "x"}])
async def test_a_prompt_that_nobody_let_through_leaves_the_studio_never(
    office: PostOffice, receiver: FakeReceiver, fields: dict[str, str]
) -> None:
    await office.add(receiver, prompts=True)
    await office.redis.hset(store.JOB_PREFIX + "job_1", mapping={"prompt": "girl with sword", **fields})
    await office.happens()
    office.deliver()
    (heard,) = await receiver.hears()
    assert heard.payload["data"]["prompt"] == ""


async def test_a_webhook_hears_of_what_it_wants_and_of_progress_only_when_it_says_so(office: PostOffice) -> None:
    async with receivers(2) as (usual, choosy):
        await office.add(usual)
        await office.add(choosy, types=["job.progressed", "job.failed"])
        for kind in ("job.queued", "job.progressed", "job.failed"):
            await office.happens(kind)
        office.deliver()
        await usual.hears(2)
        await choosy.hears(2)
        assert sorted(usual.types()) == ["job.failed", "job.queued"]
        assert sorted(choosy.types()) == ["job.failed", "job.progressed"]


async def test_what_happened_before_a_webhook_was_added_is_not_told(office: PostOffice, receiver: FakeReceiver) -> None:
    await office.webhooks.follow()
    await office.happens("job.failed")
    await asyncio.sleep(0.002)  # event ids have milliseconds
    await office.add(receiver)
    await office.happens("job.queued")
    office.deliver()
    await receiver.hears()
    assert receiver.types() == ["job.queued"]


async def test_a_receiver_that_fails_is_tried_again_under_the_same_id(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    hook = await office.add(receiver)
    receiver.status = 503
    await office.happens()
    office.deliver()
    await receiver.hears(2)
    assert (await office.webhooks.get(hook.id)).failing_since is not None
    receiver.status = 200
    await office.until(hook, all_are(DeliveryState.DELIVERED))
    assert len(set(receiver.ids())) == 1
    assert (await office.webhooks.get(hook.id)).failing_since is None


async def test_after_the_last_attempt_a_message_is_dead_and_can_be_sent_again_by_hand(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    hook = await office.add(receiver)
    receiver.status = 500
    await office.happens()
    office.deliver(back_off_s=(0.01, 0.01))
    (dead,) = await office.until(hook, all_are(DeliveryState.DEAD))
    assert (dead.message.attempts, dead.message.outcome) == (3, "500")
    receiver.status = 200
    await office.webhooks.redeliver(hook.id, dead.message.id)
    await office.until(hook, all_are(DeliveryState.DELIVERED))
    assert len(receiver.heard) == 4
    assert len(set(receiver.ids())) == 1


async def test_pauses_grow_and_vary_so_that_receivers_are_not_tried_together(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    hook = await office.add(receiver)
    receiver.status = 500
    for _ in range(4):
        await office.happens()
    office.deliver(back_off_s=(100.0,))
    found = await office.until(hook, lambda found: len(found) == 4 and all(one.message.attempts for one in found))
    now = await store.clock(office.webhooks._redis)
    pauses = [one.next_at - now for one in found]
    assert all(75 < pause <= 120 for pause in pauses)
    assert len({round(pause) for pause in pauses}) > 1


async def test_a_receiver_may_ask_for_a_longer_pause(office: PostOffice, receiver: FakeReceiver) -> None:
    hook = await office.add(receiver)
    receiver.status, receiver.answer_headers = 429, {"Retry-After": "900"}
    await office.happens()
    office.deliver()
    (waits,) = await office.until(hook, lambda found: bool(found) and found[0].message.attempts == 1)
    assert 800 < waits.next_at - await store.clock(office.webhooks._redis) <= 900


async def test_a_receiver_that_is_gone_is_never_tried_again_and_that_is_an_event(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    hook = await office.add(receiver)
    receiver.status = 410
    await office.happens()
    office.deliver()
    await happened(office.redis, EventType.WEBHOOK_DISABLED)
    now = await office.webhooks.get(hook.id)
    assert (now.disabled_at is not None, now.disabled_for) == (True, "gone")
    await office.happens("job.failed")
    await office.until(hook, all_are(DeliveryState.DEAD))
    assert len(receiver.heard) == 1


async def test_a_webhook_that_failed_for_days_is_switched_off_and_on_again_by_hand(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    hook = await office.add(receiver)
    receiver.status = 500
    long_ago = await store.clock(office.webhooks._redis) - 6 * 86_400
    await office.redis.hset(store.WEBHOOK_PREFIX + hook.id, "failing_since", str(long_ago))
    await office.happens()
    office.deliver()
    await happened(office.redis, EventType.WEBHOOK_DISABLED)
    assert (await office.webhooks.get(hook.id)).disabled_for == "failing"
    receiver.status = 204
    await office.webhooks.enable(hook.id)
    await office.until(hook, all_are(DeliveryState.DELIVERED))


async def test_a_slow_receiver_keeps_nobody_waiting(office: PostOffice) -> None:
    async with receivers(2) as (slow, quick):
        await office.add(slow)
        await office.add(quick)
        slow.hanging = True
        office.deliver()
        for _ in range(20):
            await office.happens()
        await quick.hears(20)
        assert len(slow.heard) <= 4


async def test_a_receiver_that_hangs_is_given_up_in_time(office: PostOffice, receiver: FakeReceiver) -> None:
    hook = await office.add(receiver)
    receiver.hanging = True
    await office.happens()
    office.deliver(total_s=0.1, back_off_s=(100.0,))
    (tried,) = await office.until(hook, lambda found: bool(found) and found[0].message.attempts == 1)
    assert tried.message.outcome == "timeout"


async def test_a_redirect_is_not_followed(office: PostOffice, receiver: FakeReceiver) -> None:
    hook = await office.add(receiver)
    receiver.status, receiver.answer_headers = 302, {"Location": "/elsewhere"}
    await office.happens()
    office.deliver(back_off_s=())
    (dead,) = await office.until(hook, all_are(DeliveryState.DEAD))
    assert dead.message.outcome == "302"
    assert receiver.paths == ["/hook"]


async def test_several_workers_share_the_work_without_doubles(office: PostOffice, receiver: FakeReceiver) -> None:
    hook = await office.add(receiver)
    for name in ("worker_1", "worker_2", "worker_3"):
        office.deliver(name)
    ids = [await office.happens() for _ in range(60)]
    await office.until(hook, all_are(DeliveryState.DELIVERED, 60))
    assert len(receiver.ids()) == len(set(receiver.ids())) == len(ids)


async def test_a_message_that_a_dead_worker_held_is_sent_by_another(office: PostOffice, receiver: FakeReceiver) -> None:
    hook = await office.add(receiver)
    event_id = await office.happens()
    receiver.hanging = True
    died = office.deliver("worker_1", lease_s=0.3)
    await receiver.hears(1)
    await ended(died)  # in the middle of an attempt
    receiver.hanging = False
    office.deliver("worker_2")
    await office.until(hook, all_are(DeliveryState.DELIVERED))
    assert receiver.ids()[0] == receiver.ids()[-1]
    assert event_id in receiver.ids()[0]


async def test_an_event_that_a_dead_worker_had_read_is_told_by_another(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    await office.add(receiver)
    await office.happens()
    assert len(await office.webhooks.read("dead", wait_s=1)) == 1
    office.deliver("worker_2", idle_s=0.05)
    await receiver.hears()


async def test_it_goes_on_when_redis_comes_back(office: PostOffice, receiver: FakeReceiver, valkey: Valkey) -> None:
    await office.add(receiver)
    office.deliver()
    await office.happens()
    await receiver.hears(1)
    await asyncio.sleep(1.1)  # the append-only file is written each second
    await valkey.restart()
    await office.happens("job.failed")
    await receiver.hears(2)
    assert receiver.types() == ["job.queued", "job.failed"]


async def test_a_removed_webhook_hears_nothing_more_and_leaves_nothing_behind(
    office: PostOffice, receiver: FakeReceiver
) -> None:
    hook = await office.add(receiver)
    await office.happens()
    office.deliver()
    await receiver.hears()
    await office.until(hook, all_are(DeliveryState.DELIVERED))
    await office.webhooks.remove(hook.id)
    await office.happens("job.failed")
    async with asyncio.timeout(5):
        while (await office.redis.xpending(store.EVENTS, GROUP))["pending"] or await office.webhooks.read(
            "w", wait_s=0.1
        ):
            pass
    assert len(receiver.heard) == 1
    assert [key async for key in office.redis.scan_iter("sakuga:webhook*")] == []
