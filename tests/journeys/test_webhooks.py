"""A worker, as it is started, sends what happens to a program that listens."""

import asyncio
import sys

from sakuga import store
from sakuga.queue import Queue
from sakuga.webhooks import Webhooks
from tests.fakes.jobs import submitted
from tests.fakes.receiver import FakeReceiver
from tests.fakes.valkey import Valkey


async def test_a_worker_sends_beside_its_renders_and_stops_when_asked(valkey: Valkey) -> None:
    redis = store.connect(valkey.url)
    async with FakeReceiver() as receiver:
        hook = await Webhooks(redis).add(receiver.url)
        receiver.secret = hook.secret.get_secret_value()
        env = valkey.settings.environ(var_dir=valkey.settings.var_dir, rehearsal_seconds=0, webhooks_private=True)
        worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "worker", env=env)
        try:
            await submitted(Queue(redis), prompt="girl with sword")
            async with asyncio.timeout(40):
                while "clip.ready" not in receiver.types():
                    await receiver.hears(len(receiver.heard) + 1)
        finally:
            worker.terminate()
            async with asyncio.timeout(10):
                assert await worker.wait() == 0
    assert receiver.types()[0] == "job.queued"
    assert "girl" not in str(receiver.heard)
    ready = next(one.payload["data"] for one in receiver.heard if one.payload["type"] == "clip.ready")
    assert ready["video_url"].startswith(valkey.settings.base_url)
    assert len(set(receiver.ids())) == len(receiver.ids())
    await redis.aclose()
