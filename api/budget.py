"""What the show costs: GET /budget, its viewers and its ledger, and POST /budget/refill."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.documents import JOB_ID, Document, time_of
from api.door import Caller, at_least, reads
from api.errors import described
from api.jobs import Moderator
from api.pricing import price_of
from api.state import State, Studio
from sakuga.budget import Level, PriceSource, dollars, micro
from sakuga.errors import RequestInvalid, StudioNotReady
from sakuga.ledger import Entry, Funds, Pot
from sakuga.role import Role

router = APIRouter(prefix="/budget", tags=["budget"])


class PotDocument(Document):
    """What may be spent, and what was, in dollars."""

    spent_usd: float = Field(description="By attempts that have ended.", examples=[1.27])
    limit_usd: float | None = Field(description="Of the studio file; null for none.", examples=[5.0])
    refilled_usd: float = Field(description="What bits and moderators added to it.", examples=[0.5])
    left_usd: float | None = Field(description="Neither spent nor promised; null without a limit.", examples=[4.19])

    @classmethod
    def fields_of(cls, pot: Pot, promised: int) -> dict[str, float | None]:
        """Return the common fields."""
        left = pot.left(promised)
        return {
            "spent_usd": dollars(pot.spent),
            "limit_usd": None if pot.limit is None else dollars(pot.limit),
            "refilled_usd": dollars(pot.refilled),
            "left_usd": None if left is None else dollars(left),
        }


class SessionPotDocument(PotDocument):
    """The same for the stream session that is live, or the last one."""

    session_id: str | None = Field(examples=["ses_01KAFK3V5N8ZQ6W3Y7T2M4R9XB"])
    live: bool


class DayPotDocument(PotDocument):
    """The same for today."""

    date: str = Field(description="In UTC.", examples=["2026-11-20"])


class PriceDocument(Document):
    """What a second of drawing costs."""

    engine: str = Field(examples=["wan2.1-t2v-1.3b"])
    usd_per_s: float = Field(examples=[0.001212])
    source: PriceSource = Field(
        description="The studio file, the engine's list price of its GPU, or none: drawing is free.",
        examples=["engine"],
    )


class BudgetDocument(Document):
    """The budget as it is now."""

    level: Level = Field(
        description="open; soft: viewers and VIPs wait for the next session; hard: nobody may ask for what costs.",
        examples=["open"],
    )
    promised_usd: float = Field(description="For jobs that wait or are drawn.", examples=[0.04])
    total_usd: float = Field(description="Spent since the beginning.", examples=[31.4])
    soft: float = Field(description="Part of a limit at which `soft` begins.", examples=[0.8])
    usd_per_100_bits: float = Field(description="What each full 100 bits add to the limits.", examples=[0.25])
    session: SessionPotDocument
    day: DayPotDocument
    prices: list[PriceDocument] = Field(description="Of each engine, where it is drawn now.")

    @classmethod
    async def of(cls, funds: Funds, studio: State) -> Self:
        """Describe the budget."""
        policy = studio.catalog.budget
        session = PotDocument.fields_of(funds.session, funds.promised)
        day = PotDocument.fields_of(funds.day, funds.promised)
        return cls(
            level=funds.level,
            promised_usd=dollars(funds.promised),
            total_usd=dollars(funds.total),
            soft=policy.soft,
            usd_per_100_bits=policy.usd_per_100_bits,
            session=SessionPotDocument.model_validate(
                session | {"session_id": funds.session_id or None, "live": funds.live}
            ),
            day=DayPotDocument.model_validate(day | {"date": funds.date.isoformat()}),
            prices=await _prices(studio),
        )


class SpenderDocument(Document):
    """What a viewer's jobs cost."""

    viewer: str = Field(examples=["twitch:3000"])
    spent_usd: float = Field(examples=[0.12])


class SpendersDocument(Document):
    """For whom most was spent, the most first."""

    session_id: str | None
    viewers: list[SpenderDocument]


