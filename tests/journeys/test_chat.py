"""A viewer's life in chat: the real bot process, twitchio unmodified, against FakeTwitch and a gateway over sockets."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sakuga.settings import Settings
from tests.fakes.keys import KEY
from tests.fakes.twitch import CLIENT_ID, CLIENT_SECRET, JO, STREAMER, FakeTwitch
from tests.journeys.conftest import Studio

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"(C-\d{3,}) is (next|\d+(st|nd|rd|th)|being drawn)\b")
READY = re.compile(r"(C-\d{3,}) is ready: https://studio\.example/clips/clip_\w+/video")
SECRET = re.compile(r"(access|refresh)-[0-9a-f]{32}|" + CLIENT_SECRET)
PROMPT = "girl with sword, neon rain"


@pytest.fixture
async def gateway_url(tmp_path: Path) -> AsyncIterator[str]:
    """A whole studio that draws as fast as it can."""
    async with Studio(tmp_path / "studio", rehearsal_seconds=0, bot=False) as studio:
        yield studio.url


class Bot:
    """`python -m bot` as a child process with settings of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.settings = {
            "public_url": "https://studio.example",
            "var_dir": str(folder / "var"),
            "log_format": "json",
            "key": KEY,
            **settings,
        }
        self.raw = ""
        self.module = ""
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, module: str = "bot", *words: str) -> None:
        self.module = module
        inherited = Settings.model_construct().environ()
        environment = {name: value for name, value in inherited.items() if not name.startswith("SAKUGA_")}
        environment |= {f"SAKUGA_{name.upper()}": value for name, value in self.settings.items()}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *words,
            cwd=self.folder,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )

    async def logged(self, event: str) -> dict[str, Any]:
        """Read the log up to an event."""
        assert self.process is not None
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while line := (await self.process.stderr.readline()).decode():
                self.raw += line
                if (entry := json.loads(line))["event"] == event:
                    return dict(entry)
        pytest.fail(f"no {event} in:\n{self.raw}")

    async def stop(self) -> int:
        """Ask it to stop, unless it ends by itself, and return its exit code. All that it said has to be log lines."""
        assert self.process is not None
        assert self.process.stderr is not None
        if self.process.returncode is None and self.module == "bot":
            self.process.terminate()
        async with asyncio.timeout(30):
            self.raw += (await self.process.stderr.read()).decode()
            code = await self.process.wait()
        assert all(line.startswith("{") for line in self.raw.splitlines()), self.raw
        return code


StartBot = Callable[..., Awaitable[Bot]]


@pytest.fixture
async def start_bot(tmp_path: Path, twitch: FakeTwitch, gateway_url: str) -> AsyncIterator[StartBot]:
    """Start bots, and stop them before the servers that they talk to."""
    started: list[Bot] = []

    async def start(**settings: str) -> Bot:
        bot = Bot(tmp_path, **settings)
        started.append(bot)
        await bot.start()
        return bot

    yield start
    for bot in started:
        assert await bot.stop() == 0, bot.raw


@pytest.fixture
async def bot(start_bot: StartBot, twitch: FakeTwitch, gateway_url: str, tmp_path: Path) -> Bot:
    bot = await start_bot(gateway_url=gateway_url, **twitch.settings(tmp_path / "var"))
    await twitch.wait_for(lambda: twitch.attended, within_s=60)
    return bot


async def next_job(bot: Bot, gateway_url: str) -> dict[str, Any]:
    """Return the next job that the bot got accepted, as the gateway knows it."""
    job_id = (await bot.logged("job.accepted"))["job_id"]
    async with httpx.AsyncClient(base_url=gateway_url, trust_env=False) as client:
        return dict((await client.get(f"/status/{job_id}")).json())


