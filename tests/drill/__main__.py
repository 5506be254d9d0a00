"""`make drill`: the crash drill, as long as is wished. Ends with 1 if something did not hold."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.drill.drill import Plan, drill


def main() -> int:
    """Run it and print the verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="to throw the same dice again")
    parser.add_argument("--minutes", type=float, default=8.0, help="length of the show")
    parser.add_argument("--kills", type=int, default=60, help="how often something is killed")
    parser.add_argument("--rate", type=float, default=100.0, help="prompts a minute")
    parser.add_argument("--folder", type=Path, default=None, help="where everything is written and left")
    asked = parser.parse_args()
    seed = secrets.randbelow(10_000) if asked.seed is None else asked.seed
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="sakuga-drill-") as folder:
        plan = Plan(seed=seed, minutes=asked.minutes, kills=asked.kills, per_minute=asked.rate)
        report = asyncio.run(drill(plan, asked.folder or Path(folder)))
    sys.stdout.write(str(report))
    return 1 if report.findings.broken else 0


if __name__ == "__main__":
    sys.exit(main())
