"""The demo: the whole studio on this machine, with nothing to set up."""

import asyncio
import fcntl
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import httpx
from redis.exceptions import RedisError

from sakuga import broker, chores, keyring, store
from sakuga.catalog import Catalog
from sakuga.errors import FolderTaken, PortTaken, StudioError
from sakuga.keys import SECRET_BYTES, SECRET_PREFIX, Keys
from sakuga.log import get_logger
from sakuga.role import Role
from sakuga.settings import Settings
from sakuga.supervisor import Supervisor
from sakuga.warmth import Warmth

log = get_logger("demo")

READY_S = 30.0
LOOK_EVERY_S = 0.05
BROKER_EVERY_S = 0.5
KEY_FILE = "demo.key"
CHAT_KEY_FILE = "chat.key"
SHARE_A_KEY = ("api", "overlay", "bot")

INK, PAPER, BLUE, RED, OFF = "\033[1m", "\033[2m", "\033[34m", "\033[31m", "\033[0m"


async def run(settings: Settings) -> int:
    """Run everything until Ctrl-C and return the exit code. Raises StudioError."""
    check_port(settings)
    Catalog.load(settings.studio_file)  # a mistake in it is told once, not by each process
    with _locked(settings.var_dir):
        return await _run(settings)


async def _run(settings: Settings) -> int:
    began = monotonic()
    supervisor = Supervisor(settings.environ())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    shared = settings.key.get_secret_value() if settings.key else SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    own = settings.as_environ(key=shared)  # nothing else that we start learns it
    servers = [server for server in [await broker.ensure(settings)] if server]
    try:
        async with asyncio.TaskGroup() as group:
            beside = [
                group.create_task(_greet(settings, supervisor, own, began)),
                group.create_task(_keep_broker(settings, servers)),
            ]
            for module in ("api", "worker", "overlay"):
                group.create_task(supervisor.keep(module, own if module in SHARE_A_KEY else None))
            await supervisor.stopped()
            await chores.end(beside)
    finally:
        supervisor.stop()
        await supervisor.stopped()
        await _say_goodbye(settings)
        if servers:
            await broker.stop(settings, servers[-1])
    return 2 if supervisor.failed else 0


async def _keep_broker(settings: Settings, servers: list[subprocess.Popen[bytes]]) -> None:
    """Start the embedded server again when it died. It finds everything in its append-only file."""
    while True:
        await asyncio.sleep(BROKER_EVERY_S)
        try:
            server = await broker.ensure(settings)
        except StudioError as error:
            log.error("broker.failed", reason=str(error))  # noqa: TRY400 - the sentence says it all
            continue
        if server:
            servers.append(server)
            log.warning("process.died", name="valkey")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one studio; the lock ends with this process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "studio.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise FolderTaken(folder=folder.resolve()) from None
        yield


def check_port(settings: Settings) -> None:
    """Say that the address is taken before anything is started. Raises PortTaken."""
    with socket.socket(socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.api_host, settings.api_port))
        except OSError as error:
            raise PortTaken(host=settings.api_host, port=settings.api_port) from error


async def _hand_out(settings: Settings) -> str:
    """Lay a moderator's key into its file, and return a link for the owner's browser."""
    redis = store.connect(settings.broker_url)
    try:
        keys = Keys(redis)
        await keyring.keep(keys, settings.var_dir / KEY_FILE, Role.MODERATOR, "demo")
        return await keyring.login_url(keys, settings, Role.BROADCASTER, "owner")
    finally:
        await redis.aclose()


async def _chat_key(settings: Settings) -> str:
    """Return the moderator's key that the bot acts with for moderators in chat; no other process is told it."""
    if settings.chat_key is not None:
        return settings.chat_key.get_secret_value()
    redis = store.connect(settings.broker_url)
    try:
        return await keyring.keep(Keys(redis), settings.var_dir / CHAT_KEY_FILE, Role.MODERATOR, "chat")
    finally:
        await redis.aclose()


async def _greet(settings: Settings, supervisor: Supervisor, own: Mapping[str, str], began: float) -> None:
    """Print where everything is, once every part is up; then begin to listen to chat."""
    trouble: str | None = None
    async with httpx.AsyncClient(base_url=settings.gateway, trust_env=False) as client:
        while monotonic() - began < READY_S:
            with suppress(httpx.HTTPError, ValueError, KeyError):
                health = (await client.get("/health")).json()
                trouble = health["renderer"]["message"]
                if trouble or health["status"] == "healthy":
                    break
            await asyncio.sleep(LOOK_EVERY_S)
    link, file, took_s = await _hand_out(settings), settings.var_dir / KEY_FILE, monotonic() - began
    sys.stdout.write(greeting(settings.base_url, link, file, took_s, colour=sys.stdout.isatty(), trouble=trouble))
    sys.stdout.flush()
    if settings.bot:
        await supervisor.keep("bot", {**own, **settings.as_environ(chat_key=await _chat_key(settings))})


def greeting(url: str, link: str, key: Path, seconds: float, *, colour: bool, trouble: str | None = None) -> str:
    """Return the block of text that says where everything is, and what is wrong with the renderer, if something is."""
    ink, paper, blue, red, off = (INK, PAPER, BLUE, RED, OFF) if colour else ("",) * 5
    but = f"\n  {red}but{off}       {trouble}\n" if trouble else ""
    return f"""
  {ink}作画 Sakuga{off}  {paper}ready in {seconds:.1f} s{off}

  {blue}studio{off}    {ink}{url}{off}          {paper}write !anime "girl with sword, neon rain"{off}
  {blue}overlay{off}   {ink}{url}/overlay{off}  {paper}for an OBS browser source, 1920x1080{off}
  {blue}API{off}       {ink}{url}/docs{off}     {paper}every address, to try out{off}

  {blue}log in{off}    {ink}{link}{off}
            {paper}works once, for 10 minutes; another: .venv/bin/python -m sakuga keys link{off}
  {blue}by curl{off}   {paper}curl -s {url}/generate -H "Authorization: Bearer $(cat {key})" \\
              -H 'Content-Type: application/json' -d '{{"prompt": "girl with sword, neon rain"}}'{off}
{but}
  {red}Ctrl-C{off} {paper}stops the studio; what waits is kept for next time.{off}

"""


async def _say_goodbye(settings: Settings) -> None:
    """End the wish for a warm GPU, so that the next start does not rent one, and tell how much is kept."""
    redis = store.connect(settings.broker_url, patience_s=0)
    with suppress(RedisError, OSError):
        await Warmth(redis).forget()
        kept = await redis.zcard(store.WAITING) + await redis.zcard(store.RUNNING)
        sys.stdout.write(f"Stopped. {kept} {'job is' if kept == 1 else 'jobs are'} kept for next time.\n")
    await redis.aclose()
