"""The front desk: hears lines of chat, asks the gateway and answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.bench import MOST, Bench
from bot.commands import MODERATORS, Command, Name, parse
from bot.line import Line
from bot.recent import Recent
from bot.replies import Replies, counted, some
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import AcceptedJob, Gateway, JobDocument
from sakuga.job import cut
from sakuga.latest import Latest
from sakuga.log import get_logger

# What everybody reads is said once in so long, whoever asks.
COMMON_PAUSE_S = 30.0
# The same answer to the same viewer: Twitch drops repeats within 30 s anyway.
REPEAT_PAUSE_S = 30.0
UNTIL_ACCEPTED = ("cooling_down", "viewer_busy", "queue_full")
VIEWERS = 2000  # whose last request is remembered
CHIEFS = frozenset({"moderator", "broadcaster"})

log = get_logger("bot")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a viewer last asked for, and the job that it became."""

    command: Command
    job: AcceptedJob


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
    ) -> None:
        self._gateway = gateway
        self._watch = watch
        self._answer = answer
        self._bench = bench
        self._replies = replies
        self._chat = chat
        self._link = link
        self._said = Recent(COMMON_PAUSE_S)
        self._told = Recent(REPEAT_PAUSE_S)
        self._asked: Latest[Asked] = Latest(VIEWERS)
        self._does: Mapping[Name, Callable[[Line, Command], Awaitable[None]]] = {
            "anime": self._anime,
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

    async def hear(self, line: Line) -> None:
        """Handle one line. Lines without a command of ours pass in silence, and moderators' commands of others do."""
        self._bench.notice(line)
        command = parse(line.text, self._chat())
        if command is None or (command.name in MODERATORS and not CHIEFS & {*line.viewer.roles}):
            return
        try:
            if command.name in MODERATORS:
                self._answer(await self._bench.act(line, command), line.id, line.viewer.name)
            else:
                await self._does[command.name](line, command)
        except GatewayRefused as error:
            log.info("job.refused", code=error.reason, viewer=line.viewer.login)
            wait_s = max(REPEAT_PAUSE_S, error.retry_after_s or 0)
            self._tell(line, error.reason, self._replies.refused(error, name=line.viewer.name), within_s=wait_s)
        except GatewayUnreachable as error:
            log.warning("gateway.unreachable", url=self._gateway.url)
            self._hint(line, error.code)

    # --- the viewer's own --------------------------------------------------------------------------------------------

    async def _anime(self, line: Line, command: Command) -> None:
        if not command.prompt:
            self._hint(line, "prompt_empty")
            return
        job = await self._gateway.generate(
            command.prompt,
            requested_by=line.viewer,
            key=line.id,
            style=command.style,
            characters=command.characters or None,
            preset=command.preset,
        )
        log.info("job.accepted", job_id=job.job_id, cut=job.cut, position=job.queue_position)
        log.debug("job.asked", job_id=job.job_id, prompt=command.prompt)
        self._asked[line.viewer.viewer] = Asked(command, job)
        for code in UNTIL_ACCEPTED:
            self._told.forget((line.viewer.viewer, code))
        if not job.terminal:
            self._answer(self._replies.place(job), line.id, line.viewer.name)
        self._watch.follow(job.job_id, line.id, line.viewer.name)

    async def _again(self, line: Line, _: Command) -> None:
        asked = self._asked.get(line.viewer.viewer)
        if asked is None:
            self._hint(line, "again.absent")
        else:
            await self._anime(line, asked.command)

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
                said = self._replies.say("job.voted", cut=job.cut, votes=counted(told.votes or 0, "vote"))
                self._answer(said, line.id, line.viewer.name)

    # --- what everybody reads ----------------------------------------------------------------------------------------

    async def _common(self, line: Line, command: Command) -> None:
        if not self._said.add(command.name):
            return
        try:
            said = await self._saying(command.name)
        except (GatewayRefused, GatewayUnreachable):
            self._said.forget(command.name)
            raise
        self._answer(said, line.id, line.viewer.name)

    async def _saying(self, name: Name) -> str:
        if name == "queue":
            return self._replies.listed(await self._gateway.queue())
        if name == "help":
            return self._replies.helped()
        if name == "gallery":
            return await self._gallery()
        catalog = await self._gateway.catalog()
        if name == "style":
            return self._replies.say("styles.listed", names=some(style.name for style in catalog.styles))
        names = some(character.name for character in catalog.characters)
        return self._replies.say("characters.listed" if names else "characters.none", names=names)

    async def _gallery(self) -> str:
        if link := self._link("/"):
            return self._replies.say("gallery.linked", link=link)
        for clip in (await self._gateway.clips(limit=1)).clips:
            return self._replies.say("gallery.newest", cut=clip.cut, author=clip.requested_by.name)
        return self._replies.say("gallery.empty")

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
        self._tell(line, key, self._replies.say(key, name=line.viewer.name, **data))

    def _tell(self, line: Line, what: str, text: str, *, within_s: float | None = None) -> None:
        """Answer, unless this viewer was told the same a moment ago."""
        if self._told.add((line.viewer.viewer, what), within_s=within_s):
            self._answer(text, line.id, line.viewer.name)
