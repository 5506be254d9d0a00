"""What the doctor looks at: one look for each thing that can be set up wrong, and the one thing to do about it."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import httpx
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from sakuga import broker, demo, store
from sakuga.catalog import Catalog
from sakuga.errors import PortTaken, StudioError, StudioFileInvalid
from sakuga.replies import Replies
from sakuga.settings import Settings
from sakuga.storage import Storage

State = Literal["good", "off", "doubtful", "bad"]

CALL_S = 5.0
ROOM_BAD, ROOM_DOUBTFUL = 1 << 30, 5 << 30  # bytes; a clip takes 0.4 to 1.3 MB, the log of Redis a few hundred
CLOCKS_APART_S = 2.0
OBS = ("127.0.0.1", 4455)
OBS_SPEAKS = b"obswebsocket.json"
REWARD_WELL = ("open", "paused")
FONTS = {"Japanese": ":lang=ja", "emoji": ":charset=1f3ac"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look found: `off` is not set up and need not be, `doubtful` works but not for long or not for all."""

    check: str
    state: State
    says: str
    todo: str = ""
    """The one thing to do; empty where nothing is."""


Look = Callable[[Settings], Awaitable[list[Finding]]]


# --- the house -------------------------------------------------------------------------------------------------------


async def studio_file(settings: Settings) -> list[Finding]:
    """Whether the studio file can be read, and its texts can be said."""
    path = settings.studio_file
    if not path.exists():
        said = f"There is no {path}: the show runs with the defaults."
        return [Finding("studio file", "off", said, f"Write {path.name} to make the show yours.")]
    try:
        catalog = Catalog.load(path)
    except StudioFileInvalid as error:
        return [Finding("studio file", "bad", f"{path.name}: {error.data['problem']}", f"Mend it in {path}.")]
    if mistakes := Replies(lambda: catalog.chat).mistakes():
        said = f"[chat.texts] has what the bot never says: {', '.join(mistakes)}."
        return [Finding("studio file", "doubtful", said, "Take the keys from docs/reference/chat-answers.md.")]
    told = f"Styles: {len(catalog.styles)}. Characters: {len(catalog.characters)}."
    return [Finding("studio file", "good", told)]


