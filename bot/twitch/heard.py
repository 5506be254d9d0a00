"""What Twitch says, as news: twitchio's payloads in, what the rest of the bot understands out."""

from typing import Literal

import twitchio

from bot.line import Line, words
from bot.news import Banned, Redeemed, Retracted, Supported, Unbanned
from sakuga.job import RequestedBy
from sakuga.prompt import visible

Role = Literal["subscriber", "founder", "vip", "moderator", "broadcaster"]
ROLES: dict[str, Role] = {
    "subscriber": "subscriber",
    "founder": "founder",
    "vip": "vip",
    "moderator": "moderator",
    "lead_moderator": "moderator",
    "broadcaster": "broadcaster",
}


def roles(payload: twitchio.ChatMessage) -> list[Role]:
    """Return what a chatter's badges make of them in our channel; badges of other channels count for nothing."""
    return sorted({ROLES[badge.set_id] for badge in payload.badges if badge.set_id in ROLES})


def line(payload: twitchio.ChatMessage, *, paid_here: bool = True) -> Line:
    """Return a message with who said it, how, and whom it names; bits that another channel got don't count."""
    text = words(((part.type, part.text) for part in payload.fragments), is_reply=payload.reply is not None)
    people = [part.mention for part in payload.fragments if part.mention]
    mentioned = {str(person.name).lower(): named(person) for person in people}
    bits = payload.cheer.bits if payload.cheer and paid_here else 0
    return Line(payload.id, text, viewer(payload.chatter, roles=roles(payload), bits=bits), mentioned)


def message_retracted(payload: twitchio.ChatMessageDelete) -> Retracted:
    """Return that one message was deleted. Twitch does not say by whom."""
    return Retracted("message", "twitch", message_id=payload.message_id, viewer=named(payload.user))


def viewer_retracted(payload: twitchio.ChannelChatClearUserMessages) -> Retracted:
    """Return that all messages of a viewer went: they were banned or timed out."""
    return Retracted("viewer", "twitch", viewer=named(payload.user))


def chat_retracted(_: twitchio.ChannelChatClear) -> Retracted:
    """Return that the chat was cleared."""
    return Retracted("chat", "twitch")


def banned(payload: twitchio.ChannelBan) -> Banned:
    """Return a ban or a time-out, with the moderator who did it."""
    return Banned(named(payload.user), by(payload.moderator), payload.ends_at)


def unbanned(payload: twitchio.ChannelUnban) -> Unbanned:
    """Return the end of one that a moderator took back. A time-out that runs out is told by nobody."""
    return Unbanned(named(payload.user), by(payload.moderator))


def supported(payload: twitchio.ChatNotification) -> Supported | None:
    """Return a subscription, gifts or a raid; None for other notices and for those of a shared chat.

    The single gifts that come behind a community gift are counted with that.
    """
    who = viewer(payload.chatter)
    if payload.notice_type in ("sub", "resub"):
        return Supported(payload.id, "sub", who, 1)
    if payload.notice_type == "sub_gift" and payload.sub_gift and not payload.sub_gift.community_gift_id:
        return Supported(payload.id, "gift", who, 1)
    if payload.notice_type == "community_sub_gift" and payload.community_sub_gift:
        return Supported(payload.id, "gift", who, payload.community_sub_gift.total)
    if payload.notice_type == "raid" and payload.raid:
        return Supported(payload.id, "raid", viewer(payload.raid.user), payload.raid.viewer_count)
    return None


def redeemed(payload: twitchio.ChannelPointsRedemptionAdd) -> Redeemed:
    """Return what was paid for with channel points, with the words that came along."""
    reward = payload.reward
    text, at = visible(payload.user_input), payload.redeemed_at
    return Redeemed(payload.id, reward.id, reward.cost, viewer(payload.user), text, at=at)


def powered_up(payload: twitchio.CustomPowerupRedemptionAdd) -> Redeemed:
    """Return what was paid for with bits by a Power-up; the viewer carries those bits."""
    powerup = payload.custom_powerup
    bits = powerup.bits or 0
    who = viewer(payload.user, bits=bits)
    return Redeemed(payload.id, powerup.id, bits, who, visible(payload.user_input), powerup=True)


def viewer(user: twitchio.PartialUser, *, roles: list[Role] | None = None, bits: int = 0) -> RequestedBy:
    """Return an account as a viewer."""
    return RequestedBy(
        platform="twitch",
        id=user.id,
        login=user.name or "",
        display_name=user.display_name or "",
        roles=roles or [],
        bits=bits,
    )


def named(user: twitchio.PartialUser) -> str:
    """Return an account as limits and bans name it: twitch:3000."""
    return f"twitch:{user.id}"


def by(moderator: twitchio.PartialUser) -> str:
    """Return a moderator as the audit names them: twitch:alice."""
    return f"twitch:{moderator.name or moderator.id}"
