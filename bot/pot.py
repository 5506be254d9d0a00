"""The pot in chat: puts viewers' words into it, and tells what became of it."""

import asyncio
from collections.abc import Callable

from bot.line import Line
from bot.watch import Watch
from sakuga.documents import JoinedDocument, PotDocument, PotsDocument
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import Gateway
from sakuga.log import get_logger
from sakuga.pot import Poured
from sakuga.replies import Replies

LOOK_EVERY_S = 2.0
WAITS = frozenset({"open", "pouring"})

log = get_logger("bot")


class Pot:
    """Follows each pot that this bot has put words into, until it is poured, and then the job that was made of it.

    Who opened it is told, by `answer(text, message_id, name)`.
    """

    def __init__(
        self,
        gateway: Gateway,
        watch: Watch,
        answer: Callable[[str, str, str], None],
        *,
        replies: Replies,
    ) -> None:
        self._gateway = gateway
        self._watch = watch
        self._answer = answer
        self._replies = replies
        self._following: dict[str, asyncio.Task[None]] = {}

    async def join(self, line: Line, words: str) -> tuple[JoinedDocument, str]:
        """Put a viewer's words into the pot, and return how that went and what to say.

        Raises GatewayRefused, GatewayUnreachable.
        """
        joined = await self._gateway.join_pot(words, requested_by=line.viewer, message_id=line.id)
        pot = joined.pot
        self._attend(pot, line.id, line.viewer.name)
        if joined.joined == "opened":
            wait = self._replies.wait((pot.closes_at - pot.opened_at).total_seconds())
            return joined, self._replies.say("pot.opened", name=line.viewer.name, wait=wait)
        count = self._replies.counted(len(pot.names), "viewer")
        return joined, self._replies.say("pot.joined", name=line.viewer.name, count=count)

    async def resume(self) -> None:
        """Follow a pot that the bot before this one had put words into. Raises GatewayRefused, GatewayUnreachable."""
        pot = (await self._gateway.pots()).pot
        if pot is not None:
            self._attend(pot, "", next(iter(pot.names), ""))

    def _attend(self, pot: PotDocument, message_id: str, name: str) -> None:
        if pot.state in WAITS and pot.pot_id not in self._following:
            task = asyncio.create_task(self._follow(pot.pot_id, message_id, name), name=f"follow {pot.pot_id}")
            self._following[pot.pot_id] = task
            task.add_done_callback(lambda _: self._following.pop(pot.pot_id, None))

    async def close(self) -> None:
        """Stop following."""
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, pot_id: str, message_id: str, name: str) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                found = await self._gateway.pots()
                if not _waits(found, pot_id):
                    for past in found.poured:
                        if past.pot_id == pot_id:
                            await self._told(past, message_id, name)
                    return
            except GatewayUnreachable:
                continue
            except GatewayRefused as error:
                if error.status < 500:  # noqa: PLR2004 - else it is the gateway's trouble, not the pot's end
                    log.warning("pot.unfollowed", pot_id=pot_id, reason=error.reason)
                    return

    async def _told(self, past: Poured, message_id: str, name: str) -> None:
        """Say what became of a pot."""
        if past.job_id is None:
            said = self._replies.say("pot.spilled", name=name)
            if past.reason:
                said = self._replies.refused(GatewayRefused(status=409, reason=past.reason, sentence=said), name=name)
            self._answer(said, message_id, name)
            return
        job = await self._gateway.status(past.job_id)
        if not job.terminal:
            told = self._replies.say("pot.poured", author=job.requested_by.name, said=self._replies.place(job))
            self._answer(told, message_id, name)
        self._watch.follow(job.job_id, message_id, name)


def _waits(found: PotsDocument, pot_id: str) -> bool:
    return found.pot is not None and found.pot.pot_id == pot_id and found.pot.state in WAITS
