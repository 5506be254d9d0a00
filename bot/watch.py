"""The watch: follows accepted jobs to their end and tells who asked."""

import asyncio
from collections.abc import Callable

from bot.memory import Memory
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import Gateway, JobDocument
from sakuga.job import JobStatus
from sakuga.log import get_logger
from sakuga.replies import Replies

LONGEST_PAUSE_S = 10.0
SHARE_OF_ETA = 0.25
LEAVE_S = 0.5  # who had a job cancelled through this bot says within that whether its end is still to be told
Saying = Callable[[JobDocument, str | None], str]
"""Says how a job ended, with a link to its clip if viewers can open it."""

log = get_logger("bot")


class Watch:
    """Polls each followed job, more often towards its end, and calls `announce(text, message_id, name)` once.

    A gateway that is away is asked again until it is back: the jobs it accepted are still there. What is followed is
    remembered, and `resume` goes on with it after the bot was started again.
    """

    def __init__(
        self,
        gateway: Gateway,
        announce: Callable[[str, str, str], None],
        *,
        replies: Replies,
        link: Callable[[str], str | None],
        memory: Memory | None = None,
        away_pause_s: float = 2.0,
    ) -> None:
        self._gateway = gateway
        self._announce = announce
        self._replies = replies
        self._link = link
        self._memory = Memory() if memory is None else memory
        self._away_pause_s = away_pause_s
        self._following: dict[str, asyncio.Task[None]] = {}

    def follow(self, job_id: str, message_id: str, name: str, *, saying: Saying | None = None) -> None:
        """Tell the author of a message when the job has ended, in other words if given. Following twice is once.

        One with words of its own is not remembered: whoever gave those knows to follow it again.
        """
        if job_id in self._following:
            return
        if saying is None:
            self._memory.follow(job_id, message_id, name)
        task = asyncio.create_task(self._follow(job_id, message_id, name, saying), name=f"follow {job_id}")
        self._following[job_id] = task
        task.add_done_callback(lambda _: self._following.get(job_id) is task and self._following.pop(job_id))

    def resume(self) -> None:
        """Go on with what the bot before this one followed."""
        for job_id, message_id, name in self._memory.followed():
            self.follow(job_id, message_id, name)

    def leave(self, job_id: str) -> None:
        """Stop following a job whose end was told already."""
        self._memory.unfollow(job_id)
        if task := self._following.pop(job_id, None):
            task.cancel()

    async def close(self) -> None:
        """Stop following."""
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, job_id: str, message_id: str, name: str, saying: Saying | None) -> None:
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
                self._memory.unfollow(job_id)
                return
            if job.terminal:
                break
            await asyncio.sleep(pause_s(job))
        if job.status is JobStatus.CANCELLED:
            await asyncio.sleep(LEAVE_S)
        log.info("job.ended", job_id=job_id, cut=job.cut, status=str(job.status))
        link = self._link(job.video_url) if job.video_url else None
        self._memory.unfollow(job_id)
        self._announce(saying(job, link) if saying else self._replies.ended(job, link=link), message_id, name)


def pause_s(job: JobDocument) -> float:
    """Return the seconds until a job is worth asking for again: a share of its ETA, not less than the gateway wants."""
    wanted = (job.poll_after_ms or 1000) / 1000
    return max(wanted, min((job.eta_seconds or 0) * SHARE_OF_ETA, LONGEST_PAUSE_S))
