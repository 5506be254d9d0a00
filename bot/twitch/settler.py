"""The settler: tells Twitch what became of each redemption, and then the gateway that Twitch knows."""

import asyncio

from bot.recent import Recent
from bot.till import RedemptionDocument, Till
from bot.twitch.points import Points
from sakuga.errors import GatewayRefused, GatewayUnreachable, PointsUnreachable, RewardRefused
from sakuga.log import get_logger

PLATFORM = "twitch"
LOOK_EVERY_S = 5.0
LONGEST_PAUSE_S = 60.0
TOLD_AGAIN_S = 3600.0

log = get_logger("bot")


class Settler:
    """Works off the gateway's outbox. What it owes stands there until it is done, so that no crash loses or doubles it.

    Twitch takes one decision for a redemption. When the bot dies after Twitch took it, the next look finds that and
    writes it down.
    """

    def __init__(self, till: Till, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._till = till
        self._look_every_s = look_every_s
        self._woken = asyncio.Event()
        self._refused = Recent(TOLD_AGAIN_S)

    def wake(self) -> None:
        """Look at once: a job has ended, or a request was refused."""
        self._woken.set()

    async def run(self, points: Points) -> None:
        """Settle until cancelled, with growing pauses while Twitch or the gateway is away."""
        pause_s = self._look_every_s
        while True:
            self._woken.clear()
            try:
                await self.settle(points)
            except (PointsUnreachable, GatewayUnreachable, GatewayRefused) as error:
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                log.info("redemption.delayed", error=error.code, retry_s=pause_s)
                await asyncio.sleep(pause_s)
                continue
            pause_s = self._look_every_s
            try:
                async with asyncio.timeout(pause_s):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def settle(self, points: Points) -> None:
        """Settle all that is due. Raises PointsUnreachable, GatewayUnreachable and GatewayRefused."""
        for redemption in await self._till.due():
            if redemption.platform == PLATFORM:
                await self._settle(points, redemption)

    async def _settle(self, points: Points, owed: RedemptionDocument) -> None:
        try:
            outcome = await points.settle(owed.reward_id, owed.redemption_id, owed.outcome or "refunded")
        except RewardRefused as error:  # another application's, or no affiliate any more: one may not hold up the rest
            if self._refused.add(owed.redemption_id):
                log.warning("redemption.refused", redemption_id=owed.redemption_id, **error.data)
            return
        await self._till.settled(owed.redemption_id, outcome)
        log.info("redemption.settled", redemption_id=owed.redemption_id, outcome=outcome, job_id=owed.job_id)
