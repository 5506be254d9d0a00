"""What is heard of Twitch: the real client, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.line import Line
from bot.memory import Memory
from bot.news import Banned, News, OnAir, Redeemed, Retracted, Supported, Unbanned
from bot.twitch import chat as twitch
from bot.twitch import subscriptions as room
from bot.twitch.tokens import TokenFile
from sakuga.chat import ChatPolicy
from sakuga.settings import Settings
from tests.fakes.twitch import BOT, JO, MIKA, STREAMER, FakeTwitch
from tests.fakes.twitch_eventsub import CHAT, NEEDS

STREAM = {"stream.online", "stream.offline"}
ALL = {*NEEDS, *STREAM}


class Ear:
    """Hears news and hands them out in order."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[News] = asyncio.Queue()
        self.told: list[tuple[str, str]] = []

    def tell(self, state: str, detail: str) -> None:
        self.told.append((state, detail))

    async def next(self) -> News:
        async with asyncio.timeout(5):
            return await self.news.get()

    async def text(self) -> str:
        line = await self.next()
        assert isinstance(line, Line)
        return line.text


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def policy() -> dict[str, ChatPolicy]:
    return {"now": ChatPolicy()}


@pytest.fixture
def new_chat(
    tmp_path: Path, fake: FakeTwitch, session: aiohttp.ClientSession, ear: Ear, policy: dict[str, ChatPolicy]
) -> Callable[[Memory], twitch.Chat]:
    settings = Settings(_env_file=None, var_dir=tmp_path, **fake.settings(tmp_path))

    def new(memory: Memory) -> twitch.Chat:
        return twitch.Chat(
            settings,
            session=session,
            tokens=TokenFile(settings),
            memory=memory,
            hear=ear.news.put_nowait,
            chat=lambda: policy["now"],
            told=ear.tell,
        )

    return new


@pytest.fixture
async def chat(new_chat: Callable[[Memory], twitch.Chat], ear: Ear) -> AsyncIterator[twitch.Chat]:
    async with new_chat(Memory()) as chat:
        assert await chat.enter()
        assert await ear.next() == OnAir(live=False)
        yield chat


async def test_two_accounts_hear_all_that_their_scopes_allow_by_a_socket_each(
    chat: twitch.Chat, fake: FakeTwitch
) -> None:
    assert fake.subscribed == ALL
    assert len(fake.sockets) == 2
    assert chat.listening


async def test_a_message_that_is_told_twice_is_heard_once_also_by_the_next_bot(
    new_chat: Callable[[Memory], twitch.Chat], tmp_path: Path, fake: FakeTwitch, ear: Ear
) -> None:
    with Memory(tmp_path / "bot.sqlite") as memory:
        async with new_chat(memory) as chat:
            await chat.enter()
            first = await fake.say("!anime one")
            await fake.redeliver(first)
            raid = await fake.raid(7)
            assert [type(await ear.next()) for _ in range(3)] == [OnAir, Line, Supported]
    with Memory(tmp_path / "bot.sqlite") as memory:
        async with new_chat(memory) as chat:
            await chat.enter()
            await fake.redeliver(first)
            await fake.redeliver(raid)
            await fake.say("!anime two")
            assert await ear.next() == OnAir(live=False)
            assert await ear.text() == "!anime two"
    assert ear.news.empty()


async def test_a_notification_that_is_repeated_is_heard_once(chat: twitch.Chat, fake: FakeTwitch, ear: Ear) -> None:
    told = await fake.ban(MIKA)
    assert {type(await ear.next()) for _ in range(2)} == {Banned, Retracted}
    await fake.unban(MIKA)
    await fake.repeat(told)
    await fake.unban(JO)
    assert [type(await ear.next()) for _ in range(2)] == [Unbanned, Unbanned]


