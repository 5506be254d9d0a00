"""The replay: `python -m sakuga replay`, which shows a recorded show on a gateway of its own, in memory of its own."""

import argparse
import asyncio
import base64
import json
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from time import monotonic

import httpx

from sakuga import broker, keyring, store
from sakuga.clip import Clip
from sakuga.demo import READY_S
from sakuga.keys import Keys
from sakuga.recording import Change, Clockwork, Recording
from sakuga.role import Role
from sakuga.settings import Settings
from sakuga.storage import Storage
from sakuga.supervisor import Supervisor

ALIVE_EVERY_S = 3.0
STAGE_MANAGER_S = 10
EVENTS_KEPT = 20_000


class Player:
    """Puts a recording back into Redis, in its time."""

    def __init__(self, redis: store.Client, recording: Recording, *, speed: float = 1.0) -> None:
        self._redis = redis
        self._recording = recording
        self._speed = speed
        self._clock = Clockwork(began=recording.opening.began, now=0, speed=speed)

    async def open(self) -> None:
        """Put back how everything stood when the recording began."""
        now = await store.clock(self._redis)
        self._clock = Clockwork(began=self._recording.opening.began, now=now, speed=self._speed)
        await self._put(self._recording.opening.state)

    async def play(self) -> None:
        """Let happen what was recorded, each event at its time, and return after the last."""
        late_s = await store.clock(self._redis) - self._clock.now
        began = monotonic() - late_s
        for moment in self._recording.moments:
            due = (moment.time - self._recording.opening.began) / self._speed
            await asyncio.sleep(max(0.0, began + due - monotonic()))
            await self._put(moment.state, event=(moment.type, json.dumps(moment.data, ensure_ascii=False)))

    async def keep_alive(self) -> None:
        """Say for ever that the workers and the stage manager of the recording are there."""
        while True:
            now = await store.clock(self._redis)
            for worker_id in await self._redis.zrange(store.WORKERS, 0, -1):
                await self._redis.zadd(store.WORKERS, {worker_id: now})
            await self._redis.set(store.STAGE_MANAGER, "1", ex=STAGE_MANAGER_S)
            await asyncio.sleep(ALIVE_EVERY_S)

    async def _put(self, state: dict[str, Change], event: tuple[str, str] | None = None) -> None:
        async with self._redis.pipeline(transaction=True) as pipe:
            for key, change in state.items():
                if change.kind in {"list", "bytes"}:
                    pipe.delete(key)
                if change.gone:
                    (pipe.hdel if change.kind == "hash" else pipe.zrem)(key, *change.gone)
                if change.fields:
                    pipe.hset(key, mapping={name: self._clock.text(value) for name, value in change.fields.items()})
                if change.members:
                    pipe.zadd(key, {name: self._clock.score(score) for name, score in change.members.items()})
                if change.kind == "list" and change.items:
                    pipe.rpush(key, *map(self._clock.text, change.items))
                if change.kind == "bytes" and change.items:
                    pipe.set(key, base64.b64decode(change.items[0]))
            if event:
                kind, data = event
                pipe.xadd(store.EVENTS, {"type": kind, "data": data}, maxlen=EVENTS_KEPT, approximate=True)
            await pipe.execute()


def clips_of(recording: Recording) -> list[Clip]:
    """Return every clip that a recording shows."""
    states = [recording.opening.state, *(moment.state for moment in recording.moments)]
    documents = {
        name: text
        for state in states
        if store.CLIP_DOCUMENTS in state
        for name, text in state[store.CLIP_DOCUMENTS].fields.items()
    }
    return [Clip.model_validate_json(text) for text in documents.values()]


async def missing(recording: Recording, storage: Storage) -> list[Clip]:
    """Return the clips whose videos are not in the storage. Raises StorageUnavailable."""
    return [clip for clip in clips_of(recording) if await storage.size(clip.video_key) is None]


async def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Replay `asked.file` until Ctrl-C, and return the exit code. Raises RecordingUnusable, StudioError."""
    recording = Recording.read(asked.file)
    with tempfile.TemporaryDirectory(prefix="sakuga-replay-") as folder:
        house = settings.model_copy(
            update={
                "var_dir": Path(folder),
                "redis_url": None,  # never the studio's own
                "storage_url": _storage(asked.clips or recording.opening.storage, Path(folder)),
                "api_port": asked.port,
                "public_url": f"http://127.0.0.1:{asked.port}",
            }
        )
        for clip in await missing(recording, Storage.open(house)):
            sys.stdout.write(f"{clip.name}: {clip.video_key} is missing; name the folder that has it by --clips.\n")
        server = await broker.ensure(house)
        try:
            return await _show(house, recording, asked.speed)
        finally:
            if server is not None:
                await broker.stop(house, server)


def _storage(wanted: str, folder: Path) -> str:
    """Return where clips are read from: not from a folder that is not there, since opening it would make it."""
    there = wanted.startswith("s3://") or (wanted and Path(wanted.removeprefix("file://")).is_dir())
    return wanted if there else str(folder / "clips")


async def _show(house: Settings, recording: Recording, speed: float) -> int:
    redis = store.connect(house.broker_url)
    changes = {name: getattr(house, name) for name in ("var_dir", "storage_url", "api_port", "public_url")}
    supervisor = Supervisor(house.environ(**changes, redis_url=house.broker_url))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    player = Player(redis, recording, speed=speed)
    await player.open()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(supervisor.keep("api"))
            chores = [
                group.create_task(player.keep_alive()),
                group.create_task(_play(house, player, Keys(redis), len(recording.moments))),
            ]
            await supervisor.stopped()
            for chore in chores:
                chore.cancel()
    finally:
        await redis.aclose()
    return 2 if supervisor.failed else 0


async def _play(house: Settings, player: Player, keys: Keys, count: int) -> None:
    url = house.base_url
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client, asyncio.timeout(READY_S):
        while True:
            with suppress(httpx.HTTPError):
                await client.get("/health")
                break
            await asyncio.sleep(0.05)
    link = await keyring.login_url(keys, house, Role.MODERATOR, "replay")
    sys.stdout.write(f"Replaying {count} events. Overlay: {url}/overlay  Studio: {url}  Console, once: {link}\n")
    sys.stdout.flush()
    await player.play()
    sys.stdout.write("That was all. The last picture stays; Ctrl-C ends.\n")
    sys.stdout.flush()
