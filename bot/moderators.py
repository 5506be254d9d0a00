"""The gateway as moderators in chat see it: what they write is done with the bot's own moderator's key."""

from typing import Any, Literal
from urllib.parse import quote

from sakuga.documents import CancelDocument, Document, JobDocument, ShowDocument
from sakuga.gateway import Gateway


class HeldDocument(Document):
    """The jobs that wait for a moderator, the next first."""

    jobs: tuple[JobDocument, ...] = ()


class SwitchedDocument(Document):
    """How the queue is, and whether that was new."""

    changed: bool


class ClearedDocument(Document):
    """How many jobs a clearing ended."""

    cancelled: int


class RetractedDocument(Document):
    """The jobs that were ended, and the clips that were taken out."""

    cancelled: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class PotDocument(Document):
    """What was spent, and what is left where there is a limit, in dollars."""

    spent_usd: float
    left_usd: float | None = None


class BudgetDocument(Document):
    """The pots of this session and of this day."""

    session: PotDocument
    day: PotDocument


class Moderators(Gateway):
    """Acts for moderators: `by` is who wrote it, as in twitch:alice, and stands in the audit beside the key's name.

    Where a platform doesn't tell who it was, `by` is empty, and the key's name stands alone.
    """

    async def move(self, job_id: str, where: str, *, by: str) -> JobDocument:
        """Move a waiting job: `top` or `bottom`."""
        return self._read(await self._act("PATCH", f"/jobs/{job_id}", by, {"position": where}), JobDocument)

    async def hold(self, job_id: str, *, by: str) -> JobDocument:
        """Take a waiting job out of the order."""
        return self._read(await self._act("POST", f"/jobs/{job_id}/hold", by), JobDocument)

    async def approve(self, job_id: str, *, by: str) -> JobDocument:
        """Let a held job wait for its turn."""
        return self._read(await self._act("POST", f"/jobs/{job_id}/approve", by), JobDocument)

    async def held(self) -> tuple[JobDocument, ...]:
        """Return the jobs that are held, the next first."""
        return self._read(await self._send("GET", "/held"), HeldDocument).jobs

    async def cancel(self, job_id: str, *, by: str) -> CancelDocument:
        """End a job wherever it is."""
        return self._read(await self._act("POST", f"/jobs/{job_id}/cancel", by), CancelDocument)

    async def switch(self, way: str, *, by: str) -> bool:
        """Pause, resume, open or close the queue, and return whether that changed anything."""
        return self._read(await self._act("POST", f"/queue/{way}", by), SwitchedDocument).changed

    async def clear(self, *, by: str) -> int:
        """End all that wait, and return how many those were."""
        return self._read(await self._act("POST", "/queue/clear", by), ClearedDocument).cancelled

    async def ban(
        self,
        viewer: str,
        *,
        by: str = "",
        minutes: float | None = None,
        clips: bool = False,
        reason: str = "by chat",
    ) -> RetractedDocument:
        """Keep a viewer out, for so many minutes or for good, and return what ended with that.

        With `clips` what they asked for in this stream goes as well, and a ban that lasts longer stays.
        """
        body: dict[str, Any] = {"viewer": viewer, "reason": reason}
        body |= ({"minutes": minutes} if minutes is not None else {}) | ({"clips": True} if clips else {})
        return self._read(await self._act("POST", "/bans", by, body), RetractedDocument)

    async def unban(self, viewer: str, *, by: str = "") -> None:
        """Let a viewer ask again. It is no error if there was no ban."""
        await self._act("DELETE", f"/bans/{quote(viewer, safe=':')}", by)

    async def retract(
        self,
        kind: Literal["message", "viewer", "chat"],
        platform: str,
        *,
        message_id: str | None = None,
        viewer: str | None = None,
        by: str = "",
    ) -> RetractedDocument:
        """Take back what a deleted message, a viewer who was removed, or a cleared chat has asked for.

        Repeated, it finds nothing left. `message_id` is for a message, `viewer` for a viewer, as in twitch:3000.
        """
        body = {"kind": kind, "platform": platform, "message_id": message_id, "viewer": viewer}
        answer = await self._act("POST", "/retractions", by, {name: part for name, part in body.items() if part})
        return self._read(answer, RetractedDocument)

    async def set_show(self, *, by: str = "", **changes: str | list[str] | None) -> ShowDocument:
        """Set `style` or `characters` of jobs that name none; None leaves them to the studio file again."""
        return self._read(await self._act("PUT", "/show", by, dict(changes)), ShowDocument)

    async def dump(self, *, by: str) -> None:
        """Black out the stage."""
        await self._act("POST", "/stage/dump", by)

    async def release(self, *, by: str) -> None:
        """Give the stage back."""
        await self._act("POST", "/stage/release", by)

    async def budget(self) -> BudgetDocument:
        """Return what was spent and what is left."""
        return self._read(await self._send("GET", "/budget"), BudgetDocument)

    async def _act(self, method: str, path: str, by: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"X-On-Behalf-Of": by} if by else {}
        return await self._send(method, path, headers=headers, **({"json": body} if body else {}))
