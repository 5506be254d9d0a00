"""A wild chat through the real bot and a real studio: a short one; the long one is `make storm`."""

from tests.bench.storm import storm

MEASURED = ("memory", "from message to accepted")  # figures: what they are is for the long one to say


async def test_a_storm_is_answered_in_order_and_within_limits() -> None:
    promises = await storm(minutes=2, speed=8, seed=3)
    broken = [promise for promise, held in promises.items() if not held and not promise.startswith(MEASURED)]
    assert broken == []
