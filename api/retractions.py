"""POST /retractions: what moderators of a platform take back is taken back here."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.documents import CLIP_ID, JOB_ID, Document
from api.errors import described
from api.jobs import Moderator
from api.state import State, Studio
from sakuga.errors import StorageUnavailable
from sakuga.log import get_logger
from sakuga.retraction import Gone

log = get_logger("retractions")
router = APIRouter(tags=["moderation"])


class RetractionRequest(BaseModel):
    """What was taken back: one message, all of a viewer, or the whole chat."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {"platform": "twitch", "kind": "message", "message_id": "cc106a89-1814-919d-454c-f4f2f970aae7"},
                {"platform": "twitch", "kind": "viewer", "viewer": "twitch:3000"},
                {"platform": "twitch", "kind": "chat"},
            ]
        },
    )

    platform: str = Field(max_length=20, pattern=r"^[a-z]+$", description="Where the chat is.", examples=["twitch"])
    kind: Literal["message", "viewer", "chat"] = Field(
        description="`message`: what it asked for. `viewer`: what they asked for in this stream, or within 12 hours "
        "if none is live. `chat`: what waits or is drawn for anybody there, and their clip on the stage.",
        examples=["message"],
    )
    message_id: str | None = Field(
        default=None, min_length=1, max_length=100, pattern=r"^[!-~]+$", description="For `message`."
    )
    viewer: str | None = Field(
        default=None,
        max_length=80,
        pattern=r"^[a-z]+:[^\s/]+$",
        description="For `viewer`, by id or by login: twitch:3000 or twitch:mika.",
    )

    @model_validator(mode="after")
    def _whole(self) -> "RetractionRequest":
        needed = {"message": (True, False), "viewer": (False, True), "chat": (False, False)}[self.kind]
        if needed != (self.message_id is not None, self.viewer is not None):
            msg = "a message needs its message_id, a viewer needs viewer, and a chat needs neither"
            raise ValueError(msg)
        if self.viewer is not None and not self.viewer.startswith(f"{self.platform}:"):
            msg = "viewer begins with the platform, as in twitch:3000"
            raise ValueError(msg)
        return self


class RetractedDocument(Document):
    """What went with it. Sent again, it finds nothing left."""

    cancelled: list[str] = Field(
        description="Jobs that were ended; one that was being drawn stops within a second.", examples=[[JOB_ID]]
    )
    removed: list[str] = Field(description="Clips that left stage, gallery and storage for good.", examples=[[CLIP_ID]])


@router.post("/retractions", responses=described(400, 413, 415, 422), summary="Take back what a chat took back")
async def retract(wanted: RetractionRequest, caller: Moderator, studio: Studio) -> RetractedDocument:
    """End the jobs of a deleted message, of a viewer who was removed, or of a cleared chat, and take out their clips.

    From then on nobody but moderators reads the words. All of it stands in the audit as one act, which can't be taken
    back: a moderator may try a job again, and it is held first.
    """
    match wanted:
        case RetractionRequest(kind="message", message_id=str(message_id)):
            gone = await studio.retractions.message(wanted.platform, message_id, by=caller.by)
        case RetractionRequest(kind="viewer", viewer=str(viewer)):
            gone = await studio.retractions.viewer(viewer, by=caller.by)
        case _:
            gone = await studio.retractions.chat(wanted.platform, by=caller.by)
    await shred(studio, gone)
    return RetractedDocument(cancelled=gone.cancelled, removed=gone.removed)


async def shred(studio: State, gone: Gone) -> None:
    """Remove the files of what went. Where the storage is away they are removed later: nobody can see them any more."""
    if gone.removed:
        log.info("clips.taken_out", count=len(gone.removed))
    try:
        await studio.shredder.shred()
    except StorageUnavailable as error:
        log.warning("clips.not_shredded", code=error.code)
