"""The counter: keeps our reward in Twitch's list as the studio file wants it, and closed while nobody is served."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from bot.twitch.points import Points
from bot.twitch.reward import Reward
from bot.twitch.scopes import REDEMPTIONS
from bot.twitch.settler import LONGEST_PAUSE_S, Settler
from bot.twitch.shop import Shop
from bot.twitch.subscriptions import Subscriptions
from sakuga.catalog import Catalog
from sakuga.errors import GatewayRefused, GatewayUnreachable, PointsUnreachable, RewardRefused
from sakuga.gateway import Gateway
from sakuga.log import get_logger
from sakuga.reward import RewardPolicy

LOOK_EVERY_S = 3.0
RECALL_EVERY_S = 60.0
AWAY_S = 10.0  # how long the gateway may be away before viewers are kept from paying
REFUSED_FOR_S = 600.0
FORBIDDEN, NOT_FOUND = 403, 404
NOTED = {"DUPLICATE_REWARD": "title_taken", "TOO_MANY_REWARDS": "too_many_rewards"}
HELP = "docs/how-to/channel-points.md"

log = get_logger("bot")


class Counter:
    """Serves with one login after another, and says how the reward is by `tell`: None if there is none.

    Its words are open, paused, unreachable, and why Twitch refuses it: not_affiliate, title_taken, too_many_rewards,
    scope_missing or refused.
    """

    def __init__(
        self,
        gateway: Gateway,
        shop: Shop,
        settler: Settler,
        *,
        show: Callable[[], Catalog],
        tell: Callable[[str | None], None] = lambda _: None,
        look_every_s: float = LOOK_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._shop = shop
        self._settler = settler
        self._show = show
        self._tell = tell
        self._look_every_s = look_every_s
        self._clock = clock
        self._reward: Reward | None = None
        self._recall_at = 0.0
        self._answered_at = clock()
        self._taken_in = True
        self._state: str | None = None
        self._refused: RewardPolicy | None = None
        self._refused_until = 0.0

    async def run(self, chat: Subscriptions) -> None:
        """Serve with a login until cancelled. Without the scope for it, say so and only wait."""
        if not chat.can(REDEMPTIONS):
            self._is("scope_missing" if self._show().chat.reward.enabled else None)
            await asyncio.Event().wait()
        points = Points(chat)
        self._recall_at = 0.0
        async with asyncio.TaskGroup() as both:
            both.create_task(self._tend(points, chat), name="reward")
            both.create_task(self._settler.run(points), name="settler")

    async def _tend(self, points: Points, chat: Subscriptions) -> None:
        pause_s = self._look_every_s
        while True:
            try:
                await self.look(points, live=chat.live)
                pause_s = self._look_every_s
            except (PointsUnreachable, GatewayUnreachable, GatewayRefused) as error:
                if not isinstance(error, GatewayUnreachable):
                    self._is("unreachable")
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                log.info("reward.delayed", error=error.code, retry_s=pause_s)
            await asyncio.sleep(pause_s)

    async def look(self, points: Points, *, live: bool | None) -> None:
        """Bring the reward in step, and now and then go through Twitch's list of redemptions.

        What Twitch refuses is not asked again for ten minutes, unless the studio file changes.
        Raises PointsUnreachable, GatewayUnreachable and GatewayRefused.
        """
        policy = self._show().chat.reward
        if not policy.enabled and not self._shop.reward_id:
            self._is(None)
            return
        refused = policy == self._refused and self._clock() < self._refused_until
        if refused and not self._reward:
            return
        try:
            await self._look(points, policy, live=live, switches_only=refused)
        except RewardRefused as error:
            self._refuse(policy, error)

    async def _look(self, points: Points, policy: RewardPolicy, *, live: bool | None, switches_only: bool) -> None:
        due = self._clock() >= self._recall_at
        if due:
            await self._find(points, policy)
        paused = not await self._serving(live=live)
        wanted = Reward.wanted(policy, paused=paused)
        if switches_only and self._reward:
            wanted = replace(self._reward, paused=wanted.paused, enabled=wanted.enabled)
        await self._keep(points, wanted)
        if not switches_only:
            self._is(None if not self._reward or not wanted.enabled else "paused" if paused else "open")
        if due and self._reward:
            await self._shop.recall(points)
            self._recall_at = self._clock() + RECALL_EVERY_S

    async def _find(self, points: Points, policy: RewardPolicy) -> None:
        """Look which of the rewards is ours: that of last time, whatever its title, else one that is called so."""
        rewards = await points.rewards()
        titled = (known for known, reward in rewards.items() if reward.title.casefold() == policy.title.casefold())
        ours = self._shop.reward_id if self._shop.reward_id in rewards else next(titled, "")
        self._shop.reward_id = ours
        self._reward = rewards.get(ours)

    async def _keep(self, points: Points, wanted: Reward) -> None:
        """Create the reward, or change of it what is not as it should be."""
        if self._reward is None and wanted.enabled:
            # Helix creates none that is paused; hidden, nobody can redeem it before it is.
            self._shop.reward_id, self._reward = await points.create(wanted.hidden)
            log.info("reward.created", title=wanted.title, cost=wanted.cost)
        if self._reward and (changes := wanted.asked(self._reward)):
            try:
                self._reward = await points.change(self._shop.reward_id, changes)
            except RewardRefused as error:
                if error.data["status"] != NOT_FOUND:
                    raise
                self._recall_at = 0.0  # deleted by hand: look again, and make another
                return
            log.info("reward.changed", changed=", ".join(changes))

    async def _serving(self, *, live: bool | None) -> bool:
        """Return whether a request would be taken in now, as far as anybody can know before it is asked."""
        show = self._show()
        try:
            queue = await self._gateway.queue(limit=0)
        except (GatewayUnreachable, GatewayRefused):
            if self._clock() - self._answered_at > AWAY_S:
                return False
        else:
            self._answered_at = self._clock()
            self._taken_in = queue.open and queue.waiting_count + queue.held_count < show.limits.waiting
        return self._taken_in and not (live is False and show.chat.follow_stream)

    def _refuse(self, policy: RewardPolicy, error: RewardRefused) -> None:
        status, reason = error.data["status"], str(error.data["reason"])
        self._refused, self._refused_until = policy, self._clock() + REFUSED_FOR_S
        if status == FORBIDDEN:
            self._reward = None  # nothing can be done with it, not even pausing
        known = next((state for said, state in NOTED.items() if said in reason), "refused")
        self._is("not_affiliate" if status == FORBIDDEN else known, reason=reason)

    def _is(self, state: str | None, **why: str) -> None:
        """Say how the reward is, once until it changes."""
        if state != self._state and state not in (None, "open", "paused"):
            log.info("reward.off", state=state, help=HELP, **why)
        self._state = state
        self._tell(state)
