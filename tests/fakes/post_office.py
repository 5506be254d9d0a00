"""A post office: a studio's log and webhooks on a real server, and workers that send."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sakuga import store
from sakuga.webhook import DeliveryState, Webhook
from sakuga.webhooks import Delivery, Webhooks
from tests.fakes.receiver import FakeReceiver
from worker.outside import Outside
from worker.webhooks import Deliverer

BASE = "https://studio.example"


@dataclass
class PostOffice:
    """The log of a studio, its webhooks, and the workers that send."""

    redis: store.Client
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def webhooks(self) -> Webhooks:
        return Webhooks(self.redis)

    async def add(self, receiver: FakeReceiver, **wishes: Any) -> Webhook:
        hook = await self.webhooks.add(receiver.url, **wishes)
        receiver.secret = hook.secret.get_secret_value()
        return hook

    async def happens(self, kind: str = "job.queued", **data: Any) -> str:
        fields = ",".join(f'"{name}":"{value}"' for name, value in {"job_id": "job_1", **data}.items())
        return str(await self.redis.xadd(store.EVENTS, {"type": kind, "data": f'{{{fields},"number":42}}'}))

    def deliver(
        self, name: str = "worker_1", *, private: bool = True, total_s: float = 10, **options: Any
    ) -> asyncio.Task[None]:
        outside = Outside(private=True, total_s=total_s)
        deliverer = Deliverer(self.redis, outside, name=name, base_url=BASE, **{"back_off_s": (0.02,) * 8, **options})
        self.tasks.append(asyncio.create_task(deliverer.run()))
        return self.tasks[-1]

    async def told(self) -> bool:
        """Whether the group has read every event, and posted it."""
        (group,) = await self.redis.xinfo_groups(store.EVENTS)
        return group["lag"] == group["pending"] == 0

    async def until(self, hook: Webhook, right: Callable[[list[Delivery]], bool]) -> list[Delivery]:
        async with asyncio.timeout(10):
            while not right(found := await self.webhooks.deliveries(hook.id)):  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.02)
        return found


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def receivers(count: int) -> AsyncIterator[list[FakeReceiver]]:
    found = [FakeReceiver() for _ in range(count)]
    for receiver in found:
        await receiver.__aenter__()
    yield found
    for receiver in found:
        await receiver.__aexit__()


def all_are(state: DeliveryState, count: int = 1) -> Callable[[list[Delivery]], bool]:
    return lambda found: len(found) == count and all(one.state is state for one in found)
