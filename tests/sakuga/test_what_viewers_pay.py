"""Whatever happens to requests, jobs, bot and broker: points end once, and bits are neither lost nor doubled."""

import asyncio
from contextlib import suppress
from random import Random

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st

from sakuga import store
from sakuga.errors import SakugaError
from tests.fakes.customers import Customers
from tests.fakes.valkey import Valkey

TO_JOBS = ("begin", "fail", "succeed", "cancel", "expire", "requeue", "retry", "hold", "approve", "reject")
ACTS = ("ask", "ask with points", "ask twice", "cheer", "sub", "admit", "settle", "settle and die", *TO_JOBS)
BITS = (0, 0, 30, 70, 100, 250, 4000)


async def act(customers: Customers, what: str, who: int, bits: int) -> None:
    match what:
        case "ask":
            await customers.asks(who, bits=bits, active=3)
        case "ask with points":
            await customers.asks(who, bits=bits, points=True, active=3)
        case "ask twice":
            await customers.asks(who, bits=bits, points=True, again=2)
        case "cheer" | "sub":
            await customers.supports(who, "cheer" if what == "cheer" else "sub", bits)
        case "admit":
            await customers.surely(customers.queue.admit)
        case "settle" | "settle and die":
            await customers.surely(lambda: customers.settle(dies=what != "settle"))
        case "settle by hand":
            await customers.settle_by_hand()
        case _ if customers.ids:
            job_id = customers.ids[bits % len(customers.ids)]
            job, _ = await customers.surely(lambda: customers.queue.look(job_id))
            with suppress(SakugaError):  # it can't happen to that job any more
                await customers.surely(lambda: customers.happens(what, job))


@settings(max_examples=40, deadline=None)
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from((*ACTS, *ACTS[:3], *ACTS[1:3], "admit", "settle by hand", "settle by hand")),
            st.integers(1, 3),
            st.sampled_from(BITS),
        ),
        min_size=12,
        max_size=40,
    )
)
def test_in_whatever_order_points_end_once_and_bits_are_kept(acts: list[tuple[str, int, int]]) -> None:
    async def story() -> None:
        redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
        customers = Customers(redis)
        await customers.queue.configure(slots=3)
        for what, who, bits in acts:
            await act(customers, what, who, bits)
        await customers.everything_is_paid_once()
        await customers.closes()
        await customers.everything_is_paid_once()
        await redis.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("seed", range(3))
async def test_everybody_at_once_and_a_broker_that_dies_change_nothing_of_that(valkey: Valkey, seed: int) -> None:
    redis = store.connect(valkey.url)
    customers = Customers(redis)
    await customers.queue.configure(slots=3)

    async def crowd(number: int) -> None:
        dice = Random(10 * seed + number)
        for _ in range(50):
            await act(customers, dice.choice(ACTS), dice.randrange(1, 4), dice.choice(BITS) + dice.choice((0, 0, 1)))

    async def fate() -> None:
        while len(customers.ids) < 20:
            await customers.queue.board()
        customers.broker_up.clear()
        await valkey.restart()
        customers.broker_up.set()

    await asyncio.gather(*(crowd(number) for number in range(5)), fate())
    assert len(customers.ids) >= 20
    await customers.everything_is_paid_once()
    await customers.closes()
    await customers.everything_is_paid_once()
    await redis.aclose()
