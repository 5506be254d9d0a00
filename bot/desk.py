"""The front desk: hears lines of chat, asks the gateway and answers."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from bot.bench import MOST, Bench
from bot.commands import ASKING, MODERATORS, Command, Name, parse
from bot.line import Line
from bot.memory import Memory
from bot.notices import Notices
from bot.pot import Pot
from bot.recent import Recent
from bot.till import CreditDocument
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import AcceptedJob, Gateway, JobDocument
from sakuga.job import cut
from sakuga.latest import Latest
from sakuga.log import get_logger
from sakuga.replies import Replies

# What everybody reads is said once in so long, whoever asks.
COMMON_PAUSE_S = 30.0
# The same answer to the same viewer: Twitch drops repeats within 30 s anyway.
REPEAT_PAUSE_S = 30.0
UNTIL_ACCEPTED = ("cooling_down", "viewer_busy", "queue_full")
VIEWERS = 2000  # whose last request is remembered
CHIEFS = frozenset({"moderator", "broadcaster"})
NEWEST = 3  # changes of a purse that are told
COMMANDS = TypeAdapter(Command)

log = get_logger("bot")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a viewer last asked for, and the job that it became."""

    command: Command
    job: AcceptedJob


class Till(Protocol):
    """Knows what viewers have for later."""

    async def credit(self, viewer: str) -> CreditDocument:
        """Return the purse of a viewer, given as in twitch:3000."""


