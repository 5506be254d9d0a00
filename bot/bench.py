"""The bench: what moderators write in chat is done in their name."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from bot.commands import Command, Name
from bot.line import Line
from bot.memory import Memory
from bot.moderators import Moderators, PotDocument
from sakuga.chat import CommandName
from sakuga.errors import GatewayRefused
from sakuga.gateway import Gateway, JobDocument
from sakuga.job import cut
from sakuga.log import get_logger
from sakuga.replies import Replies

MOST = 500  # of the queue, as much as the gateway lists
PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,40}")
OFF = "off"  # in place of a name: what the studio file says counts again
LOCKED_OUT = frozenset({"unauthenticated", "forbidden", "key_exposed"})

log = get_logger("bot")


class Bench:
    """Does what moderators ask for, with a moderator's key. Without one it says what is missing."""

    def __init__(
        self, gateway: Gateway, moderators: Moderators | None, replies: Replies, *, memory: Memory | None = None
    ) -> None:
        self._gateway = gateway
        self._moderators = moderators
        self._replies = replies
        self._memory = Memory() if memory is None else memory
        self._does: Mapping[Name, Callable[[Moderators, Line, Command], Awaitable[str]]] = {
            "promote": self._move,
            "demote": self._move,
            "hold": self._hold,
            "approve": self._approve,
            "skip": self._skip,
            "pause": self._switch,
            "resume": self._switch,
            "open": self._switch,
            "close": self._switch,
            "clear": self._clear,
            "ban": self._ban,
            "dump": self._dump,
            "undump": self._release,
            "budget": self._budget,
            "style": self._style,
            "character": self._cast,
        }

    def notice(self, line: Line) -> None:
        """Remember who speaks and who is spoken to: bans need ids, and people know names."""
        platform = line.viewer.platform
        for login, viewer in {**line.mentioned, line.viewer.login: line.viewer.viewer}.items():
            if login:
                self._memory.meet(f"{platform}:{login}", viewer)

    async def act(self, line: Line, command: Command) -> str:
        """Do what a moderator asks for and return what to say. Raises GatewayRefused, GatewayUnreachable."""
        if self._moderators is None:
            return self._replies.say("mod.keyless", name=line.viewer.name)
        try:
            said = await self._does[command.name](self._moderators, line, command)
        except GatewayRefused as error:
            if error.reason not in LOCKED_OUT:
                raise
            log.warning("bot.keyless", reason=error.reason)
            return self._replies.say("mod.keyless", name=line.viewer.name)
        log.info("moderator.heard", command=command.name, by=by(line))
        return said

    async def _move(self, moderators: Moderators, line: Line, command: Command) -> str:
        job = await self._waiting(command)
        if job is None:
            return self._unknown(line, command)
        up = command.name == "promote"
        await moderators.move(job.job_id, "top" if up else "bottom", by=by(line))
        return self._replies.say("mod.promoted" if up else "mod.demoted", cut=job.cut)

    async def _hold(self, moderators: Moderators, line: Line, command: Command) -> str:
        job = await self._waiting(command)
        if job is None:
            return self._unknown(line, command)
        await moderators.hold(job.job_id, by=by(line))
        return self._replies.say("mod.held", cut=job.cut)

    async def _approve(self, moderators: Moderators, line: Line, command: Command) -> str:
        held = await moderators.held()
        if not held:
            return self._replies.say("mod.none_held", name=line.viewer.name)
        job = next((job for job in held if command.number in (None, job.number)), None)
        if job is None:
            return self._unknown(line, command)
        return self._replies.place(await moderators.approve(job.job_id, by=by(line)))

    async def _skip(self, moderators: Moderators, line: Line, command: Command) -> str:
        queue = await self._gateway.queue(limit=MOST)
        if command.number is None and not queue.running:
            return self._replies.say("mod.none_running", name=line.viewer.name)
        jobs = (
            queue.running[:1] if command.number is None else (*queue.running, *queue.waiting, *await moderators.held())
        )
        job = next((job for job in jobs if command.number in (None, job.number)), None)
        if job is None:
            return self._unknown(line, command)
        ended = await moderators.cancel(job.job_id, by=by(line))
        if ended.status in ("cancelled", "cancelling"):
            return self._replies.say(f"job.{ended.status}", cut=job.cut)
        return self._replies.say("job.over", cut=job.cut, name=line.viewer.name)

    async def _switch(self, moderators: Moderators, line: Line, command: Command) -> str:
        if not await moderators.switch(command.name, by=by(line)):
            return self._replies.say("mod.unchanged", name=line.viewer.name)
        past = {"pause": "paused", "resume": "resumed", "open": "opened", "close": "closed"}
        return self._replies.say(f"mod.{past[command.name]}")

    async def _clear(self, moderators: Moderators, line: Line, _: Command) -> str:
        return self._replies.say("mod.cleared", count=self._replies.counted(await moderators.clear(by=by(line)), "cut"))

    async def _ban(self, moderators: Moderators, line: Line, command: Command) -> str:
        if not command.login:
            return self._replies.say("mod.who", name=line.viewer.name)
        viewer = self._memory.viewer(f"{line.viewer.platform}:{command.login}")
        if viewer is None:
            return self._replies.say("mod.stranger", name=line.viewer.name)
        ended = await moderators.ban(viewer, by=by(line))
        return self._replies.say(
            "mod.banned", login=command.login, count=self._replies.counted(len(ended.cancelled), "cut")
        )

    async def _dump(self, moderators: Moderators, line: Line, _: Command) -> str:
        await moderators.dump(by=by(line))
        return self._replies.say("mod.dumped")

    async def _release(self, moderators: Moderators, line: Line, _: Command) -> str:
        await moderators.release(by=by(line))
        return self._replies.say("mod.released")

    async def _budget(self, moderators: Moderators, _: Line, __: Command) -> str:
        told = await moderators.budget()
        return self._replies.say(
            "mod.budget",
            session=dollars(told.session.spent_usd),
            session_left=self._left(told.session),
            day=dollars(told.day.spent_usd),
            day_left=self._left(told.day),
        )

    def _left(self, pot: PotDocument) -> str:
        return "" if pot.left_usd is None else f" ({self._replies.left(dollars(pot.left_usd))})"

    async def _style(self, moderators: Moderators, line: Line, command: Command) -> str:
        style, *_ = command.names
        show = await moderators.set_show(by=by(line), style=None if style == OFF else style)
        return self._replies.say("show.styled", names=show.style) if show.style else self._replies.say("show.unstyled")

    async def _cast(self, moderators: Moderators, line: Line, command: Command) -> str:
        characters = None if OFF in command.names else [*command.names]
        show = await moderators.set_show(by=by(line), characters=characters)
        names = self._replies.some(show.characters or ())
        return self._replies.say("show.cast", names=names) if names else self._replies.say("show.uncast")

    async def _waiting(self, command: Command) -> JobDocument | None:
        queue = await self._gateway.queue(limit=MOST)
        return next((job for job in (*queue.waiting, *queue.running) if job.number == command.number), None)

    def _unknown(self, line: Line, command: Command) -> str:
        if command.number is None:
            named = cast("CommandName", command.name)
            return self._replies.say("job.unnamed", name=line.viewer.name, command=self._replies.typed(named))
        return self._replies.say("job.absent", name=line.viewer.name, cut=cut(command.number))


def by(line: Line) -> str:
    """Return who wrote a line as the audit names them: twitch:alice, or by id where the login is no plain word."""
    login = line.viewer.login
    return f"{line.viewer.platform}:{login if PLAIN.fullmatch(login) else line.viewer.id}"


def dollars(amount: float) -> str:
    """Return an amount as people write it: $1.27."""
    return f"${amount:.2f}"
