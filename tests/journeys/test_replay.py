"""A show is written down as it happens, and shown again on another studio."""

import asyncio
import re
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from sakuga import store
from sakuga.engine import Progress
from sakuga.errors import RecordingUnusable
from sakuga.event import EventType
from sakuga.events import Events
from sakuga.lifecycle import Lifecycle
from sakuga.playout import Playout
from sakuga.queue import Queue
from sakuga.recorder import Recorder
from sakuga.recording import Recording
from sakuga.replay import Player, missing
from sakuga.settings import Settings
from sakuga.stage import StageState
from sakuga.storage import Storage
from tests.fakes.jobs import clip, happened, submitted
from tests.fakes.keys import KEY
from tests.fakes.renderer import SPEC
from tests.fakes.valkey import Valkey
from worker import upkeep

ROOT = Path(__file__).parents[2]
A_TIME = re.compile(r"\d{4}-\d\d-\d\dT")


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[store.Client]:
    client = store.connect(valkey.url)
    yield client
    await client.aclose()


async def open_house(redis: store.Client) -> None:
    await upkeep.introduce(redis, upkeep.Introduction("worker_1", "puppet", [SPEC], 1))
    await submitted(Queue(redis), prompt="a lighthouse in a storm")


async def give_a_show(redis: store.Client) -> None:
    queue, lifecycle, playout = Queue(redis), Lifecycle(redis), Playout(redis)
    for prompt in ("girl with sword", "robot cat", "paper lantern dragon"):
        await submitted(queue, prompt=prompt)
    await queue.admit()
    (job_id,) = await redis.zrange(store.RUNNING, 0, -1)
    job, _ = await lifecycle.read(job_id)
    await lifecycle.begin_attempt(job.model_copy(update={"attempt": 1, "handle": "puppet-1"}))
    job, _ = await lifecycle.read(job_id)
    for sequence, fraction in enumerate((0.1, 0.6), start=1):
        await lifecycle.progress(
            job, Progress(sequence=sequence, stage="denoise", fraction=fraction, preview=b"\xff\xd8")
        )
    await lifecycle.finish(job)
    await lifecycle.succeed(job, clip(job.number, id="clip_1", job_id=job.id))
    await redis.zrem(store.SLOTS, job.id)
    await playout.show(StageState.RESULT, "clip_1", 5.0)
    await queue.admit()


def without_times(document: Any) -> Any:
    """Return a document without what depends on when it was asked for."""
    if isinstance(document, dict):
        return {
            name: without_times(value)
            for name, value in document.items()
            if "eta" not in name and not (isinstance(value, float) and value > 1e9) and not A_TIME.match(str(value))
        }
    if isinstance(document, str):
        return re.sub(r"\d\d:\d\d:\d\d", "", document)
    return [without_times(value) for value in document] if isinstance(document, list) else document


