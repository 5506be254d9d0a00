"""The shop: viewers pay with channel points, get a clip for them, or their points back."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

from bot.commands import Command, parse, wish
from bot.news import Redeemed
from bot.till import RedemptionDocument, Till
from bot.twitch.points import Points
from bot.twitch.settler import Settler
from bot.watch import Watch
from sakuga.chat import ChatPolicy
from sakuga.errors import GatewayRefused
from sakuga.gateway import AcceptedJob, JobDocument
from sakuga.job import JobStatus
from sakuga.log import get_logger
from sakuga.prompt import visible
from sakuga.redemption import RedemptionState
from sakuga.replies import Replies

STALE = timedelta(minutes=30)
SERVER_ERRORS = 500
NOTE = "reward"
# Not a word about this request: they will be answered another time, or the streamer has to do something first.
PASSING = frozenset({"rate_limited", "unauthenticated", "forbidden", "key_exposed"})
KNOWN = frozenset({"key_reused", "redemption_spent"})

log = get_logger("bot")


class Notes(Protocol):
    """Remembers a text by name, also when the bot is started again."""

    def note(self, name: str, text: str) -> None:
        """Remember a text."""

    def noted(self, name: str) -> str:
        """Return the text of that name, empty if there is none."""


class Shop:
    """Asks for clips that were paid for, and says so by `answer(text, "", name)`: a redemption is no message to answer.

    What it hears of a redemption is only a hint: Twitch keeps each on a list until it is settled, and `recall` goes
    through that list.
    """

    def __init__(
        self,
        till: Till,
        watch: Watch,
        answer: Callable[[str, str, str], None],
        *,
        settler: Settler,
        notes: Notes,
        replies: Replies,
        chat: Callable[[], ChatPolicy],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._till = till
        self._watch = watch
        self._answer = answer
        self._settler = settler
        self._notes = notes
        self._replies = replies
        self._chat = chat
        self._now = now
        self._one_by_one = asyncio.Lock()

    @property
    def reward_id(self) -> str:
        """The id of the reward that is ours; empty before there was one."""
        return self._notes.noted(NOTE)

    @reward_id.setter
    def reward_id(self, reward_id: str) -> None:
        self._notes.note(NOTE, reward_id)

    async def redeemed(self, news: Redeemed) -> None:
        """Ask for what somebody paid for; other rewards than ours are passed over.

        Raises GatewayUnreachable, or GatewayRefused where that says nothing about the request: then nothing has
        happened yet, and it may be called again.
        """
        if news.powerup:
            await self._power_up(news)
        elif news.reward_id == self.reward_id:
            async with self._one_by_one:
                await self._serve(news)

    async def recall(self, points: Points) -> None:
        """Go through what Twitch has on its list: what is not known yet is asked for now, or given back if it is old.

        Raises PointsUnreachable, RewardRefused, GatewayUnreachable and GatewayRefused.
        """
        for news in await points.unsettled(self.reward_id):
            async with self._one_by_one:
                known = await self._serve(news)
            if known and known.state is RedemptionState.SETTLED and known.outcome:
                await points.settle(news.reward_id, news.id, known.outcome)  # Twitch forgot, or has just been told

    async def _serve(self, news: Redeemed) -> RedemptionDocument | None:
        """Ask for what was redeemed unless the gateway knows it, and return what it knew."""
        known = await self._recognised(news)
        if known:
            return known
        if news.at and datetime.fromtimestamp(self._now(), UTC) - news.at > STALE:
            await self._give_back(news, "expired")
            self._say(news.viewer.name, self._replies.say("points.stale", name=news.viewer.name))
        else:
            await self._ask(news)
        return None

    async def _recognised(self, news: Redeemed) -> RedemptionDocument | None:
        """Return a redemption that the gateway knows, and go on following its job."""
        try:
            known = await self._till.redemption(news.id)
        except GatewayRefused as error:
            if error.reason != "redemption_not_found":
                raise
            return None
        if known.state is RedemptionState.HELD and known.job_id:
            self._watch.follow(known.job_id, "", news.viewer.name, saying=partial(self._ended, news.viewer.name))
        return known

    async def _ask(self, news: Redeemed) -> None:
        paid = {"platform": "twitch", "id": news.id, "reward_id": news.reward_id, "cost": news.cost}
        try:
            job = await self._generate(news, key=f"redemption:{news.id}", redemption=paid)
        except GatewayRefused as error:
            if _says_nothing(error):
                raise
            if error.reason not in KNOWN:
                await self._give_back(news, error.reason)
                said = self._replies.refused(error, name=news.viewer.name)
                self._say(news.viewer.name, self._replies.say("points.returned", said=said))
            return
        self._accepted(news, job)

    async def _power_up(self, news: Redeemed) -> None:
        """Ask for a clip with the bits of a Power-up. They can't be given back: they wait for the next request."""
        if not self._chat().reward.powerups or not visible(news.text):
            return
        try:
            job = await self._generate(news, key=f"powerup:{news.id}")
        except GatewayRefused as error:
            if _says_nothing(error):
                raise
            if error.reason not in KNOWN:
                viewer = news.viewer.model_copy(update={"bits": 0})
                await self._till.support(news.id, "refused", viewer, news.cost)
                said = self._replies.refused(error, name=news.viewer.name)
                self._say(news.viewer.name, self._replies.say("bits.kept", said=said))
            return
        self._accepted(news, job)

    async def _generate(self, news: Redeemed, *, key: str, redemption: dict[str, Any] | None = None) -> AcceptedJob:
        command = self._command(news.text)
        bits = news.cost if news.powerup else 0
        return await self._till.generate(
            command.prompt,
            requested_by=news.viewer.model_copy(update={"bits": bits}),
            key=key,
            style=command.style,
            characters=command.characters or None,
            preset=command.preset,
            redemption=redemption,
        )

    def _command(self, text: str) -> Command:
        """Return what is asked for; some write the chat's command into the reward's field as well."""
        text = visible(text)
        typed = parse(text, self._chat())
        return typed if typed and typed.name == "anime" else wish("anime", text)

    def _accepted(self, news: Redeemed, job: AcceptedJob) -> None:
        log.info("redemption.accepted", redemption_id=news.id, job_id=job.job_id, cut=job.cut)
        if not job.terminal:
            name = news.viewer.name
            self._say(name, self._replies.say("points.told", name=name, said=self._replies.place(job)))
        ended = self._ended_with_bits if news.powerup else self._ended
        self._watch.follow(job.job_id, "", news.viewer.name, saying=partial(ended, news.viewer.name))

    async def _give_back(self, news: Redeemed, reason: str) -> None:
        await self._till.refund(news.id, reward_id=news.reward_id, viewer=news.viewer, cost=news.cost, reason=reason)
        log.info("redemption.given_back", redemption_id=news.id, reason=reason)
        self._settler.wake()

    def _ended(self, name: str, job: JobDocument, link: str | None) -> str:
        self._settler.wake()
        return self._closing("points.returned", name, job, link)

    def _ended_with_bits(self, name: str, job: JobDocument, link: str | None) -> str:
        return self._closing("bits.kept", name, job, link)

    def _closing(self, without_clip: str, name: str, job: JobDocument, link: str | None) -> str:
        said = self._replies.say("points.told", name=name, said=self._replies.ended(job, link=link))
        return said if job.status is JobStatus.SUCCEEDED else self._replies.say(without_clip, said=said)

    def _say(self, name: str, text: str) -> None:
        self._answer(text, "", name)


def _says_nothing(error: GatewayRefused) -> bool:
    return error.status >= SERVER_ERRORS or error.reason in PASSING
