"""FakeTwitch's chat: somebody speaks, moderators act, the stream begins and ends, and the bot answers."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.fakes.twitch_eventsub import CHAT, TwitchEventSub
from tests.fakes.twitch_server import BOT, JO, MIKA, STREAMER, error, now, user

Fragment = tuple[str, str]
NOTICES = (
    "sub", "resub", "sub_gift", "community_sub_gift", "gift_paid_upgrade", "prime_paid_upgrade", "raid", "unraid",
    "pay_it_forward", "announcement", "bits_badge_tier", "charity_donation", "modiversary", "watch_streak",
)  # fmt: skip
SHARED = (
    "sub", "resub", "sub_gift", "community_sub_gift", "gift_paid_upgrade", "prime_paid_upgrade", "raid",
    "pay_it_forward", "announcement", "modiversary",
)  # fmt: skip
CHANNEL = user("broadcaster_user", STREAMER)


class TwitchChat(TwitchEventSub):
    """`say` things as a viewer, look at what the bot `sent`. Inject faults by the `next_...` lists."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.next_statuses: list[int] = []
        self.next_drop_reasons: list[str] = []
        self.live = False
        """What Helix says of the stream; `go_live` and `go_off` tell of it as well."""
        self._told: dict[str, str] = {}  # message id -> notification id

    def routes(self) -> Sequence[web.RouteDef]:
        """Return those of the chat and of the stream."""
        return [
            *super().routes(),
            web.post("/helix/chat/messages", self._chat_message),
            web.get("/helix/streams", self._streams),
        ]

    async def heard(self, count: int = 1) -> str:
        """Wait until the bot has sent `count` messages in all, and return the last one's text."""
        await self.wait_for(lambda: len(self.sent) >= count)
        return str(self.sent[count - 1]["message"])

    async def answered(self, message_id: str) -> str:
        """Wait until the bot has answered a message in its thread, and return the first answer's text."""

        def answers() -> list[str]:
            return [sent["message"] for sent in self.sent if sent.get("reply_parent_message_id") == message_id]

        await self.wait_for(answers)
        return answers()[0]

    async def say(
        self,
        *fragments: str | Fragment,
        by: str = MIKA,
        badges: tuple[str, ...] = (),
        bits: int = 0,
        source: str | None = None,
        reply: bool = False,
    ) -> str:
        """Say a message, given as text or as (type, text) fragments, and return its id."""
        parts = [("text", part) if isinstance(part, str) else part for part in fragments]
        message_id = str(uuid.uuid4())
        event = {
            **CHANNEL,
            **(user("source_broadcaster_user", source) if source else {"source_broadcaster_user_id": None}),
            **user("chatter_user", by),
            "message_id": message_id,
            "source_message_id": None,
            "is_source_only": None,
            "message": {"text": "".join(text for _, text in parts), "fragments": [_fragment(*part) for part in parts]},
            "message_type": "text",
            "color": "#00FF7F",
            "badges": [{"set_id": name, "id": "1", "info": ""} for name in badges],
            "source_badges": None,
            "cheer": {"bits": bits} if bits else None,
            "reply": _reply() if reply else None,
            "channel_points_custom_reward_id": None,
            "channel_points_animation_id": None,
        }
        assert CHAT in self.subscribed, "nobody listens"
        self._told[message_id] = await self.publish(CHAT, event)
        return message_id

    async def redeliver(self, message_id: str) -> None:
        """Deliver a message; Twitch may do so more than once."""
        await self.repeat(self._told[message_id])

    # -- what moderators do ------------------------------------------------------------------------------------------

    async def delete(self, message_id: str, *, by: str = MIKA) -> str:
        """Delete somebody's message."""
        event = {**CHANNEL, **user("target_user", by), "message_id": message_id}
        return await self.publish("channel.chat.message_delete", event)

    async def clear(self) -> str:
        """Clear the chat."""
        return await self.publish("channel.chat.clear", {**CHANNEL})

    async def ban(self, who: str = MIKA, *, by: str = JO, seconds: float | None = None) -> str:
        """Ban a viewer, or time them out; Twitch tells of both that and of their messages."""
        ends = datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None
        banned = {
            **CHANNEL,
            **user("user", who),
            **user("moderator_user", by),
            "reason": "spam",
            "banned_at": now(),
            "ends_at": ends.isoformat().replace("+00:00", "Z") if ends else None,
            "is_permanent": ends is None,
        }
        told = await self.publish("channel.ban", banned)
        await self.publish("channel.chat.clear_user_messages", {**CHANNEL, **user("target_user", who)})
        return told

    async def unban(self, who: str = MIKA, *, by: str = JO) -> str:
        """Take a ban back."""
        return await self.publish("channel.unban", {**CHANNEL, **user("user", who), **user("moderator_user", by)})

    # -- what viewers give -------------------------------------------------------------------------------------------

    async def notify(self, kind: str, by: str = MIKA, **details: Any) -> str:
        """Put a notice into the chat, of one of the kinds that Twitch has, and return its message id."""
        message_id = str(uuid.uuid4())
        notices = dict.fromkeys((*NOTICES, *(f"shared_chat_{name}" for name in SHARED)))
        event = {
            **CHANNEL,
            **user("chatter_user", by),
            **notices,
            "chatter_is_anonymous": False,
            "color": "",
            "badges": [],
            "system_message": "Something happened.",
            "message_id": message_id,
            "message": {"text": "", "fragments": []},
            "notice_type": kind,
            kind: details,
        }
        self._told[message_id] = await self.publish("channel.chat.notification", event)
        return message_id

    async def subscribe(self, by: str = MIKA) -> str:
        """Subscribe to the channel."""
        return await self.notify("sub", by, sub_tier="1000", is_prime=False, duration_months=1)

    async def gift(self, to: str = JO, *, by: str = MIKA, of: str | None = None) -> str:
        """Give one sub away, alone or as one of a community gift."""
        more = {"community_gift_id": of, "cumulative_total": None, "duration_months": 1}
        return await self.notify("sub_gift", by, sub_tier="1000", **more, **user("recipient_user", to))

    async def gift_many(self, *to: str, by: str = MIKA) -> str:
        """Give subs to the community: Twitch tells of all together, then of each."""
        message_id = await self.notify(
            "community_sub_gift", by, id="g", sub_tier="1000", total=len(to), cumulative_total=7
        )
        for who in to:
            await self.gift(who, by=by, of="g")
        return message_id

    async def raid(self, viewers: int, *, by: str = JO) -> str:
        """Come with one's viewers."""
        picture = {"profile_image_url": "https://example.com/{width}x{height}.png"}
        return await self.notify("raid", by, **user("user", by), viewer_count=viewers, **picture)

    # -- the stream --------------------------------------------------------------------------------------------------

    async def go_live(self) -> str:
        """Begin the stream."""
        self.live = True
        return await self.publish("stream.online", {**CHANNEL, "id": "9001", "type": "live", "started_at": now()})

    async def go_off(self) -> str:
        """End it."""
        self.live = False
        return await self.publish("stream.offline", {**CHANNEL, "id": "9001"})

    # -- api.twitch.tv -----------------------------------------------------------------------------------------------

    async def _streams(self, request: web.Request) -> web.Response:
        if self.caller(request) is None:
            return error(401, "Invalid OAuth token")
        live = self.live and request.query["user_id"] == STREAMER
        stream = {
            **user("user", STREAMER),
            **dict.fromkeys(("game_id", "game_name", "title", "language", "thumbnail_url"), ""),
            "id": "9001",
            "type": "live",
            "viewer_count": 12,
            "started_at": now(),
            "is_mature": False,
            "tags": [],
        }
        return web.json_response({"data": [stream] if live else [], "pagination": {}})

    async def _chat_message(self, request: web.Request) -> web.Response:
        user_id = self.caller(request)
        if user_id is None:
            return error(401, "Invalid OAuth token")
        if self.next_statuses:
            self.refused.append(self.next_statuses.pop(0))
            await self.notice()
            return error(int(self.refused[-1]), "try again")
        message = await request.json()
        if self.next_drop_reasons:
            self.refused.append(self.next_drop_reasons.pop(0))
            await self.notice()
            reason = {"code": self.refused[-1], "message": "Your message was not sent."}
            return web.json_response({"data": [{"message_id": "", "is_sent": False, "drop_reason": reason}]})
        assert message["sender_id"] == user_id, "a user token speaks for its own account only"
        message_id = str(uuid.uuid4())
        self.sent.append({**message, "id": message_id})
        await self.notice()
        return web.json_response({"data": [{"message_id": message_id, "is_sent": True, "drop_reason": None}]})


def _fragment(kind: str, text: str) -> dict[str, Any]:
    cheer = {"prefix": text.rstrip("0123456789").lower(), "bits": 100, "tier": 100} if kind == "cheermote" else None
    emote = {"id": "25", "emote_set_id": "0", "owner_id": "0", "format": ["static"]} if kind == "emote" else None
    mention = {"user_id": BOT, "user_login": "animebot", "user_name": "Animebot"} if kind == "mention" else None
    return {"type": kind, "text": text, "cheermote": cheer, "emote": emote, "mention": mention}


def _reply() -> dict[str, str]:
    parent = {"parent_message_id": "p", "parent_message_body": "C-042 is next.", "thread_message_id": "p"}
    return {**parent, **user("parent_user", BOT), **user("thread_user", BOT)}
