"""A visit: one wish of a viewer that came by an address, carried out, and the line that says how it went."""

import re
from dataclasses import dataclass

from pydantic import Field

from api.documents import AcceptedDocument, Document, JobDocument
from api.door import Caller
from api.generate import GenerateRequest, take_in
from api.paid import receive
from api.queue import queue_of
from api.state import State
from sakuga import documents
from sakuga.ballot import CHOICES
from sakuga.errors import RequestInvalid, SakugaError
from sakuga.job import RequestedBy, cut
from sakuga.prompt import clean_name
from sakuga.replies import Replies, fitting
from sakuga.support import Support, SupportKind

UNSET = re.compile(r"%\w+%")  # Streamer.bot sends the name of a variable that it does not have
PRINTED = re.compile(r"[!-~]{1,64}")
MESSAGE_ID = re.compile(r"[!-~]{1,100}")
CUT = re.compile(r"(#|c-?)?([0-9]{1,9})[.!?]*", re.IGNORECASE)
OPENING, CLOSING = '"\u201c\u201e\u00ab', '"\u201d\u201c\u00bb'
MOST = 500  # waiting jobs among which a number is looked for
LISTED = 3  # waiting jobs that `queue` names
PLAUSIBLE = re.compile(r"[0-9]{1,6}")  # a number of bits; Twitch takes 100,000 at most
CHATS = frozenset({"twitch", "youtube", "kick"})


def _given(value: str) -> str:
    return "" if UNSET.fullmatch(value.strip()) else value.strip()


def _true(value: str) -> bool:
    return _given(value).lower() in {"true", "1"}


class Asked(Document):
    """What stands in the address. Everything is text: Streamer.bot fills in variables, or leaves their names."""

    do: str = Field(default="anime", description="One of `anime`, `queue`, `pos`, `cancel` and `vote`.")
    prompt: str = Field(default="", description="`%rawInputUrlEncoded%`: the words behind the command.")
    style: str = Field(default="", description="A style of GET /catalog; the show's if left out.")
    user: str = Field(default="", description="`%user%`: the name to show.")
    login: str = Field(default="", description="`%userName%`: the login name, by which bans may know them.")
    user_id: str = Field(default="", description="`%userId%`.")
    platform: str = Field(default="", description="`%userType%`: `twitch`, `youtube` or `kick`.")
    sub: str = Field(default="", description="`%isSubscribed%`.")
    vip: str = Field(default="", description="`%isVip%`.")
    mod: str = Field(default="", description="`%isModerator%`.")
    bits: str = Field(default="", description="`%bits%`.")
    msg_id: str = Field(default="", description="`%msgId%`: the same message asks once, however often it is sent.")
    format: str = Field(default="text", description="`text` for the line alone, `json` for an AnswerDocument.")

    @property
    def wants_json(self) -> bool:
        """Whether the answer is a document."""
        return _given(self.format).lower() == "json"

    @property
    def viewer(self) -> RequestedBy:
        """Who asks."""
        name, known, platform = clean_name(_given(self.user)), _given(self.user_id), _given(self.platform).lower()
        bits = re.sub(r"[.,\s]", "", _given(self.bits))
        said = {"subscriber": self.sub, "vip": self.vip, "moderator": self.mod}
        return RequestedBy.model_validate(
            {
                "platform": platform if platform in CHATS else "api",
                "id": known if PRINTED.fullmatch(known) else "",
                "login": (clean_name(_given(self.login)) or name).lower(),
                "display_name": name,
                "roles": [role for role, value in said.items() if _true(value)],
                "bits": int(bits) if PLAUSIBLE.fullmatch(bits) else 0,
            }
        )


class AnswerDocument(Document):
    """An answer in flat keys that are never null, since Streamer.bot makes a variable of each."""

    ok: bool = Field(description="Whether it was done.")
    code: str = Field(description="Why not, as errors are named; empty if it was.", examples=[""])
    job_id: str = Field(description="The job that it is about, else empty.")
    cut: str = Field(description="Its number as shown everywhere, else empty.", examples=["C-042"])
    position: int = Field(description="Its place among those that wait; 0 when it does not.", examples=[2])
    chat: str = Field(
        description="One line for chat, up to 450 characters.", examples=["@Mika C-042 is 2nd, about 2 min."]
    )


def _answer(chat: str, job: AcceptedDocument | JobDocument | None = None, *, name: str = "") -> AnswerDocument:
    return AnswerDocument(
        ok=True,
        code="",
        job_id=job.job_id if job else "",
        cut=job.cut if job else "",
        position=(job.queue_position or 0) if job else 0,
        chat=_addressed(chat, name),
    )


def _addressed(chat: str, name: str) -> str:
    """Return a line with the name of whom it is for: it goes into open chat, and is no reply to a message."""
    nobody = f"@{RequestedBy().name} "
    line = chat if not name or chat.startswith("@") else f"@{name} {chat}"
    return fitting(line.removeprefix(nobody))


def declined(code: str, chat: str, name: str) -> AnswerDocument:
    """Say why something was not done; `code` is that of an error."""
    return AnswerDocument(ok=False, code=code, job_id="", cut="", position=0, chat=_addressed(chat, name))


