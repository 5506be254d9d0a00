"""The show: when it is live, and what its chat votes for."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api import choice
from api.documents import Document, time_of
from api.door import Caller, at_least, reads
from api.errors import described
from api.plan import CAST
from api.state import Studio
from sakuga.ballot import Ballot
from sakuga.errors import BallotNotOpen
from sakuga.job import cut
from sakuga.role import Role
from sakuga.session import Rest, Session
from sakuga.show import Show

router = APIRouter(tags=["show"])

Bot = Annotated[Caller, at_least(Role.BOT)]
Moderator = Annotated[Caller, at_least(Role.MODERATOR)]


class SessionDocument(Document):
    """The stream session that is live, or the last one."""

    session_id: str | None = Field(examples=["ses_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"])
    live: bool
    began_at: str | None
    ended_at: str | None
    cancelled: int = Field(default=0, description="Jobs that were ended together with it, just now.")

    @classmethod
    def of(cls, session: Session) -> "SessionDocument":
        """Describe a session."""
        return cls(
            session_id=session.id or None,
            live=session.live,
            began_at=time_of(session.began_at) if session.began_at else None,
            ended_at=time_of(session.ended_at) if session.ended_at else None,
            cancelled=session.cancelled,
        )


class SessionEnd(BaseModel):
    """How to end it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rest: Rest = Field(
        default="draw",
        description="What becomes of what waits or is held: it is still drawn, or cancelled, and what viewers paid for "
        "it comes back to them. What is being drawn is drawn to its end.",
        examples=["cancel"],
    )


class ShowRequest(BaseModel):
    """What to draw where a request names nothing. What is left out stays; null leaves it to the studio file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    style: str | None = Field(default=None, max_length=40, description="A style of GET /catalog.", examples=["neon"])
    characters: list[Annotated[str, Field(max_length=40)]] | None = Field(
        default=None, max_length=CAST, description="Characters of GET /catalog, up to three; nobody if empty."
    )


class ShowDocument(Document):
    """What moderators set for requests that name nothing, until the session ends."""

    style: str | None = Field(description="Null while the studio file's counts.", examples=["neon"])
    characters: list[str] | None = Field(description="Null while nobody was set.", examples=[["hana"]])

    @classmethod
    def of(cls, show: Show) -> "ShowDocument":
        """Describe what is set."""
        return cls(style=show.style, characters=None if show.characters is None else list(show.characters))


class BallotRequest(BaseModel):
    """What to vote on."""

    model_config = ConfigDict(extra="forbid", strict=True)

    job_ids: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=3, description="Two or three waiting jobs; those behind the next if left out."
    )


class Vote(BaseModel):
    """A viewer's vote on the open ballot."""

    model_config = ConfigDict(extra="forbid", strict=True)

    viewer: str = Field(min_length=3, max_length=80, pattern=r"^[a-z]+:[^\s/]+$", examples=["twitch:3000"])
    choice: str = Field(max_length=64, description="Number on the ballot, from 1, or a job_id.", examples=["2"])


class ChoiceDocument(Document):
    """What can be voted for."""

    job_id: str
    cut: str = Field(examples=["C-042"])
    votes: int


class BallotDocument(Document):
    """A ballot."""

    ballot_id: str
    state: Literal["open", "closed"]
    choices: list[ChoiceDocument]
    opened_at: str
    closes_at: str
    winner: str | None = Field(description="The job that won and got its head start.")

    @classmethod
    def of(cls, ballot: Ballot) -> "BallotDocument":
        """Describe a ballot."""
        return cls(
            ballot_id=ballot.id,
            state=ballot.state,
            choices=[
                ChoiceDocument(job_id=choice.job_id, cut=cut(choice.number), votes=choice.votes)
                for choice in ballot.choices
            ],
            opened_at=time_of(ballot.opened_at),
            closes_at=time_of(ballot.closes_at),
            winner=ballot.winner,
        )


