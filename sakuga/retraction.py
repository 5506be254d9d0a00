"""Retractions: what moderators of a platform take back, and what the studio takes back with it."""

from dataclasses import dataclass, field
from typing import Literal

from arq.constants import abort_jobs_ss, in_progress_key_prefix, job_key_prefix

from sakuga import store
from sakuga.act import Act
from sakuga.ban import Ban, known_as
from sakuga.queue import SESSION

Kind = Literal["message", "viewer", "chat"]
UNKNOWN_KEPT_S = (
    600  # a message that was deleted before it was asked with, as by a program that is slower than the chat
)
WHY: dict[Kind, str] = {
    "message": "message deleted in chat",
    "viewer": "viewer removed from chat",
    "chat": "chat cleared",
}


@dataclass(frozen=True, slots=True)
class Gone:
    """What a retraction ended. Who repeats one finds nothing left to end."""

    cancelled: list[str] = field(default_factory=list)
    """Ids of jobs; one that was being drawn stops within a second."""
    removed: list[str] = field(default_factory=list)
    """Ids of clips; their files are the shredder's to remove."""


class Retractions:
    """Takes back by what a chat knows: a message, a viewer, or all of it.

    Each is one step, with one entry in the audit that names what went, or none if nothing did. No such act can be taken
    back: moderators try a job again, and it is held for them.
    """

    def __init__(self, redis: store.Client) -> None:
        self._redis = redis
        self._retract = store.script(redis, "retract")
        self._ban = store.script(redis, "ban")

    async def message(self, platform: str, message_id: str, *, by: str) -> Gone:
        """Take back what a message asked for. What is asked for with it later is refused."""
        return await self._taken("message", platform, message_id, by)

    async def viewer(self, viewer: str, *, by: str) -> Gone:
        """Take back what a viewer asked for since the stream began, or within twelve hours, and all of it that waits.

        A viewer is named as bans name them: `twitch:3000` or `twitch:mika`.
        """
        platform, _, _ = viewer.partition(":")
        return await self._taken("viewer", platform, known_as(viewer), by)

    async def chat(self, platform: str, *, by: str) -> Gone:
        """Take back what is under way from a platform's chat, and its clip on the stage; the gallery stays."""
        return await self._taken("chat", platform, "", by)

    async def ban(self, viewer: str, *, by: str, reason: str = "", until: float | None = None) -> tuple[Ban, Gone]:
        """Keep a viewer out and take back what they asked for; return the ban that holds, and what went.

        A ban that lasts longer stays: who is banned for good is not let in by a time-out.
        """
        viewer = known_as(viewer)
        made = Ban(viewer=viewer, reason=reason, by=by, at=await store.clock(self._redis), until=until)
        act = Act(type="ban.added", by=by, viewer=viewer, reason=reason, undo="unban")
        await self._ban(args=[viewer, made.model_dump_json(), act.model_dump_json(), "", "longest"])
        gone = await self.viewer(viewer, by=by)
        holds = await self._redis.hget(store.BANS, viewer)
        return Ban.model_validate_json(holds) if holds else made, gone

    async def _taken(self, kind: Kind, platform: str, whose: str, by: str) -> Gone:
        act = Act(
            type="chat.retracted",
            by=by,
            viewer=whose if kind == "viewer" else None,
            reason=WHY[kind],
            detail={"kind": kind, "platform": platform} | ({"message_id": whose} if kind == "message" else {}),
        )
        cancelled, removed = await self._retract(
            args=[
                kind,
                platform,
                whose,
                SESSION.total_seconds(),
                WHY[kind],
                act.model_dump_json(),
                in_progress_key_prefix,
                job_key_prefix,
                abort_jobs_ss,
                UNKNOWN_KEPT_S,
            ]
        )
        return Gone(list(cancelled), list(removed))
