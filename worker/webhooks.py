"""Webhooks on their way: events into outboxes, and messages from there to their receivers, beside the rendering.

Nothing waits for this room. Each webhook has a task of its own here, so that a slow receiver keeps nobody else waiting.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from redis.exceptions import RedisError
from standardwebhooks import Webhook as Signature

from sakuga import __version__, chores, store, webhook
from sakuga.errors import WebhookNotFound
from sakuga.log import get_logger
from sakuga.webhook import BACK_OFF_S, JITTER, DeliveryState, Message, Webhook
from sakuga.webhooks import Entry, Taken, Webhooks
from worker.outside import Outside

log = get_logger("webhooks")

LOOK_S = 1.0  # between looks at what is due and at who wants to hear
LISTEN_S = 2.0
LEASE_S = 30.0  # of a message while it is sent; an attempt takes 10 s at most
IDLE_S = 30.0  # after which an event that another worker took and did not post is taken over
AT_ONCE = 4  # messages to one webhook
RECONNECT_S = 0.5
ASK_AGAIN_S = 0.1
GONE = "410"
LONGEST_WISH_S = 86_400.0
HEADERS = {"content-type": "application/json", "user-agent": f"Sakuga/{__version__} (webhooks)"}


class Deliverer:
    """Sends what a studio's webhooks are to hear. Several may run; they share the work."""

    def __init__(
        self,
        redis: store.Client,
        outside: Outside,
        *,
        name: str,
        base_url: str,
        lease_s: float = LEASE_S,
        idle_s: float = IDLE_S,
        back_off_s: tuple[float, ...] = BACK_OFF_S,
    ) -> None:
        self._redis = redis
        self._webhooks = Webhooks(redis)
        self._outside = outside
        self._name = name
        self._base_url = base_url
        self._lease_s = lease_s
        self._idle_s = idle_s
        self._back_off_s = back_off_s
        self._couriers: dict[str, asyncio.Task[None]] = {}
        self._posted: dict[str, asyncio.Event] = {}

    async def run(self) -> None:
        """Do it until cancelled."""
        beside = [asyncio.create_task(self._steadily(chore)) for chore in (self._follow, self._care)]
        try:
            await asyncio.Event().wait()
        finally:
            await chores.end([*beside, *self._couriers.values()], ask_again_s=ASK_AGAIN_S)
            with suppress(RedisError, OSError):
                await self._webhooks.leave(self._name)
            await self._outside.close()

    async def _steadily(self, chore: Callable[[], Awaitable[None]]) -> None:
        """Do a chore for ever. A Redis that is away or came back empty is begun with again."""
        while True:
            try:
                await chore()
            except (RedisError, OSError):
                await asyncio.sleep(RECONNECT_S)
            except Exception:  # one bad document must not end the rest
                log.exception("webhooks.broke")
                await asyncio.sleep(LOOK_S)

    async def _follow(self) -> None:
        """Put events into outboxes, those that somebody else left behind first."""
        await self._webhooks.follow()
        if missed := await self._webhooks.missed():
            log.warning("webhooks.missed", events=missed)
        looked = float("-inf")
        while True:
            if monotonic() - looked > self._idle_s:
                left, dropped = await self._webhooks.abandoned(self._name, idle_s=self._idle_s)
                if dropped:
                    log.warning("webhooks.missed", events=dropped)
                await self._post(left)
                looked = monotonic()
            await self._post(await self._webhooks.read(self._name, wait_s=min(LISTEN_S, self._idle_s)))

    async def _post(self, entries: list[Entry]) -> None:
        hooks = await self._webhooks.all() if entries else []
        for event_id, kind, data in entries:
            at = webhook.happened_at(event_id)
            wanted = [hook for hook in hooks if hook.wants(kind, at)]
            job = await self._job(str(data.get("job_id", ""))) if wanted else {}
            messages = {}
            for hook in wanted:
                told = webhook.told(data, job, base_url=self._base_url, prompts=hook.prompts)
                messages[hook.id] = Message(
                    id=webhook.message_id(event_id, hook.id),
                    type=kind,
                    body=webhook.body(kind, at, told),
                    written_at=at,
                )
            await self._webhooks.post(event_id, messages)
            for hook in wanted:
                if woken := self._posted.get(hook.id):
                    woken.set()

    async def _job(self, job_id: str) -> dict[str, str | None]:
        names = ("status", "clip_id", "prompt", "held_for")
        found = await self._redis.hmget(store.JOB_PREFIX + job_id, names) if job_id else [None] * len(names)
        return dict(zip(names, found, strict=True))

    async def _care(self) -> None:
        """Have a courier for each webhook, and none for those that were removed."""
        while True:
            hooks = {hook.id for hook in await self._webhooks.all()}
            for gone in self._couriers.keys() - hooks:
                self._couriers.pop(gone).cancel()
                del self._posted[gone]
            for new in hooks - self._couriers.keys():
                self._posted[new] = asyncio.Event()
                self._couriers[new] = asyncio.create_task(self._steadily(self._courier(new)))
            await asyncio.sleep(LOOK_S)

    def _courier(self, webhook_id: str) -> Callable[[], Awaitable[None]]:
        async def send_what_is_due() -> None:
            posted = self._posted[webhook_id]
            while True:
                posted.clear()
                taken = await self._webhooks.claim(webhook_id, limit=AT_ONCE, lease_s=self._lease_s)
                if not taken:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_S):
                            await posted.wait()
                    continue
                hook = await self._webhooks.get(webhook_id)
                await asyncio.gather(*(self._send(hook, one) for one in taken))

        async def courier() -> None:
            with suppress(WebhookNotFound):  # removed a moment ago
                await send_what_is_due()
            await asyncio.sleep(LOOK_S)

        return courier

    async def _send(self, hook: Webhook, taken: Taken) -> None:
        began = monotonic()
        body = taken.message.body
        outcome, wish_s = await self._outside.post(hook.url, self._signed(hook, taken.message), body.encode())
        tried = taken.message.model_copy(
            update={
                "attempts": taken.message.attempts + 1,
                "tried_at": datetime.now(UTC).timestamp(),
                "took_ms": round((monotonic() - began) * 1000),
                "outcome": outcome,
            }
        )
        state, pause_s = self._verdict(tried, wish_s)
        gone = "gone" if outcome == GONE else ""
        settled = await self._webhooks.settle(hook.id, taken, tried, state=state, pause_s=pause_s, gone=gone)
        say = log.warning if settled in {DeliveryState.DEAD, "disabled"} else log.debug
        say(
            "webhook.tried",
            webhook_id=hook.id,
            message_id=tried.id,
            type=tried.type,
            outcome=outcome,
            attempt=tried.attempts,
            settled=settled,
        )

    def _verdict(self, tried: Message, wish_s: float | None) -> tuple[DeliveryState, float]:
        """Return what becomes of a message that was tried, and the seconds until it is tried again."""
        if tried.outcome.startswith("2"):
            return DeliveryState.DELIVERED, 0
        if tried.outcome == GONE or tried.attempts > len(self._back_off_s):
            return DeliveryState.DEAD, 0
        pause_s = self._back_off_s[tried.attempts - 1]
        jitter = 1 + random.uniform(-JITTER, JITTER)  # noqa: S311 - nobody has to guess it
        return DeliveryState.PENDING, max(pause_s * jitter, min(wish_s or 0, LONGEST_WISH_S))

    @staticmethod
    def _signed(hook: Webhook, message: Message) -> dict[str, str]:
        now = datetime.now(UTC)
        signature = Signature(hook.secret.get_secret_value()).sign(message.id, now, message.body)
        return {
            **HEADERS,
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
