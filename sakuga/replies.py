"""Replies: the sentences filled in, as the studio file words them. A viewer's prompt is never among it."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import get_args

from sakuga.chat import SPOKEN_TO_TWITCH, ChatPolicy, CommandName
from sakuga.errors import GatewayRefused
from sakuga.gateway import AcceptedJob, JobDocument, QueueDocument
from sakuga.job import RUNNING, JobStatus
from sakuga.prompt import BIDI, visible
from sakuga.sentences import SENTENCES, WORDS

LONGEST = 450
LIST_LENGTH = 300
NEXT_SHOWN = 3
LED_BY = "".join(SPOKEN_TO_TWITCH) + " "
UNSAFE = {"Cc", "Cs"}  # control characters and halves of pairs
VIEWERS: tuple[CommandName, ...] = (
    "queue", "pos", "cancel", "again", "remix", "vote", "style", "character", "credit", "gallery", "help",
)  # fmt: skip


class Replies:
    """Fills in the sentences: the studio file's where it has other words for a key, else those above."""

    def __init__(self, chat: Callable[[], ChatPolicy] = ChatPolicy) -> None:
        self._chat = chat

    def say(self, key: str, **data: object) -> str:
        """Return the sentence for a code or an event, filled in, safe to show and short enough for chat."""
        typed = {name: self.typed(name) for name in get_args(CommandName)}
        return fitting(self._filled(key, SENTENCES[key], {**typed, **data}))

    def typed(self, name: CommandName) -> str:
        """Return a command as it is typed, its prefix in front."""
        chat = self._chat()
        return chat.prefix + next(iter(chat.commands.words_of(name)), name)

    def refused(self, error: GatewayRefused, *, name: str) -> str:
        """Say why a request was turned down; a code that the table lacks is told in the gateway's own words."""
        if error.reason not in SENTENCES:
            return fitting(f"@{name} {error}")
        return self.say(error.reason, name=name, wait=self.wait(error.retry_after_s))

    def wait(self, seconds: float | None) -> str:
        """Return when to ask again: "in about 2 min"; "in a few minutes" if nobody knows."""
        return self._word("in", eta=self.duration(seconds)) if seconds else self._word("later")

    def place(self, job: AcceptedJob) -> str:
        """Say where a job is that has not ended."""
        eta = f", {self._eta(job, job.eta_seconds)}" if job.eta_seconds is not None else ""
        if job.status == JobStatus.HELD:
            return self.say("job.held", cut=job.cut)
        if job.status in RUNNING:
            drawn = f" ({job.progress:.0f} %)" if isinstance(job, JobDocument) and job.progress else ""
            return self.say("job.running", cut=job.cut, progress=drawn, eta=eta)
        position = job.queue_position or 1
        return self.say("job.queued", cut=job.cut, place=self.nth(position), eta=eta)

    def ended(self, job: JobDocument, *, link: str | None) -> str:
        """Say how a job ended; `link` leads to its clip, if viewers can open it."""
        if job.status == JobStatus.SUCCEEDED:
            return self.say("job.succeeded", cut=job.cut, link=link) if link else self.say("job.shown", cut=job.cut)
        reason = job.error.code if job.error else ""
        known = SENTENCES.get(reason, "").startswith("{cut}") and job.status == JobStatus.FAILED
        return self.say(reason if known else f"job.{job.status}", cut=job.cut)

    def listed(self, queue: QueueDocument) -> str:
        """Say who is drawn, how many wait and who is next."""
        paused = self.say("queue.paused") + " " if queue.paused else ""
        if not queue.waiting_count and not queue.running:
            return fitting(paused + self.say("queue.empty"))
        running = ", ".join(
            self._word("drawn", cut=job.cut, progress=f"{job.progress:.0f}") for job in queue.running[:NEXT_SHOWN]
        )
        following = ", ".join(f"{job.cut} {job.requested_by.name}" for job in queue.waiting[:NEXT_SHOWN])
        return fitting(
            paused
            + self.say(
                "queue.listed",
                waiting=self._word("waiting", count=queue.waiting_count)
                if queue.waiting_count
                else self._word("nobody"),
                running=f" {running}." if running else "",
                next=f" {self._word('following', names=following)}" if following else "",
            )
        )

    def helped(self) -> str:
        """Say what can be asked for: the commands of viewers that are not turned off."""
        commands = [self.typed(name) for name in VIEWERS if self._chat().commands.words_of(name)]
        return self.say("help", commands=self.some(commands))

    def mistakes(self) -> list[str]:
        """Return the keys of the studio file's texts that no sentence has, or whose braces name what it can't fill."""
        ours = {**SENTENCES, **WORDS}
        return [
            key
            for key, text in self._chat().texts.items()
            if key not in ours or not fields_of(text) <= fields_of(ours[key]) | also_fills(key)
        ]

    # --- words -------------------------------------------------------------------------------------------------------

    def duration(self, seconds: float) -> str:
        """Return a duration as people say it: 7 is "a few seconds", 140 is "about 2 min"."""
        if seconds < 10:  # noqa: PLR2004 - the steps of this scale are its meaning
            return self._word("moment")
        if seconds < 90:  # noqa: PLR2004
            return self._word("seconds", count=round(seconds / 10) * 10)
        if seconds < 90 * 60:
            return self._word("minutes", count=round(seconds / 60))
        return self._word("hours", count=round(seconds / 3600))

    def nth(self, number: int) -> str:
        """Return a place in the queue: 1 is "next", 3 is "3rd"."""
        return self._word("next") if number == 1 else self._word("nth", ordinal=ordinal(number), number=number)

    def counted(self, number: int, noun: str) -> str:
        """Return a number of bits, cuts, viewers or votes: "1 vote", "3 votes"."""
        return self._word(noun if number == 1 else f"{noun}s", count=number)

    def left(self, amount: str) -> str:
        """Return what is left of something: "$4.19 left"."""
        return self._word("left", amount=amount)

    def some(self, names: Iterable[str]) -> str:
        """Return as many names as fit, and how many were left out: "anime, neon and 3 more"."""
        kept: list[str] = []
        left = list(names)
        while left and len(", ".join([*kept, left[0]])) <= LIST_LENGTH:
            kept.append(left.pop(0))
        told = ", ".join(kept)
        return self._word("more", names=told, count=len(left)) if left else told

    def _eta(self, job: AcceptedJob, seconds: float) -> str:
        """Return the gateway's words for an ETA, or the studio file's, if it has some for times."""
        if job.eta_text and not any(key.startswith("word.") for key in self._chat().texts):
            return job.eta_text
        eta, most = self.duration(seconds), self.duration(job.eta_p90_seconds or seconds)
        return eta if eta == most else self._word("at_most", eta=eta, most=most)

    def _word(self, name: str, **data: object) -> str:
        return self._filled(f"word.{name}", WORDS[f"word.{name}"], data)

    def _filled(self, key: str, ours: str, data: Mapping[str, object]) -> str:
        theirs = self._chat().texts.get(key, ours)
        return (theirs if fields_of(theirs) <= data.keys() else ours).format(**data)


def also_fills(key: str) -> set[str]:
    """Return what may stand between the braces of a text, besides what stands in ours."""
    if key == "word.nth":
        return {"number"}
    return set() if key in WORDS else {*get_args(CommandName)}


def ordinal(number: int) -> str:
    """Return a place as English says it: 3 is "3rd"."""
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def fields_of(sentence: str) -> set[str]:
    """Return the names of what is filled into a sentence."""
    return {field for _, field, _, _ in Formatter().parse(sentence) if field}


def fitting(text: str) -> str:
    """Return a text without what could turn or hide the words around it, short enough for chat."""
    kept = (sign for sign in text if sign not in BIDI and (sign.isspace() or unicodedata.category(sign) not in UNSAFE))
    safe = visible("".join(kept)).lstrip(LED_BY)  # a name may begin so
    return safe if len(safe) <= LONGEST else safe[: LONGEST - 1] + "…"
