"""What moderators do to the whole queue: pause, open, close, drain, clear; bans; the audit log and taking back."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.decision import Decision, reason_of
from api.documents import Document, time_of
from api.door import Caller, at_least
from api.errors import described
from api.jobs import Moderator
from api.retractions import shred
from api.state import State, Studio
from sakuga import store
from sakuga.act import Act, Entry
from sakuga.ban import Ban
from sakuga.prompt import clean_line
from sakuga.role import Role

router = APIRouter(tags=["moderation"])

Viewer = Annotated[str, Path(max_length=80, pattern=r"^[a-z]+:[^\s/]+$", description="As in twitch:3000.")]


class QueueState(Document):
    """How the queue is."""

    open: bool = Field(description="Whether it takes requests.")
    paused: bool = Field(description="Whether those that wait are kept waiting.")
    draining: bool = Field(description="Whether the GPU is let go of once nobody waits any more.")
    changed: bool = Field(description="Whether this request changed anything.")


class ClearedDocument(Document):
    """What a clearing ended."""

    cancelled: int = Field(description="Jobs that waited and were ended.", examples=[7])


class BanRequest(BaseModel):
    """Whom to keep out, and for how long."""

    model_config = ConfigDict(extra="forbid", strict=True)

    viewer: str = Field(
        max_length=80,
        pattern=r"^[a-z]+:[^\s/]+$",
        description="By id or by login: twitch:3000 or twitch:mika.",
        examples=["twitch:3000"],
    )
    minutes: float | None = Field(default=None, gt=0, le=525_600, description="How long; for ever if left out.")
    reason: Annotated[str, AfterValidator(clean_line)] = Field(
        default="", max_length=200, description="Why, for the audit log.", examples=["spam"]
    )
    clips: bool = Field(
        default=False,
        description="Whether what they asked for goes as well, as POST /retractions takes it; a ban that lasts longer "
        "stays then. For bans and time-outs of a platform.",
    )


class BanDocument(Document):
    """A viewer who may not ask."""

    viewer: str = Field(examples=["twitch:3000"])
    reason: str
    by: str = Field(examples=["alice"])
    at: str
    until: str | None = Field(description="When it ends; never if null.")

    @classmethod
    def of(cls, ban: Ban) -> "BanDocument":
        """Describe a ban."""
        return cls(
            viewer=ban.viewer,
            reason=ban.reason,
            by=ban.by,
            at=time_of(ban.at),
            until=time_of(ban.until) if ban.until else None,
        )


class BannedDocument(BanDocument):
    """A ban, and what it ended."""

    cancelled: list[str] = Field(description="Jobs of the viewer that were stopped.")
    removed: list[str] = Field(default_factory=list, description="Clips of the viewer that were taken out.")


class BansDocument(Document):
    """Who may not ask."""

    bans: list[BanDocument]


class EntryDocument(Document):
    """An act in the audit log."""

    act_id: str = Field(examples=["1795154400000-0"])
    at: str
    undone: bool = Field(description="Whether it was taken back.")
    undoable: bool = Field(description="Whether it can be.")
    act: Act

    @classmethod
    def of(cls, entry: Entry) -> "EntryDocument":
        """Describe an act."""
        undoable = entry.act.undo is not None and not entry.undone
        return cls(act_id=entry.id, at=time_of(entry.at), undone=entry.undone, undoable=undoable, act=entry.act)


class AuditDocument(Document):
    """What moderators did, the newest first."""

    acts: list[EntryDocument]


async def _state(studio: State, *, changed: bool) -> QueueState:
    board = await studio.queue.board()
    return QueueState(open=not board.closed, paused=board.paused, draining=board.draining, changed=changed)


@router.post("/queue/pause", responses=described(), summary="Keep those that wait waiting")
async def pause(caller: Moderator, studio: Studio) -> QueueState:
    """Let nobody begin; what runs is not touched, and nobody expires meanwhile."""
    return await _state(studio, changed=await studio.moderation.pause(by=caller.by))


@router.post("/queue/resume", responses=described(), summary="Go on after a pause")
async def resume(caller: Moderator, studio: Studio) -> QueueState:
    """Let the next begin again."""
    return await _state(studio, changed=await studio.moderation.resume(by=caller.by))


@router.post("/queue/open", responses=described(), summary="Take requests")
async def open_queue(caller: Moderator, studio: Studio) -> QueueState:
    """Take requests again."""
    return await _state(studio, changed=await studio.moderation.open(by=caller.by))


@router.post("/queue/close", responses=described(), summary="Take no more requests")
async def close_queue(caller: Moderator, studio: Studio) -> QueueState:
    """Take no more requests; what waits is still drawn."""
    return await _state(studio, changed=await studio.moderation.close(by=caller.by))


@router.post("/queue/drain", responses=described(), summary="Come to an end")
async def drain(caller: Moderator, studio: Studio) -> QueueState:
    """Take no more requests, draw what waits, then let go of the GPU."""
    return await _state(studio, changed=await studio.moderation.drain(by=caller.by))


@router.post("/queue/clear", responses=described(400, 413, 415, 422), summary="End all that wait")
async def clear(caller: Moderator, studio: Studio, why: Decision | None = None) -> ClearedDocument:
    """Cancel every job that waits or is held; what runs goes on."""
    return ClearedDocument(cancelled=await studio.moderation.clear(by=caller.by, reason=reason_of(why)))


@router.post("/bans", status_code=201, responses=described(400, 413, 415, 422), summary="Keep a viewer out")
async def ban(wanted: BanRequest, caller: Moderator, studio: Studio) -> BannedDocument:
    """Refuse a viewer's requests and stop what they have waiting or in work."""
    until = None if wanted.minutes is None else await store.clock(studio.redis) + wanted.minutes * 60
    if wanted.clips:
        made, gone = await studio.retractions.ban(wanted.viewer, by=caller.by, reason=wanted.reason, until=until)
        await shred(studio, gone)
        return BannedDocument(**BanDocument.of(made).model_dump(), cancelled=gone.cancelled, removed=gone.removed)
    made, ended = await studio.moderation.ban(wanted.viewer, by=caller.by, reason=wanted.reason, until=until)
    return BannedDocument(**BanDocument.of(made).model_dump(), cancelled=ended)