async def test_a_viewer_asks_is_told_the_place_and_then_where_the_clip_is(bot: Bot, twitch: FakeTwitch) -> None:
    # Given a bot that hears the chat
    # When a viewer asks for a clip
    message_id = await twitch.say(f'!anime "{PROMPT}"')

    # Then the bot answers in the thread with the cut number and the place
    answer = PLACE.fullmatch((await twitch.heard(1)).split(",")[0].rstrip("."))
    assert answer, twitch.sent
    assert twitch.sent[0]["reply_parent_message_id"] == message_id

    # And says in the same thread when it is ready, with a link
    ready = READY.fullmatch(await twitch.heard(2))
    assert ready, twitch.sent
    assert ready[1] == answer[1]
    assert twitch.sent[1]["reply_parent_message_id"] == message_id

    # And neither chat nor log repeats the prompt or holds a token
    await bot.stop()
    assert "sword" not in json.dumps(twitch.sent) + bot.raw
    assert not SECRET.search(bot.raw)


async def test_a_message_delivered_twice_makes_one_job_and_one_answer(
    bot: Bot, twitch: FakeTwitch, gateway_url: str
) -> None:
    # Given a request that was accepted
    message_id = await twitch.say("!anime a lighthouse")
    first = await next_job(bot, gateway_url)

    # When Twitch delivers it once more, and then another one
    await twitch.redeliver(message_id)
    await bot.logged("chat.repeated")
    await twitch.say("!anime a harbour", by=JO)

    # Then the other one is the very next job
    assert (await next_job(bot, gateway_url))["number"] == first["number"] + 1
    await twitch.heard(4)
    assert [message["message"][:5] for message in twitch.sent].count(first["cut"]) == 2


async def test_a_subscriber_gets_the_sub_lane_and_bits_get_theirs(
    bot: Bot, twitch: FakeTwitch, gateway_url: str
) -> None:
    await twitch.say("!anime a fox in snow", badges=("founder", "premium"))
    job = await next_job(bot, gateway_url)
    assert (job["lane"], job["requested_by"]["login"]) == ("sub", "mika")

    await twitch.say(("cheermote", "Cheer100"), " !anime a fox in rain", by=JO, bits=100)
    job = await next_job(bot, gateway_url)
    assert (job["lane"], job["requested_by"]["login"], job["prompt"]) == ("bits", "jo", "a fox in rain")


async def test_a_refusal_says_why_and_what_to_do(bot: Bot, twitch: FakeTwitch) -> None:
    message_id = await twitch.say("!anime " + "very " * 80 + "long")

    assert await twitch.heard(1) == "@Mika that is more than fits on one cut sheet. Shorten it and ask again."
    assert twitch.sent[0]["reply_parent_message_id"] == message_id
    assert (await bot.logged("job.refused"))["code"] == "prompt_too_long"


async def test_without_a_login_the_bot_says_so_once_and_waits(start_bot: StartBot) -> None:
    # Given no keys at all
    bot = await start_bot()

    # Then one line says what is missing and where to read on
    line = await bot.logged("bot.quiet")
    assert line["missing"] == "SAKUGA_TWITCH_CLIENT_ID, a login of the bot, a login of the channel"
    assert line["help"] == "docs/how-to/twitch.md"

    # And it stays until it is told to stop, and then ends well
    assert bot.process is not None
    assert bot.process.returncode is None
    assert await bot.stop() == 0
    assert bot.raw.count("\n") == 1


async def test_a_login_that_twitch_takes_no_more_is_explained_without_showing_it(
    start_bot: StartBot, twitch: FakeTwitch, tmp_path: Path
) -> None:
    # Given a bot whose login lapses while it is in the chat
    settings = twitch.settings(tmp_path / "var")
    bot = await start_bot(log_level="debug", **settings)
    await bot.logged("bot.ready")
    twitch.expire_tokens()
    twitch.renews.clear()

    # When the connection breaks and Twitch takes neither token
    await twitch.drop()
    await twitch.wait_for(lambda: twitch.refused)
    await bot.stop()

    # Then the next start says where to read on, and stays
    await bot.start()
    assert (await bot.logged("bot.locked_out"))["help"] == "docs/how-to/twitch.md"
    assert await bot.stop() == 0

    # And at no time does a log line hold a token
    assert not SECRET.search(bot.raw)