class LineDocument(Document):
    """A line of the ledger."""

    entry_id: str = Field(examples=["1795154400000-0"])
    at: str
    type: Literal["spent", "refilled"]
    usd: float = Field(examples=[0.0078])
    session_id: str | None
    job_id: str | None = Field(examples=[JOB_ID])
    attempt: int | None = Field(description="Of the job, where one was paid for.", examples=[1])
    viewer: str | None = Field(examples=["twitch:3000"])
    by: str | None = Field(description="Who refilled.")
    reason: str | None

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Describe an entry."""
        return cls(
            entry_id=entry.id,
            at=time_of(entry.at),
            type=entry.type,
            usd=dollars(entry.usd_micro),
            session_id=entry.session_id or None,
            job_id=entry.job_id or None,
            attempt=entry.attempt or None,
            viewer=entry.viewer or None,
            by=entry.by or None,
            reason=entry.reason or None,
        )


class LedgerDocument(Document):
    """Lines of the ledger, the newest first."""

    entries: list[LineDocument]
    next_before: str | None = Field(description="Give this as `before` for older ones; null at the end.")


class Refill(BaseModel):
    """What to add to the limits of this session and this day: dollars, or bits at the price of the studio file."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"usd": 2, "reason": "tip"}]}
    )

    usd: float | None = Field(default=None, gt=0, le=10_000, allow_inf_nan=False, description="Dollars.")
    bits: int | None = Field(default=None, ge=100, le=1_000_000, description="Bits; each full 100 count.")
    reason: str = Field(default="", max_length=200, description="Why, for the ledger and the audit log.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.usd is None) == (self.bits is None):
            msg = "send usd or bits"
            raise ValueError(msg)
        return self


Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", max_length=200, description="A name for this refill. Sent again, nothing is added."
    ),
]


async def _prices(studio: State) -> list[PriceDocument]:
    try:
        specs = await studio.specs()
    except StudioNotReady:
        return []
    workers, prices = await studio.workers(), studio.catalog.prices
    found = {name: price_of(spec, prices, workers) for name, spec in specs.items()}
    return [
        PriceDocument(engine=name, usd_per_s=round(price.usd_per_s, 8), source=price.source)
        for name, price in found.items()
    ]


@router.get("", dependencies=reads(), responses=described(), summary="What was spent and what is left")
async def budget(studio: Studio) -> BudgetDocument:
    """Return the budget of this session and this day, with the prices in force."""
    return await BudgetDocument.of(await studio.ledger.funds(studio.catalog.budget), studio)


@router.get("/viewers", responses=described(422), summary="For whom it was spent")
async def viewers(
    caller: Moderator,
    studio: Studio,
    session_id: Annotated[
        str | None, Query(max_length=64, description="A session; the one that is live, or the last one, if left out.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="How many.")] = 20,
) -> SpendersDocument:
    """Return the viewers whose jobs cost most in a session."""
    del caller
    found = session_id if session_id is not None else (await studio.sessions.now()).id
    spenders = await studio.ledger.spenders(found, limit)
    return SpendersDocument(
        session_id=found or None,
        viewers=[SpenderDocument(viewer=viewer, spent_usd=dollars(amount)) for viewer, amount in spenders],
    )


@router.get("/ledger", responses=described(422), summary="What each attempt cost")
async def ledger(
    caller: Moderator,
    studio: Studio,
    limit: Annotated[int, Query(ge=1, le=500, description="How many.")] = 100,
    before: Annotated[
        str | None,
        Query(max_length=40, pattern=r"^[1-9]\d{0,18}-\d{1,19}$", description="Those older than this entry."),
    ] = None,
) -> LedgerDocument:
    """Return what was spent and refilled, the newest first. About the last 100 000 lines are kept."""
    del caller
    entries = await studio.ledger.latest(limit, before=before)
    following = entries[-1].id if len(entries) == limit else None
    return LedgerDocument(entries=[LineDocument.of(entry) for entry in entries], next_before=following)


@router.post("/refill", responses=described(400, 413, 415, 422), summary="Add to the limits")
async def refill(
    wanted: Refill, caller: Annotated[Caller, at_least(Role.MODERATOR)], studio: Studio, key: Key = None
) -> BudgetDocument:
    """Add to what may be spent in this session and on this day. It stands in the ledger and in the audit log."""
    policy = studio.catalog.budget
    amount = micro(wanted.usd) if wanted.usd is not None else policy.of_bits(wanted.bits or 0)
    if not amount:
        raise RequestInvalid(param="bits", problem="Bits add nothing here: set usd_per_100_bits in [budget]")
    named = f"refill:{caller.key_id}:{key}" if key else ""
    await studio.ledger.refill(amount, by=caller.by, reason=wanted.reason, key=named)
    return await BudgetDocument.of(await studio.ledger.watch(policy), studio)
