"""The CUDA card of this PC, as its driver tells of it: the worker has no torch to ask."""

import asyncio

LOOK = "nvidia-smi", "--query-gpu=name", "--format=csv,noheader"
LOOK_S = 10.0


async def find_card() -> str | None:
    """Return the name of the first card, or None where there is none, or none that answers."""
    try:
        look = await asyncio.create_subprocess_exec(
            *LOOK, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(LOOK_S):
            said, _ = await look.communicate()
    except TimeoutError:  # a card that fell off its bus
        look.kill()
        await look.wait()
        return None
    names = said.decode(errors="replace").splitlines() if look.returncode == 0 else []
    return next(iter(names), None)
