"""Channel points at Helix: the rewards that this application made, and what viewers redeemed them for."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

import twitchio
from twitchio.http import Route

from bot.news import Redeemed
from bot.twitch.reward import Reward
from bot.twitch.subscriptions import NETWORK_ERRORS, SERVER_ERRORS, TOO_MANY_REQUESTS, Subscriptions
from sakuga.errors import PointsUnreachable, RewardRefused
from sakuga.job import RequestedBy
from sakuga.redemption import Outcome

REWARDS = "channel_points/custom_rewards"
REDEMPTIONS = "channel_points/custom_rewards/redemptions"
PAGE = 50
MOST_PAGES = 40
BAD_REQUEST, NOT_FOUND = 400, 404
STATUS: Mapping[Outcome, str] = {"fulfilled": "FULFILLED", "refunded": "CANCELED"}


class Points:
    """Speaks with the channel's own token, one request after another: two at a time cost Helix answers of 500.

    https://github.com/twitchdev/issues/issues/316. twitchio's own models can't be used: those of fetched redemptions
    lack the viewer's words, and settle another id than theirs (3.3.2). Every call raises RewardRefused for a no of
    Twitch's that stays one, and PointsUnreachable.
    """

    def __init__(self, chat: Subscriptions) -> None:
        self._chat = chat
        self._one_by_one = asyncio.Lock()

    async def rewards(self) -> dict[str, Reward]:
        """Return the rewards by id that our client id made: no others can be managed."""
        told = await self._ask("GET", REWARDS, {"only_manageable_rewards": "true"})
        with _legible():
            return {str(reward["id"]): Reward.read(reward) for reward in told["data"]}

    async def create(self, reward: Reward) -> tuple[str, Reward]:
        """Create a reward and return its id, and the reward as Twitch made it."""
        told = await self._ask("POST", REWARDS, {}, reward.asked())
        with _legible():
            return str(told["data"][0]["id"]), Reward.read(told["data"][0])

    async def change(self, reward_id: str, body: Mapping[str, Any]) -> Reward:
        """Change some fields of a reward, named as Helix names them, and return the reward as it is now."""
        told = await self._ask("PATCH", REWARDS, {"id": reward_id}, body)
        with _legible():
            return Reward.read(told["data"][0])

    async def unsettled(self, reward_id: str) -> list[Redeemed]:
        """Return what viewers redeemed and nobody has settled yet, oldest first."""
        found: list[Redeemed] = []
        wanted = {"reward_id": reward_id, "status": "UNFULFILLED", "first": str(PAGE), "sort": "OLDEST"}
        for _ in range(MOST_PAGES):
            told = await self._ask("GET", REDEMPTIONS, wanted)
            with _legible():
                found += [_read(redemption) for redemption in told["data"]]
                cursor = told["pagination"].get("cursor")
            if not cursor or not told["data"]:
                break
            wanted["after"] = cursor
        return found

    async def settle(self, reward_id: str, redemption_id: str, outcome: Outcome) -> Outcome:
        """Settle a redemption and return how it is settled: it may have been before, and then that stands."""
        which = {"reward_id": reward_id, "id": redemption_id}
        try:
            await self._ask("PATCH", REDEMPTIONS, which, {"status": STATUS[outcome]})
        except RewardRefused as refused:
            if refused.data["status"] not in (BAD_REQUEST, NOT_FOUND):
                raise
            return await self._settled(which) or outcome
        return outcome

    async def _settled(self, which: Mapping[str, str]) -> Outcome | None:
        """Return how a redemption was settled before; None for one that is gone, with its reward or by its age."""
        try:
            told = await self._ask("GET", REDEMPTIONS, which)
        except RewardRefused as refused:
            if refused.data["status"] != NOT_FOUND:
                raise
            return None
        with _legible():
            statuses = {redemption["status"] for redemption in told["data"]}
        if "UNFULFILLED" in statuses:
            raise PointsUnreachable(reason="a redemption on the list could not be settled")
        return next((outcome for outcome, status in STATUS.items() if status in statuses), None)

    async def _ask(
        self, method: Literal["GET", "POST", "PATCH"], path: str, params: Mapping[str, str], body: Any = None
    ) -> Any:
        channel = self._chat.channel_id
        if channel not in self._chat.tokens:  # it lapsed, and twitchio would show the bot's in its place
            raise PointsUnreachable(reason="login")
        route = Route(method, path, params={"broadcaster_id": channel, **params}, json=body or {}, token_for=channel)
        try:
            async with self._one_by_one:
                return await self._chat._http.request_json(route)  # noqa: SLF001 - it renews the token by itself
        # Without `from error`: the text of twitchio's errors may hold a refresh token.
        except twitchio.HTTPException as error:
            login = error.route is not None and error.route.use_id
            if login or error.status == TOO_MANY_REQUESTS or error.status >= SERVER_ERRORS:
                raise PointsUnreachable(reason="login" if login else error.status) from None
            raise RewardRefused(status=error.status, reason=error.extra.get("message", "")) from None
        except NETWORK_ERRORS as error:
            raise PointsUnreachable(reason=type(error).__name__) from None


@contextmanager
def _legible() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise PointsUnreachable(reason="its answer can't be read") from error


def _read(told: Mapping[str, Any]) -> Redeemed:
    return Redeemed(
        id=told["id"],
        reward_id=told["reward"]["id"],
        cost=told["reward"]["cost"],
        viewer=RequestedBy(
            platform="twitch", id=told["user_id"], login=told["user_login"], display_name=told["user_name"]
        ),
        text=told["user_input"],
        at=datetime.fromisoformat(told["redeemed_at"]),
    )