async def test_what_moderators_do_is_told_in_order(chat: twitch.Chat, fake: FakeTwitch, ear: Ear) -> None:
    message_id = await fake.say("!anime a cat")
    await fake.delete(message_id)
    await fake.say("!anime a dog")
    await fake.clear()
    assert await ear.text() == "!anime a cat"
    assert await ear.next() == Retracted("message", "twitch", message_id=message_id, viewer=f"twitch:{MIKA}")
    assert await ear.text() == "!anime a dog"
    assert await ear.next() == Retracted("chat", "twitch")


async def test_a_time_out_has_an_end_and_a_ban_has_none(chat: twitch.Chat, fake: FakeTwitch, ear: Ear) -> None:
    await fake.ban(MIKA, seconds=600)
    await fake.ban(MIKA)
    await fake.unban(MIKA)
    outed = {kind: [] for kind in (Banned, Retracted, Unbanned)}
    for _ in range(5):
        news = await ear.next()
        outed[type(news)].append(news)
    timed, banned = outed[Banned]
    assert (timed.viewer, timed.by) == (f"twitch:{MIKA}", "twitch:jo")
    assert timed.until is not None
    assert timed.until.tzinfo is not None
    assert banned == Banned(f"twitch:{MIKA}", "twitch:jo")
    assert outed[Retracted] == [Retracted("viewer", "twitch", viewer=f"twitch:{MIKA}")] * 2
    assert outed[Unbanned] == [Unbanned(f"twitch:{MIKA}", "twitch:jo")]


async def test_subs_gifts_and_raids_are_support_and_a_community_gift_counts_once(
    chat: twitch.Chat, fake: FakeTwitch, ear: Ear
) -> None:
    sub = await fake.subscribe()
    gift = await fake.gift(JO)
    many = await fake.gift_many(JO, "4001", "4002")
    raid = await fake.raid(42)
    await fake.notify("announcement", color="")
    await fake.notify("shared_chat_raid", user_id=JO, user_login="jo", user_name="Jo", viewer_count=9,
                      profile_image_url="")  # fmt: skip
    await fake.say("hello")
    heard = [await ear.next() for _ in range(5)]
    assert [(news.id, news.kind, news.amount, news.viewer.login) for news in heard if isinstance(news, Supported)] == [
        (sub, "sub", 1, "mika"),
        (gift, "gift", 1, "mika"),
        (many, "gift", 3, "mika"),
        (raid, "raid", 42, "jo"),
    ]
    assert isinstance(heard[-1], Line)


async def test_a_founder_and_a_resub_count_as_subscribers(chat: twitch.Chat, fake: FakeTwitch, ear: Ear) -> None:
    await fake.say("!anime a cat", badges=("founder",))
    line = await ear.next()
    assert isinstance(line, Line)
    assert line.viewer.roles == ["founder"]
    await fake.notify("resub", sub_tier="1000", is_prime=True, is_gift=False, duration_months=1, cumulative_months=9,
                      streak_months=None)  # fmt: skip
    support = await ear.next()
    assert isinstance(support, Supported)
    assert (support.kind, support.amount) == ("sub", 1)


async def test_what_is_paid_for_with_points_or_bits_is_heard_with_its_words(
    chat: twitch.Chat, fake: FakeTwitch, ear: Ear
) -> None:
    reward_id = fake.offer("Direct a clip", cost=5000)
    redemption_id = await fake.redeem("a cat\u202e", reward_id=reward_id)
    await fake.tell_again(redemption_id)
    power_up_id = await fake.power_up("a dog", bits=300)
    points, bits = [await ear.next() for _ in range(2)]
    assert isinstance(points, Redeemed)
    assert isinstance(bits, Redeemed)
    assert (points.id, points.reward_id, points.cost, points.text) == (redemption_id, reward_id, 5000, "a cat")
    assert (points.viewer.viewer, points.powerup) == (f"twitch:{MIKA}", False)
    assert (bits.id, bits.cost, bits.viewer.bits, bits.powerup) == (power_up_id, 300, 300, True)


