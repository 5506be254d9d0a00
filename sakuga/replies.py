"""Everything the bot says: one table, keyed by error code and by event. A viewer's prompt is never among it."""

import unicodedata
from collections.abc import Callable, Iterable
from string import Formatter
from typing import get_args

from sakuga.chat import SPOKEN_TO_TWITCH, ChatPolicy, CommandName
from sakuga.errors import GatewayRefused
from sakuga.gateway import AcceptedJob, JobDocument, QueueDocument
from sakuga.job import RUNNING, JobStatus
from sakuga.prompt import BIDI, visible

LONGEST = 450
LIST_LENGTH = 300
NEXT_SHOWN = 3
LED_BY = "".join(SPOKEN_TO_TWITCH) + " "
UNSAFE = {"Cc", "Cs"}  # control characters and halves of pairs
LOST_IN_TRANSLATION = "the bot and the studio misunderstood each other. The streamer finds the reason in the log."

SENTENCES: dict[str, str] = {
    # Refusals, by code. {name} is the viewer, {wait} a time such as "in about 2 min"; {anime} and the names of other
    # commands stand for what is typed: !anime.
    "prompt_empty": "@{name} say what to draw: {anime} girl with sword, neon rain, for example.",
    "prompt_too_long": "@{name} that is more than fits on one cut sheet. Shorten it and ask again.",
    "prompt_unreadable": "@{name} there is a character in it that can't be shown. Type it as plain text and ask again.",
    "style_unknown": "@{name} this studio doesn't know that style. Take another one, or none.",
    "engine_unknown": "@{name} this studio doesn't have that engine. Ask again without it.",
    "character_unknown": "@{name} no such character plays here. Take another one, or none.",
    "character_unavailable": "@{name} that character can't come to this show. Ask again without the name.",
    "character_needed": "@{name} only somebody with a picture can be drawn here. Name a character and ask again.",
    "preset_unknown": "@{name} this studio doesn't draw that way. Ask again without a preset.",
    "duration_out_of_range": "@{name} a clip of that length can't be drawn. Ask again without a length.",
    "queue_full": "@{name} the queue is full. Ask again {wait}.",
    "queue_closed": "@{name} the studio takes no more requests right now. What waits is still drawn.",
    "viewer_banned": "@{name} the moderators closed the studio's door for you.",
    "message_retracted": "@{name} that message was deleted, so nothing is drawn for it.",
    "cooling_down": "@{name} one at a time: ask again {wait}.",
    "viewer_busy": "@{name} your last cut is still on the desk. Ask again when it is done.",
    "budget_spent": "@{name} today's paper is nearly used up. Bits or a sub still get a sheet, if there is any.",
    "prompt_refused": "@{name} that can't be drawn here. Ask for something else.",
    "job_changed": "@{name} somebody else changed that cut in the meantime. Look again.",
    "job_not_theirs": "@{name} somebody else asked for that cut. Only they or a moderator can take it off the list.",
    "job_not_ended": "@{name} that cut is still on its way.",
    "ballot_not_open": "@{name} there is nothing to vote on right now.",
    "ballot_open": "@{name} a vote is on already.",
    "ballot_too_small": "@{name} too few cuts wait for a vote.",
    "choice_unknown": "@{name} that is not on the ballot. Vote with its number.",
    "act_not_found": f"@{{name}} {LOST_IN_TRANSLATION}",
    "act_undone": "@{name} that was taken back already.",
    "key_reused": "@{name} that message was already used for another cut. Send it again as a new one.",
    "job_not_found": "@{name} that cut is not on the list any more.",
    "redemption_not_found": f"@{{name}} {LOST_IN_TRANSLATION}",
    "redemption_spent": "@{name} those points were given back or used for another cut. Redeem again for a new one.",
    "job_not_waiting": "@{name} that cut doesn't wait any more and can't be moved.",
    "broker_unavailable": "@{name} the studio lost its notes for a moment. Nothing was charged; ask again {wait}.",
    "request_invalid": f"@{{name}} {LOST_IN_TRANSLATION}",
    "body_unreadable": f"@{{name}} {LOST_IN_TRANSLATION}",
    "body_too_large": "@{name} that is more than the studio reads. Shorten it and ask again.",
    "media_type_unsupported": f"@{{name}} {LOST_IN_TRANSLATION}",
    "clip_not_found": "@{name} there is no such clip.",
    "remix_not_found": "@{name} there is no such cut to draw anew. Say one that the gallery shows, as in {remix} #42.",
    "preview_not_found": "@{name} there is nothing to see of it yet.",
    "route_not_found": f"@{{name}} {LOST_IN_TRANSLATION}",
    "method_not_allowed": f"@{{name}} {LOST_IN_TRANSLATION}",
    "range_not_satisfiable": f"@{{name}} {LOST_IN_TRANSLATION}",
    "host_not_allowed": f"@{{name}} {LOST_IN_TRANSLATION}",
    "origin_not_allowed": f"@{{name}} {LOST_IN_TRANSLATION}",
    "unauthenticated": f"@{{name}} {LOST_IN_TRANSLATION}",
    "signature_invalid": f"@{{name}} {LOST_IN_TRANSLATION}",
    "forbidden": "@{name} the bot may not do that here.",
    "key_exposed": f"@{{name}} {LOST_IN_TRANSLATION}",
    "link_spent": f"@{{name}} {LOST_IN_TRANSLATION}",
    "rate_limited": "@{name} too many ask at once. Ask again {wait}.",
    "streams_exhausted": f"@{{name}} {LOST_IN_TRANSLATION}",
    "webhook_refused": f"@{{name}} {LOST_IN_TRANSLATION}",
    "webhooks_exhausted": f"@{{name}} {LOST_IN_TRANSLATION}",
    "webhook_not_found": f"@{{name}} {LOST_IN_TRANSLATION}",
    "webhook_disabled": f"@{{name}} {LOST_IN_TRANSLATION}",
    "delivery_not_found": f"@{{name}} {LOST_IN_TRANSLATION}",
    "studio_not_ready": "@{name} the studio is still setting up its desks. Ask again in a few seconds.",
    "storage_unavailable": "@{name} the studio can't reach its shelves. Ask again {wait}.",
    "unexpected": "@{name} something broke in the studio, and the log says what. Ask again in a minute.",
    "gateway_unreachable": "@{name} the studio is not answering right now. Ask again in a minute.",
    # Why a render did not end in a clip, by code.
    "render_failed": "{cut} could not be drawn. Ask again, best in other words.",
    "render_lost": "{cut} was lost with the machine that drew it. Ask again.",
    "render_timed_out": "{cut} took too long and was stopped. Ask again with something simpler.",
    "render_cancelled": "{cut} was stopped. Ask again whenever you like.",
    "renderer_unavailable": "{cut} found no free drawing desk. Ask again in a few minutes.",
    "gpu_memory_exhausted": "{cut} was too large for the drawing desk. Ask again for something shorter.",
    "frames_invalid": "{cut} came out as a blank sheet. Ask again.",
    "weights_missing": "{cut} needs an artist who has not arrived yet. Ask again later, or with another engine.",
    "adapter_unfit": "{cut} could not be drawn with that character. Ask again without it.",
    "media_missing": "{cut} begins with a sheet that is not here. Ask again without that character.",
    "renderer_not_deployed": "{cut} found the drawing room locked. Ask again later.",
    "renderer_unauthorised": "{cut} found the drawing room locked. Ask again later.",
    "quota_exhausted": "{cut} found the drawing room closed for today. Ask again later.",
    "clip_unplayable": "{cut} was drawn, but the film tore. Ask again.",
    # What happened to a job.
    "job.queued": "{cut} is {place}{eta}.",
    "job.held": "{cut} waits for a moderator to look at it.",
    "job.running": "{cut} is being drawn{progress}{eta}.",
    "job.succeeded": "{cut} is ready: {link}",
    "job.shown": "{cut} is ready. Look at the stream!",
    "job.failed": "{cut} could not be drawn. Ask again.",
    "job.cancelled": "{cut} was taken off the list.",
    "job.rejected": "{cut} was turned down by a moderator.",
    "job.expired": "{cut} waited too long and was taken off the list. Ask again.",
    "job.cancelling": "{cut} is being stopped.",
    "job.over": "@{name} {cut} had ended already.",
    "job.unnamed": "@{name} say which cut, as in {command} #42.",
    "job.absent": "@{name} {cut} is not on the list.",
    "job.voted": "{cut} has {votes}.",
    # The queue.
    "queue.empty": "Nobody is waiting. Ask with {anime} and a few words.",
    "queue.listed": "{waiting}{running}{next}",
    "queue.paused": "The queue is paused.",
    "queue.absent": "@{name} you have no cut on the list. Ask with {anime} and a few words.",
    # What viewers ask for besides.
    "vote.how": "@{name} say {vote} 1, 2 or 3, or {vote} #42 for a cut that waits.",
    "styles.listed": "Styles: {names}. Put --style and a name behind your words.",
    "characters.listed": "Characters: {names}. Put --character and a name behind your words.",
    "characters.none": "No characters play here. Ask with {anime} and a few words.",
    "again.absent": "@{name} the bot remembers no words of yours. Ask with {anime} and say them.",
    "credit.told": "@{name} you have {count} for your next cut{newest}.",
    "credit.none": "@{name} you have no bits for later. Those that a cut could not use are kept here.",
    # The pot, into which viewers put words together.
    "pot.how": "@{name} put a few words behind it, as in {anime}+ a cat on the roof.",
    "pot.opened": "@{name} a pot is open: {anime}+ and a few words go in as well. It is drawn {wait}.",
    "pot.joined": "@{name} your words are in the pot. {count} so far.",
    "pot.poured": "{author} asked together. {said}",
    "pot.spilled": "@{name} nothing came of the pot. Ask with {anime} and a few words.",
    "gallery.linked": "All clips: {link}",
    "gallery.newest": "The newest clip is {cut}, for {author}. The stream shows the gallery while nobody waits.",
    "gallery.empty": "Nothing is drawn yet. Ask with {anime} and a few words.",
    "help": "Ask with {anime} and a few words, or together with {anime}+. Besides: {commands}",
    # What was paid for with channel points or a Power-up. {said} is another sentence.
    "points.told": "@{name} {said}",
    "points.returned": "{said} Your points come back.",
    "points.stale": "@{name} the studio was away when you asked. Your points come back.",
    "bits.kept": "{said} Your bits count for your next request.",
    # What moderators do.
    "mod.keyless": "@{name} the bot has no moderator's key that works. The streamer gives it one as SAKUGA_CHAT_KEY.",
    "mod.promoted": "{cut} is next.",
    "mod.demoted": "{cut} is last.",
    "mod.held": "{cut} is held until {approve}.",
    "mod.none_held": "@{name} nothing is held.",
    "mod.none_running": "@{name} nothing is being drawn.",
    "mod.paused": "The queue is paused: nobody begins until {resume}.",
    "mod.resumed": "The queue goes on.",
    "mod.opened": "The queue is open. Ask with {anime} and a few words.",
    "mod.closed": "The queue is closed. What waits is still drawn.",
    "mod.unchanged": "@{name} that is so already.",
    "mod.cleared": "{count} taken off the list.",
    "mod.who": "@{name} say whom, as in {ban} @name.",
    "mod.stranger": "@{name} the bot has not heard of them. Write @ and the whole name, or use the console.",
    "mod.banned": "{login} may not ask any more; {count} stopped.",
    "mod.dumped": "The stage is dark until {undump}.",
    "mod.released": "The stage goes on.",
    "show.styled": "Cuts are drawn in {names} from now on, until the stream ends.",
    "show.unstyled": "Cuts are drawn in the studio's usual style again.",
    "show.cast": "{names} will play from now on, until the stream ends.",
    "show.uncast": "Nobody plays from now on unless a request names them.",
    "mod.budget": "{session} spent in this stream{session_left}, {day} today{day_left}.",
}
VIEWERS: tuple[CommandName, ...] = (
    "queue", "pos", "cancel", "again", "remix", "vote", "style", "character", "credit", "gallery", "help",
)  # fmt: skip


