"""The gateway as bot and stage manager see it: a client of its HTTP contract."""

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, TypeVar

import httpx
from pydantic import ValidationError

from sakuga import __version__
from sakuga.documents import (
    AcceptedJob,
    CancelDocument,
    CatalogDocument,
    ClipDocument,
    ClipsPage,
    Document,
    HealthDocument,
    JobDocument,
    JoinedDocument,
    PotsDocument,
    QueueDocument,
    RendererDocument,
    SessionDocument,
    StageDocument,
    VoteDocument,
)
from sakuga.errors import GatewayRefused, GatewayUnreachable, SakugaError
from sakuga.job import RequestedBy
from sakuga.latest import Latest
from sakuga.stage import StageState

__all__ = [
    "AcceptedJob",
    "CancelDocument",
    "CatalogDocument",
    "ClipDocument",
    "ClipsPage",
    "Document",
    "Gateway",
    "HealthDocument",
    "JobDocument",
    "JoinedDocument",
    "PotsDocument",
    "QueueDocument",
    "RendererDocument",
    "SessionDocument",
    "StageDocument",
    "VoteDocument",
]

TIMEOUT = httpx.Timeout(5, connect=2)
RETRY_PAUSE_S = 0.3
REMEMBERED_DOCUMENTS = 256


Shape = TypeVar("Shape", bound=Document)
Wish: TypeAlias = str | float | Sequence[str] | Mapping[str, Any]