async def test_it_works_again_after_twitch_moved_or_broke_the_connection(bot: Bot, twitch: FakeTwitch) -> None:
    # When Twitch asks the bot to move to another server
    await bot.logged("bot.ready")
    before = set(twitch.sockets)
    await twitch.reconnect()
    await bot.logged("chat.connected")
    await twitch.wait_for(lambda: len(twitch.sockets) == len(before) and not before & set(twitch.sockets))

    # Then nothing is missed
    await twitch.say("!queue")
    assert await twitch.heard(1) == "Nobody is waiting. Ask with !anime and a few words."

    # When Twitch breaks the connection
    await twitch.drop()

    # Then the bot comes back by itself and hears again
    await twitch.wait_for(lambda: twitch.attended)
    await twitch.say("!anime a lighthouse", by=JO)
    assert PLACE.match(await twitch.heard(2))


async def test_a_bot_that_starts_before_twitch_is_there_comes_when_it_is(
    start_bot: StartBot, twitch: FakeTwitch, gateway_url: str, tmp_path: Path
) -> None:
    await twitch.shut()
    bot = await start_bot(gateway_url=gateway_url, **twitch.settings(tmp_path / "var"))
    await bot.logged("twitch.unreachable")

    await twitch.open()

    await bot.logged("bot.ready")
    await twitch.say("!pos")
    assert await twitch.heard(1) == "@Mika you have no cut on the list. Ask with !anime and a few words."


async def test_the_streamer_may_be_the_bot(
    start_bot: StartBot, twitch: FakeTwitch, gateway_url: str, tmp_path: Path
) -> None:
    # Given a bot that speaks with the streamer's own account
    bot = await start_bot(gateway_url=gateway_url, **twitch.settings(tmp_path / "var", STREAMER))
    await bot.logged("bot.ready")

    # When the streamer asks, and Twitch delivers the bot's own answer as a message too
    await twitch.say("!anime a lighthouse", by=STREAMER, badges=("broadcaster",))
    await twitch.say(await twitch.heard(1), by=STREAMER, badges=("broadcaster",))

    # Then the request counts and the answer is not taken for a command
    assert READY.fullmatch(await twitch.heard(2))


async def test_a_renewed_token_outlives_a_bot_that_is_killed_at_its_first_use(
    start_bot: StartBot, twitch: FakeTwitch, gateway_url: str, tmp_path: Path
) -> None:
    # Given a public client's login whose access tokens have run out: each refresh token works once
    settings = {"gateway_url": gateway_url, **twitch.settings(tmp_path / "var")}
    del settings["twitch_client_secret"]
    twitch.expire_tokens()
    twitch.silent_to = {"renewed"}

    # When the bot renews one, shows Twitch the new token for the first time, and is killed before the answer
    bot = await start_bot(**settings)
    await twitch.wait_for(lambda: set(twitch.shown) & set(twitch.owner_of), within_s=60)
    assert bot.process is not None
    bot.process.kill()
    await bot.process.wait()
    assert twitch.refreshes == 1
    await bot.stop()

    # Then the next one logs in with the pair that came last
    twitch.silent_to = set()
    await bot.start()
    await bot.logged("bot.ready")
    assert not twitch.refused
    assert (bot.folder / "var" / "twitch-tokens.json").stat().st_mode & 0o777 == 0o600
    assert not SECRET.search(bot.raw)


async def test_a_login_that_comes_while_the_bot_waits_is_noticed(
    start_bot: StartBot, twitch: FakeTwitch, gateway_url: str, tmp_path: Path
) -> None:
    # Given a bot with an application but without a login
    bot = await start_bot(gateway_url=gateway_url, twitch_client_id=CLIENT_ID, twitch_api_base=twitch.url)
    assert (await bot.logged("bot.quiet"))["missing"] == "a login of the bot, a login of the channel"

    # When the streamer logs in
    login = Bot(tmp_path, **bot.settings)
    await login.start("bot.login", "twitch")
    await twitch.enter(STREAMER)
    assert await login.stop() == 0

    # Then the bot is in the chat without being started again
    assert (await bot.logged("bot.ready"))["channel"] == STREAMER
    await twitch.say("!queue")
    assert await twitch.heard(1) == "Nobody is waiting. Ask with !anime and a few words."

    # And leaves it quietly when the streamer takes the login back
    forgetting = Bot(tmp_path, **bot.settings)
    await forgetting.start("bot.login", "twitch", "--forget")
    assert await forgetting.stop() == 0
    await bot.logged("bot.quiet")
    await twitch.wait_for(lambda: not twitch.sockets)