class Replies:
    """Fills in the sentences: the studio file's where it has other words for a key, else those above."""

    def __init__(self, chat: Callable[[], ChatPolicy] = ChatPolicy) -> None:
        self._chat = chat

    def say(self, key: str, **data: object) -> str:
        """Return the sentence for a code or an event, filled in, safe to show and short enough for chat."""
        chat = self._chat()
        typed = {name: self.typed(name) for name in get_args(CommandName)}
        ours = SENTENCES[key]
        theirs = chat.texts.get(key, ours)
        sentence = theirs if fields_of(theirs) <= {*data, *typed} else ours
        return fitting(sentence.format(**typed, **data))

    def typed(self, name: CommandName) -> str:
        """Return a command as it is typed, its prefix in front."""
        chat = self._chat()
        return chat.prefix + next(iter(chat.commands.words_of(name)), name)

    def refused(self, error: GatewayRefused, *, name: str) -> str:
        """Say why a request was turned down; a code that the table lacks is told in the gateway's own words."""
        if error.reason not in SENTENCES:
            return fitting(f"@{name} {error}")
        wait = f"in {about(error.retry_after_s)}" if error.retry_after_s else "in a few minutes"
        return self.say(error.reason, name=name, wait=wait)

    def place(self, job: AcceptedJob) -> str:
        """Say where a job is that has not ended."""
        eta = f", {job.eta_text or about(job.eta_seconds)}" if job.eta_seconds is not None else ""
        if job.status == JobStatus.HELD:
            return self.say("job.held", cut=job.cut)
        if job.status in RUNNING:
            drawn = f" ({job.progress:.0f} %)" if isinstance(job, JobDocument) and job.progress else ""
            return self.say("job.running", cut=job.cut, progress=drawn, eta=eta)
        position = job.queue_position or 1
        return self.say("job.queued", cut=job.cut, place="next" if position == 1 else ordinal(position), eta=eta)

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
        running = ", ".join(f"{job.cut} is being drawn ({job.progress:.0f} %)" for job in queue.running[:NEXT_SHOWN])
        following = ", ".join(f"{job.cut} {job.requested_by.name}" for job in queue.waiting[:NEXT_SHOWN])
        return fitting(
            paused
            + self.say(
                "queue.listed",
                waiting=f"{queue.waiting_count} waiting." if queue.waiting_count else "Nobody is waiting.",
                running=f" {running}." if running else "",
                next=f" Next: {following}." if following else "",
            )
        )

    def helped(self) -> str:
        """Say what can be asked for: the commands of viewers that are not turned off."""
        commands = [self.typed(name) for name in VIEWERS if self._chat().commands.words_of(name)]
        return self.say("help", commands=some(commands))

    def mistakes(self) -> list[str]:
        """Return the keys of the studio file's texts that no sentence has, or whose braces name what it can't fill."""
        return [
            key
            for key, text in self._chat().texts.items()
            if key not in SENTENCES or not fields_of(text) <= fields_of(SENTENCES[key]) | {*get_args(CommandName)}
        ]