class BallotsDocument(Document):
    """What is voted on."""

    ballot: BallotDocument | None = Field(description="The one that is open, or the last one; null before the first.")


class VoteDocument(Document):
    """What a vote is for."""

    job_id: str


@router.get("/session", dependencies=reads(), responses=described(), summary="Whether the show is live")
async def session(studio: Studio) -> SessionDocument:
    """Return the session that is live, or the last one."""
    return SessionDocument.of(await studio.sessions.now())


@router.post("/session/begin", responses=described(), summary="The stream begins")
async def begin(caller: Bot, studio: Studio) -> SessionDocument:
    """Begin a session, with its own budget and its own count of each viewer's jobs. One that is live goes on."""
    return SessionDocument.of(await studio.sessions.begin(by=caller.by))


@router.post("/session/end", responses=described(400, 413, 415, 422), summary="The stream ends")
async def end(caller: Bot, studio: Studio, how: SessionEnd | None = None) -> SessionDocument:
    """End the session. What waits is still drawn unless `rest` says otherwise; POST /queue/drain takes no more."""
    return SessionDocument.of(await studio.sessions.end(by=caller.by, rest=how.rest if how else "draw"))


@router.get("/show", dependencies=reads(), responses=described(), summary="What is set for the show")
async def show(studio: Studio) -> ShowDocument:
    """Return in which style and with whom cuts are drawn that name none."""
    return ShowDocument.of(await studio.shows.now())


@router.put("/show", responses=described(400, 413, 415, 422), summary="Set style and characters for the show")
async def set_show(wanted: ShowRequest, caller: Moderator, studio: Studio) -> ShowDocument:
    """Say in which style and with whom cuts are drawn that name none, until the session ends.

    What waits stays as it is. An engine that can't draw these characters draws without them.
    """
    changes: dict[str, str | list[str] | None] = {}
    if wanted.style is not None:
        choice.style(wanted.style, studio.catalog)
    if wanted.characters:
        choice.engine(None, wanted.characters, await studio.specs(), studio.catalog)
    if "style" in wanted.model_fields_set:
        changes["style"] = wanted.style
    if "characters" in wanted.model_fields_set:
        changes["characters"] = None if wanted.characters is None else [*dict.fromkeys(wanted.characters)]
    if changes:
        await studio.shows.put(changes, by=caller.by)
    return ShowDocument.of(await studio.shows.now())


@router.get("/ballots", dependencies=reads(), responses=described(), summary="What is voted on")
async def ballot(studio: Studio) -> BallotsDocument:
    """Return the ballot that is open, or the last one."""
    try:
        return BallotsDocument(ballot=BallotDocument.of(await studio.votes.now()))
    except BallotNotOpen:
        return BallotsDocument(ballot=None)


@router.post("/ballots", status_code=201, responses=described(400, 409, 413, 415, 422), summary="Open a ballot")
async def open_ballot(caller: Bot, studio: Studio, wanted: BallotRequest | None = None) -> BallotDocument:
    """Let the chat choose among waiting jobs. It closes by itself; the winner gets head start."""
    chosen = wanted.job_ids if wanted else []
    return BallotDocument.of(await studio.votes.open(studio.catalog.votes, by=caller.by, job_ids=chosen))


@router.delete("/ballots", responses=described(409), summary="Close the ballot")
async def close_ballot(caller: Bot, studio: Studio) -> BallotDocument:
    """Close the open ballot before its time."""
    await studio.votes.close(studio.catalog.votes, by=caller.by)
    return BallotDocument.of(await studio.votes.now())


@router.post("/votes", responses=described(400, 409, 413, 415, 422), summary="Vote")
async def vote(wanted: Vote, caller: Bot, studio: Studio) -> VoteDocument:
    """Count a viewer's vote on the open ballot: one each, changed by voting again."""
    del caller
    return VoteDocument(job_id=await studio.votes.cast(wanted.viewer, wanted.choice))