@dataclass(frozen=True)
class Visit:
    """One viewer's wish, while it is carried out."""

    asked: Asked
    viewer: RequestedBy
    caller: Caller
    studio: State
    replies: Replies

    @property
    def name(self) -> str:
        """The name to speak to."""
        return self.viewer.name

    @property
    def do(self) -> str:
        """What is to be done."""
        return _given(self.asked.do).lower() or "anime"

    @property
    def message(self) -> str:
        """The chat message's id; empty if none was sent, or none that can be one."""
        message = _given(self.asked.msg_id)
        return message if MESSAGE_ID.fullmatch(message) else ""

    async def answer(self) -> AnswerDocument:
        """Do it and say how it went. Raises RequestRefused, among them RequestInvalid for a wish that is none.

        Bits that no job takes are in the viewer's purse then.
        """
        try:
            answer = await self._done()
        except SakugaError:
            await self._keep_bits("refused" if self.do == "anime" else "cheer")
            raise
        if self.do != "anime":
            await self._keep_bits("cheer")
        return answer

    async def _keep_bits(self, kind: SupportKind) -> None:
        if self.viewer.bits and self.message:
            viewer = self.viewer.model_copy(update={"bits": 0})
            await receive(Support(id=self.message, kind=kind, viewer=viewer, amount=self.viewer.bits), self.studio)

    async def _done(self) -> AnswerDocument:
        match self.do:
            case "anime":
                return await self._anime()
            case "queue":
                return await self._queue()
            case "pos":
                return await self._pos()
            case "cancel":
                return await self._cancel()
            case "vote":
                return await self._vote()
            case _:
                raise RequestInvalid(param="do", problem="It is one of anime, queue, pos, cancel and vote")

    async def _anime(self) -> AnswerDocument:
        request = GenerateRequest(
            prompt=_bare(_given(self.asked.prompt)),
            style=_given(self.asked.style).lower()[:40] or None,
            requested_by=self.viewer,
            message_id=self.message or None,
        )
        job = await take_in(request, self.caller, self.studio, f"streamerbot:{self.message}" if self.message else None)
        said = self.replies.place(documents.AcceptedJob.model_validate(job.model_dump()))
        return _answer(said, job, name=self.name)

    async def _queue(self) -> AnswerDocument:
        queue = await queue_of(self.studio, LISTED)
        said = self.replies.listed(documents.QueueDocument.model_validate(queue.model_dump()))
        return _answer(said, name=self.name)

    async def _pos(self) -> AnswerDocument:
        job = await self._own()
        if job is None:
            return declined("job_not_found", self.replies.say("queue.absent", name=self.name), self.name)
        said = self.replies.place(documents.JobDocument.model_validate(job.model_dump()))
        return _answer(said, job, name=self.name)

    async def _cancel(self) -> AnswerDocument:
        number = self._number()
        job = await self._own() if number is None else await self._numbered(number)
        if job is None:
            return self._absent(number)
        status = await self.studio.queue.withdraw(job.job_id, self.viewer.viewer)
        key = f"job.{status}" if status in {"cancelled", "cancelling"} else "job.over"
        said = self.replies.say(key, name=self.name, cut=job.cut)
        return _answer(said, job.model_copy(update={"queue_position": None}), name=self.name)

    async def _vote(self) -> AnswerDocument:
        if not self.viewer.viewer:
            raise RequestInvalid(param="user_id", problem="Send who votes")
        wanted = _given(self.asked.prompt)
        votes = self.studio.votes
        if wanted.isdecimal() and wanted.isascii() and 1 <= int(wanted[:9]) <= CHOICES:
            job_id = await votes.cast(self.viewer.viewer, str(int(wanted)))
            choice = next(choice for choice in (await votes.now()).choices if choice.job_id == job_id)
            said = self.replies.say(
                "job.voted", cut=cut(choice.number), votes=self.replies.counted(choice.votes, "vote")
            )
            return _answer(said, name=self.name)
        number = self._number()
        if number is None:
            return declined("choice_unknown", self.replies.say("vote.how", name=self.name), self.name)
        job = await self._numbered(number)
        if job is None:
            return self._absent(number)
        count = await votes.upvote(job.job_id, self.viewer.viewer, self.studio.catalog.votes)
        return _answer(
            self.replies.say("job.voted", cut=job.cut, votes=self.replies.counted(count, "vote")), job, name=self.name
        )

    # --- finding -----------------------------------------------------------------------------------------------------

    def _number(self) -> int | None:
        found = CUT.fullmatch(_given(self.asked.prompt).partition(" ")[0])
        return int(found[2]) if found else None

    async def _own(self) -> JobDocument | None:
        """Return the viewer's newest job that has not ended."""
        jobs = await self.studio.moderation.jobs_of(self.viewer.viewer) if self.viewer.viewer else []
        for job in jobs:
            if not job.terminal:
                now, place = await self.studio.queue.look(job.id)
                return JobDocument(**JobDocument.fields_of(now, place, await self.studio.forecast()))
        return None

    async def _numbered(self, number: int) -> JobDocument | None:
        queue = await queue_of(self.studio, MOST)
        return next((job for job in (*queue.running, *queue.waiting) if job.number == number), None)

    def _absent(self, number: int | None) -> AnswerDocument:
        key = "queue.absent" if number is None else "job.absent"
        named = {} if number is None else {"cut": cut(number)}
        return declined("job_not_found", self.replies.say(key, name=self.name, **named), self.name)


def _bare(words: str) -> str:
    """Return the words without the quotes around them."""
    quoted = len(words) > 1 and words[0] in OPENING and words[-1] in CLOSING
    return words[1:-1].strip() if quoted else words