async def disk(settings: Settings) -> list[Finding]:
    """Whether the studio may write where it wants to, and how much."""
    folder = settings.var_dir.resolve()
    there = next(above for above in (folder, *folder.parents) if above.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        said = f"Nothing can be written to {there}: {error.strerror}."
        return [Finding("disk", "bad", said, "Give this user the folder, or name another as SAKUGA_VAR_DIR.")]
    free = shutil.disk_usage(there).free
    state: State = "bad" if free < ROOM_BAD else "doubtful" if free < ROOM_DOUBTFUL else "good"
    todo = "" if state == "good" else "Make room, or name a folder on another disk as SAKUGA_VAR_DIR."
    return [Finding("disk", state, f"{free / 1e9:.1f} GB are free for {folder}.", todo)]


async def storage(settings: Settings) -> list[Finding]:
    """Whether clips can be kept where the settings say."""
    # Whatever is wrong with an address or a key, a bucket's client says with errors of all kinds.
    with suppress(Exception):
        if await Storage.open(settings).reachable():
            return [Finding("storage", "good", "Clips can be kept.")]
    todo = "Look at SAKUGA_STORAGE_URL, SAKUGA_S3_ENDPOINT and the bucket's keys."
    return [Finding("storage", "bad", "Where clips are kept can't be reached.", todo)]


async def ports(settings: Settings) -> list[Finding]:
    """Whether the gateway's port is ours or free, and what a running studio says of itself."""
    address = f"{settings.api_host}:{settings.api_port}"
    try:
        async with httpx.AsyncClient(timeout=CALL_S, trust_env=False) as client:
            health = (await client.get(f"{settings.gateway}/health")).json()
            status, renderer, chats = str(health["status"]), health["renderer"], health["chats"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        try:
            demo.check_port(settings)
        except PortTaken:
            todo = "End the other program, or take another port as SAKUGA_API_PORT."
            return [Finding("port", "bad", f"Another program holds {address}.", todo)]
        return [Finding("port", "good", f"{address} is free; no studio runs there.")]
    found = [Finding("port", "good", f"A studio runs at {settings.gateway}: {status}.")]
    if trouble := renderer.get("message"):
        found.append(Finding("renderer", "bad", f"The renderer {renderer['name']} can't draw.", str(trouble)))
    for chat in chats:
        found += _heard(chat)
    return found


def _heard(chat: Mapping[str, Any]) -> list[Finding]:
    """Return how a chat and its reward are, as the bot that runs has told the gateway."""
    name, reward = f"{chat['platform']} now", chat.get("reward")
    if chat["state"] == "listening":
        found = [Finding(name, "good", f"The bot listens to {chat.get('channel') or 'the chat'}.")]
    else:
        said = str(chat.get("detail") or f"The bot does not hear it: {chat['state']}.")
        found = [Finding(name, "bad", said, str(chat.get("message") or "The bot's log says why."))]
    if reward in REWARD_WELL:
        found.append(Finding("reward", "good", f"The channel-point reward is {reward}."))
    elif reward:
        todo = "docs/how-to/channel-points.md says what to do about each state."
        found.append(Finding("reward", "bad", f"There is no channel-point reward: {reward}.", todo))
    return found


async def redis(settings: Settings) -> list[Finding]:
    """Whether the broker answers, keeps what it is told, and has the time that we have."""
    if settings.redis_url is None and not await broker.answers(settings.broker_url):
        try:
            broker.binary()
        except StudioError as error:
            return [Finding("redis", "bad", "There is no server to embed.", str(error))]
        return [Finding("redis", "good", "The embedded server starts with the studio.")]
    try:
        client = store.connect(settings.broker_url, patience_s=0)
    except ValueError as error:
        return [Finding("redis", "bad", f"{error}.", "Mend SAKUGA_REDIS_URL, as in redis://127.0.0.1:6379/0.")]
    try:
        theirs, ours = await store.clock(client), time.time()
        try:
            kept = await client.config_get("appendonly", "maxmemory-policy")
        except ResponseError:  # a server for hire may keep its configuration to itself
            kept = {}
    except (RedisError, OSError) as error:
        if isinstance(error.__context__, AuthenticationError):
            todo = "Put the password into SAKUGA_REDIS_URL: redis://:password@host:6379/0."
            return [Finding("redis", "bad", "The server wants another password.", todo)]
        todo = "Start it, or mend SAKUGA_REDIS_URL; without that setting the studio embeds one."
        return [Finding("redis", "bad", f"No server answers ({type(error).__name__}).", todo)]
    finally:
        await client.aclose()
    return [_kept(kept), _apart("clock", "the broker's", theirs - ours)]


def _kept(says: Mapping[str, str]) -> Finding:
    if says.get("maxmemory-policy", "noeviction") != "noeviction":
        todo = "Set maxmemory-policy noeviction in its configuration."
        return Finding("redis", "bad", "The server throws things away when it is full, jobs too.", todo)
    if says.get("appendonly", "yes") != "yes":
        todo = "Set appendonly yes in its configuration."
        return Finding("redis", "doubtful", "The server forgets the newest jobs when it dies.", todo)
    return Finding("redis", "good", "The server answers and keeps what it is told.")


def _apart(check: str, whose: str, seconds: float) -> Finding:
    if abs(seconds) > CLOCKS_APART_S:
        todo = "Let this machine set its clock by the network."
        return Finding(check, "doubtful", f"This clock and {whose} are {abs(seconds):.0f} s apart.", todo)
    return Finding(check, "good", f"This clock and {whose} agree.")


async def fonts(_: Settings) -> list[Finding]:
    """Whether the pages can show Japanese and emoji; only Linux comes without them."""
    tool = shutil.which("fc-list")
    if not sys.platform.startswith("linux") or tool is None:
        return [Finding("fonts", "off", "Not looked at here; Windows and macOS bring them.")]
    lacking = []
    for script, pattern in FONTS.items():
        code, said = await _called(tool, pattern, "family")
        if code or not said.strip():
            lacking.append(script)
    if lacking:
        todo = "Install fonts-noto-cjk and fonts-noto-color-emoji, then start OBS again."
        return [Finding("fonts", "doubtful", f"No font here has {' or '.join(lacking)}: names show as boxes.", todo)]
    return [Finding("fonts", "good", "Japanese and emoji can be shown.")]


# --- those outside ---------------------------------------------------------------------------------------------------


async def modal(settings: Settings) -> list[Finding]:
    """Whether Modal lets us in and has our app, where it is a renderer."""
    if "modal" not in settings.renderer:
        return [Finding("modal", "off", "Not used: SAKUGA_RENDERER does not name it.")]
    words = ["--weights", str(settings.weights), "--media", str(settings.media_dir), "--app", settings.modal_app]
    words += [word for name in settings.engines for word in ("--offer", name)]
    code, said = await _called(sys.executable, "-m", "gpu.cloud", *words, "status")
    if code:
        last = next(iter(reversed(said.strip().splitlines())), "It gave no answer.")
        return [Finding("modal", "bad", last, "docs/how-to/modal.md has the steps.")]
    return [Finding("modal", "good", "The app is deployed and answers.")]


async def obs(_: Settings) -> list[Finding]:
    """Whether OBS listens on this machine. A browser source needs none of it."""
    try:
        async with asyncio.timeout(CALL_S):
            reader, writer = await asyncio.open_connection(*OBS)
            try:
                writer.write(
                    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:4455\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2FrdWdhLWRvY3RvcjEhIQ==\r\n"
                    b"Sec-WebSocket-Protocol: " + OBS_SPEAKS + b"\r\n\r\n"
                )
                head = await reader.readuntil(b"\r\n\r\n")
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        todo = "In OBS: Tools, WebSocket Server Settings, Enable. The browser source works without."
        return [Finding("obs", "off", "OBS is not running here, or its WebSocket server is off.", todo)]
    if OBS_SPEAKS not in head:
        todo = "Give one of the two another port."
        return [Finding("obs", "doubtful", "Another program holds port 4455, where OBS listens.", todo)]
    return [Finding("obs", "good", "OBS listens on port 4455.")]


async def chat(settings: Settings) -> list[Finding]:
    """Client id, logins, scopes and tokens, as the bot finds them."""
    if not settings.bot:
        return [Finding("chat", "off", "SAKUGA_BOT is off: no chat is listened to.")]
    if settings.twitch_client_id is not None:
        return await _checked("twitch")  # and YouTube with it
    todo = "docs/how-to/twitch.md has the steps, and docs/how-to/youtube.md those for YouTube."
    off = Finding("twitch", "off", "SAKUGA_TWITCH_CLIENT_ID is not set: the bot stays out of Twitch.", todo)
    return [off, *(await _checked("youtube") if settings.youtube_api_key or settings.youtube_video else [])]


async def _checked(platform: str) -> list[Finding]:
    code, said = await _called(sys.executable, "-m", "bot.login", platform, "--check", "--json")
    try:
        found: list[dict[str, Any]] = json.loads(said)
        return [
            Finding(_apart_from_ours(one["check"]), "good" if one["ok"] else "bad", f"{one['detail']}.", one["todo"])
            for one in found
        ]
    except (ValueError, TypeError, KeyError):
        todo = f"Run python -m sakuga login {platform} --check and look what it says."
        return [Finding(platform, "bad", f"The bot could not look (exit code {code}).", todo)]


def _apart_from_ours(check: str) -> str:
    return f"chat {check}" if check == "clock" else check


async def _called(*command: str) -> tuple[int, str]:
    """Run a command and return its exit code with what it said; what it says of errors only if it failed."""
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(Settings.model_construct().environ()),
    )
    try:
        out, err = await child.communicate()
    except asyncio.CancelledError:
        child.kill()
        await child.wait()
        raise
    code = child.returncode or 0
    return code, (err if code and not out.strip() else out).decode(errors="replace")


LOOKS: Mapping[str, Look] = {
    "studio file": studio_file,
    "disk": disk,
    "storage": storage,
    "port": ports,
    "redis": redis,
    "fonts": fonts,
    "modal": modal,
    "obs": obs,
    "chat": chat,
}
