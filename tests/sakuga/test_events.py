import asyncio

from sakuga import store
from sakuga.event import EventType
from sakuga.events import Events


async def write(redis: store.Client, kind: str, data: str) -> str:
    return str(await redis.xadd(store.EVENTS, {"type": kind, "data": data}))


async def test_events_are_read_on_from_the_last_one_seen(redis: store.Client) -> None:
    events = Events(redis)
    assert await events.last_id() == "0-0"
    ids = [await write(redis, "job.queued", f'{{"number":{number}}}') for number in range(5)]
    assert await events.last_id() == ids[-1]
    read = await events.after(ids[1])
    assert [(event.id, event.data["number"]) for event in read] == [(ids[2], 2), (ids[3], 3), (ids[4], 4)]
    assert await events.after(ids[-1]) == []


async def test_a_reader_is_woken_by_the_next_event(redis: store.Client) -> None:
    events = Events(redis)
    reading = asyncio.create_task(events.after("0-0", wait_s=5))
    await asyncio.sleep(0)
    await write(redis, "stage.changed", '{"state":"idle"}')
    assert [event.type for event in await reading] == [EventType.STAGE_CHANGED]
