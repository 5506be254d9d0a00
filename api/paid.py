"""What viewers pay: channel points that are to be settled, support, and the bits in a viewer's purse."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.documents import JOB_ID, Document, Time, time_of
from api.door import Caller, at_least
from api.errors import described
from api.generate import shown
from api.state import State, Studio
from sakuga.prompt import clean_line, clean_name
from sakuga.purse import Purse
from sakuga.redemption import (
    IDENTITY,
    PLATFORM,
    REASON_LENGTH,
    Outcome,
    Redeemed,
    Redemption,
    RedemptionState,
)
from sakuga.role import Role
from sakuga.support import PAID_IN_BITS, Support

router = APIRouter(tags=["paid"])

Bot = Annotated[Caller, at_least(Role.BOT)]
Platform = Annotated[str, Path(pattern=PLATFORM, description="Where the points were spent.", examples=["twitch"])]
RedemptionId = Annotated[
    str,
    Path(
        pattern=IDENTITY,
        description="The platform's id of the redemption.",
        examples=["92af127c-7326-4483-a52b-b0da0be61c01"],
    ),
]


class Refusal(BaseModel):
    """Whose redemption is given back, and why."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "reward_id": "73f1c0d2-9b1c-4d3f-8f0b-7f3c6a3e2b11",
                    "viewer": "twitch:3000",
                    "name": "Mika",
                    "cost": 500,
                    "reason": "queue_full",
                }
            ]
        },
    )

    reward_id: str = Field(default="", max_length=100, pattern=r"^[A-Za-z0-9_.-]*$")
    viewer: str = Field(default="", max_length=80, pattern=r"^([a-z]+:[^\s/]+)?$", description="As in twitch:3000.")
    name: Annotated[str, AfterValidator(clean_name)] = Field(default="", max_length=64, description="Whom to thank.")
    cost: int = Field(default=0, ge=0, le=100_000_000, description="Points that it cost.")
    reason: Annotated[str, AfterValidator(clean_line)] = Field(
        default="", max_length=REASON_LENGTH, description="Why: the code of the refusal."
    )


class Settlement(BaseModel):
    """What the platform was told."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"outcome": "refunded"}]})

    outcome: Outcome = Field(description="Whether the points are spent or given back.")


class RedemptionDocument(Document):
    """Channel points that a viewer spent on a request."""

    platform: str = Field(examples=["twitch"])
    redemption_id: str = Field(examples=["92af127c-7326-4483-a52b-b0da0be61c01"])
    reward_id: str = Field(examples=["73f1c0d2-9b1c-4d3f-8f0b-7f3c6a3e2b11"])
    viewer: str = Field(examples=["twitch:3000"])
    name: str = Field(description="The viewer's name. Plain text, never HTML.", examples=["Mika"])
    cost: int = Field(description="Points.", examples=[500])
    state: RedemptionState = Field(
        description="`held` by a job that has not ended; `due`: the platform is to be told; `settled`: it was told.",
        examples=["due"],
    )
    outcome: Outcome | None = Field(description="What is owed or was done; null while it is held.")
    job_id: str | None = Field(description="Null where its request was refused.", examples=[JOB_ID])
    reason: str = Field(description="Why there is no clip; empty if there is one.", examples=["render_failed"])
    at: Time = Field(description="Since when it is in this state.")

    @classmethod
    def of(cls, redemption: Redemption) -> "RedemptionDocument":
        """Describe a redemption."""
        return cls(**redemption.model_dump() | {"at": time_of(redemption.at)})


class RedemptionsDocument(Document):
    """Redemptions of one state."""

    redemptions: list[RedemptionDocument]


class BitsDocument(Document):
    """What a support added to a purse."""

    bits: int = Field(description="Bits for the viewer's next request.", examples=[150])


class ChangeDocument(Document):
    """Bits that came into a purse, or left it for a job."""

    at: Time
    bits: int = Field(description="Negative if they left it.", examples=[300])
    reason: str = Field(examples=["C-042 failed"])


class CreditDocument(Document):
    """A viewer's purse."""

    viewer: str = Field(examples=["twitch:3000"])
    bits: int = Field(description="Bits that are added to the viewer's next request.", examples=[300])
    entries: list[ChangeDocument] = Field(description="The last changes, up to twenty, the newest first.")

    @classmethod
    def of(cls, purse: Purse) -> "CreditDocument":
        """Describe a purse."""
        entries = [
            ChangeDocument(at=time_of(change.at), bits=change.bits, reason=change.reason) for change in purse.changes
        ]
        return cls(viewer=purse.viewer, bits=purse.bits, entries=entries)


