"""``python -m bot``: hears the chat until it is told to stop."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Awaitable
from functools import partial
from urllib.parse import urljoin, urlsplit

import aiohttp
import twitchio

from bot import twitch
from bot.bench import Bench
from bot.desk import Desk
from bot.line import Line
from bot.moderators import Moderators
from bot.outbox import Outbox
from bot.recent import Recent
from bot.replies import Replies
from bot.tokens import TokenFile
from bot.watch import Watch
from sakuga.errors import StudioError
from sakuga.gateway import Gateway
from sakuga.log import configure, get_logger
from sakuga.settings import Settings
from sakuga.studio_file import StudioFile

TWITCH_TIMEOUT = aiohttp.ClientTimeout(total=15)
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 30.0
LOCKED_OUT_PAUSE_S = 300.0
MOST_UNHEARD = 200
HELP = "docs/how-to/twitch.md"
HELP_CHAT = "docs/how-to/chat.md"

log = get_logger("bot")


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Be the bot until `stop` is set. Without a login it says what is missing and only waits."""
    tokens = TokenFile(settings)
    if names := twitch.missing(settings, tokens):
        log.info("bot.quiet", missing=", ".join(names), help=HELP)
        await stop.wait()
        return
    twitch.quieten()
    if settings.twitch_api_base:
        twitch.redirect(settings.twitch_api_base)
    studio = StudioFile(settings.studio_file)
    replies = Replies(lambda: studio.catalog.chat)
    if mistakes := replies.mistakes():
        log.warning("chat.texts_unused", keys=", ".join(mistakes), help=HELP_CHAT)
    outbox = Outbox()
    async with (
        Gateway(settings.gateway, key=settings.own_key) as gateway,
        Moderators(
            settings.gateway, key=settings.chat_key.get_secret_value() if settings.chat_key else None
        ) as moderators,
        aiohttp.ClientSession(timeout=TWITCH_TIMEOUT) as session,
    ):
        link = partial(public_link, settings)
        watch = Watch(gateway, outbox.put, replies=replies, link=link)
        bench = Bench(gateway, moderators if settings.chat_key else None, replies)
        desk = Desk(
            gateway, watch, outbox.put, bench=bench, replies=replies, chat=lambda: studio.catalog.chat, link=link
        )
        lines: asyncio.Queue[Line] = asyncio.Queue(MOST_UNHEARD)
        handling = asyncio.create_task(handle(lines, desk))
        try:
            await first(stop.wait(), attend(settings, session=session, tokens=tokens, lines=lines, outbox=outbox))
        finally:
            handling.cancel()
            await asyncio.gather(handling, return_exceptions=True)
            await watch.close()
    log.info("bot.stopped")


async def attend(
    settings: Settings,
    *,
    session: aiohttp.ClientSession,
    tokens: TokenFile,
    lines: asyncio.Queue[Line],
    outbox: Outbox,
) -> None:
    """Stay in the chat until cancelled: log in, and again with growing pauses whenever that fails or ends."""

    def hear(line: Line) -> None:
        try:
            lines.put_nowait(line)
        except asyncio.QueueFull:
            log.warning("chat.unheard", message_id=line.id)

    heard = Recent(twitch.REDELIVERED_WITHIN_S, most=10_000)
    pause_s = FIRST_PAUSE_S
    while True:
        async with twitch.Chat(settings, session=session, tokens=tokens, heard=heard, hear=hear) as chat:
            try:
                entered = await chat.enter()
            except twitchio.HTTPException as error:
                reason = error.extra.get("message")
                log.warning("twitch.refused", status=error.status, reason=reason, help=HELP, retry_s=pause_s)
            except (aiohttp.ClientError, OSError, TimeoutError, twitchio.TwitchioException) as error:
                log.warning("twitch.unreachable", error=type(error).__name__, retry_s=pause_s)
            else:
                if entered:
                    log.info("bot.ready", channel=settings.twitch_broadcaster_id)
                    pause_s = FIRST_PAUSE_S
                    await first(chat.deaf(), outbox.run(chat))
                else:
                    pause_s = LOCKED_OUT_PAUSE_S
                    log.error("bot.locked_out", help=HELP, retry_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def handle(lines: asyncio.Queue[Line], desk: Desk) -> None:
    """Hand lines to the desk one after another, so that requests keep their order."""
    while True:
        line = await lines.get()
        try:
            await desk.hear(line)
        except Exception:
            log.exception("bot.stumbled", message_id=line.id)


async def first(*ends: Awaitable[object]) -> None:
    """Return when one of them is done, or raise what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(end) for end in ends]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


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
