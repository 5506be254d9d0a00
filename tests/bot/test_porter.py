"""What was heard comes to where it belongs: in order, once it can, and not lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import porter as room
from bot.errands import Errands
from bot.line import Line
from bot.memory import Memory
from bot.moderators import RetractedDocument as Gone
from bot.news import Banned, News, OnAir, Redeemed, Retracted, Supported, Unbanned
from bot.porter import Porter
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.job import RequestedBy
from tests.bot.lines import line

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MIKA = RequestedBy(platform="twitch", id="3000", login="mika", display_name="Mika")


class PaperStudio:
    """Desk, hammer, till, shop and curtain in one: it writes down what it was told, and may be away or refuse."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.away = False
        self.refusal: GatewayRefused | None = None
        self.accepts: bool | None = None
        self.cancelled: tuple[str, ...] = ()
        self.changed = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()

    def _take(self, what: str) -> None:
        self.changed.set()
        if self.away:
            raise GatewayUnreachable(url="http://127.0.0.1:9")
        if self.refusal:
            raise self.refusal
        self.log.append(what)

    async def hear(self, line: Line) -> bool | None:
        if line.text == "break":
            raise ZeroDivisionError
        await self.open.wait()
        self.log.append(f"line {line.id}")
        return self.accepts

    async def retract(self, kind: str, platform: str, *, message_id: str | None, viewer: str | None, by: str) -> Gone:
        assert (message_id is not None, viewer is not None) == (kind == "message", kind == "viewer")
        self._take(f"retract {kind} {platform} {message_id} {viewer} {by or '-'}")
        return Gone(cancelled=self.cancelled)

    async def ban(self, viewer: str, *, by: str, minutes: float | None, clips: bool, reason: str) -> Gone:
        assert clips
        assert reason
        self._take(f"ban {viewer} {minutes} {by}")
        return Gone(cancelled=self.cancelled)

    async def unban(self, viewer: str, *, by: str) -> None:
        self._take(f"unban {viewer} {by}")

    async def support(self, support_id: str, kind: str, viewer: RequestedBy, amount: int) -> None:
        assert viewer.bits == 0
        self._take(f"{kind} {support_id} {viewer.viewer} {amount}")

    async def redeemed(self, news: Redeemed) -> None:
        self._take(f"redeemed {news.id}")

    def turn(self, *, live: bool) -> None:
        self.log.append(f"live {live}")

    async def tried(self) -> None:
        async with asyncio.timeout(5):
            await self.changed.wait()
        self.changed.clear()