class Gateway:
    """A client of one gateway. Every call raises GatewayRefused or GatewayUnreachable; 5 s of silence end it."""

    def __init__(self, url: str, *, key: str | None = None, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        # No proxies from the environment: the gateway is on this machine or on the same network.
        self._http = httpx.AsyncClient(
            base_url=self.url,
            transport=transport,
            timeout=TIMEOUT,
            trust_env=False,
            headers={"User-Agent": f"sakuga/{__version__}"} | ({"Authorization": f"Bearer {key}"} if key else {}),
        )
        self._seen: Latest[tuple[str, Document]] = Latest(REMEMBERED_DOCUMENTS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def generate(self, prompt: str, *, requested_by: RequestedBy, key: str, **wishes: Wish | None) -> AcceptedJob:
        """Ask for a clip; `wishes` are style, characters, preset, duration (seconds), engine, seed and redemption.

        `key` makes it idempotent: the request is sent once more if the first answer was lost or was a 5xx.
        """
        body = {
            "prompt": prompt,
            "requested_by": requested_by.model_dump(),
            **{name: wish for name, wish in wishes.items() if wish is not None},
        }
        headers = {"Idempotency-Key": key}
        try:
            answer = await self._send("POST", "/generate", json=body, headers=headers)
        except (GatewayUnreachable, GatewayRefused) as error:
            if isinstance(error, GatewayRefused) and error.status < httpx.codes.INTERNAL_SERVER_ERROR:
                raise
            await asyncio.sleep(RETRY_PAUSE_S)
            answer = await self._send("POST", "/generate", json=body, headers=headers)
        return self._read(answer, AcceptedJob)

    async def status(self, job_id: str) -> JobDocument:
        """Return a job. An unchanged one costs a 304."""
        return await self._get(f"/status/{job_id}", JobDocument)

    async def queue(self, *, limit: int = 100) -> QueueDocument:
        """Return the running jobs and the first `limit` that wait."""
        return await self._get(f"/queue?limit={limit}", QueueDocument)

    async def stage(self) -> StageDocument:
        """Return what is on air. While it is unchanged, so is its `server_time`."""
        return await self._get("/stage", StageDocument)

    async def put_stage(
        self, state: StageState, *, clip_id: str | None = None, seconds: float | None = None
    ) -> StageDocument:
        """Set what is on air: `clip_id` for the states that show one, `seconds` until the state is over."""
        body = {"state": state, "clip_id": clip_id, "seconds": seconds}
        answer = await self._send(
            "PUT", "/stage", json={name: value for name, value in body.items() if value is not None}
        )
        return self._read(answer, StageDocument)

    async def clips(self, *, limit: int = 50, before: str | None = None) -> ClipsPage:
        """Return finished clips, newest first, older than the clip `before` if given."""
        older = f"&before={before}" if before else ""
        return await self._get(f"/clips?limit={limit}{older}", ClipsPage)

    async def health(self) -> HealthDocument:
        """Return whether the studio can work; an unhealthy one says so with a 503 and this document."""
        return self._read(await self._exchange("GET", "/health"), HealthDocument)

    async def renderer(self) -> RendererDocument:
        """Return where it is drawn, and whether a GPU is kept ready."""
        return self._read(await self._send("GET", "/renderer"), RendererDocument)

    async def warm(self, *, seconds: float | None = None) -> RendererDocument:
        """Wish for a GPU that is kept ready, for so many seconds if nobody says it again, and return at once.

        `until` of the answer tells when the wish ends.
        """
        body = {"warm": True} if seconds is None else {"warm": True, "seconds": seconds}
        return self._read(await self._send("PUT", "/renderer", json=body), RendererDocument)

    async def cool(self) -> RendererDocument:
        """Let go of the GPU that was kept ready."""
        return self._read(await self._send("PUT", "/renderer", json={"warm": False}), RendererDocument)

    async def catalog(self) -> CatalogDocument:
        """Return the styles and characters that can be asked for."""
        return await self._get("/catalog", CatalogDocument)

    async def withdraw(self, job_id: str, viewer: str) -> CancelDocument:
        """End a job for the viewer who asked for it, given as in twitch:3000."""
        answer = await self._send("POST", f"/jobs/{job_id}/withdraw", json={"viewer": viewer})
        return self._read(answer, CancelDocument)

    async def vote(self, viewer: str, choice: int) -> VoteDocument:
        """Vote on the open ballot for a viewer, by the number on it."""
        answer = await self._send("POST", "/votes", json={"viewer": viewer, "choice": str(choice)})
        return self._read(answer, VoteDocument)

    async def upvote(self, job_id: str, viewer: str) -> VoteDocument:
        """Vote for a waiting job for a viewer. Voting twice is once."""
        answer = await self._send("POST", f"/jobs/{job_id}/upvote", json={"viewer": viewer})
        return self._read(answer, VoteDocument)

    async def join_pot(self, words: str, *, requested_by: RequestedBy, message_id: str) -> JoinedDocument:
        """Put a viewer's words into the open pot, or open one. The message is the key: sent twice it counts once."""
        body = {"words": words, "requested_by": requested_by.model_dump(), "message_id": message_id}
        answer = await self._send("POST", "/pot", json=body, headers={"Idempotency-Key": message_id})
        return self._read(answer, JoinedDocument)

    async def pots(self) -> PotsDocument:
        """Return the pot that is open, or the last one, and what became of those before."""
        return self._read(await self._send("GET", "/pot"), PotsDocument)

    async def begin_session(self) -> None:
        """Begin the stream's session; one that is live goes on."""
        await self._send("POST", "/session/begin")

    async def end_session(self, *, rest: Literal["draw", "cancel"] = "draw") -> int:
        """End the stream's session, and return how many jobs were cancelled with it."""
        return self._read(await self._send("POST", "/session/end", json={"rest": rest}), SessionDocument).cancelled

    async def tell_chat(self, platform: str, state: str, **particulars: str | dict[str, Any] | None) -> None:
        """Say how a chat is heard: `listening`, `away`, `logged_out` or `revoked`. It holds for 90 s.

        `particulars` are account, channel, detail, reward and quota ({used, limit, resets_at}).
        """
        await self._send("PUT", f"/chats/{platform}", json={"state": state, **particulars})

    async def _get(self, path: str, shape: type[Shape]) -> Shape:
        etag, known = self._seen.get(path, ("", None))
        answer = await self._send("GET", path, headers={"If-None-Match": etag} if etag else {})
        if answer.status_code == httpx.codes.NOT_MODIFIED and isinstance(known, shape):
            self._seen.move_to_end(path)
            return known
        document = self._read(answer, shape)
        if etag := answer.headers.get("ETag", ""):
            self._seen[path] = (etag, document)
        return document

    async def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        answer = await self._exchange(method, path, **content)
        if answer.is_error:
            raise self._refusal(answer)
        return answer

    async def _exchange(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **content)
        except httpx.HTTPError as error:
            raise GatewayUnreachable(url=self.url) from error

    def _refusal(self, answer: httpx.Response) -> SakugaError:
        try:
            told = answer.json()["error"]
            reason, sentence = str(told["code"]), str(told["message"])
        except (ValueError, TypeError, KeyError):
            return GatewayUnreachable(url=self.url)
        wait = answer.headers.get("Retry-After", "")
        return GatewayRefused(
            status=answer.status_code,
            reason=reason,
            sentence=sentence,
            retry_after_s=float(wait) if wait.isdecimal() else None,
        )

    def _read(self, answer: httpx.Response, shape: type[Shape]) -> Shape:
        """Read a document; an answer that is none comes from something else that listens at the address."""
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as error:
            raise GatewayUnreachable(url=self.url) from error