@router.get("/redemptions", responses=described(422), summary="Channel points by state")
async def redemptions(
    caller: Bot,
    studio: Studio,
    state: Annotated[RedemptionState, Query(description="Which ones.")] = RedemptionState.DUE,
    limit: Annotated[int, Query(ge=1, le=500, description="How many.")] = 100,
) -> RedemptionsDocument:
    """Return redemptions: what is settled the newest first and for three days, the others the oldest first."""
    del caller
    found = await studio.redemptions.listed(state, limit)
    return RedemptionsDocument(redemptions=[RedemptionDocument.of(one) for one in found])


@router.get(
    "/redemptions/{platform}/{redemption_id}", responses=described(404, 422), summary="One redemption and its state"
)
async def redemption(
    platform: Platform, redemption_id: RedemptionId, caller: Bot, studio: Studio
) -> RedemptionDocument:
    """Return a redemption that is held, due, or was settled within three days."""
    del caller
    return RedemptionDocument.of(await studio.redemptions.find(platform, redemption_id))


@router.post(
    "/redemptions/{platform}/{redemption_id}/refund",
    responses=described(400, 413, 415, 422),
    summary="Give back the points of a refused request",
)
async def refund(
    platform: Platform, redemption_id: RedemptionId, refusal: Refusal, caller: Bot, studio: Studio
) -> RedemptionDocument:
    """Owe a viewer their points because their request was refused. A redemption that is known stays as it is."""
    del caller
    redeemed = Redeemed(platform=platform, id=redemption_id, reward_id=refusal.reward_id, cost=refusal.cost)
    return RedemptionDocument.of(
        await studio.redemptions.refund(
            redeemed, viewer=refusal.viewer, name=refusal.name or "somebody", reason=refusal.reason or "refused"
        )
    )


@router.post(
    "/redemptions/{platform}/{redemption_id}/settled",
    responses=described(400, 404, 413, 415, 422),
    summary="Say that the platform was told",
)
async def settled(
    platform: Platform, redemption_id: RedemptionId, settlement: Settlement, caller: Bot, studio: Studio
) -> RedemptionDocument:
    """Close a redemption. What was settled first stays, however often this is sent and whatever its job does then."""
    del caller
    return RedemptionDocument.of(await studio.redemptions.settled(platform, redemption_id, settlement.outcome))


@router.post("/supports", responses=described(400, 413, 415, 422), summary="Take in a cheer, a sub, a gift or a raid")
async def support(given: Support, caller: Bot, studio: Studio) -> BitsDocument:
    """Add what a viewer gave to their purse, in bits, by the table `[paid]` of the studio file."""
    del caller
    return BitsDocument(bits=await receive(given, studio))


async def receive(given: Support, studio: State) -> int:
    """Take in a support, once for each id, and return the bits that it brought: the one way in, whatever the route."""
    bits = studio.catalog.paid.bits_of(given)
    refill = studio.catalog.budget.of_bits(given.amount) if given.kind in PAID_IN_BITS else 0
    name = (await shown(given.viewer, studio)).name
    return await studio.purses.receive(given, name=name, bits=bits, refill=refill)


@router.get("/viewers/{viewer}/credit", responses=described(422), summary="The bits in a viewer's purse")
async def credit(
    viewer: Annotated[
        str,
        Path(max_length=80, pattern=r"^[a-z]+:[^\s/]+$", description="As in twitch:3000.", examples=["twitch:3000"]),
    ],
    caller: Bot,
    studio: Studio,
) -> CreditDocument:
    """Return how many bits are left for the viewer's next request, and where they came from."""
    del caller
    return CreditDocument.of(await studio.purses.of(viewer))