class Desk:
    """Answers commands by `answer(text, message_id, name)`. What may be asked and by whom is the gateway's to say."""

    def __init__(
        self,
        gateway: Gateway,
        watch: Watch,
        answer: Callable[[str, str, str], None],
        *,
        bench: Bench,
        replies: Replies,
        chat: Callable[[], ChatPolicy],
        link: Callable[[str], str | None],
        till: Till | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._gateway = gateway
        self._watch = watch
        self._answer = answer
        self._bench = bench
        self._replies = replies
        self._chat = chat
        self._till = till
        self._memory = Memory() if memory is None else memory
        self._pot = Pot(gateway, watch, answer, replies=replies)
        self._notices = Notices(gateway, replies, link)
        self._said = Recent(COMMON_PAUSE_S)
        self._told = Recent(REPEAT_PAUSE_S)
        self._asked: Latest[Asked] = Latest(VIEWERS)
        self._does: Mapping[Name, Callable[[Line, Command], Awaitable[bool | None]]] = {
            "anime": self._anime,
            "remix": self._remix,
            "ensemble": self._ensemble,
            "credit": self._credit,
            "again": self._again,
            "pos": self._pos,
            "cancel": self._cancel,
            "vote": self._vote,
            "queue": self._common,
            "style": self._common,
            "character": self._common,
            "gallery": self._common,
            "help": self._common,
        }

    async def hear(self, line: Line) -> bool | None:
        """Handle one line: True if it became a request, False if one was refused, None if it was none.

        Lines without a command of ours pass in silence, and moderators' commands of others do.
        """
        self._bench.notice(line)
        command, chief = parse(line.text, self._chat()), bool(CHIEFS & {*line.viewer.roles})
        if command is None or (command.name in MODERATORS and not chief):
            return None
        try:
            if command.name in MODERATORS or (command.names and chief):
                self._answer(await self._bench.act(line, command), line.id, line.viewer.name)
                return None
            return await self._does[command.name](line, command)
        except GatewayRefused as error:
            log.info("job.refused", code=error.reason, viewer=line.viewer.login)
            wait_s = max(REPEAT_PAUSE_S, error.retry_after_s or 0)
            self._tell(line, error.reason, self._replies.refused(error, name=line.viewer.name), within_s=wait_s)
        except GatewayUnreachable as error:
            log.warning("gateway.unreachable", url=self._gateway.url)
            self._hint(line, error.code)
        return False if command.name in ASKING else None

    async def resume(self) -> None:
        """Go on with what viewers had begun to put together before the bot was started."""
        with suppress(GatewayRefused, GatewayUnreachable):
            await self._pot.resume()

    async def close(self) -> None:
        """Stop following what viewers put together."""
        await self._pot.close()

    # --- the viewer's own --------------------------------------------------------------------------------------------

    async def _anime(self, line: Line, command: Command) -> bool:
        if not command.prompt:
            self._hint(line, "prompt_empty")
            return False
        return await self._ask(line, command)

    async def _remix(self, line: Line, command: Command) -> bool:
        return await self._ask(line, command, remix={} if command.number is None else {"number": command.number})

    async def _ask(self, line: Line, command: Command, **wishes: Any) -> bool:
        job = await self._gateway.generate(
            command.prompt,
            requested_by=line.viewer,
            key=line.id,
            style=command.style,
            characters=command.characters or None,
            preset=command.preset,
            message_id=line.id,
            **wishes,
        )
        log.info("job.accepted", job_id=job.job_id, cut=job.cut, position=job.queue_position)
        log.debug("job.asked", job_id=job.job_id, prompt=command.prompt)
        self._asked[line.viewer.viewer] = Asked(command, job)
        self._memory.ask(line.viewer.viewer, COMMANDS.dump_json(command).decode())
        for code in UNTIL_ACCEPTED:
            self._told.forget((line.viewer.viewer, code))
        if not job.terminal:
            self._answer(self._replies.place(job), line.id, line.viewer.name)
        self._watch.follow(job.job_id, line.id, line.viewer.name)
        return True

    async def _again(self, line: Line, _: Command) -> bool | None:
        try:
            command = COMMANDS.validate_json(self._memory.asked(line.viewer.viewer) or "null")
        except ValidationError:
            self._hint(line, "again.absent")
            return False
        return await self._does[command.name](line, command)

    async def _ensemble(self, line: Line, command: Command) -> None:
        if not command.prompt:
            self._hint(line, "pot.how")
            return
        joined, said = await self._pot.join(line, command.prompt)
        if joined.joined != "again":
            self._tell(line, f"{joined.joined} {joined.pot.pot_id}", said)

    async def _credit(self, line: Line, _: Command) -> None:
        if self._till is None or not line.viewer.viewer:
            return
        purse = await self._till.credit(line.viewer.viewer)
        newest = ", ".join(f"{change.bits:+d} {change.reason}" for change in purse.entries[:NEWEST])
        told = {"count": self._replies.counted(purse.bits, "bit"), "newest": f" ({newest})"} if purse.bits else {}
        self._hint(line, "credit.told" if told else "credit.none", **told)

    async def _pos(self, line: Line, _: Command) -> None:
        job = await self._own(line)
        if job is None:
            self._hint(line, "queue.absent")
        else:
            self._tell(line, job.job_id, self._replies.place(job))

    async def _cancel(self, line: Line, command: Command) -> None:
        job = await self._own(line) if command.number is None else await self._numbered(line, command.number)
        if job is None:
            self._absent(line, command)
            return
        ended = await self._gateway.withdraw(job.job_id, line.viewer.viewer)
        if ended.status == "cancelled":
            self._watch.leave(job.job_id)  # the end is told here
        key = f"job.{ended.status}" if ended.status in ("cancelled", "cancelling") else "job.over"
        self._tell(line, f"{key} {job.cut}", self._replies.say(key, name=line.viewer.name, cut=job.cut))

    async def _vote(self, line: Line, command: Command) -> None:
        """Count a vote. One on the ballot is only answered when it did not count: the stream shows the others."""
        if command.choice is not None:
            await self._gateway.vote(line.viewer.viewer, command.choice)
        elif command.number is None:
            self._hint(line, "vote.how")
        elif (job := await self._numbered(line, command.number)) is None:
            self._absent(line, command)
        else:
            told = await self._gateway.upvote(job.job_id, line.viewer.viewer)
            if self._said.add(job.job_id):
                said = self._replies.say("job.voted", cut=job.cut, votes=self._replies.counted(told.votes or 0, "vote"))
                self._answer(said, line.id, line.viewer.name)

    # --- what everybody reads ----------------------------------------------------------------------------------------

    async def _common(self, line: Line, command: Command) -> None:
        said_here = (line.viewer.platform, command.name)
        if not self._said.add(said_here):
            return
        try:
            said = await self._notices.of(command.name)
        except (GatewayRefused, GatewayUnreachable):
            self._said.forget(said_here)
            raise
        self._answer(said, line.id, line.viewer.name)

    # --- finding and telling -----------------------------------------------------------------------------------------

    async def _own(self, line: Line) -> JobDocument | None:
        """Return the viewer's newest job that has not ended; one that is held is known by what they asked last."""
        queue = await self._gateway.queue(limit=MOST)
        mine = [
            job
            for job in (*queue.running, *queue.waiting)
            if (job.requested_by.platform, job.requested_by.login) == (line.viewer.platform, line.viewer.login)
        ]
        if not mine and (asked := self._asked.get(line.viewer.viewer)):
            mine = [job for job in [await self._gateway.status(asked.job.job_id)] if not job.terminal]
        return max(mine, key=lambda job: job.number, default=None)

    async def _numbered(self, line: Line, number: int) -> JobDocument | None:
        queue = await self._gateway.queue(limit=MOST)
        found = next((job for job in (*queue.running, *queue.waiting) if job.number == number), None)
        asked = self._asked.get(line.viewer.viewer)
        if found is None and asked and asked.job.number == number:
            return await self._gateway.status(asked.job.job_id)
        return found

    def _absent(self, line: Line, command: Command) -> None:
        if command.number is None:
            self._hint(line, "queue.absent")
        else:
            self._hint(line, "job.absent", cut=cut(command.number))

    def _hint(self, line: Line, key: str, **data: str) -> None:
        self._tell(line, " ".join((key, *data.values())), self._replies.say(key, name=line.viewer.name, **data))

    def _tell(self, line: Line, what: str, text: str, *, within_s: float | None = None) -> None:
        """Answer, unless this viewer was told the same a moment ago."""
        if self._told.add((line.viewer.viewer, what), within_s=within_s):
            self._answer(text, line.id, line.viewer.name)
