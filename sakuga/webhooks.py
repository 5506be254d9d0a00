"""Webhooks in Redis: who wants to hear of events, and the outbox from which workers send.

A consumer group over the event log writes each event into the outboxes of those who want it, once. From there a message
is taken with a lease, so that several workers share the sending, and one that dies loses nothing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError
from ulid import ULID

from sakuga import store, webhook
from sakuga.errors import DeliveryNotFound, WebhookDisabled, WebhookNotFound, WebhooksExhausted
from sakuga.webhook import DeliveryState, Message, Webhook

GROUP = "webhooks"
LIMIT = 20
OUTBOX = 5000  # messages that wait for one webhook; the stream itself keeps four times as many events
DELIVERED_KEPT = 100
DEAD_KEPT = 500
PATIENCE_S = 5 * 86_400.0  # of nothing but failures, after which a webhook is switched off
GONE_S = 3600.0  # after which a reader of the group that says nothing is forgotten
ABLE = {"failing_since": "", "disabled_at": "", "disabled_for": ""}

Entry = tuple[str, str, dict[str, Any]]  # an event's id, type and data


@dataclass(frozen=True, slots=True)
class Taken:
    """A message in somebody's hands, until its lease runs out."""

    message: Message
    lease: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and where it is; `next_at` is when it is tried again, in seconds since 1970."""

    message: Message
    state: DeliveryState
    next_at: float | None


class Webhooks:
    """The registry and the outboxes."""

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._post = store.script(redis, "webhook_post")
        self._claim = store.script(redis, "webhook_claim")
        self._settle = store.script(redis, "webhook_settle")

    async def add(self, url: str, *, types: Iterable[str] = (), prompts: bool = False, by: str = "") -> Webhook:
        """Add a webhook for a URL that was checked, and return it with its secret. Raises WebhooksExhausted."""
        await self.follow()  # from now on, whether a worker runs or not
        if await self._redis.zcard(store.WEBHOOKS) >= LIMIT:
            raise WebhooksExhausted(limit=LIMIT)
        added = Webhook(
            id=webhook.new_webhook_id(),
            url=url,
            types=list(types),
            prompts=prompts,
            secret=webhook.new_secret(),
            by=by,
            created_at=await store.clock(self._redis),
        )
        fields = {
            "id": added.id,
            "url": url,
            "types": json.dumps(added.types),
            "prompts": int(prompts),
            "by": by,
            "secret": added.secret.get_secret_value(),
            "created_at": repr(added.created_at),
            **ABLE,
        }
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(store.WEBHOOK_PREFIX + added.id, mapping=fields)
            pipe.zadd(store.WEBHOOKS, {added.id: added.created_at})
            await pipe.execute()
        return added

    async def all(self) -> list[Webhook]:
        """Return all webhooks, the oldest first."""
        ids = await self._redis.zrange(store.WEBHOOKS, 0, -1)
        async with self._redis.pipeline(transaction=False) as pipe:
            for webhook_id in ids:
                pipe.hgetall(store.WEBHOOK_PREFIX + webhook_id)
            return [_parse(fields) for fields in await pipe.execute() if fields]

    async def get(self, webhook_id: str) -> Webhook:
        """Return a webhook. Raises WebhookNotFound."""
        fields = await self._redis.hgetall(store.WEBHOOK_PREFIX + webhook_id)
        if not fields.get("url"):
            raise WebhookNotFound(webhook_id=webhook_id)
        return _parse(fields)

    async def remove(self, webhook_id: str) -> None:
        """Remove a webhook with all that waits for it. Raises WebhookNotFound."""
        await self.get(webhook_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zrem(store.WEBHOOKS, webhook_id)
            pipe.delete(store.WEBHOOK_PREFIX + webhook_id, *_keys(webhook_id).values(), _messages(webhook_id))
            await pipe.execute()

    async def enable(self, webhook_id: str) -> Webhook:
        """Switch a webhook on again: what waited is sent, what happened meanwhile is not. Raises WebhookNotFound."""
        await self.get(webhook_id)
        await self._redis.hset(store.WEBHOOK_PREFIX + webhook_id, mapping=ABLE)
        return await self.get(webhook_id)

    async def test(self, webhook_id: str) -> Message:
        """Put a message into the outbox that nothing happened for. Raises WebhookNotFound, WebhookDisabled."""
        await self._able(webhook_id)
        now = await store.clock(self._redis)
        message = Message(
            id=f"msg_{ULID()}",
            type=webhook.TEST,
            body=webhook.body(webhook.TEST, now, {"webhook_id": webhook_id}),
            written_at=now,
        )
        await self.post("", {webhook_id: message})
        return message

    async def follow(self) -> None:
        """Begin to follow the log, where nobody has yet."""
        try:
            await self._redis.xgroup_create(store.EVENTS, GROUP, id="$", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def missed(self) -> int:
        """Return how many events the log dropped before anybody had read them, as when no worker ran for long."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xinfo_stream(store.EVENTS)
            pipe.xinfo_groups(store.EVENTS)
            log, groups = await pipe.execute()
        read = next((group.get("entries-read") for group in groups if group["name"] == GROUP), None)
        return max(0, log["entries-added"] - log["length"] - read) if read is not None else 0

    async def read(self, reader: str, *, wait_s: float, limit: int = 100) -> list[Entry]:
        """Return events that no reader had yet, waiting for the first one. Each is this reader's until it is posted."""
        found = await self._redis.xreadgroup(
            GROUP, reader, {store.EVENTS: ">"}, count=limit, block=max(1, round(wait_s * 1000))
        )
        return [_entry(entry_id, fields) for _, entries in found for entry_id, fields in entries]

    async def abandoned(self, reader: str, *, idle_s: float, limit: int = 100) -> tuple[list[Entry], int]:
        """Take over what another reader took and never posted; also return how many of those the log has dropped."""
        _, found, dropped = await self._redis.xautoclaim(store.EVENTS, GROUP, reader, round(idle_s * 1000), count=limit)
        for other in await self._redis.xinfo_consumers(store.EVENTS, GROUP):
            if not other["pending"] and other["idle"] > GONE_S * 1000:
                await self._redis.xgroup_delconsumer(store.EVENTS, GROUP, other["name"])
        return [_entry(entry_id, fields) for entry_id, fields in found], len(dropped)

    async def leave(self, reader: str) -> None:
        """Say that a reader ends. What it took and did not post stays for others."""
        for other in await self._redis.xinfo_consumers(store.EVENTS, GROUP):
            if other["name"] == reader and not other["pending"]:
                await self._redis.xgroup_delconsumer(store.EVENTS, GROUP, reader)

    async def post(self, event_id: str, messages: Mapping[str, Message]) -> int:
        """Put an event's messages, by webhook, into the outboxes and return how many. Doing it again does nothing."""
        return int(
            await self._post(
                keys=[store.EVENTS],
                args=[
                    *(GROUP, event_id, store.WEBHOOK_PREFIX, store.WEBHOOK_DUE_PREFIX),
                    *(store.WEBHOOK_MESSAGES_PREFIX, store.WEBHOOK_DEAD_PREFIX, OUTBOX, DEAD_KEPT),
                    *(part for to, message in messages.items() for part in (to, message.id, message.model_dump_json())),
                ],
            )
        )

    async def claim(self, webhook_id: str, *, limit: int, lease_s: float) -> list[Taken]:
        """Take up to `limit` messages that are due. Nobody else gets them within the lease."""
        taken = await self._claim(
            keys=[store.WEBHOOK_PREFIX + webhook_id, _keys(webhook_id)[DeliveryState.PENDING], _messages(webhook_id)],
            args=[limit, lease_s],
        )
        return [Taken(Message.model_validate_json(message), lease) for _, message, lease in taken]

    async def settle(
        self, webhook_id: str, taken: Taken, tried: Message, *, state: DeliveryState, pause_s: float = 0, gone: str = ""
    ) -> str:
        """Write down how an attempt ended: delivered, dead, or pending again after a pause.

        `gone` is why the webhook is to be switched off at once. Returns the state, `disabled` if the webhook was
        switched off by this, or `lost` if the lease had run out.
        """
        keys = _keys(webhook_id)
        return str(
            await self._settle(
                keys=[
                    *(store.WEBHOOK_PREFIX + webhook_id, keys[DeliveryState.PENDING], _messages(webhook_id)),
                    *(keys[DeliveryState.DELIVERED], keys[DeliveryState.DEAD]),
                ],
                args=[
                    *(tried.id, taken.lease, tried.model_dump_json()),
                    *("later" if state is DeliveryState.PENDING else state, pause_s, DELIVERED_KEPT, DEAD_KEPT),
                    *(webhook_id, PATIENCE_S, gone),
                ],
            )
        )

    async def deliveries(self, webhook_id: str, *, limit: int = 100) -> list[Delivery]:
        """Return what waits, what was given up and what arrived, each the newest first. Raises WebhookNotFound."""
        await self.get(webhook_id)
        states = (DeliveryState.PENDING, DeliveryState.DEAD, DeliveryState.DELIVERED)
        async with self._redis.pipeline(transaction=True) as pipe:  # a message and its state belong together
            for state in states:
                pipe.zrevrange(_keys(webhook_id)[state], 0, limit - 1, withscores=True)
            pipe.hgetall(_messages(webhook_id))
            *ranked, texts = await pipe.execute()
        listed = [(state, name, at) for state, pairs in zip(states, ranked, strict=True) for name, at in pairs]
        return [
            Delivery(Message.model_validate_json(texts[name]), state, at if state is DeliveryState.PENDING else None)
            for state, name, at in listed[:limit]
            if name in texts
        ]

    async def redeliver(self, webhook_id: str, message_id: str) -> Message:
        """Send a message again from now on, under the same id.

        Raises WebhookNotFound, WebhookDisabled, DeliveryNotFound.
        """
        await self._able(webhook_id)
        text = await self._redis.hget(_messages(webhook_id), message_id)
        if text is None:
            raise DeliveryNotFound(delivery_id=message_id)
        message = Message.model_validate_json(text).model_copy(update={"attempts": 0})
        keys, now = _keys(webhook_id), await store.clock(self._redis)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(_messages(webhook_id), message_id, message.model_dump_json())
            pipe.zrem(keys[DeliveryState.DEAD], message_id)
            pipe.zrem(keys[DeliveryState.DELIVERED], message_id)
            pipe.zadd(keys[DeliveryState.PENDING], {message_id: now})
            await pipe.execute()
        return message

    async def _able(self, webhook_id: str) -> None:
        found = await self.get(webhook_id)
        if found.disabled_at is not None:
            raise WebhookDisabled(reason=found.disabled_for)


def _keys(webhook_id: str) -> dict[DeliveryState, str]:
    return {
        DeliveryState.PENDING: store.WEBHOOK_DUE_PREFIX + webhook_id,
        DeliveryState.DELIVERED: store.WEBHOOK_DELIVERED_PREFIX + webhook_id,
        DeliveryState.DEAD: store.WEBHOOK_DEAD_PREFIX + webhook_id,
    }


def _messages(webhook_id: str) -> str:
    return store.WEBHOOK_MESSAGES_PREFIX + webhook_id


def _parse(fields: Mapping[str, str]) -> Webhook:
    document: dict[str, Any] = {name: value for name, value in fields.items() if value != ""}
    return Webhook.model_validate(
        {**document, "types": json.loads(fields["types"]), "prompts": fields["prompts"] == "1"}
    )


def _entry(entry_id: str, fields: Mapping[str, str]) -> Entry:
    return entry_id, fields["type"], json.loads(fields["data"])