async def told(valkey: Valkey, redis: store.Client) -> tuple[Any, Any, Any]:
    """Return what queue and stage say, and the log."""
    app = create_app(valkey.settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8420") as http:
        queue = without_times((await http.get("/queue")).raise_for_status().json())
        stage = without_times((await http.get("/stage")).raise_for_status().json())
    await app.state.studio.close()
    return queue, stage, [(event.type, event.data) for event in await Events(redis).after("0-0")]


async def recorded(valkey: Valkey, redis: store.Client, path: Path) -> None:
    raw = store.connect(valkey.url, decode=False)
    with path.open("w") as file:
        recorder = Recorder(redis, raw, file, storage="nowhere")
        await recorder.open()
        await give_a_show(redis)
        while await recorder.follow(wait_s=0.01):
            pass
    await raw.aclose()


async def test_a_replay_says_what_the_show_said(valkey: Valkey, redis: store.Client, tmp_path: Path) -> None:
    await open_house(redis)
    before = len(await Events(redis).after("0-0"))
    await recorded(valkey, redis, tmp_path / "show.jsonl")
    queue, stage, log = await told(valkey, redis)
    assert stage["state"] == "result"
    async with Valkey(tmp_path / "again") as other:
        again = store.connect(other.url)
        player = Player(again, Recording.read(tmp_path / "show.jsonl"), speed=50)
        await player.open()
        assert [job.prompt for job in (await Queue(again).board(9)).waiting] == ["a lighthouse in a storm"]
        await player.play()
        assert await told(other, again) == (queue, stage, log[before:])
        raw = store.connect(other.url, decode=False)
        assert await raw.get(store.PREVIEW_PREFIX + stage["clip"]["job_id"]) == b"\xff\xd8"
        await raw.aclose()
        now, _ = await again.time()
        for name, at in await again.zrange(store.WAITING, 0, -1, withscores=True):
            assert abs(at - now) < 60, name  # moved into the present, so that waits are told right
        await again.aclose()


async def test_clips_that_are_not_where_they_were_are_named(
    valkey: Valkey, redis: store.Client, tmp_path: Path, settings: Settings
) -> None:
    await open_house(redis)
    await recorded(valkey, redis, tmp_path / "show.jsonl")
    lost = await missing(Recording.read(tmp_path / "show.jsonl"), Storage.open(settings))
    assert [one.id for one in lost] == ["clip_1"]


async def test_a_recording_holds_no_key_and_no_secret_of_a_webhook(
    valkey: Valkey, redis: store.Client, tmp_path: Path
) -> None:
    await open_house(redis)
    await redis.hset(store.KEYS, "abc", "hunter2")
    await redis.hset(store.WEBHOOK_PREFIX + "hook_1", "secret", "whsec_hunter2")
    await recorded(valkey, redis, tmp_path / "show.jsonl")
    text = (tmp_path / "show.jsonl").read_text()
    assert "girl with sword" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("text", "problem"), [("", "no recording"), ("{}\n", "no recording"), ('{"format": 2}\n', "no recording")]
)
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "show.jsonl").write_text(text)
    with pytest.raises(RecordingUnusable, match=problem):
        Recording.read(tmp_path / "show.jsonl")


async def test_a_line_that_was_cut_off_by_a_crash_is_left_out(
    valkey: Valkey, redis: store.Client, tmp_path: Path
) -> None:
    await open_house(redis)
    path = tmp_path / "show.jsonl"
    await recorded(valkey, redis, path)
    whole = Recording.read(path)
    path.write_text(path.read_text()[:-20])
    assert len(Recording.read(path).moments) == len(whole.moments) - 1


async def sakuga(*words: str, **settings: object) -> asyncio.subprocess.Process:
    env = Settings.model_construct().environ(**settings)
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sakuga", *words, cwd=ROOT, env=env, stdout=pipe, stderr=pipe
    )


async def holds(path: Path, text: str, *, times: int = 1) -> None:
    """Wait until a file that another process writes has that text so many times."""
    async with asyncio.timeout(20):
        while not path.exists() or path.read_text().count(text) < times:  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.05)


async def test_two_commands_record_a_show_and_show_it_again(
    valkey: Valkey, redis: store.Client, tmp_path: Path
) -> None:
    await open_house(redis)
    path = tmp_path / "show.jsonl"
    recording = await sakuga("record", str(path), var_dir=valkey.settings.var_dir)
    await holds(path, '"format"')
    await give_a_show(redis)
    await holds(path, "job.admitted", times=2)
    recording.send_signal(signal.SIGINT)
    said, _ = await recording.communicate()
    assert "events are in" in said.decode()
    assert "only you may read it" in said.decode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    refused = await sakuga("record", str(path), var_dir=valkey.settings.var_dir)
    assert b"name another file" in (await refused.communicate())[1]
    queue, stage, _ = await told(valkey, redis)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    replay = await sakuga(
        *("replay", str(path), "--speed", "20", "--port", str(port)),
        key=KEY,
        redis_url=valkey.url,  # of the studio: it is left alone
    )
    try:
        said = b""
        async with asyncio.timeout(40):
            while b"That was all" not in said:
                line = await replay.stdout.readline()
                assert line, await replay.stderr.read()
                said += line
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            assert without_times((await http.get("/queue")).json()) == queue
            assert without_times((await http.get("/stage")).json()) == stage
        assert b"is missing; name the folder" in said
    finally:
        replay.send_signal(signal.SIGINT)
        await replay.communicate()
    assert replay.returncode == 0
    await happened(redis, EventType.STAGE_CHANGED)  # once, in the studio's own log
    assert [kind for kind, _ in (await told(valkey, redis))[2]].count("stage.changed") == 1
