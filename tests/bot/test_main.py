import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import ANY

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot import __main__ as room
from bot.__main__ import attend, first, handle, public_link, run
from bot.desk import Desk
from bot.line import Line
from bot.outbox import Outbox
from bot.tokens import TokenFile
from sakuga.errors import KeyMissing
from sakuga.job import RequestedBy
from sakuga.settings import Settings
from tests.fakes.twitch import FakeTwitch


async def test_without_a_login_it_explains_itself_once_and_waits(tmp_path: Path) -> None:
    stop = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(run(Settings(_env_file=None, var_dir=tmp_path), stop))
        await asyncio.sleep(0)
        assert not running.done()
        stop.set()
        await running
    assert [line["event"] for line in logs] == ["bot.quiet"]
    assert logs[0]["help"] == "docs/how-to/twitch.md"


async def test_with_a_login_but_without_a_key_it_says_what_is_missing(tmp_path: Path, fake: FakeTwitch) -> None:
    with pytest.raises(KeyMissing, match="SAKUGA_KEY is not set"):
        await run(Settings(_env_file=None, var_dir=tmp_path, **fake.settings()), asyncio.Event())


async def test_texts_that_are_not_used_are_named_at_the_start(tmp_path: Path, fake: FakeTwitch) -> None:
    studio_file = tmp_path / "studio.toml"
    studio_file.write_text('[chat.texts]\n"job.held" = "{prompt}"\n"nonsense" = "Hm."\n"queue.empty" = "Leer."\n')
    settings = Settings(
        _env_file=None, var_dir=tmp_path, studio_file=studio_file, key="k" * 20, chat_key="m" * 20, **fake.settings()
    )
    stop = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(run(settings, stop))
        await fake.wait_for(lambda: fake.subscriptions)
        stop.set()
        await running
    [unused] = [line for line in logs if line["event"] == "chat.texts_unused"]
    assert (unused["keys"], unused["help"]) == ("job.held, nonsense", "docs/how-to/chat.md")
    assert "m" * 20 not in str(logs)


@asynccontextmanager
async def attending(
    settings: Settings, session: aiohttp.ClientSession, lines: asyncio.Queue[Line]
) -> AsyncIterator[None]:
    task = asyncio.create_task(
        attend(settings, session=session, tokens=TokenFile(settings), lines=lines, outbox=Outbox())
    )
    yield
    task.cancel()
    assert await asyncio.gather(task, return_exceptions=True) == [ANY]
    assert task.cancelled()


async def test_a_client_that_hears_nothing_any_more_is_replaced(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(room.twitch, "DEAF_S", 0.02)
    monkeypatch.setattr(room.twitch, "CHECK_S", 0.01)
    lines: asyncio.Queue[Line] = asyncio.Queue()
    async with attending(Settings(_env_file=None, var_dir=tmp_path, **fake.settings()), session, lines):
        await fake.wait_for(lambda: fake.subscriptions)
        await fake.shut()
        await fake.open()
        await fake.wait_for(lambda: fake.subscriptions)
        await fake.revoke()
        await fake.wait_for(lambda: fake.subscriptions)
        await fake.say("hello")
        async with asyncio.timeout(5):
            assert (await lines.get()).text == "hello"
    await fake.wait_for(lambda: not fake.sockets)


async def test_a_refused_subscription_is_explained_and_tried_again(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FIRST_PAUSE_S", 0.01)
    fake.next_subscription_statuses = [403, 500]
    with capture_logs() as logs:
        async with attending(Settings(_env_file=None, var_dir=tmp_path, **fake.settings()), session, asyncio.Queue()):
            await fake.wait_for(lambda: fake.subscriptions)
    refused = [line for line in logs if line["event"] == "twitch.refused"]
    assert [(line["status"], line["retry_s"]) for line in refused] == [(403, 0.01), (500, 0.02)]
    assert refused[0]["reason"] == "subscription missing proper authorization"


async def test_lines_that_come_faster_than_they_are_handled_are_counted_out(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession
) -> None:
    lines: asyncio.Queue[Line] = asyncio.Queue(1)
    settings = Settings(_env_file=None, var_dir=tmp_path, **fake.settings())
    with capture_logs() as logs:
        async with attending(settings, session, lines):
            await fake.wait_for(lambda: fake.subscriptions)
            await fake.say("one")
            message_id = await fake.say("two")
            await fake.drop()
            await fake.wait_for(lambda: fake.subscriptions)
    assert [line["message_id"] for line in logs if line["event"] == "chat.unheard"] == [message_id]
    assert lines.get_nowait().text == "one"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (None, None),
        ("http://localhost:8420", None),
        ("http://127.0.0.1:8420", None),
        ("http://[::1]:8420", None),
        ("https://studio.example", "https://studio.example/clips/clip_1/video"),
        ("https://studio.example/anime/", "https://studio.example/anime/clips/clip_1/video"),
    ],
)
def test_only_an_address_that_viewers_can_open_makes_a_link(address: str | None, expected: str | None) -> None:
    settings = Settings(_env_file=None, public_url=address)
    assert public_link(settings, "/clips/clip_1/video") == expected


async def test_a_line_that_breaks_the_desk_does_not_end_the_bot() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    class BrittleDesk(Desk):
        def __init__(self) -> None:
            pass

        async def hear(self, line: Line) -> None:
            await heard.put(line.id)
            if line.id == "m-1":
                raise ZeroDivisionError

    lines: asyncio.Queue[Line] = asyncio.Queue()
    for message_id in ("m-1", "m-2"):
        lines.put_nowait(Line(message_id, "hello", RequestedBy()))
    with capture_logs() as logs:
        task = asyncio.create_task(handle(lines, BrittleDesk()))
        assert [await heard.get(), await heard.get()] == ["m-1", "m-2"]
        await first(task, asyncio.sleep(0))
    assert [line["event"] for line in logs] == ["bot.stumbled"]


async def test_the_first_end_ends_the_rest_and_its_error_is_raised() -> None:
    forever = asyncio.ensure_future(asyncio.Event().wait())

    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await first(forever, fail())
    assert forever.cancelled()
