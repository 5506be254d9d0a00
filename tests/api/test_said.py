import asyncio

import pytest

from api import said
from api.said import Said
from sakuga import store
from sakuga.events import Events
from sakuga.queue import Queue
from tests.fakes.jobs import submitted


class Maker:
    """Makes numbered answers, and takes a moment for each."""

    def __init__(self) -> None:
        self.made = 0

    async def make(self) -> int:
        self.made += 1
        await asyncio.sleep(0)
        return self.made


async def test_many_who_ask_at_once_cost_one_answer(redis: store.Client) -> None:
    answers, maker = Said[int](), Maker()
    assert await asyncio.gather(*(answers.now(Events(redis), maker.make) for _ in range(50))) == [1] * 50
    assert maker.made == 1


async def test_what_happens_is_in_the_next_answer(redis: store.Client) -> None:
    answers, maker = Said[int](), Maker()
    await answers.now(Events(redis), maker.make)
    await submitted(Queue(redis))
    assert await answers.now(Events(redis), maker.make) == 2


async def test_an_answer_is_not_kept_for_ever_though_nothing_happens(
    redis: store.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said, "KEPT_S", 0.0)
    answers, maker = Said[int](), Maker()
    assert [await answers.now(Events(redis), maker.make) for _ in range(2)] == [1, 2]


async def test_an_answer_that_could_not_be_made_is_asked_for_again(redis: store.Client) -> None:
    async def broken() -> int:
        raise KeyError

    answers = Said[int]()
    with pytest.raises(KeyError):
        await answers.now(Events(redis), broken)
    assert await answers.now(Events(redis), Maker().make) == 1
