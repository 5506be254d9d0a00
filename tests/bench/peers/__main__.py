"""`python -m tests.bench.peers`: prints how ours does beside its peers; docs/benchmarks.md has what was seen."""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

from tests.bench.peers import race
from tests.bench.peers.contender import CONTENDERS
from tests.bench.peers.environment import python_of
from tests.fakes.valkey import Valkey


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


async def main(rounds: int, crashes: int, limit_s: float, only: str) -> None:
    """Run all rounds on one fresh Valkey."""
    contenders = [one for one in CONTENDERS if one.library in only.split(",") or not only]
    for one in contenders:
        python_of(one.library)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Valkey(folder) as valkey:
            quick = [one for one in contenders if one.quick]
            if rounds:
                print(f"peers: request -> start in an idle worker, and jobs/s; {rounds} rounds, {_load()}", flush=True)
                figures = await race.milliseconds(quick, valkey.url, folder, rounds=rounds, requests=60, jobs=600)
                print(f"{race.told(quick, *figures)}\n  {_load()}\n", flush=True)
            if crashes:
                print(f"peers: seconds from kill -9 in a job until it is begun again, limit {limit_s:g} s", flush=True)
                seen = [await race.recoveries(contenders, valkey.url, folder, limit_s=limit_s) for _ in range(crashes)]
                for contender in contenders:
                    times = [f"{one[contender.name]:6.1f}" if contender.name in one else "     -" for one in seen]
                    print(f"  {contender.name:{race.WIDTH}} {' '.join(times)}")
                print(f"  {_load()}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of latency and throughput")
    parser.add_argument("--crashes", type=int, default=2)
    parser.add_argument("--limit", type=float, default=75, help="seconds to wait for a job to be begun again")
    parser.add_argument("--only", default="", help="libraries, with commas between: sakuga,arq,saq,streaq,taskiq")
    options = parser.parse_args()
    asyncio.run(main(options.rounds, options.crashes, options.limit, options.only))
