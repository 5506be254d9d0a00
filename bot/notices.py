"""Notices: what everybody may read in chat, whoever asks for it."""

from collections.abc import Callable

from bot.commands import Name
from sakuga.gateway import Gateway
from sakuga.replies import Replies


class Notices:
    """Asks the gateway for what a command lists, and puts it into a sentence."""

    def __init__(self, gateway: Gateway, replies: Replies, link: Callable[[str], str | None]) -> None:
        self._gateway = gateway
        self._replies = replies
        self._link = link

    async def of(self, name: Name) -> str:
        """Return what there is to say. Raises GatewayRefused, GatewayUnreachable."""
        if name == "queue":
            return self._replies.listed(await self._gateway.queue())
        if name == "help":
            return self._replies.helped()
        if name == "gallery":
            return await self._gallery()
        catalog = await self._gateway.catalog()
        if name == "style":
            return self._replies.say("styles.listed", names=self._replies.some(style.name for style in catalog.styles))
        names = self._replies.some(character.name for character in catalog.characters)
        return self._replies.say("characters.listed" if names else "characters.none", names=names)

    async def _gallery(self) -> str:
        if link := self._link("/"):
            return self._replies.say("gallery.linked", link=link)
        for clip in (await self._gateway.clips(limit=1)).clips:
            return self._replies.say("gallery.newest", cut=clip.cut, author=clip.requested_by.name)
        return self._replies.say("gallery.empty")
