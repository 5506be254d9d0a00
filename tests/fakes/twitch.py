"""FakeTwitch: the parts of Twitch that the bot touches, on a loopback port, and a chat to speak in."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import WSCloseCode, web

STREAMER, BOT, MIKA, JO = "1000", "2000", "3000", "3001"
LOGINS = {STREAMER: "streamer", BOT: "animebot", MIKA: "mika", JO: "jo"}
CLIENT_ID, CLIENT_SECRET = "a-client", "a-client-secret"
Fragment = tuple[str, str]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": "Error", "status": status, "message": message}, status=status)


class FakeTwitch:
    """Issue tokens, `say` things as a viewer, look at what the bot `sent`. Inject faults by the `next_...` lists."""

    def __init__(self) -> None:
        self.owner_of: dict[str, str] = {}  # access token -> user id
        self.renews: dict[str, str] = {}  # refresh token -> user id; each works once
        self.expires_in = 14_000
        self.refreshes = 0
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.sent: list[dict[str, Any]] = []
        self.refused: list[int | str] = []
        self.next_statuses: list[int] = []
        self.next_drop_reasons: list[str] = []
        self.next_subscription_statuses: list[int] = []
        self._said: dict[str, dict[str, Any]] = {}
        self._changed = asyncio.Condition()
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._door: web.TCPSite | None = None

    @property
    def url(self) -> str:
        """The address that stands in for all of Twitch's."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def open(self) -> None:
        """Begin to answer; at the same port as before."""
        app = web.Application()
        app.router.add_post("/oauth2/token", self._token)
        app.router.add_get("/oauth2/validate", self._validate)
        app.router.add_post("/helix/eventsub/subscriptions", self._subscribe)
        app.router.add_post("/helix/chat/messages", self._chat_message)
        app.router.add_get("/ws", self._socket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        self._door = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await self._door.start()
        self._port = self._runner.addresses[0][1]

    async def shut(self) -> None:
        """Go away: every connection breaks."""
        if self._runner and self._door:
            await self._door.stop()  # first, or who is dropped comes in again
            await self.drop(code=WSCloseCode.GOING_AWAY)
            await self._runner.cleanup()
            self._runner = self._door = None

    def log_in(self, user_id: str) -> tuple[str, str]:
        """Return an access token and a refresh token of an account."""
        access, refresh = f"access-{uuid.uuid4().hex}", f"refresh-{uuid.uuid4().hex}"
        self.owner_of[access] = self.renews[refresh] = user_id
        return access, refresh

    def settings(self, account: str = BOT) -> dict[str, str]:
        """Return the settings, by field, of a bot that speaks with an account in the streamer's channel."""
        access, refresh = self.log_in(account)
        return {
            "twitch_api_base": self.url,
            "twitch_client_id": CLIENT_ID,
            "twitch_client_secret": CLIENT_SECRET,
            "twitch_bot_id": account,
            "twitch_broadcaster_id": STREAMER,
            "twitch_access_token": access,
            "twitch_refresh_token": refresh,
        }

    def expire_tokens(self) -> None:
        """Let every access token run out. Refresh tokens stay."""
        self.owner_of.clear()

    async def wait_for(self, predicate: Callable[[], object], *, within_s: float = 30) -> None:
        """Wait until something about this fake is so."""
        async with self._changed, asyncio.timeout(within_s):
            await self._changed.wait_for(predicate)

    async def heard(self, count: int = 1) -> str:
        """Wait until the bot has sent `count` messages in all, and return the last one's text."""
        await self.wait_for(lambda: len(self.sent) >= count)
        return str(self.sent[count - 1]["message"])

    # -- the chat ---------------------------------------------------------------------------------------------------

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
        self._said[message_id] = {
            **_user("broadcaster_user", STREAMER),
            **(_user("source_broadcaster_user", source) if source else {"source_broadcaster_user_id": None}),
            **_user("chatter_user", by),
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
        await self.redeliver(message_id)
        return message_id

    async def redeliver(self, message_id: str) -> None:
        """Deliver a message; Twitch may do so more than once."""
        assert self.subscriptions, "nobody listens"
        for subscription in list(self.subscriptions.values()):
            metadata = {"subscription_type": subscription["type"], "subscription_version": subscription["version"]}
            payload = {"subscription": subscription, "event": self._said[message_id]}
            await self._tell(self.sockets[subscription["transport"]["session_id"]], "notification", payload, metadata)

    async def reconnect(self) -> None:
        """Ask every socket to move to a new one, as Twitch does before it restarts a server."""
        for session_id, socket in list(self.sockets.items()):
            url = f"{self.url.replace('http', 'ws', 1)}/ws?moved_from={session_id}"
            session = {"id": session_id, "status": "reconnecting", "connected_at": _now(), "reconnect_url": url}
            await self._tell(socket, "session_reconnect", {"session": session})

    async def drop(self, code: int = 4000) -> None:
        """Close every socket; 4000 is an internal error of Twitch."""
        broken = dict(self.sockets)
        for socket in broken.values():
            await socket.close(code=code)
        await self.wait_for(lambda: not broken.keys() & self.sockets.keys())

    async def revoke(self) -> None:
        """Withdraw the subscriptions, as when the streamer disconnects the application."""
        for subscription_id, subscription in list(self.subscriptions.items()):
            withdrawn = {**subscription, "status": "authorization_revoked"}
            socket = self.sockets[subscription["transport"]["session_id"]]
            del self.subscriptions[subscription_id]
            await self._tell(socket, "revocation", {"subscription": withdrawn})

    async def _tell(
        self, socket: web.WebSocketResponse, kind: str, payload: dict[str, Any], more: dict[str, Any] | None = None
    ) -> None:
        metadata = {"message_id": str(uuid.uuid4()), "message_type": kind, "message_timestamp": _now(), **(more or {})}
        await socket.send_json({"metadata": metadata, "payload": payload})

    async def _notice(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # -- id.twitch.tv and api.twitch.tv -----------------------------------------------------------------------------

    async def _token(self, request: web.Request) -> web.Response:
        asked = request.query
        if asked["client_id"] != CLIENT_ID or asked.get("client_secret", CLIENT_SECRET) != CLIENT_SECRET:
            return _error(403, "invalid client secret")
        if asked["grant_type"] != "refresh_token" or asked["refresh_token"] not in self.renews:
            self.refused.append("refresh token")
            await self._notice()
            return _error(400, "Invalid refresh token")
        access, refresh = self.log_in(self.renews.pop(asked["refresh_token"]))
        self.refreshes += 1
        await self._notice()
        granted = {"access_token": access, "refresh_token": refresh, "expires_in": self.expires_in}
        return web.json_response({**granted, "scope": ["user:read:chat", "user:write:chat"], "token_type": "bearer"})

    async def _validate(self, request: web.Request) -> web.Response:
        user_id = self._caller(request)
        if user_id is None:
            return _error(401, "invalid access token")
        about = {"client_id": CLIENT_ID, "login": LOGINS[user_id], "user_id": user_id}
        return web.json_response({**about, "scopes": ["user:read:chat"], "expires_in": self.expires_in})

    async def _subscribe(self, request: web.Request) -> web.Response:
        if self.next_subscription_statuses:
            return _error(self.next_subscription_statuses.pop(0), "subscription missing proper authorization")
        if self._caller(request) is None:
            return _error(401, "Invalid OAuth token")
        asked = await request.json()
        if asked["transport"]["session_id"] not in self.sockets:
            return _error(400, "websocket transport session does not exist or has already disconnected")
        subscription = {"id": str(uuid.uuid4()), "status": "enabled", "cost": 0, "created_at": _now(), **asked}
        self.subscriptions[subscription["id"]] = subscription
        await self._notice()
        totals = {"total": len(self.subscriptions), "max_total_cost": 10, "total_cost": 0}
        return web.json_response({"data": [subscription], **totals}, status=202)

    async def _chat_message(self, request: web.Request) -> web.Response:
        user_id = self._caller(request)
        if user_id is None:
            return _error(401, "Invalid OAuth token")
        if self.next_statuses:
            self.refused.append(self.next_statuses.pop(0))
            await self._notice()
            return _error(int(self.refused[-1]), "try again")
        message = await request.json()
        if self.next_drop_reasons:
            self.refused.append(self.next_drop_reasons.pop(0))
            await self._notice()
            reason = {"code": self.refused[-1], "message": "Your message was not sent."}
            return web.json_response({"data": [{"message_id": "", "is_sent": False, "drop_reason": reason}]})
        assert message["sender_id"] == user_id, "a user token speaks for its own account only"
        message_id = str(uuid.uuid4())
        self.sent.append({**message, "id": message_id})
        await self._notice()
        return web.json_response({"data": [{"message_id": message_id, "is_sent": True, "drop_reason": None}]})

    def _caller(self, request: web.Request) -> str | None:
        return self.owner_of.get(request.headers.get("Authorization", "").rpartition(" ")[2])

    # -- eventsub.wss.twitch.tv -------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session_id = f"session-{uuid.uuid4().hex}"
        self.sockets[session_id] = socket
        session = {"id": session_id, "status": "connected", "connected_at": _now(), "reconnect_url": None}
        await self._tell(socket, "session_welcome", {"session": {**session, "keepalive_timeout_seconds": 10}})
        for subscription in self.subscriptions.values():
            if subscription["transport"]["session_id"] == request.query.get("moved_from"):
                subscription["transport"]["session_id"] = session_id
        await self._notice()
        beating = asyncio.create_task(self._beat(socket))
        try:
            async for _ in socket:
                await socket.close(code=4001)  # clients may not speak
        finally:
            beating.cancel()
            del self.sockets[session_id]
            self.subscriptions = {
                key: kept for key, kept in self.subscriptions.items() if kept["transport"]["session_id"] != session_id
            }
            await self._notice()
        return socket

    async def _beat(self, socket: web.WebSocketResponse) -> None:
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(10)
                await self._tell(socket, "session_keepalive", {})


def _user(role: str, user_id: str) -> dict[str, str]:
    login = LOGINS.get(user_id, f"user{user_id}")
    return {f"{role}_id": user_id, f"{role}_login": login, f"{role}_name": login.capitalize()}


def _fragment(kind: str, text: str) -> dict[str, Any]:
    cheer = {"prefix": text.rstrip("0123456789").lower(), "bits": 100, "tier": 100} if kind == "cheermote" else None
    emote = {"id": "25", "emote_set_id": "0", "owner_id": "0", "format": ["static"]} if kind == "emote" else None
    mention = {"user_id": BOT, "user_login": "animebot", "user_name": "Animebot"} if kind == "mention" else None
    return {"type": kind, "text": text, "cheermote": cheer, "emote": emote, "mention": mention}


def _reply() -> dict[str, str]:
    parent = {"parent_message_id": "p", "parent_message_body": "C-042 is next.", "thread_message_id": "p"}
    return {**parent, **_user("parent_user", BOT), **_user("thread_user", BOT)}
