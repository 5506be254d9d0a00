"""The demo: the whole studio on this machine, with nothing to set up."""

import asyncio
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from time import monotonic

import httpx

from sakuga import broker
from sakuga.catalog import Catalog
from sakuga.errors import PortTaken, StudioError
from sakuga.log import get_logger
from sakuga.settings import Settings
from sakuga.supervisor import Supervisor

log = get_logger("demo")

READY_S = 30.0
LOOK_EVERY_S = 0.05
BROKER_EVERY_S = 0.5

INK, PAPER, BLUE, RED, OFF = "\033[1m", "\033[2m", "\033[34m", "\033[31m", "\033[0m"


async def run(settings: Settings) -> int:
    """Run everything until Ctrl-C and return the exit code. Raises StudioError."""
    _check_port(settings)
    Catalog.load(settings.studio_file)  # a mistake in it is told once, not by each process
    began = monotonic()
    supervisor = Supervisor(settings.environ())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    servers = [server for server in [await broker.ensure(settings)] if server]
    try:
        async with asyncio.TaskGroup() as group:
            chores = [
                group.create_task(_greet(settings, supervisor, began)),
                group.create_task(_keep_broker(settings, servers)),
            ]
            for module in ("api", "worker", "overlay"):
                group.create_task(supervisor.keep(module))
            await supervisor.stopped()
            for chore in chores:
                chore.cancel()
    finally:
        supervisor.stop()
        await supervisor.stopped()
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


def _check_port(settings: Settings) -> None:
    """Say that the address is taken before anything is started."""
    with socket.socket(socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.api_host, settings.api_port))
        except OSError as error:
            raise PortTaken(host=settings.api_host, port=settings.api_port) from error


async def _greet(settings: Settings, supervisor: Supervisor, began: float) -> None:
    """Print where everything is, once every part is up; then begin to listen to chat."""
    async with httpx.AsyncClient(base_url=settings.gateway, trust_env=False) as client:
        while monotonic() - began < READY_S:
            with suppress(httpx.HTTPError, ValueError):
                if (await client.get("/health")).json().get("status") == "healthy":
                    break
            await asyncio.sleep(LOOK_EVERY_S)
    sys.stdout.write(greeting(settings.base_url, monotonic() - began, colour=sys.stdout.isatty()))
    sys.stdout.flush()
    if settings.bot:
        await supervisor.keep("bot")


def greeting(url: str, seconds: float, *, colour: bool) -> str:
    """Return the block of text that says where everything is."""
    ink, paper, blue, red, off = (INK, PAPER, BLUE, RED, OFF) if colour else ("",) * 5
    return f"""
  {ink}作画 Sakuga{off}  {paper}ready in {seconds:.1f} s{off}

  {blue}studio{off}    {ink}{url}{off}          {paper}write !anime "girl with sword, neon rain"{off}
  {blue}overlay{off}   {ink}{url}/overlay{off}  {paper}for an OBS browser source, 1920x1080{off}
  {blue}API{off}       {ink}{url}/docs{off}     {paper}every address, to try out{off}

  {red}Ctrl-C{off} {paper}stops the studio; what waits is kept for next time.{off}

"""
