"""The gateway as moderators in chat see it: what they write is done with the bot's own moderator's key."""

from typing import Any

from sakuga.documents import CancelDocument, Document, JobDocument
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


class BannedDocument(Document):
    """The jobs that a ban ended."""

    cancelled: tuple[str, ...] = ()


class PotDocument(Document):
    """What was spent, and what is left where there is a limit, in dollars."""

    spent_usd: float
    left_usd: float | None = None


class BudgetDocument(Document):
    """The pots of this session and of this day."""

    session: PotDocument
    day: PotDocument


class Moderators(Gateway):
    """Acts for moderators: `by` is who wrote it, as in twitch:alice, and stands in the audit beside the key's name."""

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

    async def ban(self, viewer: str, *, by: str) -> int:
        """Keep a viewer out, and return how many jobs ended with that."""
        answer = await self._act("POST", "/bans", by, {"viewer": viewer, "reason": "by chat"})
        return len(self._read(answer, BannedDocument).cancelled)

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
        return await self._send(method, path, headers={"X-On-Behalf-Of": by}, **({"json": body} if body else {}))
