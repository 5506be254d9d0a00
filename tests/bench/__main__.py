"""`make bench`: prints every figure as a ratio within this run; docs/benchmarks.md has what was seen."""

import asyncio
import tempfile
from pathlib import Path

from tests.bench import estimates, http, pollers, queue
from tests.fakes.valkey import Valkey


async def main() -> None:
    """Run all benchmarks on one fresh Valkey."""
    with tempfile.TemporaryDirectory() as folder:
        async with Valkey(Path(folder)) as valkey:
            print("One Valkey, append-only file on, unix socket. Times in milliseconds.\n")
            await queue.latency(valkey)
            await queue.throughput(valkey)
            await queue.cost(valkey)
            await http.status(valkey)
            await pollers.pollers(valkey)


asyncio.run(main())
estimates.cost()
estimates.shows()
