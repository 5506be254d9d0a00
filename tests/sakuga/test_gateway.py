import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import Gateway
from sakuga.job import JobStatus, RequestedBy
from sakuga.stage import StageState
from tests.bot.paper_gateway import PaperGateway

MIKA = RequestedBy(platform="twitch", id="3000", login="mika", display_name="Mika", roles=["subscriber"], bits=300)


@pytest.fixture
async def paper() -> AsyncIterator[PaperGateway]:
    async with PaperGateway() as gateway:
        yield gateway


@pytest.fixture
async def gateway(paper: PaperGateway) -> AsyncIterator[Gateway]:
    async with Gateway(paper.url + "/") as client:
        yield client


async def test_a_request_is_answered_with_its_cut_and_place(gateway: Gateway, paper: PaperGateway) -> None:
    job = await gateway.generate(
        "a cat", requested_by=MIKA, key="message-1", style="neon", characters=("hana",), duration=None
    )
    assert (job.cut, job.status, job.queue_position, job.eta_seconds) == ("C-041", JobStatus.QUEUED, 1, 20)
    asked = {"prompt": "a cat", "style": "neon", "characters": ["hana"], "requested_by": MIKA.model_dump()}
    assert paper.asked == [asked]


async def test_an_answer_that_got_lost_is_asked_for_again_with_the_same_key(
    gateway: Gateway, paper: PaperGateway
) -> None:
    paper.next_answers = [None]
    job = await gateway.generate("a cat", requested_by=MIKA, key="message-1")
    assert list(paper.jobs) == [job.job_id]
    assert len(paper.requests) == 2


async def test_a_request_that_fails_twice_is_given_up(gateway: Gateway, paper: PaperGateway) -> None:
    paper.refuse_next(503, "broker_unavailable", "The studio's memory is not answering.")
    paper.next_answers.append(None)
    with pytest.raises(GatewayUnreachable, match=paper.url):
        await gateway.generate("a cat", requested_by=MIKA, key="message-1")
    assert len(paper.requests) == 2


async def test_a_refusal_carries_code_sentence_and_wait_and_is_not_repeated(
    gateway: Gateway, paper: PaperGateway
) -> None:
    paper.refuse_next(429, "queue_full", "The queue is full {really}.", Retry_After="140")
    with pytest.raises(GatewayRefused) as caught:
        await gateway.generate("a cat", requested_by=MIKA, key="message-1")
    assert (caught.value.status, caught.value.reason, caught.value.retry_after_s) == (429, "queue_full", 140)
    assert str(caught.value) == "The queue is full {really}."
    assert len(paper.requests) == 1


async def test_an_unchanged_document_is_remembered(gateway: Gateway, paper: PaperGateway) -> None:
    paper.fill(1)
    (job_id,) = paper.jobs
    first = await gateway.status(job_id)
    assert await gateway.status(job_id) is first
    paper.finish(job_id)
    ended = await gateway.status(job_id)
    assert ended.terminal
    assert ended.video_url is not None


async def test_the_queue_tells_who_is_drawing_and_who_waits(gateway: Gateway, paper: PaperGateway) -> None:
    paper.drawing_s = 60
    paper.fill(3)
    queue = await gateway.queue(limit=1)
    assert [job.cut for job in queue.running] == ["C-041"]
    assert [(job.cut, job.requested_by.name) for job in queue.waiting] == [("C-042", "Aki")]
    assert queue.waiting_count == 2


async def test_the_stage_can_be_read_and_set(gateway: Gateway, paper: PaperGateway) -> None:
    assert (await gateway.stage()).state == StageState.IDLE
    stage = await gateway.put_stage(StageState.RESULT, clip_id="clip_1", seconds=5.1)
    assert (stage.state, stage.revision) == (StageState.RESULT, 2)
    await gateway.put_stage(StageState.IDLE)
    assert paper.asked == [{"state": "result", "clip_id": "clip_1", "seconds": 5.1}, {"state": "idle"}]
    assert (await gateway.stage()).revision == 3


async def test_a_gpu_can_be_kept_ready_and_let_go_of(gateway: Gateway, paper: PaperGateway) -> None:
    renderer = await gateway.renderer()
    assert (renderer.name, renderer.gpu, renderer.wanted, renderer.until) == ("modal", "H100", False, None)
    warm = await gateway.warm()
    assert (warm.wanted, warm.until is not None) == (True, True)
    await gateway.warm(seconds=600)
    assert not (await gateway.cool()).wanted
    assert paper.asked == [{"warm": True}, {"warm": True, "seconds": 600}, {"warm": False}]


async def test_clips_come_newest_first(gateway: Gateway, paper: PaperGateway) -> None:
    paper.fill(2)
    for job_id in paper.jobs:
        paper.finish(job_id)
    page = await gateway.clips(limit=2, before="clip_9")
    assert [clip.cut for clip in page.clips] == ["C-042", "C-041"]
    assert paper.requests[-1] == ("GET", "/clips?limit=2&before=clip_9")


async def test_an_unhealthy_studio_says_so(gateway: Gateway) -> None:
    assert (await gateway.health()).status == "unhealthy"


async def test_a_gateway_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with Gateway(f"http://127.0.0.1:{held.getsockname()[1]}") as gateway:
            with pytest.raises(GatewayUnreachable):
                await gateway.stage()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<h1>It works!</h1>"),
        httpx.Response(200, json={"hello": "world"}),
        httpx.Response(502, text="Bad Gateway"),
        httpx.Response(404, json=["not", "ours"]),
        httpx.Response(301, headers={"Location": "https://example.com"}),
        httpx.Response(304),
    ],
    ids=["page", "other-document", "proxy", "other-error", "redirect", "unasked-304"],
)
async def test_something_else_at_the_address_is_not_the_gateway(answer: httpx.Response) -> None:
    async with Gateway("http://studio.example", transport=httpx.MockTransport(lambda _: answer)) as gateway:
        with pytest.raises(GatewayUnreachable):
            await gateway.queue()


async def test_a_silent_gateway_is_given_up() -> None:
    def silence(request: httpx.Request) -> httpx.Response:
        assert request.extensions["timeout"] == {"connect": 2, "read": 5, "write": 5, "pool": 5}
        reason = "nothing came"
        raise httpx.ReadTimeout(reason, request=request)

    async with Gateway("http://studio.example", transport=httpx.MockTransport(silence)) as gateway:
        with pytest.raises(GatewayUnreachable):
            await gateway.status("job_1")


async def test_what_is_remembered_is_bounded(paper: PaperGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sakuga.gateway.REMEMBERED_DOCUMENTS", 2)
    paper.fill(3)
    async with Gateway(paper.url) as gateway:
        for job_id in paper.jobs:
            await gateway.status(job_id)
        assert len(gateway._seen) == 2


@pytest.mark.parametrize(("key", "shown"), [("sk_secret", "Bearer sk_secret"), (None, None)])
async def test_every_call_shows_the_key_and_none_where_there_is_none(key: str | None, shown: str | None) -> None:
    seen: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return httpx.Response(200, json={"status": "healthy", "version": "1"})

    async with Gateway("http://studio.example", key=key, transport=httpx.MockTransport(answer)) as gateway:
        await gateway.health()
    assert seen == [shown]
