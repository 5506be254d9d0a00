import asyncio

import pytest

from bot.stumble import named


async def test_an_error_is_named_with_its_place_and_without_its_text() -> None:
    async def fall() -> None:
        message = "a token"
        raise ValueError(message)

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(fall())
    assert named(caught.value) == "ValueError in fall"
    assert named(KeyError("a token")) == "KeyError"
