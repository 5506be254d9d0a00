"""``python -m bot``: hears the chats until it is told to stop."""

import asyncio
import contextlib
import signal
import sys
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urljoin, urlsplit

import aiohttp
import httpx

from bot.bench import Bench
from bot.curtain import Curtain
from bot.desk import Desk
from bot.errands import Errands
from bot.memory import Memory
from bot.moderators import Moderators
from bot.outbox import Outbox
from bot.porter import Porter
from bot.presence import Presence
from bot.till import Till
from bot.twitch import chat as twitch
from bot.twitch.attendance import Attendance, first, logged_in
from bot.twitch.counter import Counter
from bot.twitch.settler import Settler
from bot.twitch.shop import Shop
from bot.twitch.tokens import TokenFile
from bot.watch import Watch
from bot.youtube import chat as youtube
from bot.youtube.chat import YouTube
from bot.youtube.news import PREFIX
from sakuga.errors import StudioError
from sakuga.log import configure, get_logger
from sakuga.replies import Replies
from sakuga.settings import Settings
from sakuga.studio_file import StudioFile

TWITCH_TIMEOUT = aiohttp.ClientTimeout(total=15)
YOUTUBE_TIMEOUT = httpx.Timeout(15)
MEMORY = "bot.sqlite"
HELP_CHAT = "docs/how-to/chat.md"

log = get_logger("bot")


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Be the bot until `stop` is set. Without any login it says what is missing and only waits."""
    tokens = TokenFile(settings)
    if youtube.missing(settings):
        await first(stop.wait(), logged_in(settings, tokens))
    if stop.is_set():
        return
    twitch.quieten()
    if settings.twitch_api_base:
        twitch.redirect(settings.twitch_api_base)
    async with AsyncExitStack() as stack:
        await first(stop.wait(), attend(settings, tokens, stack))
    log.info("bot.stopped")


async def attend(settings: Settings, tokens: TokenFile, stack: AsyncExitStack) -> None:
    """Put everybody together whom the bot needs, and let them work until cancelled; the stack puts them away."""
    studio = StudioFile(settings.studio_file)
    replies = Replies(lambda: studio.catalog.chat)
    if mistakes := replies.mistakes():
        log.warning("chat.texts_unused", keys=", ".join(mistakes), help=HELP_CHAT)
    chat, link = (lambda: studio.catalog.chat), partial(public_link, settings)
    memory = stack.enter_context(Memory(settings.var_dir / MEMORY))
    gateway = await stack.enter_async_context(Till(settings.gateway, key=settings.own_key))
    moderators = await stack.enter_async_context(moderators_of(settings)) if settings.chat_key else None
    session = await stack.enter_async_context(aiohttp.ClientSession(timeout=TWITCH_TIMEOUT))
    http = await stack.enter_async_context(httpx.AsyncClient(timeout=YOUTUBE_TIMEOUT, trust_env=False))

    outbox = Outbox()

    def answer(text: str, message_id: str, name: str = "") -> None:
        (tube.answer if message_id.startswith(PREFIX) else outbox.put)(text, message_id, name)

    watch = Watch(gateway, answer, replies=replies, link=link, memory=memory)
    stack.push_async_callback(watch.close)
    settler = Settler(gateway)
    shop = Shop(gateway, watch, answer, settler=settler, notes=memory, replies=replies, chat=chat)
    bench = Bench(gateway, moderators, replies, memory=memory)
    desk = Desk(gateway, watch, answer, bench=bench, replies=replies, chat=chat, link=link, till=gateway, memory=memory)
    stack.push_async_callback(desk.close)
    await desk.resume()
    watch.resume()
    curtain = Curtain(gateway, moderators, memory, chat=chat)
    stack.push_async_callback(curtain.close)

    def left(job_id: str) -> None:
        watch.leave(job_id)
        settler.wake()  # it may have been paid for

    errands = Errands(hammer=moderators, till=gateway, shop=shop, leave=left)
    porter = Porter(desk, errands, curtain=curtain, memory=memory)
    presence = Presence(gateway, "twitch")
    counter = Counter(
        gateway, shop, settler, show=lambda: studio.catalog, tell=lambda reward: presence.say(reward=reward)
    )
    attendance = Attendance(
        settings,
        session=session,
        tokens=tokens,
        memory=memory,
        hear=porter.hear,
        chat=chat,
        outbox=outbox,
        counter=counter,
        presence=presence,
    )
    on_twitch = bool(settings.twitch_client_id)
    tube = YouTube(
        settings, http=http, hear=porter.hear, memory=memory, gateway=gateway, chat=chat, on_air=not on_twitch
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(porter.run(), name="porter")
        group.create_task(tube.attend(), name="youtube")
        if on_twitch:
            group.create_task(presence.run(), name="presence")
            group.create_task(attendance.run(), name="twitch")


def moderators_of(settings: Settings) -> Moderators:
    """Return the gateway as moderators in chat see it."""
    return Moderators(settings.gateway, key=settings.chat_key.get_secret_value() if settings.chat_key else None)


def public_link(settings: Settings, path: str) -> str | None:
    """Return where viewers find a path of the gateway, or None while it has no address but this machine's."""
    host = urlsplit(settings.base_url).hostname or ""
    local = host == "localhost" or host.startswith("127.") or host == "::1"
    return None if local else urljoin(settings.base_url + "/", path.lstrip("/"))


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = Settings.load()
    configure(settings, "bot")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C interrupts instead
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except StudioError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
