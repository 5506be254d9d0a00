"""The drill itself: a show, kills at random moments, and the inspection."""

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from redis.exceptions import RedisError

from sakuga import store
from sakuga.role import Role
from tests.drill.findings import Findings
from tests.drill.house import House
from tests.drill.inspection import Broker, inspect
from tests.drill.renderer import ask, socket_of
from tests.drill.replay import Replay
from tests.drill.show import Seen, Show
from tests.drill.tape import steps
from tests.fakes.keys import bearer

SETTLE_S = 90.0
CALM_S = 1.0  # at the beginning, before the first kill


@dataclass(frozen=True)
class Plan:
    """How a drill goes. The same seed throws the same dice; what they hit depends on the moment."""

    seed: int
    minutes: float
    kills: int
    per_minute: float = 100.0
    act_every_s: float = 0.4


@dataclass
class Report:
    """What came of a drill."""

    plan: Plan
    findings: Findings
    seen: Seen
    kills: Counter[str]
    counts: dict[str, int]
    took_s: float

    def __str__(self) -> str:
        """Return the verdict as a table."""
        plan, kills = self.plan, sum(self.kills.values())
        lines = [
            f"crash drill, seed {plan.seed}: a show of {plan.minutes:g} minutes, {self.took_s:.0f} s in all",
            f"kills with -9: {kills} ({_listed(self.kills)})",
            f"answers: {_listed(self.seen.answers)}",
            f"acts: {_listed(self.seen.acts)}",
            f"counts: {_listed(self.counts)}",
            "",
            self.findings.table(),
        ]
        return "\n".join(lines)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


async def drill(plan: Plan, folder: Path) -> Report:
    """Run a drill in a folder of its own, and return what came of it."""
    began, dice = time.monotonic(), Random(plan.seed)
    async with House(folder) as house:
        show = Show(house.urls, await bearer(house.redis, Role.MODERATOR), Random(plan.seed + 1))
        actors = [
            asyncio.create_task(show.chat(plan.per_minute)),
            asyncio.create_task(show.moderate(plan.act_every_s)),
        ]
        kills = await _killing(house, dice, plan)
        for actor in actors:
            actor.cancel()
        for ended in await asyncio.gather(*actors, return_exceptions=True):
            if not isinstance(ended, asyncio.CancelledError):
                raise ended
        await _settled(house, show)
        await show.close()
        farm = await ask(socket_of(house.settings), "log")
        (folder / "farm.json").write_text(json.dumps(farm))
        findings = Findings()
        jobs = Replay(findings)
        jobs.play(steps(house.tape))
        broker = await Broker.read(house.redis, jobs.jobs)
    inspect(findings, show.seen, farm, jobs, broker, slots=house.slots)
    counts = Counter(broker.statuses.values()) + Counter(
        {
            "jobs": len(jobs.jobs),
            "events": len(jobs.events),
            "renders": len(farm),
            "requeued": jobs.requeued,
            "renders of no known handle": sum(render["handle"] not in jobs.handles for render in farm),
        }
    )
    return Report(plan, findings, show.seen, kills, counts, time.monotonic() - began)


async def _killing(house: House, dice: Random, plan: Plan) -> Counter[str]:
    """Kill so often within the time, at moments and with victims by the dice, and return who was killed how often."""
    killed: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    begins, span = loop.time() + CALM_S, plan.minutes * 60 - CALM_S
    moments = sorted(dice.uniform(0, span) for _ in range(plan.kills))
    kinds = sorted({name.partition("-")[0] for name in house.names})
    turns = [kind for _ in moments for kind in dice.sample(kinds, len(kinds))]  # nobody is spared for long
    for moment, kind in zip(moments, turns, strict=False):
        victim = dice.choice([name for name in house.names if name.startswith(kind)])
        await asyncio.sleep(begins + moment - loop.time())
        await house.kill(victim)
        killed[kind] += 1
    await asyncio.sleep(max(0.0, begins + span - loop.time()))
    return killed


async def _settled(house: House, show: Show) -> None:
    """Wait until everything has been drawn or has ended otherwise."""
    async with asyncio.timeout(SETTLE_S):
        await show.settle()
        while True:
            with suppress(RedisError):
                if not await _left(house.redis):
                    return
                if await house.redis.zcard(store.HELD):
                    await show.settle()
            await asyncio.sleep(0.1)


async def _left(redis: store.Client) -> int:
    keys = (store.WAITING, store.HELD, store.RUNNING, store.SLOTS)
    return sum([await redis.zcard(key) for key in keys])