class Pause:
    """Pauses end when they are told to."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.acquire()


@pytest.fixture
def studio() -> PaperStudio:
    return PaperStudio()


@pytest.fixture
def pause() -> Pause:
    return Pause()


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "bot.sqlite")


@pytest.fixture
async def hire(studio: PaperStudio, pause: Pause, memory: Memory) -> AsyncIterator[Callable[..., Porter]]:
    shifts: list[asyncio.Task[None]] = []

    def hire(**other: Any) -> Porter:
        people = {"hammer": studio, "till": studio, "shop": studio, **other}
        errands = Errands(**people, clock=lambda: NOON)
        porter = Porter(studio, errands, curtain=studio, memory=memory, sleep=pause)
        shifts.append(asyncio.create_task(porter.run()))
        return porter

    yield hire
    for shift in shifts:
        shift.cancel()
    await asyncio.gather(*shifts, return_exceptions=True)
    memory.close()


@pytest.fixture
async def porter(hire: Callable[..., Porter]) -> Porter:
    return hire()


async def hear(porter: Porter, *news: News) -> None:
    for one in news:
        porter.hear(one)
    async with asyncio.timeout(5):
        await porter.done()


async def test_everything_is_brought_where_it_belongs_in_the_order_of_hearing(
    porter: Porter, studio: PaperStudio, memory: Memory
) -> None:
    await hear(
        porter,
        line("!anime a cat", id="m-1"),
        Retracted("message", "twitch", message_id="m-1", viewer="twitch:3000"),
        Banned("twitch:3000", "twitch:jo"),
        Retracted("viewer", "twitch", viewer="twitch:3000"),
        Unbanned("twitch:3000", "twitch:jo"),
        Retracted("chat", "twitch"),
        Supported("s-1", "raid", MIKA, 42),
        Redeemed("r-1", "reward", 5000, MIKA, "a dog"),
        OnAir(live=True),
        line("hello", id="m-2"),
    )
    assert studio.log == [
        "line m-1",
        "retract message twitch m-1 None -",
        "ban twitch:3000 None twitch:jo",
        "retract viewer twitch None twitch:3000 -",
        "unban twitch:3000 twitch:jo",
        "retract chat twitch None None -",
        "raid s-1 twitch:3000 42",
        "redeemed r-1",
        "live True",
        "line m-2",
    ]
    assert memory.owed() is None


@pytest.mark.parametrize(
    ("left_s", "told"),
    [
        (600, "ban twitch:3000 10.0 twitch:jo"),
        (95, "ban twitch:3000 1.6 twitch:jo"),
        (1, "ban twitch:3000 1.0 twitch:jo"),
        (-1, "retract viewer twitch None twitch:3000 twitch:jo"),
    ],
)
async def test_a_time_out_lasts_as_long_as_is_left_of_it(
    porter: Porter, studio: PaperStudio, left_s: float, told: str
) -> None:
    await hear(porter, Banned("twitch:3000", "twitch:jo", NOON + timedelta(seconds=left_s)))
    assert studio.log == [told]


@pytest.mark.parametrize(
    ("accepts", "told"),
    [(True, []), (False, ["refused m-1 twitch:id-mika 150"]), (None, ["cheer m-1 twitch:id-mika 150"])],
)
async def test_bits_that_no_request_took_go_to_the_till(
    porter: Porter, studio: PaperStudio, memory: Memory, accepts: bool | None, told: list[str]
) -> None:
    studio.accepts = accepts
    await hear(porter, line("!anime a cat", bits=150))
    assert studio.log[1:] == told
    assert memory.owed() is None


async def test_bits_of_a_line_that_breaks_the_desk_are_not_lost_and_the_next_line_is_heard(
    porter: Porter, studio: PaperStudio
) -> None:
    with capture_logs() as logs:
        await hear(porter, line("break", bits=150), line("hello", id="m-2"))
    assert studio.log == ["cheer m-1 twitch:id-mika 150", "line m-2"]
    assert [entry["event"] for entry in logs] == ["bot.stumbled"]


async def test_a_line_that_a_slow_gateway_held_up_is_not_obeyed_any_more_but_its_bits_count(
    studio: PaperStudio, memory: Memory
) -> None:
    now = [0.0]
    errands = Errands(hammer=studio, till=studio, shop=studio)
    porter = Porter(studio, errands, curtain=studio, memory=memory, clock=lambda: now[0])
    porter.hear(line("!skip", id="m-1", bits=150))
    porter.hear(Retracted("chat", "twitch"))
    now[0] = room.LATE_S + 1
    porter.hear(line("!skip", id="m-2"))
    shift = asyncio.create_task(porter.run())
    with capture_logs() as logs:
        await porter.done()
    shift.cancel()
    await asyncio.gather(shift, return_exceptions=True)
    assert studio.log == ["cheer m-1 twitch:id-mika 150", "retract chat twitch None None -", "line m-2"]
    assert [(entry["event"], entry["message_id"]) for entry in logs] == [("chat.unheard", "m-1")]


async def test_bits_count_also_while_nothing_can_be_remembered(
    porter: Porter, studio: PaperStudio, memory: Memory
) -> None:
    memory._base.execute("PRAGMA query_only = ON")
    await hear(porter, line("hello", bits=150))
    assert studio.log == ["line m-1", "cheer m-1 twitch:id-mika 150"]


@pytest.mark.parametrize(
    "deed",
    [
        Retracted("message", "twitch", message_id="m-1"),
        Retracted("viewer", "twitch", viewer="twitch:3000"),
        Banned("twitch:3000"),
        Banned("twitch:3000", until=NOON - timedelta(seconds=1)),
    ],
)
async def test_what_a_moderator_ended_is_announced_to_nobody(
    hire: Callable[..., Porter], studio: PaperStudio, deed: News
) -> None:
    left: list[str] = []
    studio.cancelled = ("job_1", "job_2")
    await hear(hire(leave=left.append), deed)
    assert left == ["job_1", "job_2"]


async def test_while_the_gateway_is_away_deeds_wait_in_order_and_the_chat_goes_on(
    porter: Porter, studio: PaperStudio, pause: Pause, memory: Memory
) -> None:
    studio.away = True
    await hear(porter, Banned("twitch:3000", "twitch:jo"), line("hello"), Unbanned("twitch:3000", "twitch:jo"))
    await hear(porter, Supported("s-1", "raid", MIKA, 42))
    assert studio.log == ["line m-1"]
    studio.away = False
    pause.over.release()
    while memory.owed():
        await studio.tried()
    assert studio.log[1:] == [
        "ban twitch:3000 None twitch:jo",
        "unban twitch:3000 twitch:jo",
        "raid s-1 twitch:3000 42",
    ]
    await hear(porter, Retracted("chat", "twitch"))
    assert studio.log[-1] == "retract chat twitch None None -"


async def test_what_comes_while_something_is_owed_waits_behind_it_though_the_gateway_is_back(
    porter: Porter, studio: PaperStudio, pause: Pause, memory: Memory
) -> None:
    studio.away = True
    await hear(porter, Banned("twitch:3000", "twitch:jo"))
    await studio.tried()
    studio.away = False
    await hear(porter, Unbanned("twitch:3000", "twitch:jo"))
    assert studio.log == []
    pause.over.release()
    while memory.owed():
        await studio.tried()
    assert studio.log == ["ban twitch:3000 None twitch:jo", "unban twitch:3000 twitch:jo"]


async def test_what_is_owed_is_not_told_before_the_lines_that_came_before_it(
    porter: Porter, studio: PaperStudio, pause: Pause, memory: Memory
) -> None:
    studio.away = True
    await hear(porter, Supported("s-1", "raid", MIKA, 42))
    studio.away = False
    studio.open.clear()
    porter.hear(line("!anime a cat", id="m-1"))
    porter.hear(Retracted("message", "twitch", message_id="m-1"))
    pause.over.release()
    while "raid s-1 twitch:3000 42" not in studio.log:
        await studio.tried()
    assert memory.owed() is not None
    studio.open.set()
    async with asyncio.timeout(5):
        await porter.done()
    assert studio.log[1:] == ["line m-1", "retract message twitch m-1 None -"]


async def test_the_pauses_grow_while_the_gateway_stays_away(porter: Porter, studio: PaperStudio, pause: Pause) -> None:
    studio.away = True
    await hear(porter, Retracted("chat", "twitch"))
    for _ in range(6):
        await studio.tried()
        pause.over.release()
        await asyncio.sleep(0)
    assert pause.asked[:6] == [*room.PAUSES_S, room.PAUSES_S[-1]]


async def test_what_is_owed_is_told_by_the_next_bot_but_never_before_its_turn(
    hire: Callable[..., Porter], studio: PaperStudio, pause: Pause, memory: Memory
) -> None:
    errands = Errands(hammer=studio, till=studio, shop=studio)
    before = Porter(studio, errands, curtain=studio, memory=memory, sleep=pause)
    before.hear(Supported("s-1", "sub", MIKA, 1))  # and is killed before its turn
    porter = hire()
    porter.hear(line("!anime a cat", id="m-1"))
    porter.hear(Retracted("message", "twitch", message_id="m-1"))
    while memory.owed():
        await studio.tried()
    assert set(studio.log) == {"sub s-1 twitch:3000 1", "line m-1", "retract message twitch m-1 None -"}
    assert studio.log.index("line m-1") < studio.log.index("retract message twitch m-1 None -")


@pytest.mark.parametrize("deed", [Supported("s-1", "sub", MIKA, 1), Retracted("chat", "twitch")])
async def test_what_the_gateway_refuses_for_good_is_logged_and_left(
    porter: Porter, studio: PaperStudio, memory: Memory, deed: News
) -> None:
    studio.refusal = GatewayRefused(status=422, reason="request_invalid", sentence="-")
    with capture_logs() as logs:
        await hear(porter, deed)
    assert [(entry["event"], entry["reason"]) for entry in logs] == [("news.refused", "request_invalid")]
    assert memory.owed() is None


@pytest.mark.parametrize(("status", "reason"), [(503, "store_unavailable"), (401, "unauthenticated")])
async def test_what_the_gateway_can_not_take_now_is_told_again(
    porter: Porter, studio: PaperStudio, pause: Pause, memory: Memory, status: int, reason: str
) -> None:
    studio.refusal = GatewayRefused(status=status, reason=reason, sentence="-")
    await hear(porter, Supported("s-1", "sub", MIKA, 1))
    assert memory.owed() is not None
    studio.refusal = None
    pause.over.release()
    while memory.owed():
        await studio.tried()
    assert studio.log == ["sub s-1 twitch:3000 1"]


async def test_without_a_moderators_key_that_is_said_once_and_the_rest_goes_on(
    hire: Callable[..., Porter], studio: PaperStudio
) -> None:
    porter = hire(hammer=None)
    with capture_logs() as logs:
        await hear(porter, Retracted("chat", "twitch"), Banned("twitch:3000"), Supported("s-1", "sub", MIKA, 1))
    assert [entry["event"] for entry in logs] == ["bot.keyless"]
    assert studio.log == ["sub s-1 twitch:3000 1"]


async def test_a_key_that_is_no_moderators_stops_nothing_else(
    porter: Porter, studio: PaperStudio, memory: Memory
) -> None:
    studio.refusal = GatewayRefused(status=403, reason="forbidden", sentence="-")
    with capture_logs() as logs:
        await hear(porter, Retracted("chat", "twitch"), Unbanned("twitch:3000"))
        studio.refusal = None
        await hear(porter, Supported("s-1", "sub", MIKA, 1))
    assert [(entry["event"], entry["reason"]) for entry in logs] == [("bot.keyless", "forbidden")]
    assert (studio.log, memory.owed()) == (["sub s-1 twitch:3000 1"], None)


async def test_lines_that_are_too_many_are_counted_out_but_none_with_bits_and_no_deed(
    porter: Porter, studio: PaperStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_UNHEARD", 2)
    with capture_logs() as logs:
        await hear(
            porter,
            *(line("hello", id=f"m-{number}") for number in range(4)),
            line("hello", id="m-9", bits=5),
            Retracted("chat", "twitch"),
        )
    assert [entry["message_id"] for entry in logs if entry["event"] == "chat.unheard"] == ["m-2", "m-3"]
    assert studio.log[:3] == ["line m-0", "line m-1", "line m-9"]
    assert studio.log[-1] == "retract chat twitch None None -"