@router.delete("/bans/{viewer}", status_code=204, responses=described(422), summary="Let a viewer in again")
async def unban(viewer: Viewer, caller: Moderator, studio: Studio) -> None:
    """Take a ban back. It is no error if there was none."""
    await studio.moderation.unban(viewer, by=caller.by)


@router.get("/bans", responses=described(), summary="Who is kept out")
async def bans(caller: Moderator, studio: Studio) -> BansDocument:
    """Return who may not ask, the newest first."""
    del caller
    return BansDocument(bans=[BanDocument.of(one) for one in await studio.moderation.bans()])


@router.get("/audit", responses=described(422), summary="What moderators did")
async def audit(
    caller: Moderator,
    studio: Studio,
    limit: Annotated[int, Query(ge=1, le=500, description="How many.")] = 100,
    before: Annotated[
        str | None, Query(max_length=40, pattern=r"^\d+-\d+$", description="Those older than this act.")
    ] = None,
) -> AuditDocument:
    """Return acts of moderators, the newest first. Prompts are not among it."""
    del caller
    acts = await studio.moderation.audit.latest(limit, before=before)
    return AuditDocument(acts=[EntryDocument.of(entry) for entry in acts])


@router.post("/audit/{act_id}/undo", responses=described(404, 409, 422), summary="Take an act back")
async def undo(
    act_id: Annotated[str, Path(max_length=40, description="An act of GET /audit.", examples=["1795154400000-0"])],
    caller: Annotated[Caller, at_least(Role.MODERATOR)],
    studio: Studio,
) -> EntryDocument:
    """Take an act back, once: a move, a decision, a ban, a switch of the queue, a cancel of a job that waited."""
    return EntryDocument.of(await studio.moderation.undo(act_id, by=caller.by))