async def test_shared_chat_is_heard_only_when_it_may_be_and_never_with_the_other_channels_roles(
    chat: twitch.Chat, fake: FakeTwitch, ear: Ear, policy: dict[str, ChatPolicy]
) -> None:
    await fake.say("!anime from next door", source="9999")
    await fake.say("!anime from here", source=STREAMER)
    assert await ear.text() == "!anime from here"
    policy["now"] = ChatPolicy(shared_chat=True)
    await fake.say("!anime from next door", source="9999")
    assert await ear.text() == "!anime from next door"


async def test_bits_that_another_channel_got_do_not_count_here(
    chat: twitch.Chat, fake: FakeTwitch, ear: Ear, policy: dict[str, ChatPolicy]
) -> None:
    policy["now"] = ChatPolicy(shared_chat=True)
    for source in ("9999", STREAMER):
        await fake.say("!anime cat", source=source, bits=100)
    lines = [await ear.next(), await ear.next()]
    assert [line.viewer.bits for line in lines if isinstance(line, Line)] == [0, 100]


async def test_the_bots_own_words_are_not_heard(chat: twitch.Chat, fake: FakeTwitch, ear: Ear) -> None:
    await fake.say("!anime says the bot", by=BOT, badges=("moderator",))
    await fake.say("hello")
    assert await ear.text() == "hello"
    assert chat.privileged


