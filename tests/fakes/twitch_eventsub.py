"""FakeTwitch's EventSub: subscriptions, and the sockets that carry what happens."""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, web

from tests.fakes.twitch_id import TwitchId
from tests.fakes.twitch_server import error, now

CHAT = "channel.chat.message"
NEEDS = {
    "channel.chat.message": "user:read:chat",
    "channel.chat.message_delete": "user:read:chat",
    "channel.chat.clear_user_messages": "user:read:chat",
    "channel.chat.clear": "user:read:chat",
    "channel.chat.notification": "user:read:chat",
    "channel.ban": "channel:moderate",
    "channel.unban": "channel:moderate",
    "channel.channel_points_custom_reward_redemption.add": "channel:manage:redemptions",
    "channel.custom_power_up_redemption.add": "bits:read",
}
"""Who subscribes to what has to show a token with that scope, of the account that the condition names."""


class TwitchEventSub(TwitchId):
    """`publish` events, break sockets. Inject faults by `next_subscription_statuses`, or for a type by `refusing`."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.orphans: dict[str, dict[str, Any]] = {}
        """What sockets that broke have left behind, until somebody deletes it."""
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.next_subscription_statuses: list[int] = []
        self.refusing: dict[str, int] = {}
        self.silent = False
        """Sockets stay open, but nothing comes through any more, not even signs of life."""
        self._sent: dict[str, tuple[str, dict[str, Any], str]] = {}

    def routes(self) -> Sequence[web.RouteDef]:
        """Return those of EventSub."""
        path = "/helix/eventsub/subscriptions"
        return [
            *super().routes(),
            web.post(path, self._subscribe),
            web.get(path, self._list),
            web.delete(path, self._delete),
            web.get("/ws", self._socket),
        ]

    async def hang_up(self) -> None:
        """Drop every socket."""
        await super().hang_up()
        await self.drop(code=WSCloseCode.GOING_AWAY)

    @property
    def subscribed(self) -> set[str]:
        """The types that somebody listens to."""
        return {subscription["type"] for subscription in self.subscriptions.values()}

    @property
    def attended(self) -> bool:
        """Whether somebody listens to everything that there is."""
        return self.subscribed >= {*NEEDS, "stream.online", "stream.offline"}

    async def publish(self, kind: str, event: dict[str, Any]) -> str:
        """Tell of an event by every socket that is subscribed to it, and return the notification's id."""
        notification_id = str(uuid.uuid4())
        self._sent[notification_id] = (kind, event, notification_id)
        await self.repeat(notification_id)
        return notification_id

    async def repeat(self, notification_id: str) -> None:
        """Tell of it again, under the same id; Twitch may do so."""
        kind, event, message_id = self._sent[notification_id]
        for subscription in [one for one in self.subscriptions.values() if one["type"] == kind]:
            more = {"subscription_type": kind, "subscription_version": subscription["version"]}
            payload = {"subscription": subscription, "event": event}
            socket = self.sockets[subscription["transport"]["session_id"]]
            await self._tell(socket, "notification", payload, {**more, "message_id": message_id})

    async def reconnect(self) -> None:
        """Ask every socket to move to a new one, as Twitch does before it restarts a server."""
        for session_id, socket in list(self.sockets.items()):
            url = f"{self.url.replace('http', 'ws', 1)}/ws?moved_from={session_id}"
            session = {"id": session_id, "status": "reconnecting", "connected_at": now(), "reconnect_url": url}
            await self._tell(socket, "session_reconnect", {"session": session})

    async def drop(self, code: int = 4000) -> None:
        """Close every socket; 4000 is an internal error of Twitch."""
        broken = dict(self.sockets)
        for socket in broken.values():
            await socket.close(code=code)
        await self.wait_for(lambda: not broken.keys() & self.sockets.keys())

    async def revoke(self, *kinds: str) -> None:
        """Withdraw the subscriptions, or those of some types, as when the streamer disconnects the application."""
        for subscription_id, subscription in list(self.subscriptions.items()):
            if not kinds or subscription["type"] in kinds:
                withdrawn = {**subscription, "status": "authorization_revoked"}
                socket = self.sockets[subscription["transport"]["session_id"]]
                del self.subscriptions[subscription_id]
                await self._tell(socket, "revocation", {"subscription": withdrawn})

    async def _tell(
        self, socket: web.WebSocketResponse, kind: str, payload: dict[str, Any], more: dict[str, Any] | None = None
    ) -> None:
        metadata = {"message_id": str(uuid.uuid4()), "message_type": kind, "message_timestamp": now(), **(more or {})}
        if not self.silent:
            await socket.send_json({"metadata": metadata, "payload": payload})

    # -- api.twitch.tv -----------------------------------------------------------------------------------------------

    async def _subscribe(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if problem := self._problem(request, asked):
            return error(*problem)
        transport = {**asked["transport"], "connected_at": now()}
        subscription = {"id": str(uuid.uuid4()), "status": "enabled", "cost": 0, "created_at": now(), **asked}
        self.subscriptions[subscription["id"]] = {**subscription, "transport": transport}
        await self.notice()
        return web.json_response({"data": [subscription], **self._totals()}, status=202)

    def _problem(self, request: web.Request, asked: dict[str, Any]) -> tuple[int, str] | None:
        """Return why Twitch does not grant a subscription, or None if it does."""
        kind, condition, session_id = asked["type"], asked["condition"], asked["transport"]["session_id"]
        alike = [
            one["id"]
            for one in self.subscriptions.values()
            if (one["type"], one["condition"], one["transport"]["session_id"]) == (kind, condition, session_id)
        ]
        scopes = [NEEDS[kind]] if kind in NEEDS else []
        subject = condition.get("user_id", condition["broadcaster_user_id"])
        told = next(iter(self.next_subscription_statuses), None) or self.refusing.get(kind)
        del self.next_subscription_statuses[:1]
        problems = (
            (told, "subscription missing proper authorization", told),
            (self.caller(request) is None, "Invalid OAuth token", 401),
            (self.caller(request, *scopes) is None, "subscription missing proper authorization", 403),
            (scopes and subject != self.caller(request), "the token is another account's", 403),
            (session_id not in self.sockets, "websocket transport session does not exist", 400),
            (alike, f"subscription already exists id={''.join(alike)}", 409),
        )
        return next(((int(status or 0), message) for wrong, message, status in problems if wrong), None)

    async def _list(self, request: web.Request) -> web.Response:
        if self.caller(request) is None:
            return error(401, "Invalid OAuth token")
        known = [*self.subscriptions.values(), *self.orphans.values()]
        return web.json_response({"data": known, "pagination": {}, **self._totals()})

    async def _delete(self, request: web.Request) -> web.Response:
        if self.caller(request) is None:
            return error(401, "Invalid OAuth token")
        known = self.subscriptions.pop(request.query["id"], None) or self.orphans.pop(request.query["id"], None)
        await self.notice()
        return web.Response(status=204) if known else error(404, "subscription not found")

    def _totals(self) -> dict[str, int]:
        return {"total": len(self.subscriptions) + len(self.orphans), "max_total_cost": 10, "total_cost": 0}

    # -- eventsub.wss.twitch.tv --------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session_id = f"session-{uuid.uuid4().hex}"
        self.sockets[session_id] = socket
        session = {"id": session_id, "status": "connected", "connected_at": now(), "reconnect_url": None}
        await self._tell(socket, "session_welcome", {"session": {**session, "keepalive_timeout_seconds": 10}})
        for subscription in self.subscriptions.values():
            if subscription["transport"]["session_id"] == request.query.get("moved_from"):
                subscription["transport"]["session_id"] = session_id
        await self.notice()
        beating = asyncio.create_task(self._beat(socket))
        try:
            async for _ in socket:
                await socket.close(code=4001)  # clients may not speak
        finally:
            beating.cancel()
            del self.sockets[session_id]
            self._orphan(session_id)
            await self.notice()
        return socket

    def _orphan(self, session_id: str) -> None:
        for key, left in list(self.subscriptions.items()):
            if left["transport"]["session_id"] == session_id:
                transport = {**left["transport"], "disconnected_at": now()}
                self.orphans[key] = {**left, "status": "websocket_disconnected", "transport": transport}
                del self.subscriptions[key]

    async def _beat(self, socket: web.WebSocketResponse) -> None:
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(10)
                await self._tell(socket, "session_keepalive", {})
