"""The recorder: `python -m sakuga record`, which follows the log and writes down what each event changed."""

import argparse
import asyncio
import base64
import json
import os
import signal
from pathlib import Path
from typing import Any, TextIO

from redis.exceptions import RedisError

from sakuga import __version__, recording, store
from sakuga.errors import BrokerUnavailable, RecordingUnusable
from sakuga.event import Event, EventType
from sakuga.events import Events
from sakuga.recording import Change, Kind, Moment, Opening
from sakuga.settings import Settings

# What pages are drawn from. Keys, webhooks and whatever else holds a secret are not among it.
ALWAYS: dict[str, Kind] = {
    store.WAITING: "zset",
    store.HELD: "zset",
    store.DEADLINES: "zset",
    store.RUNNING: "zset",
    store.STUDIO: "hash",
    store.STAGE: "hash",
    store.ENDED: "list",
    store.ENGINES: "hash",
    store.WORKERS: "zset",
    store.WORKER_DOCUMENTS: "hash",
    store.BALLOT: "hash",
    store.BALLOT_VOTES: "hash",
    store.BANS: "hash",
}
GALLERY: dict[str, Kind] = {store.CLIPS: "zset", store.CLIP_DOCUMENTS: "hash"}  # large: looked at when a clip is ready
WAIT_S = 0.5


class Recorder:
    """Writes one recording. `raw` is a client whose replies are bytes, for previews."""

    def __init__(self, redis: store.Client, raw: store.Client, file: TextIO, *, storage: str = "") -> None:
        self._redis = redis
        self._raw = raw
        self._file = file
        self._storage = storage
        self._known: dict[str, Any] = {}
        self._at = "0-0"
        self.moments = 0

    async def open(self) -> None:
        """Write down how everything stands."""
        events = Events(self._redis)
        self._at = await events.last_id()
        keys = ALWAYS | GALLERY
        for ids in (store.WAITING, store.HELD, store.RUNNING):
            keys |= {store.JOB_PREFIX + job_id: "hash" for job_id in await self._redis.zrange(ids, 0, -1)}
        began = await store.clock(self._redis)
        state = await self._changed(keys)
        self._write(Opening(sakuga=__version__, began=began, storage=self._storage, state=state).model_dump_json())

    async def follow(self, *, wait_s: float = WAIT_S) -> int:
        """Write down the events since then, waiting so long for the first one, and return how many there were."""
        found = await Events(self._redis).after(self._at, wait_s=wait_s)
        for event in found:
            self._at = event.id
            keys = ALWAYS | (GALLERY if event.type is EventType.CLIP_READY else {})
            if job_id := event.data.get("job_id"):
                keys |= {store.JOB_PREFIX + job_id: "hash", store.PREVIEW_PREFIX + job_id: "bytes"}
            self._write(_moment(event, await self._changed(keys)).model_dump_json())
            self.moments += 1
        return len(found)

    async def _changed(self, keys: dict[str, Kind]) -> dict[str, Change]:
        async with self._redis.pipeline(transaction=True) as pipe:
            for key, kind in keys.items():
                if kind == "hash":
                    pipe.hgetall(key)
                elif kind == "zset":
                    pipe.zrange(key, 0, -1, withscores=True)
                elif kind == "list":
                    pipe.lrange(key, 0, -1)
                else:
                    pipe.exists(key)
            found = await pipe.execute()
        state = {}
        for (key, kind), value in zip(keys.items(), found, strict=True):
            now = dict(value) if kind == "zset" else value
            if kind == "bytes":
                picture = await self._raw.get(key) if value else None
                now = [base64.b64encode(picture).decode()] if picture else []
            if change := recording.changes(kind, self._known.get(key), now or None):
                state[key] = change
            self._known[key] = now or None
        return state

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()  # what was recorded is there, however this ends


def _moment(event: Event, state: dict[str, Change]) -> Moment:
    at = int(event.id.partition("-")[0]) / 1000
    return Moment(id=event.id, time=at, type=event.type, data=json.loads(json.dumps(event.data)), state=state)


async def run(settings: Settings, asked: argparse.Namespace) -> str:
    """Record into a new file `asked.file` until Ctrl-C, and say how much.

    Raises RecordingUnusable, BrokerUnavailable.
    """
    path: Path = asked.file
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    redis, raw = (store.connect(settings.broker_url, decode=decode) for decode in (True, False))
    storage = settings.storage_url or str((settings.var_dir / "clips").resolve())
    try:
        await redis.ping()
        with _new(path) as file:
            recorder = Recorder(redis, raw, file, storage=storage)
            await recorder.open()
            while not stopping.is_set():
                await recorder.follow()
    except (RedisError, OSError) as error:
        raise BrokerUnavailable from error
    finally:
        await redis.aclose()
        await raw.aclose()
    return f"{recorder.moments} events are in {path}. It holds viewers' names and prompts; only you may read it."


def _new(path: Path) -> TextIO:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, recording.OWNER_ONLY)
    except FileExistsError as error:
        raise RecordingUnusable(file=path, problem="it is there already; name another file") from error
    except OSError as error:
        raise RecordingUnusable(file=path, problem="it can't be written") from error
    return os.fdopen(handle, "w", encoding="utf-8")