async def test_whether_the_stream_is_live_is_asked_at_the_start_and_heard_after(
    new_chat: Callable[[Memory], twitch.Chat], fake: FakeTwitch, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.live = True
    async with new_chat(Memory()) as chat:
        await chat.enter()
        await fake.go_off()
        await fake.go_live()
        assert [await ear.next() for _ in range(3)] == [OnAir(live=True), OnAir(live=False), OnAir(live=True)]
        fake.live = False  # Helix has not heard of it yet
        await chat.mend()
        assert ear.news.empty()
        monkeypatch.setattr(room, "HELIX_LAGS_S", 0)  # and now an event was lost
        await chat.mend()
        await chat.mend()
        assert await ear.next() == OnAir(live=False)
    assert ear.news.empty()


async def test_a_subscription_that_is_refused_is_named_and_does_not_stop_the_rest(
    new_chat: Callable[[Memory], twitch.Chat], fake: FakeTwitch, ear: Ear
) -> None:
    fake.refusing = {"channel.ban": 403, "channel.unban": 500}
    with capture_logs() as logs:
        async with new_chat(Memory()) as chat:
            await chat.enter()
            assert fake.subscribed == ALL - {"channel.ban", "channel.unban"}
            assert chat.listening
            fake.refusing = {}
            await chat.mend()
            await fake.wait_for(lambda: "channel.unban" in fake.subscribed)
            assert fake.subscribed == ALL - {"channel.ban"}
    refused = [(line["subscription"], line["status"]) for line in logs if line["event"] == "chat.not_heard"]
    assert refused == [("channel.ban", 403), ("channel.unban", 500)]


async def test_without_a_scope_its_part_is_not_asked_for(
    new_chat: Callable[[Memory], twitch.Chat], fake: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = new_chat(Memory())
    monkeypatch.setattr(chat, "can", lambda scope: scope == "bits:read")
    async with chat:
        await chat.enter()
        assert fake.subscribed == {kind for kind in ALL if NEEDS.get(kind) in (None, "user:read:chat", "bits:read")}


async def test_a_chat_that_must_not_be_read_is_the_callers_to_hear_of(
    new_chat: Callable[[Memory], twitch.Chat], fake: FakeTwitch
) -> None:
    fake.refusing = {CHAT: 403}
    async with new_chat(Memory()) as chat:
        with pytest.raises(twitch.twitchio.HTTPException):
            await chat.enter()


async def test_what_broken_sockets_left_behind_is_cleared_and_what_is_alive_is_left(
    new_chat: Callable[[Memory], twitch.Chat], fake: FakeTwitch, ear: Ear
) -> None:
    async with new_chat(Memory()) as first:
        await first.enter()
        alive = set(fake.subscriptions)
        await fake.drop()
        await fake.wait_for(lambda: fake.subscribed == ALL and not alive & set(fake.subscriptions))
        assert len(fake.orphans) == len(ALL)
        alive = set(fake.subscriptions)
        async with new_chat(Memory()) as second:
            await second.enter()
            assert fake.orphans == {}
            assert alive <= set(fake.subscriptions)


async def test_a_socket_that_is_moved_or_broken_goes_on_with_everything(
    chat: twitch.Chat, fake: FakeTwitch, ear: Ear
) -> None:
    for breaking in (fake.reconnect, fake.drop):
        old = set(fake.sockets)
        await breaking()
        await fake.wait_for(lambda old=old: not old & set(fake.sockets) and fake.subscribed == ALL)
        message_id = await fake.say("hello")
        assert await ear.text() == "hello"
        await fake.delete(message_id)
        assert isinstance(await ear.next(), Retracted)
        await fake.raid(3)
        assert isinstance(await ear.next(), Supported)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twitch, "DEAF_S", 0.03)
    monkeypatch.setattr(twitch, "CHECK_S", 0.01)


async def deaf(chat: twitch.Chat) -> None:
    async with asyncio.timeout(5):
        await chat.deaf()


async def test_a_socket_without_signs_of_life_makes_deaf_though_it_is_open(
    chat: twitch.Chat, fake: FakeTwitch, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chat.listening
    fake.silent = True
    monkeypatch.setattr(room, "SILENT_S", 0.05)
    await deaf(chat)
    assert len(fake.sockets) == 2


async def test_a_chat_that_is_withdrawn_makes_deaf_and_is_told(
    chat: twitch.Chat, fake: FakeTwitch, ear: Ear, impatient: None
) -> None:
    await fake.revoke(CHAT)
    await deaf(chat)
    assert ear.told == [("revoked", "authorization_revoked")]


async def test_another_subscription_that_is_withdrawn_is_only_named(
    chat: twitch.Chat, fake: FakeTwitch, ear: Ear
) -> None:
    with capture_logs() as logs:
        await fake.revoke("channel.ban")
        await fake.say("hello")
        assert await ear.text() == "hello"
        await fake.unban(MIKA)
        assert isinstance(await ear.next(), Unbanned)
    assert [line["subscription"] for line in logs if line["event"] == "chat.revoked"] == ["channel.ban"]
    assert ear.told == []
    assert chat.listening


async def test_what_twitch_could_not_give_at_first_is_asked_for_again_while_listening(
    new_chat: Callable[[Memory], twitch.Chat], fake: FakeTwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twitch, "CHECK_S", 0.01)
    monkeypatch.setattr(twitch, "MEND_S", 0.05)
    fake.refusing = {"channel.unban": 500, "stream.online": 429}
    async with new_chat(Memory()) as chat:
        await chat.enter()
        listening = asyncio.create_task(chat.deaf())
        fake.refusing = {}
        await fake.wait_for(lambda: fake.attended)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_when_only_the_channels_login_has_lapsed_the_chat_is_heard_all_the_same(
    new_chat: Callable[[Memory], twitch.Chat], fake: FakeTwitch, ear: Ear
) -> None:
    for tokens in (fake.owner_of, fake.renews):
        for token in [token for token, owner in tokens.items() if owner == STREAMER]:
            del tokens[token]
    async with new_chat(Memory()) as chat:
        assert await chat.enter()
        assert fake.subscribed == {kind for kind in ALL if NEEDS.get(kind) in (None, "user:read:chat")}
        await fake.say("hello")
        assert await ear.next() == OnAir(live=False)
        assert await ear.text() == "hello"
