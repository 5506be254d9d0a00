"""The watch: follows accepted jobs to their end and tells who asked."""

import asyncio
from collections.abc import Callable

from bot.replies import Replies
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import Gateway, JobDocument
from sakuga.log import get_logger

LONGEST_PAUSE_S = 10.0
SHARE_OF_ETA = 0.25

log = get_logger("bot")


class Watch:
    """Polls each followed job, more often towards its end, and calls `announce(text, message_id, name)` once.

    A gateway that is away is asked again until it is back: the jobs it accepted are still there.
    """

    def __init__(
        self,
        gateway: Gateway,
        announce: Callable[[str, str, str], None],
        *,
        replies: Replies,
        link: Callable[[str], str | None],
        away_pause_s: float = 2.0,
    ) -> None:
        self._gateway = gateway
        self._announce = announce
        self._replies = replies
        self._link = link
        self._away_pause_s = away_pause_s
        self._following: dict[str, asyncio.Task[None]] = {}

    def follow(self, job_id: str, message_id: str, name: str) -> None:
        """Tell the author of a message when the job has ended. Following twice is once."""
        if job_id in self._following:
            return
        task = asyncio.create_task(self._follow(job_id, message_id, name), name=f"follow {job_id}")
        self._following[job_id] = task
        task.add_done_callback(lambda _: self._following.pop(job_id, None))

    def leave(self, job_id: str) -> None:
        """Stop following a job whose end was told already."""
        if task := self._following.pop(job_id, None):
            task.cancel()

    async def close(self) -> None:
        """Stop following."""
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, job_id: str, message_id: str, name: str) -> None:
        while True:
            try:
                job = await self._gateway.status(job_id)
            except GatewayUnreachable:
                await asyncio.sleep(self._away_pause_s)
                continue
            except GatewayRefused as error:
                if error.status >= 500:  # noqa: PLR2004 - the gateway's trouble, not the job's end
                    await asyncio.sleep(self._away_pause_s)
                    continue
                log.warning("job.unfollowed", job_id=job_id, reason=error.reason)
                return
            if job.terminal:
                break
            await asyncio.sleep(pause_s(job))
        log.info("job.ended", job_id=job_id, cut=job.cut, status=str(job.status))
        link = self._link(job.video_url) if job.video_url else None
        self._announce(self._replies.ended(job, link=link), message_id, name)


def pause_s(job: JobDocument) -> float:
    """Return the seconds until a job is worth asking for again: a share of its ETA, not less than the gateway wants."""
    wanted = (job.poll_after_ms or 1000) / 1000
    return max(wanted, min((job.eta_seconds or 0) * SHARE_OF_ETA, LONGEST_PAUSE_S))
