import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.__main__ import public_link, run
from sakuga.errors import KeyMissing
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
        await run(Settings(_env_file=None, var_dir=tmp_path, **fake.settings(tmp_path)), asyncio.Event())


async def test_texts_that_are_not_used_are_named_at_the_start(tmp_path: Path, fake: FakeTwitch) -> None:
    studio_file = tmp_path / "studio.toml"
    studio_file.write_text('[chat.texts]\n"job.held" = "{prompt}"\n"nonsense" = "Hm."\n"queue.empty" = "Leer."\n')
    settings = Settings(
        _env_file=None,
        var_dir=tmp_path,
        studio_file=studio_file,
        key="k" * 20,
        chat_key="m" * 20,
        **fake.settings(tmp_path),
    )
    stop = asyncio.Event()
    with capture_logs() as logs:
        running = asyncio.create_task(run(settings, stop))
        await fake.wait_for(lambda: fake.attended)
        stop.set()
        await running
    [unused] = [line for line in logs if line["event"] == "chat.texts_unused"]
    assert (unused["keys"], unused["help"]) == ("job.held, nonsense", "docs/how-to/chat.md")
    assert "m" * 20 not in str(logs)


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
