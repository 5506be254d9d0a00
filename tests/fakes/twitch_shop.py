"""FakeTwitch's channel points: rewards and what viewers redeemed, by Helix's own rules."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.fakes.twitch_eventsub import TwitchEventSub
from tests.fakes.twitch_reward import BLANK, flat, shaped, wrong_with
from tests.fakes.twitch_server import CLIENT_ID, MIKA, STREAMER, error, user

MOST_REWARDS = 50
MANAGE = "channel:manage:redemptions"
REDEEMED = "channel.channel_points_custom_reward_redemption.add"
POWERED_UP = "channel.custom_power_up_redemption.add"
LIST, CREATE = ("GET", "custom_rewards"), ("POST", "custom_rewards")
DECIDE = ("PATCH", "custom_rewards/redemptions")
Handler = Callable[[web.Request], Awaitable[web.Response]]


class ShopRefused(Exception):
    """What the viewer's page says when something can't be redeemed."""


class TwitchShop(TwitchEventSub):
    """`redeem` as a viewer, look at `rewards`, at `redemptions` and at what was `decided` about them.

    Inject faults by `next_shop_statuses`. What is asked by the methods and paths in `silent_on` is done, but its answer
    does not come until `speak`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.affiliate = True
        self.rewards: dict[str, dict[str, Any]] = {}
        self.redemptions: dict[str, dict[str, Any]] = {}
        self.decided: list[tuple[str, str]] = []  # redemption id and status, as often as it came to be so
        self.shop_calls: list[tuple[str, str]] = []  # method and path of what was asked
        self.next_shop_statuses: list[int] = []
        self.silent_on: set[tuple[str, str]] = set()
        self._made_by: dict[str, str] = {}  # reward id -> client id

    def routes(self) -> Sequence[web.RouteDef]:
        """Return those of channel points."""
        rewards, redeemed = "/helix/channel_points/custom_rewards", "/helix/channel_points/custom_rewards/redemptions"
        return [
            *super().routes(),
            web.get(rewards, self._shop(self._list_rewards)),
            web.post(rewards, self._shop(self._create_reward)),
            web.patch(rewards, self._shop(self._change_reward)),
            web.get(redeemed, self._shop(self._list_redemptions)),
            web.patch(redeemed, self._shop(self._decide_redemption)),
        ]

    # -- what people do ----------------------------------------------------------------------------------------------

    def offer(self, title: str = "Hydrate", *, client_id: str = "another", **fields: Any) -> str:
        """Add a reward, as the streamer does by hand or another application does, and return its id."""
        reward_id = str(uuid.uuid4())
        self._made_by[reward_id] = client_id
        self.rewards[reward_id] = shaped({**BLANK, "title": title, "cost": 100, **fields}) | {"id": reward_id}
        return reward_id

    @property
    def ours(self) -> dict[str, Any]:
        """The one reward that our application made."""
        [reward] = [reward for reward in self.rewards.values() if self._made_by[reward["id"]] == CLIENT_ID]
        return reward

    def take_down(self, reward_id: str) -> None:
        """Delete a reward by hand; Twitch then takes what is open for fulfilled."""
        del self.rewards[reward_id]
        for redemption in self.redemptions.values():
            if redemption["reward"]["id"] == reward_id and redemption["status"] == "UNFULFILLED":
                redemption["status"] = "FULFILLED"

    async def redeem(
        self,
        text: str = "a lighthouse",
        *,
        by: str = MIKA,
        reward_id: str = "",
        heard: bool = True,
        ago: timedelta = timedelta(),
    ) -> str:
        """Redeem our reward, or another one, and return the redemption's id. Raises ShopRefused."""
        reward = self.rewards[reward_id] if reward_id else self.ours
        if not reward["is_enabled"] or reward["is_paused"]:
            raise ShopRefused
        redemption_id = str(uuid.uuid4())
        self.redemptions[redemption_id] = {
            **user("broadcaster", STREAMER),
            **user("user", by),
            "id": redemption_id,
            "user_input": text,
            "status": "UNFULFILLED",
            "redeemed_at": (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "reward": {name: reward[name] for name in ("id", "title", "prompt", "cost")},
        }
        if heard:
            await self.tell_again(redemption_id)
        return redemption_id

    async def tell_again(self, redemption_id: str) -> None:
        """Tell of a redemption by EventSub; Twitch may do so more than once."""
        known = {name: value for name, value in self.redemptions[redemption_id].items() if "broadcaster" not in name}
        await self.publish(REDEEMED, {**known, **user("broadcaster_user", STREAMER), "status": known["status"].lower()})

    async def power_up(self, text: str = "a lighthouse", *, bits: int = 300, by: str = MIKA) -> str:
        """Use a Custom Power-up that asks for words, and return the redemption's id."""
        redemption_id = str(uuid.uuid4())
        event = {
            **user("broadcaster_user", STREAMER),
            **user("user", by),
            "id": redemption_id,
            "user_input": text,
            "status": "unfulfilled",
            "redeemed_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "custom_power_up": {"id": "p-1", "title": "Direct a clip", "bits": bits, "prompt": "Say what to draw."},
        }
        await self.publish(POWERED_UP, event)
        return redemption_id

    async def speak(self) -> None:
        """Give the answers that were kept back."""
        self.silent_on.clear()
        await self.notice()

    def status_of(self, redemption_id: str) -> str:
        """Return UNFULFILLED, FULFILLED or CANCELED."""
        return str(self.redemptions[redemption_id]["status"])

    # -- api.twitch.tv -----------------------------------------------------------------------------------------------

    def _shop(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.Response:
            call = (request.method, request.path.removeprefix("/helix/channel_points/"))
            self.shop_calls.append(call)
            answer = self._turned_away(request) or await handler(request)
            await self.notice()
            await self.wait_for(lambda: call not in self.silent_on, within_s=60)
            return answer

        return guarded

    def _turned_away(self, request: web.Request) -> web.Response | None:
        if self.next_shop_statuses:
            return error(self.next_shop_statuses.pop(0), "try again")
        if self.caller(request) is None or request.headers.get("Client-Id") != CLIENT_ID:
            return error(401, "Invalid OAuth token")
        if self.caller(request, MANAGE) is None:
            return error(401, f"Missing scope: {MANAGE}")
        if self.caller(request) != request.query.get("broadcaster_id"):
            return error(401, "The ID in broadcaster_id must match the user ID of the token")
        return None if self.affiliate else error(403, "channel points are not available for the broadcaster")

    async def _list_rewards(self, request: web.Request) -> web.Response:
        own = request.query.get("only_manageable_rewards", "false").lower() == "true"
        asked = request.query.getall("id", [])
        found = [
            reward
            for reward_id, reward in self.rewards.items()
            if (not own or self._made_by[reward_id] == CLIENT_ID) and (not asked or reward_id in asked)
        ]
        return web.json_response({"data": found}) if found or not asked else error(404, "no such reward")

    async def _create_reward(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if "title" not in asked or "cost" not in asked:
            return error(400, "title and cost are required")
        asked.pop("is_paused", None)  # can only be changed later
        if problem := wrong_with(asked, self._titles()):
            return error(400, f"CREATE_CUSTOM_REWARD_{problem}")
        if len(self.rewards) >= MOST_REWARDS:
            return error(400, "CREATE_CUSTOM_REWARD_TOO_MANY_REWARDS")
        reward_id = self.offer(**{**BLANK, **asked}, client_id=CLIENT_ID)
        return web.json_response({"data": [self.rewards[reward_id]]})

    async def _change_reward(self, request: web.Request) -> web.Response:
        reward_id, asked = request.query["id"], await request.json()
        if refusal := self._theirs(reward_id):
            return refusal
        if problem := wrong_with(asked, self._titles(but=reward_id)):
            return error(400, f"UPDATE_CUSTOM_REWARD_{problem}")
        self.rewards[reward_id] |= shaped({**flat(self.rewards[reward_id]), **asked})
        return web.json_response({"data": [self.rewards[reward_id]]})

    async def _list_redemptions(self, request: web.Request) -> web.Response:
        reward_id, ids = request.query["reward_id"], request.query.getall("id", [])
        if not ids and "status" not in request.query:
            return error(400, "The status query parameter is required if you don't specify the id query parameter.")
        if refusal := self._theirs(reward_id):
            return refusal
        found = [
            redemption
            for redemption in self.redemptions.values()
            if redemption["reward"]["id"] == reward_id
            and (redemption["id"] in ids if ids else redemption["status"] == request.query["status"])
        ]
        if ids and not found:
            return error(404, "no such redemption")
        start, length = int(request.query.get("after", 0)), min(int(request.query.get("first", 20)), 50)
        more = {"cursor": str(start + length)} if len(found) > start + length else {}
        return web.json_response({"data": found[start : start + length], "pagination": more})

    async def _decide_redemption(self, request: web.Request) -> web.Response:
        if refusal := self._theirs(request.query["reward_id"]):
            return refusal
        status = (await request.json()).get("status")
        if status not in ("FULFILLED", "CANCELED"):
            return error(400, "The value in the status field must be CANCELED or FULFILLED")
        redemption = self.redemptions.get(request.query["id"])
        if redemption is None or redemption["status"] != "UNFULFILLED":
            return error(404, "The redemptions were not found, or their statuses weren't marked as UNFULFILLED")
        redemption["status"] = status
        self.decided.append((redemption["id"], status))
        return web.json_response({"data": [redemption]})

    def _theirs(self, reward_id: str) -> web.Response | None:
        if reward_id not in self.rewards:
            return error(404, "The custom reward was not found")
        if self._made_by[reward_id] != CLIENT_ID:
            return error(403, "The ID in the Client-Id header must match the client ID used to create the reward")
        return None

    def _titles(self, but: str = "") -> set[str]:
        return {reward["title"].lower() for reward in self.rewards.values() if reward["id"] != but}
