"""Ending what runs beside the main task."""

import asyncio

from sakuga import chores


async def test_a_chore_that_swallows_a_cancellation_is_asked_again() -> None:
    heard = []

    async def deaf() -> None:
        while len(heard) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard.append("no")
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await chores.end([task], ask_again_s=0.01)
    assert heard == ["no", "no"]
    assert task.cancelled()


async def test_chores_that_have_ended_are_left_alone() -> None:
    async def done() -> int:
        return 7

    task = asyncio.create_task(done())
    await task
    await chores.end([task])
    assert task.result() == 7