def about(seconds: float) -> str:
    """Return a duration as people say it: 7 is "a few seconds", 140 is "about 2 min"."""
    if seconds < 10:  # noqa: PLR2004 - the steps of this scale are its meaning
        return "a few seconds"
    if seconds < 90:  # noqa: PLR2004
        return f"about {round(seconds / 10) * 10} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    return f"about {round(seconds / 3600)} h"


def ordinal(number: int) -> str:
    """Return a place in the queue: 3 is "3rd"."""
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def some(names: Iterable[str]) -> str:
    """Return as many names as fit, and how many were left out: "anime, neon and 3 more"."""
    kept: list[str] = []
    left = list(names)
    while left and len(", ".join([*kept, left[0]])) <= LIST_LENGTH:
        kept.append(left.pop(0))
    return ", ".join(kept) + (f" and {len(left)} more" if left else "")


def counted(number: int, noun: str) -> str:
    """Return a number of things: "1 vote", "3 votes"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def fields_of(sentence: str) -> set[str]:
    """Return the names of what is filled into a sentence."""
    return {field for _, field, _, _ in Formatter().parse(sentence) if field}


def fitting(text: str) -> str:
    """Return a text without what could turn or hide the words around it, short enough for chat."""
    kept = (sign for sign in text if sign not in BIDI and (sign.isspace() or unicodedata.category(sign) not in UNSAFE))
    safe = visible("".join(kept)).lstrip(LED_BY)  # a name may begin so
    return safe if len(safe) <= LONGEST else safe[: LONGEST - 1] + "…"
