"""What YouTube's live chat tells, as news that is the same for every platform."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

from bot.line import Line
from bot.news import Banned, News, Retracted, Supported
from bot.youtube.api import Item
from sakuga.job import RequestedBy
from sakuga.prompt import visible

PREFIX = "youtube-"
"""What our name of a YouTube message begins with: answers find their way by it."""
PLAIN_ID = re.compile(r"[!-~]{1,90}")
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
EMOTE = re.compile(r"(?<![^\s:]):[A-Za-z_][\w-]{0,60}:(?![^\s:])")  # YouTube's own, which come as :hand-pink-waving:
FOR_EVER_S = 10 * 365 * 86_400
MICROS_PER_CENT = 10_000
# From so many dollars on a Super Chat is of that tier, in whatever currency it was paid.
# https://support.google.com/youtube/answer/7277005
TIERS_USD = (1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500)
Role = Literal["subscriber", "founder", "vip", "moderator", "broadcaster"]
ROLES: Mapping[str, Role] = {
    "isChatOwner": "broadcaster",
    "isChatModerator": "moderator",
    "isChatSponsor": "subscriber",
}
NOTHING: Item = MappingProxyType({})


def message_id(given: str) -> str:
    """Return our name for a message of YouTube's: always the same one, and short enough for the gateway."""
    if PLAIN_ID.fullmatch(given):
        return PREFIX + given
    return PREFIX + hashlib.blake2b(given.encode(), digest_size=20).hexdigest()


def key_of(item: Item) -> str:
    """Return what tells an item from every other: a tombstone has the id of the message that was there."""
    return own_key(str(item.get("id")), str(_details(item, "snippet").get("type")))


def own_key(given: str, kind: str = "textMessageEvent") -> str:
    """Return the same for an id that is known already."""
    return f"youtube {kind} {given}"


def published(item: Item) -> datetime | None:
    """Return when an item was published, or None if it does not say."""
    try:
        at = datetime.fromisoformat(str(_details(item, "snippet").get("publishedAt")))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def news_of(item: Item) -> list[News]:
    """Return what an item of the live chat tells the bot, in order; nothing for what does not matter to it.

    What a viewer paid comes before what they ask for with it, so that it counts for that.
    """
    told = TELLS.get(str(_details(item, "snippet").get("type")))
    return list(told(item)) if told and item.get("id") else []


def viewer_of(item: Item) -> RequestedBy:
    """Return who wrote an item.

    YouTube shows people by their handle, as in @mika, which is taken for the login; anyone without has their
    channel's id there.
    """
    author = _details(item, "authorDetails")
    channel = str(author.get("channelId") or _details(item, "snippet").get("authorChannelId") or "")[:64]
    name = visible(str(author.get("displayName") or ""))
    handle = name[1:] if name.startswith("@") and len(name.split()) == 1 else ""
    roles: list[Role] = sorted(role for flag, role in ROLES.items() if author.get(flag) is True)
    return RequestedBy(
        platform="youtube",
        id=channel if PLAIN_ID.fullmatch(channel) else "",
        login=(handle or channel)[:64],
        display_name=(handle or name)[:64],
        roles=roles,
    )


def cents(paid: Item) -> int:
    """Return what a Super Chat is worth in US cents: what was paid in dollars, else the least that its tier takes."""
    if paid.get("currency") == "USD":
        return _number(paid.get("amountMicros")) // MICROS_PER_CENT
    tier = _number(paid.get("tier"))
    return TIERS_USD[min(tier, len(TIERS_USD)) - 1] * 100 if tier else 0


def _text(item: Item) -> Iterator[News]:
    yield from _line(item, _details(item, "snippet", "textMessageDetails").get("messageText"))


def _super_chat(item: Item) -> Iterator[News]:
    paid = _details(item, "snippet", "superChatDetails")
    yield from _support(item, "superchat", cents(paid))
    yield from _line(item, paid.get("userComment"))


def _super_sticker(item: Item) -> Iterator[News]:
    yield from _support(item, "superchat", cents(_details(item, "snippet", "superStickerDetails")))


def _new_member(item: Item) -> Iterator[News]:
    yield from _support(item, "member", 1)


def _milestone(item: Item) -> Iterator[News]:
    yield from _support(item, "member", 1)
    yield from _line(item, _details(item, "snippet", "memberMilestoneChatDetails").get("userComment"))


def _gifts(item: Item) -> Iterator[News]:
    gifts = _details(item, "snippet", "membershipGiftingDetails")
    yield from _support(item, "gift", _number(gifts.get("giftMembershipsCount")))


def _deleted(item: Item) -> Iterator[News]:
    yield from _retracted(_details(item, "snippet", "messageDeletedDetails").get("deletedMessageId"), _by(item))


def _taken_back(item: Item) -> Iterator[News]:
    gone = _details(item, "snippet", "messageRetractedDetails").get("retractedMessageId")
    yield from _retracted(gone, _by(item))


def _tombstone(item: Item) -> Iterator[News]:
    """Tell of a message that was there: a tombstone has its id and nothing else."""
    yield from _retracted(item.get("id"), "")


def _banned(item: Item) -> Iterator[News]:
    details = _details(item, "snippet", "userBannedDetails")
    channel = str(_details(details, "bannedUserDetails").get("channelId") or "")
    seconds = _number(details.get("banDurationSeconds"))
    at = published(item)
    if channel and (details.get("banType") != "temporary" or seconds > FOR_EVER_S):
        yield Banned(f"youtube:{channel}", _by(item))
    elif channel and at and seconds:
        yield Banned(f"youtube:{channel}", _by(item), at + timedelta(seconds=seconds))


TELLS: Mapping[str, Callable[[Item], Iterator[News]]] = {
    "textMessageEvent": _text,
    "superChatEvent": _super_chat,
    "superStickerEvent": _super_sticker,
    "newSponsorEvent": _new_member,
    "memberMilestoneChatEvent": _milestone,
    "membershipGiftingEvent": _gifts,  # giftMembershipReceivedEvent tells the same of each who got one
    "messageDeletedEvent": _deleted,
    "messageRetractedEvent": _taken_back,
    "tombstone": _tombstone,
    "userBannedEvent": _banned,
}


def _line(item: Item, text: Any) -> Iterator[News]:
    if isinstance(text, str) and (said := visible(EMOTE.sub(" ", text))):
        yield Line(message_id(str(item["id"])), said, viewer_of(item))


def _support(item: Item, kind: Literal["gift", "superchat", "member"], amount: int) -> Iterator[News]:
    if amount > 0:
        yield Supported(message_id(str(item["id"])), kind, viewer_of(item), amount)


def _retracted(gone: Any, by: str) -> Iterator[News]:
    if isinstance(gone, str) and gone:
        yield Retracted("message", "youtube", by, message_id=message_id(gone))


def _by(item: Item) -> str:
    """Return who did something as the audit names them: youtube:alice, by channel where the handle is no plain word."""
    who = viewer_of(item)
    name = who.login if PLAIN_NAME.fullmatch(who.login) else who.id
    return f"youtube:{name}" if name else ""


def _details(item: Item, *path: str) -> Item:
    for name in path:
        found = item.get(name)
        item = found if isinstance(found, dict) else NOTHING
    return item


def _number(given: Any) -> int:
    """Return a number of JSON; Google writes long ones as text."""
    try:
        return max(0, int(given))
    except (TypeError, ValueError, OverflowError):
        return 0
