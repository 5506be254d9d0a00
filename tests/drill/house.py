"""The house: a studio's processes, each of which can be killed, and is started again at once."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Self

import httpx

from sakuga import broker, store
from sakuga.settings import Settings
from tests.drill.renderer import ask, socket_of
from tests.fakes.keys import KEY
from tests.journeys.conftest import ROOT, free_port

READY_S = 60.0
BROKER = "valkey"
STUDIO_FILE = """
[limits]
waiting = 40
expire_s = 45
[limits.cooldown]
viewer = 6
sub = 3
vip = 3
[limits.active]
viewer = 2
[votes]
length_s = 5
[gate]
hold = ["doubtful"]
refuse = ["forbidden"]
[prices]
local = 0.01
"""


class Part:
    """One process, started again whenever it ends, until it is not wanted any more."""

    def __init__(self, module: str, environ: Mapping[str, str], log: Path) -> None:
        self._module = module
        self._environ = environ
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = True
        self.starts = 0

    async def keep(self) -> None:
        """Run it until `end`."""
        while self._wanted:
            with self._log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "sakuga.child", self._module),
                    cwd=ROOT,
                    env=dict(self._environ),
                    stdin=asyncio.subprocess.PIPE,  # never written to: it ends when we do
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
            self.starts += 1
            await self._process.wait()
            assert self._process.stdin
            self._process.stdin.close()
            with suppress(OSError):
                await self._process.stdin.wait_closed()

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process and self._process.returncode is None:
            self._process.kill()

    def end(self) -> None:
        """End it for good."""
        self._wanted = False
        self.kill()


class House:
    """Gateways and workers on one broker, and the farm, which nobody kills."""

    def __init__(
        self, folder: Path, *, gateways: int = 2, workers: int = 2, slots: int = 3, studio: str = STUDIO_FILE
    ) -> None:
        self.settings = Settings(var_dir=folder / "var", key=KEY)
        self.folder = folder
        self._studio = studio
        self._file = folder / "studio.toml"
        self._environ = {
            "studio_file": self._file,
            "var_dir": self.settings.var_dir,
            "key": KEY,
            "slots": slots,
            "lease": 2,
        }
        self.urls = [f"http://127.0.0.1:{free_port()}" for _ in range(gateways)]
        self.parts = {f"api-{number}": self._part("api", number, url) for number, url in enumerate(self.urls)}
        self.parts |= {f"worker-{number}": self._part("tests.drill.worker", number) for number in range(workers)}
        self.slots = slots
        self._stack = AsyncExitStack()
        self._valkey: object = None
        self._broker_back = asyncio.Event()
        self.redis = store.connect(self.settings.broker_url, patience_s=20)

    def _part(self, module: str, number: int, url: str = "") -> Part:
        port = {"api_port": url.rpartition(":")[2]} if url else {}
        environ = self.settings.environ(**self._environ, **port)
        return Part(module, environ, self.folder / f"{module.rpartition('.')[2]}-{number}.log")

    @property
    def names(self) -> list[str]:
        """What can be killed."""
        return [*self.parts, BROKER]

    async def __aenter__(self) -> Self:
        self._file.write_text(self._studio)
        await self._open_broker()
        await self._open_farm()
        keepers = [asyncio.create_task(part.keep()) for part in self.parts.values()]
        self._stack.push_async_callback(asyncio.wait, keepers)
        async with asyncio.timeout(READY_S):
            await asyncio.gather(*(self._ready(url) for url in self.urls))
        return self

    async def __aexit__(self, *_: object) -> None:
        for part in self.parts.values():
            part.end()
        await self._stack.aclose()
        await self.redis.aclose()
        self._kill_broker()

    async def kill(self, name: str) -> None:
        """Kill a part with -9; it is back as soon as it can be."""
        if name == BROKER:
            self._kill_broker()
            await self._open_broker()
        else:
            self.parts[name].kill()

    async def _open_broker(self) -> None:
        self._valkey = await broker.ensure(self.settings)
        # The whole append-only file is read in the end: it must never be written anew from what is in memory.
        await self.redis.config_set("auto-aof-rewrite-percentage", "0")

    def _kill_broker(self) -> None:
        if self._valkey:
            self._valkey.kill()
            self._valkey.wait()
            self._valkey = None

    async def _open_farm(self) -> None:
        socket = socket_of(self.settings)
        command = (sys.executable, "-m", "sakuga.child", "tests.drill.farm", str(socket), str(self.folder))
        farm = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=asyncio.subprocess.PIPE)
        self._stack.push_async_callback(farm.wait)
        self._stack.callback(farm.kill)
        async with asyncio.timeout(READY_S):
            while True:
                with suppress(OSError):
                    await ask(socket, "log")
                    return
                await asyncio.sleep(0.05)

    async def _ready(self, url: str) -> None:
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            while True:
                with suppress(httpx.HTTPError, ValueError, KeyError):
                    if (await http.get("/health")).json()["worker"]["count"] >= 1:
                        return
                await asyncio.sleep(0.1)

    @property
    def tape(self) -> Path:
        """The folder of the append-only file."""
        return self.settings.var_dir / "broker" / "appendonlydir"
