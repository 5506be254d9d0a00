from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.youtube.chatroom import Chatroom
from tests.fakes.hurry import Hurry
from tests.fakes.youtube import FakeYouTube


@pytest.fixture
def clock() -> Hurry:
    return Hurry()


@pytest.fixture
async def fake(clock: Hurry) -> AsyncIterator[FakeYouTube]:
    async with FakeYouTube(now=clock.now) as fake:
        yield fake


@pytest.fixture
def room(tmp_path: Path, fake: FakeYouTube, clock: Hurry) -> Chatroom:
    return Chatroom(tmp_path / "var", fake, clock)
