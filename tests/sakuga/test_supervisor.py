"""The supervisor, with small modules of the test's own as processes."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from sakuga.supervisor import Supervisor


class Shop:
    """A folder of modules that write a line into a file whenever they begin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.diary = folder / "diary"
        self.diary.touch()
        self.supervisor = Supervisor({"PYTHONPATH": str(folder), "PATH": str(Path(sys.executable).parent)})

    def module(self, name: str, then: str) -> None:
        note = f"open({str(self.diary)!r}, 'a').write(f'{name} {{os.getpid()}}\\n')"
        (self.folder / f"{name}.py").write_text(f"import os, signal, sys, time\n{note}\n{then}\n")

    async def begun(self, count: int) -> list[str]:
        """Wait until so many processes have begun, and return what they wrote."""
        async with asyncio.timeout(15):
            while len(lines := self.diary.read_text().splitlines()) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return lines


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_what_dies_is_started_again_and_the_rest_is_left_alone(shop: Shop) -> None:
    shop.module("steady", "time.sleep(60)")
    shop.module("mortal", "time.sleep(60)")
    keeping = [asyncio.create_task(shop.supervisor.keep(name)) for name in ("steady", "mortal")]
    lines = await shop.begun(2)
    mortal = next(int(line.split()[1]) for line in lines if line.startswith("mortal"))
    os.kill(mortal, 9)
    lines = await shop.begun(3)
    assert [line.split()[0] for line in lines].count("mortal") == 2
    shop.supervisor.stop()
    await shop.supervisor.stopped()
    await asyncio.gather(*keeping)


async def test_all_are_asked_to_stop_and_have_stopped(shop: Shop) -> None:
    shop.module("polite", "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\ntime.sleep(60)")
    keeping = asyncio.create_task(shop.supervisor.keep("polite"))
    (line,) = await shop.begun(1)
    shop.supervisor.stop()
    await shop.supervisor.stopped()
    await keeping
    with pytest.raises(ProcessLookupError):
        os.kill(int(line.split()[1]), 0)


async def test_a_process_that_can_not_run_as_it_is_set_up_stops_the_studio(shop: Shop) -> None:
    shop.module("confused", "sys.exit(2)")
    await shop.supervisor.keep("confused")
    await shop.supervisor.stopped()
    assert shop.supervisor.failed == "confused"
    assert len(shop.diary.read_text().splitlines()) == 1


async def test_what_one_child_is_told_the_others_do_not_learn(shop: Shop) -> None:
    told = f"open({str(shop.diary)!r}, 'a').write(str(os.environ.get('SECRET')) + chr(10)); time.sleep(60)"
    shop.module("trusted", told)
    shop.module("stranger", told)
    keeping = [
        asyncio.create_task(shop.supervisor.keep("trusted", {"SECRET": "word"})),
        asyncio.create_task(shop.supervisor.keep("stranger")),
    ]
    lines = await shop.begun(4)
    assert sorted(line for line in lines if " " not in line) == ["None", "word"]
    shop.supervisor.stop()
    await shop.supervisor.stopped()
    await asyncio.gather(*keeping)
