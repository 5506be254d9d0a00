"""The front desk: hears lines of chat, asks the gateway and answers."""

from collections.abc import Callable

from bot import replies
from bot.commands import Command, parse
from bot.line import Line
from bot.recent import Recent
from bot.watch import Watch
from sakuga.errors import GatewayRefused, GatewayUnreachable
from sakuga.gateway import Gateway
from sakuga.log import get_logger

QUEUE_PAUSE_S = 30.0
# The same answer to the same viewer: Twitch drops repeats within 30 s anyway.
REPEAT_PAUSE_S = 30.0

log = get_logger("bot")


class Desk:
    """Answers commands by `answer(text, message_id)`. What may be asked and by whom is the gateway's to say."""

    def __init__(self, gateway: Gateway, watch: Watch, answer: Callable[[str, str], None], *, prefix: str) -> None:
        self._gateway = gateway
        self._watch = watch
        self._answer = answer
        self._prefix = prefix
        self._queue_asked = Recent(QUEUE_PAUSE_S)
        self._told = Recent(REPEAT_PAUSE_S)

    async def hear(self, line: Line) -> None:
        """Handle one line. Lines without a command of ours pass in silence."""
        command = parse(line.text, self._prefix)
        if command is None:
            return
        try:
            if command.name == "anime":
                await self._anime(line, command)
            elif command.name == "pos":
                await self._pos(line)
            elif self._queue_asked.add("queue"):
                self._answer(replies.listed(await self._gateway.queue(), prefix=self._prefix), line.id)
        except GatewayRefused as error:
            log.info("job.refused", code=error.reason, viewer=line.viewer.login)
            self._tell(line, error.reason, replies.refused(error, name=line.viewer.name, prefix=self._prefix))
        except GatewayUnreachable as error:
            log.warning("gateway.unreachable", url=self._gateway.url)
            self._tell(line, error.code, replies.say(error.code, name=line.viewer.name))

    async def _anime(self, line: Line, command: Command) -> None:
        if not command.prompt:
            hint = replies.say("prompt_empty", name=line.viewer.name, prefix=self._prefix)
            self._tell(line, "prompt_empty", hint)
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
        if not job.terminal:
            self._answer(replies.place(job), line.id)
        self._watch.follow(job.job_id, line.id)

    async def _pos(self, line: Line) -> None:
        queue = await self._gateway.queue()
        mine = [
            job
            for job in (*queue.running, *queue.waiting)
            if (job.requested_by.platform, job.requested_by.login) == (line.viewer.platform, line.viewer.login)
        ]
        if mine:
            newest = max(mine, key=lambda job: job.number)
            self._tell(line, newest.job_id, replies.place(newest))
        else:
            self._tell(line, "pos", replies.say("queue.absent", name=line.viewer.name, prefix=self._prefix))

    def _tell(self, line: Line, what: str, text: str) -> None:
        """Answer, unless this viewer was told the same a moment ago."""
        if self._told.add((line.viewer.id, what)):
            self._answer(text, line.id)
