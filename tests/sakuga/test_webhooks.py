"""The registry and the outboxes, on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sakuga import store
from sakuga.errors import DeliveryNotFound, WebhookDisabled, WebhookNotFound, WebhooksExhausted
from sakuga.webhook import DeliveryState
from sakuga.webhooks import GROUP
from tests.fakes.post_office import PostOffice, ended
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


async def test_two_workers_that_both_have_an_event_tell_it_once(office: PostOffice, receiver: FakeReceiver) -> None:
    hook = await office.add(receiver)
    await office.happens()
    ((event_id, *_),) = await office.webhooks.read("worker_1", wait_s=1)
    (again,), _ = await office.webhooks.abandoned("worker_2", idle_s=0)
    message = await office.webhooks.test(hook.id)
    assert again[0] == event_id
    assert await office.webhooks.post(event_id, {hook.id: message}) == 1
    assert await office.webhooks.post(event_id, {hook.id: message}) == 0


async def test_events_that_the_log_dropped_before_anybody_told_them_are_counted_and_hold_nobody_up(
    office: PostOffice, receiver: FakeReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    await office.add(receiver)
    for _ in range(3):
        await office.happens()
    await office.webhooks.read("dead", wait_s=1, limit=2)
    await office.redis.xtrim(store.EVENTS, maxlen=0, approximate=False)
    assert await office.webhooks.missed() == 1
    assert await office.webhooks.abandoned("worker_2", idle_s=0) == ([], 2)
    await office.happens("job.failed")
    office.deliver("worker_2")
    await receiver.hears()
    assert receiver.types() == ["job.failed"]
    assert (await office.redis.xpending(store.EVENTS, GROUP))["pending"] == 0


async def test_a_full_outbox_gives_up_what_failed_most_and_stays_bounded(
    office: PostOffice, receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sakuga.webhooks.OUTBOX", 3)
    monkeypatch.setattr("sakuga.webhooks.DEAD_KEPT", 2)
    hook = await office.add(receiver)
    for _ in range(10):
        await office.webhooks.test(hook.id)
    found = await office.webhooks.deliveries(hook.id)
    assert sorted(one.state for one in found) == ["dead"] * 2 + ["pending"] * 3
    assert await office.redis.hlen(store.WEBHOOK_MESSAGES_PREFIX + hook.id) == 5


async def test_a_secret_is_in_the_form_of_the_standard_and_is_not_shown_by_accident(office: PostOffice) -> None:
    hook = await office.webhooks.add("https://example.com/")
    assert hook.secret.get_secret_value().startswith("whsec_")
    assert "whsec_" not in repr(hook)
    assert (await office.webhooks.get(hook.id)).secret == hook.secret


async def test_there_are_only_so_many_webhooks(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sakuga.webhooks.LIMIT", 2)
    for _ in range(2):
        await office.webhooks.add("https://example.com/")
    with pytest.raises(WebhooksExhausted):
        await office.webhooks.add("https://example.com/")
    assert len(await office.webhooks.all()) == 2


async def test_what_is_not_there_has_a_name(office: PostOffice) -> None:
    hook = await office.webhooks.add("https://example.com/")
    with pytest.raises(WebhookNotFound):
        await office.webhooks.get("hook_1")
    with pytest.raises(WebhookNotFound):
        await office.webhooks.remove("due:" + hook.id)
    with pytest.raises(DeliveryNotFound):
        await office.webhooks.redeliver(hook.id, "msg_1")


async def test_nothing_is_put_into_the_outbox_of_a_webhook_that_is_off(office: PostOffice) -> None:
    hook = await office.webhooks.add("https://example.com/")
    message = await office.webhooks.test(hook.id)
    await office.redis.hset(store.WEBHOOK_PREFIX + hook.id, mapping={"disabled_at": "1.0", "disabled_for": "gone"})
    with pytest.raises(WebhookDisabled):
        await office.webhooks.test(hook.id)
    assert await office.webhooks.post("", {hook.id: message}) == 0
    assert await office.webhooks.claim(hook.id, limit=1, lease_s=1) == []


async def test_a_message_is_in_one_hand_at_a_time_and_an_answer_after_the_lease_counts_for_nothing(
    office: PostOffice,
) -> None:
    hook = await office.webhooks.add("https://example.com/")
    await office.webhooks.test(hook.id)
    (late,) = await office.webhooks.claim(hook.id, limit=9, lease_s=0.001)
    async with asyncio.timeout(5):
        while not (again := await office.webhooks.claim(hook.id, limit=9, lease_s=60)):
            pass
    assert await office.webhooks.claim(hook.id, limit=9, lease_s=60) == []
    assert again[0].message == late.message
    state = DeliveryState.DELIVERED
    assert await office.webhooks.settle(hook.id, late, late.message, state=state) == "lost"
    assert await office.webhooks.settle(hook.id, again[0], late.message, state=state) == "delivered"
