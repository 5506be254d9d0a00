"""What a render tells goes into a queue by itself, and no trouble with the queue troubles the render."""

import queue
import threading
from collections.abc import Callable
from typing import Any

import pytest
from modal.exception import ServiceError

from gpu.cloud import relay
from gpu.cloud.relay import AT_ONCE, WAITING, Relay
from sakuga.engine import Progress

LIMIT_S = 10


class Items:
    """A queue whose network stands still until it is let go, with room for so many pictures and reports."""

    def __init__(self, pictures: int = 1000, room: int = 1000) -> None:
        self.pictures, self.room = pictures, room
        self.got: list[dict[str, Any]] = []
        self.asked = threading.Event()
        self.go = threading.Event()
        self.error: Exception | None = None

    def put_many(self, items: list[dict[str, Any]], *, block: bool, partition: str, partition_ttl: int) -> None:
        assert not block
        self.asked.set()
        assert self.go.wait(LIMIT_S)
        if self.error:
            raise self.error
        shown = sum(bool(picture(item)) for item in items)
        if shown > self.pictures or len(self.got) + len(items) > self.room:
            raise queue.Full
        self.got += items

    @property
    def numbers(self) -> list[int]:
        return [item["progress"]["sequence"] for item in self.got if "progress" in item]


def picture(item: dict[str, Any]) -> Any:
    return item.get("progress", {}).get("preview")


def report(sequence: int, preview: bytes | None = None) -> Progress:
    return Progress(sequence=sequence, stage="denoise", fraction=0.5, preview=preview)


def open_relay(items: Items) -> Relay:
    return Relay(items, "job.1")  # type: ignore[arg-type]


@pytest.fixture
def stuck() -> Items:
    return Items()


def test_reports_arrive_in_their_order_and_the_end_is_told_last() -> None:
    items = Items()
    items.go.set()
    with open_relay(items) as line:
        for number in range(1, 40):
            line.send(report(number))
    assert items.numbers == list(range(1, 40))
    assert items.got[-1] == {"run": line.run, "ended": True}
    assert all(item["run"] == line.run for item in items.got)


def test_sending_never_waits_for_the_network(stuck: Items) -> None:
    with open_relay(stuck) as line:
        line.send(report(1))
        assert stuck.asked.wait(LIMIT_S)
        for number in range(2, 11):
            line.send(report(number))  # returns, or this test would hang
        assert stuck.got == []
        stuck.go.set()
    assert stuck.numbers == list(range(1, 11))


def test_while_the_network_stands_still_only_the_newest_picture_waits(stuck: Items) -> None:
    with open_relay(stuck) as line:
        line.send(report(1))
        assert stuck.asked.wait(LIMIT_S)
        for number in range(2, 8):
            line.send(report(number, b"jpeg" if number % 2 else None))
        stuck.go.set()
    assert [item["progress"]["sequence"] for item in stuck.got if picture(item)] == [7]
    assert stuck.numbers == list(range(1, 8))


def test_when_too_many_wait_the_oldest_go(stuck: Items) -> None:
    with open_relay(stuck) as line:
        line.send(report(1))
        assert stuck.asked.wait(LIMIT_S)
        for number in range(2, WAITING + 12):
            line.send(report(number))
        stuck.go.set()
    assert stuck.numbers == [1, *range(12, WAITING + 12)]


def test_a_queue_without_room_for_pictures_gets_the_reports_without_them() -> None:
    items = Items(pictures=0)
    items.go.set()
    with open_relay(items) as line:
        line.send(report(1, b"jpeg"))
    assert items.numbers == [1]
    assert not any(map(picture, items.got))
    assert items.got[-1]["ended"]


@pytest.mark.parametrize("error", [queue.Full(), ServiceError("gone"), OSError("gone"), KeyError("odd")], ids=repr)
def test_a_queue_that_takes_nothing_is_no_trouble_to_the_render(error: Exception) -> None:
    items = Items()
    items.error = error
    items.go.set()
    with open_relay(items) as line:
        line.send(report(1, b"jpeg"))
    assert items.got == []


def test_a_network_that_never_comes_back_holds_nobody_up(stuck: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "LAST_WORD_S", 0.05)
    with open_relay(stuck) as line:
        line.send(report(1))
        assert stuck.asked.wait(LIMIT_S)
    stuck.go.set()


def test_a_batch_is_never_larger_than_a_queue_takes(stuck: Items) -> None:
    sizes: list[int] = []
    put: Callable[..., None] = stuck.put_many

    def measured(items: list[dict[str, Any]], **how: Any) -> None:
        sizes.append(len(items))
        put(items, **how)

    stuck.put_many = measured  # type: ignore[method-assign]
    with open_relay(stuck) as line:
        line.send(report(1))
        assert stuck.asked.wait(LIMIT_S)
        for number in range(2, 50):
            line.send(report(number))
        stuck.go.set()
    assert max(sizes) <= AT_ONCE + 1
