"""The show begins and ends with the stream, at a studio on paper."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from bot.curtain import Curtain
from bot.memory import Memory
from bot.moderators import Moderators
from sakuga.chat import ChatPolicy
from sakuga.gateway import Gateway

URL = "http://127.0.0.1:1"


class PaperStudio(httpx.MockTransport):
    """Has a session, a queue and a GPU; may be away, or refuse."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.live = False
        self.sessions = 0
        self.open = False
        self.warm = False
        self.cancelled = False
        self.away = 0
        self.asked = 0
        self.refusing = ""
        self.hanging = ""
        self.hung = asyncio.Event()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if request.url.path == self.hanging:
            self.hung.set()
            await asyncio.Event().wait()
        if self.away:
            self.away -= 1
            raise httpx.ConnectError(request.url.path)
        path = request.url.path
        if path == self.refusing:
            return httpx.Response(403, json={"error": {"code": "forbidden", "message": "No."}})
        if path == "/session/begin":
            self.sessions += not self.live
            self.live = True
        elif path == "/session/end":
            self.live, self.cancelled = False, b'"cancel"' in request.content
        elif path == "/queue/open":
            self.open = True
        elif path == "/renderer":
            self.warm = b"true" in request.content
        return httpx.Response(200, json={"changed": True, "name": "modal", "wanted": self.warm})


class Hourglass:
    """Sleeps until it is turned; remembers for how long it was asked to."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.begun = asyncio.Event()
        self.run_out = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.begun.set()
        await self.run_out.wait()

    async def runs(self) -> None:
        async with asyncio.timeout(5):
            await self.begun.wait()
        self.begun.clear()


@pytest.fixture
def studio() -> PaperStudio:
    return PaperStudio()


@pytest.fixture
def sand() -> Hourglass:
    return Hourglass()


@pytest.fixture
def policy() -> dict[str, ChatPolicy]:
    return {"now": ChatPolicy()}


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory() as memory:
        yield memory


@pytest.fixture
async def new_curtain(
    studio: PaperStudio, sand: Hourglass, policy: dict[str, ChatPolicy], memory: Memory
) -> AsyncIterator[Callable[[], Curtain]]:
    async with Gateway(URL, transport=studio) as gateway, Moderators(URL, transport=studio) as moderators:
        made: list[Curtain] = []

        def new() -> Curtain:
            made.append(Curtain(gateway, moderators, memory, chat=lambda: policy["now"], sleep=sand))
            return made[-1]

        yield new
        for curtain in made:
            await curtain.close()


@pytest.fixture
def curtain(new_curtain: Callable[[], Curtain]) -> Curtain:
    return new_curtain()


async def turn(curtain: Curtain, *, live: bool) -> None:
    curtain.turn(live=live)
    async with asyncio.timeout(5):
        await curtain.settled()


async def test_the_stream_begins_and_so_does_a_session_with_a_warm_gpu(curtain: Curtain, studio: PaperStudio) -> None:
    await turn(curtain, live=True)
    assert (studio.live, studio.warm, studio.open) == (True, True, False)


async def test_the_queue_opens_with_the_stream_and_the_gpu_stays_cool_if_the_studio_file_says_so(
    curtain: Curtain, studio: PaperStudio, policy: dict[str, ChatPolicy]
) -> None:
    policy["now"] = ChatPolicy(open_when_live=True, warm_when_live=False)
    await turn(curtain, live=True)
    assert (studio.live, studio.warm, studio.open) == (True, False, True)


async def test_after_the_grace_the_session_ends_what_waits_is_cancelled_and_the_gpu_let_go(
    curtain: Curtain, studio: PaperStudio, sand: Hourglass, policy: dict[str, ChatPolicy]
) -> None:
    policy["now"] = ChatPolicy(offline_grace_s=90)
    await turn(curtain, live=True)
    curtain.turn(live=False)
    await sand.runs()
    assert (sand.asked, studio.live) == ([90], True)
    sand.run_out.set()
    await curtain.settled()
    assert (studio.live, studio.cancelled, studio.warm) == (False, True, False)


async def test_a_stream_that_comes_back_within_the_grace_goes_on(
    curtain: Curtain, studio: PaperStudio, sand: Hourglass
) -> None:
    await turn(curtain, live=True)
    curtain.turn(live=False)
    await sand.runs()
    (lowering,) = [task for task in asyncio.all_tasks() if task.get_name() == "curtain"]
    await turn(curtain, live=True)
    sand.run_out.set()
    await asyncio.wait([lowering], timeout=5)
    assert (studio.live, studio.sessions, studio.asked) == (True, 1, 2)


async def test_a_bot_that_starts_in_the_middle_neither_begins_anew_nor_forgets_to_end(
    new_curtain: Callable[[], Curtain], studio: PaperStudio, sand: Hourglass
) -> None:
    await turn(new_curtain(), live=True)
    asked = studio.asked
    await turn(new_curtain(), live=True)
    assert studio.asked == asked
    sand.run_out.set()
    await turn(new_curtain(), live=False)
    assert not studio.live


async def test_a_session_that_somebody_began_by_hand_is_not_ended_by_a_stream_that_never_was(
    curtain: Curtain, studio: PaperStudio, sand: Hourglass
) -> None:
    studio.live = True
    sand.run_out.set()
    await turn(curtain, live=False)
    assert (studio.live, studio.asked, sand.asked) == (True, 0, [])


async def test_it_can_be_told_not_to_follow(
    curtain: Curtain, studio: PaperStudio, policy: dict[str, ChatPolicy]
) -> None:
    policy["now"] = ChatPolicy(follow_stream=False)
    await turn(curtain, live=True)
    assert studio.asked == 0


async def test_a_gateway_that_is_away_is_asked_again_with_growing_pauses(
    curtain: Curtain, studio: PaperStudio, sand: Hourglass
) -> None:
    studio.away = 3
    sand.run_out.set()
    await turn(curtain, live=True)
    assert (studio.live, studio.warm, sand.asked) == (True, True, [1.0, 2.0, 5.0])


async def test_a_beginning_that_was_cut_short_is_still_ended(
    new_curtain: Callable[[], Curtain], studio: PaperStudio, sand: Hourglass
) -> None:
    curtain = new_curtain()
    studio.away = 1
    curtain.turn(live=True)
    await sand.runs()
    await curtain.close()
    sand.run_out.set()
    later = new_curtain()
    await turn(later, live=True)
    assert (studio.live, studio.warm) == (True, True)
    await turn(later, live=False)
    assert (studio.live, later.up) == (False, False)


async def test_a_beginning_that_was_cut_short_in_its_middle_is_ended_by_the_next_bot(
    new_curtain: Callable[[], Curtain], studio: PaperStudio, sand: Hourglass
) -> None:
    curtain = new_curtain()
    studio.hanging = "/renderer"
    curtain.turn(live=True)
    async with asyncio.timeout(5):
        await studio.hung.wait()
    await curtain.close()
    studio.hanging = ""
    sand.run_out.set()
    await turn(new_curtain(), live=False)
    assert not studio.live


async def test_what_is_refused_does_not_stop_the_rest(curtain: Curtain, studio: PaperStudio) -> None:
    studio.refusing = "/session/begin"
    await turn(curtain, live=True)
    assert studio.warm
