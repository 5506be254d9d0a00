"""The gateway as what viewers pay needs it: redemptions to settle, support to count, purses to look into."""

from datetime import datetime
from typing import Literal
from urllib.parse import quote

from sakuga.documents import Document
from sakuga.gateway import Gateway
from sakuga.job import RequestedBy
from sakuga.redemption import Outcome, RedemptionState
from sakuga.support import Support, SupportKind


class RedemptionDocument(Document):
    """Channel points that a viewer spent on a request, and how they stand."""

    platform: str
    redemption_id: str
    reward_id: str = ""
    viewer: str = ""
    name: str = ""
    cost: int = 0
    state: RedemptionState
    outcome: Outcome | None = None
    job_id: str | None = None
    reason: str = ""
    at: datetime


class RedemptionsDocument(Document):
    """Redemptions of one state."""

    redemptions: tuple[RedemptionDocument, ...] = ()


class BitsDocument(Document):
    """What a support brought."""

    bits: int


class ChangeDocument(Document):
    """Bits that came into a purse, or left it."""

    at: datetime
    bits: int
    reason: str


class CreditDocument(Document):
    """A viewer's purse, with its newest changes first."""

    viewer: str
    bits: int
    entries: tuple[ChangeDocument, ...] = ()


class Till(Gateway):
    """Counts what viewers pay. Every call may be sent again: each redemption and each support counts once."""

    async def refund(
        self,
        redemption_id: str,
        *,
        reward_id: str,
        viewer: RequestedBy,
        cost: int,
        reason: str,
        platform: str = "twitch",
    ) -> RedemptionDocument:
        """Say that the points of a refused request are to be given back, and return how they stand.

        `reason` is the code of the refusal. A redemption that a job holds, or that is settled, stays as it is.
        """
        body = {
            "reward_id": reward_id,
            "viewer": viewer.viewer,
            "name": viewer.name,
            "cost": cost,
            "reason": reason,
        }
        answer = await self._send("POST", f"/redemptions/{platform}/{redemption_id}/refund", json=body)
        return self._read(answer, RedemptionDocument)

    async def due(self, *, limit: int = 500) -> tuple[RedemptionDocument, ...]:
        """Return what the platform is to be told, the oldest first."""
        return await self.redemptions("due", limit=limit)

    async def redemptions(
        self, state: Literal["due", "held", "settled"], *, limit: int = 100
    ) -> tuple[RedemptionDocument, ...]:
        """Return redemptions of a state."""
        answer = await self._send("GET", f"/redemptions?state={state}&limit={limit}")
        return self._read(answer, RedemptionsDocument).redemptions

    async def redemption(self, redemption_id: str, *, platform: str = "twitch") -> RedemptionDocument:
        """Return a redemption; the refusal `redemption_not_found` if it is not known or was settled days ago."""
        return self._read(await self._send("GET", f"/redemptions/{platform}/{redemption_id}"), RedemptionDocument)

    async def settled(self, redemption_id: str, outcome: Outcome, *, platform: str = "twitch") -> RedemptionDocument:
        """Say what the platform was told, and return how the redemption stands."""
        path = f"/redemptions/{platform}/{redemption_id}/settled"
        return self._read(await self._send("POST", path, json={"outcome": outcome}), RedemptionDocument)

    async def support(self, support_id: str, kind: SupportKind, viewer: RequestedBy, amount: int) -> int:
        """Count a support, named by its message or event, and return the bits that it brought to the viewer's purse."""
        support = Support(id=support_id, kind=kind, viewer=viewer, amount=amount)
        return self._read(await self._send("POST", "/supports", json=support.model_dump()), BitsDocument).bits

    async def credit(self, viewer: str) -> CreditDocument:
        """Return the purse of a viewer, given as in twitch:3000."""
        return self._read(await self._send("GET", f"/viewers/{quote(viewer, safe=':')}/credit"), CreditDocument)
