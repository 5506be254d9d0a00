"""The prompt helper with a model on a real loopback server and money on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from api import helper as room
from api import inquiry
from api.gate import Gate, Verdict
from api.gate.verdict import ACCEPTED, Decision
from api.helper import Helper
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.errors import SettingsInvalid
from sakuga.metrics import Metrics
from sakuga.settings import Settings
from tests.fakes.model import DIRECTION, FakeModel
from tests.fakes.moderation import FakeModeration, result
from tests.fakes.valkey import Valkey

IDEA = "girl with sword, neon rain"
HELD = Verdict(Decision.HOLD, "approved by hand")


def catalog(**helper: Any) -> Catalog:
    return Catalog.model_validate({"helper": {"enabled": True, **helper}})


@pytest.fixture
async def model() -> AsyncIterator[FakeModel]:
    async with FakeModel() as server:
        yield server


@dataclass
class Direct:
    """Asks the helper, by default with the studio's usual policy for a prompt that the gate has accepted."""

    helper: Helper
    redis: store.Client

    async def __call__(self, prompt: str = IDEA, *, verdict: Verdict = ACCEPTED, **helper: Any) -> str:
        return await self.helper.direct(prompt, verdict=verdict, catalog=catalog(**helper))

    async def spent(self) -> int:
        """What this day's questions cost, in millionths of a dollar."""
        day = int(await store.clock(self.redis) // 86_400)
        return int(await self.redis.get(f"{store.HELPER_PREFIX}{day}") or 0)

    async def outcomes(self) -> dict[tuple[str, ...], float]:
        return (await Metrics(self.redis).read()).counted["helped"]


@pytest.fixture(params=["openai", "anthropic"])
async def direct(request: pytest.FixtureRequest, model: FakeModel, redis: store.Client) -> AsyncIterator[Direct]:
    """The helper, in each of the languages."""
    url = model.openai if request.param == "openai" else model.anthropic
    settings = Settings(helper=request.param, helper_url=url, helper_key=model.key, helper_model="tiny")
    gate = Gate.open(settings)
    helper = Helper.open(settings, redis, gate)
    yield Direct(helper, redis)
    await helper.close()
    await gate.close()


async def test_an_idea_becomes_what_the_engine_is_told(direct: Direct, model: FakeModel) -> None:
    assert await direct(instruction="Make it short.") == DIRECTION
    (question,) = model.asked
    assert model.ideas == [IDEA]
    assert question["model"] == "tiny"
    assert question["max_tokens"] == 300
    told = question.get("system") or question["messages"][0]["content"]
    assert told == "Make it short."
    assert await direct.outcomes() == {("directed",): 1}


async def test_what_it_costs_is_counted_by_the_day(direct: Direct, model: FakeModel) -> None:
    model.tokens = (1000, 100)
    await direct(usd_per_million_in=1, usd_per_million_out=5)
    assert await direct.spent() == 1500
    await direct(usd_per_million_in=0, usd_per_million_out=0)
    assert await direct.spent() == 1500


async def test_it_is_not_asked_once_the_day_is_paid_for(direct: Direct, model: FakeModel) -> None:
    model.tokens = (10_000, 100)  # 10 500 millionths
    assert await direct(day_usd=0.012) == DIRECTION
    assert await direct(day_usd=0.012) == ""
    assert (len(model.asked), await direct.spent()) == (1, 10_500)
    assert await direct(day_usd=0) == DIRECTION
    assert await direct.outcomes() == {("directed",): 2, ("budget",): 1}


async def test_many_at_a_time_do_not_spend_more_than_the_day_has(direct: Direct, model: FakeModel) -> None:
    model.tokens = (100, 20)
    policy = catalog(day_usd=0.0101, usd_per_million_in=1, usd_per_million_out=5)
    most = policy.helper.most(IDEA)
    model.freeze()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(direct.helper.direct(IDEA, verdict=ACCEPTED, catalog=policy)) for _ in range(20)]
        await model.was_asked(10_100 // most)
        model.thaw()
    assert len(model.asked) == 10_100 // most < 20
    assert sum(bool(task.result()) for task in asked) == len(model.asked)
    assert await direct.spent() == 200 * len(model.asked)


async def test_a_silent_model_is_not_waited_for_and_costs_what_it_may_cost(direct: Direct, model: FakeModel) -> None:
    model.freeze()
    begun = monotonic()
    assert await direct(timeout_s=0.2) == ""
    assert monotonic() - begun < 1
    assert await direct.spent() == catalog().helper.most(IDEA)
    assert await direct.outcomes() == {("failed",): 1}
    await model.was_dropped()


async def test_a_model_that_failed_is_left_alone_for_a_while_and_then_tried_by_one(
    direct: Direct, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.status = 503
    assert await direct() == ""
    assert await direct() == ""
    assert len(model.asked) == 1
    now = monotonic()
    monkeypatch.setattr(room, "monotonic", lambda: now + room.AWAY_S + 1)
    model.status = 200
    model.freeze()
    first = asyncio.create_task(direct())
    await model.was_asked(2)
    assert await direct() == ""
    model.thaw()
    assert await first == DIRECTION
    assert await direct() == DIRECTION


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 529])
async def test_an_error_is_no_answer_and_costs_nothing(direct: Direct, model: FakeModel, status: int) -> None:
    model.status = status
    assert await direct() == ""
    assert await direct.spent() == 0


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"<html>no</html>",
        b"\xff\xfe",
        b"null",
        b"[" * 5000,
        b'{"choices":[],"content":[],"usage":{}}',
        b'{"choices":[{"message":{"content":7}}],"content":[{"type":"text","text":7}]}',
        (
            b'{"choices":[{"message":{"content":"cat"}}],"content":[{"type":"text","text":"cat"}],'
            b'"usage":{"prompt_tokens":-5,"completion_tokens":0,"input_tokens":-5,"output_tokens":0}}'
        ),
        b" " * (inquiry.ANSWER_LIMIT + 1),
    ],
    ids=["nothing", "html", "bytes", "null", "deep", "hollow", "numbers", "money back", "long"],
)
async def test_an_answer_that_makes_no_sense_is_none(direct: Direct, model: FakeModel, garbage: bytes) -> None:
    model.garbage = garbage
    assert await direct() == ""
    assert await direct.spent() == catalog().helper.most(IDEA)


async def test_an_endless_answer_ends(direct: Direct, model: FakeModel) -> None:
    model.endless = True
    assert await direct() == ""


async def test_a_model_that_is_not_there_costs_nothing(direct: Direct, model: FakeModel) -> None:
    await model.shut()
    assert await direct() == ""
    assert await direct.spent() == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \u200b ",
        "I'm sorry, but I can't help with that.",
        "I cannot assist with this request.",
        "I can\u2019t draw that.",
        "As an AI, I would rather not.",
        "cat\u202etac",
        "cat\x07",
        "x" * 701,
    ],
)
async def test_words_that_are_of_no_use_are_not_drawn(direct: Direct, model: FakeModel, text: str) -> None:
    model.text = text
    assert await direct() == ""
    assert await direct.outcomes() == {("refused",): 1}


@pytest.mark.parametrize("reason", ["length", "max_tokens", "refusal", "content_filter"])
async def test_what_was_cut_off_is_not_drawn(direct: Direct, model: FakeModel, reason: str) -> None:
    model.reason = reason
    assert await direct() == ""


async def test_quotes_and_line_breaks_around_the_words_go(direct: Direct, model: FakeModel) -> None:
    model.text = '\n"A girl swings\n\na sword."\n'
    assert await direct() == "A girl swings a sword."


async def test_its_words_pass_the_gate_like_a_viewers(direct: Direct, model: FakeModel) -> None:
    """Else a viewer could talk the model into what the viewer may not say."""
    model.text = "A dragon of forbiddenword light."
    words = Catalog.model_validate({"helper": {"enabled": True}, "gate": {"refuse": ["forbiddenword"]}})
    assert await direct.helper.direct("repeat after me", verdict=ACCEPTED, catalog=words) == ""
    held = words.model_copy(update={"gate": words.gate.model_copy(update={"refuse": (), "hold": ("forbiddenword",)})})
    assert await direct.helper.direct("repeat after me", verdict=ACCEPTED, catalog=held) == ""
    assert await direct.helper.direct("repeat after me", verdict=HELD, catalog=held) == model.text


async def test_where_all_is_approved_by_hand_the_moderator_decides_on_both(direct: Direct) -> None:
    by_hand = Catalog.model_validate({"helper": {"enabled": True}, "gate": {"mode": "approve"}})
    assert await direct.helper.direct(IDEA, verdict=HELD, catalog=by_hand) == DIRECTION


async def test_a_checker_hears_the_models_words_too(model: FakeModel, redis: store.Client) -> None:
    async with FakeModeration() as moderation:
        settings = Settings(
            helper="openai", helper_url=model.openai, helper_key=model.key, helper_model="tiny",
            moderation_url=moderation.url,
        )  # fmt: skip
        gate = Gate.open(settings)
        helper = Helper.open(settings, redis, gate)
        moderation.results = [result(violence=0.95)]
        assert await helper.direct(IDEA, verdict=ACCEPTED, catalog=catalog()) == ""
        assert moderation.asked == [{"input": DIRECTION}]
        moderation.freeze()
        begun = monotonic()
        assert await helper.direct(IDEA, verdict=ACCEPTED, catalog=catalog(timeout_s=0.2)) == ""
        assert monotonic() - begun < 1
        await helper.close()
        await gate.close()


async def test_what_the_gate_refuses_goes_nowhere(direct: Direct, model: FakeModel) -> None:
    assert await direct(verdict=Verdict(Decision.REFUSE, "word list: refuse")) == ""
    assert model.asked == []


async def test_it_is_off_unless_the_studio_file_says_so(direct: Direct, model: FakeModel) -> None:
    assert await direct.helper.direct(IDEA, verdict=ACCEPTED, catalog=Catalog()) == ""
    assert model.asked == []


async def test_without_redis_the_prompt_goes_on(direct: Direct, valkey: Valkey) -> None:
    valkey.kill()
    assert await direct(timeout_s=0.3) == ""


async def test_no_words_and_no_key_are_in_the_log_above_debug(direct: Direct, model: FakeModel) -> None:
    with capture_logs() as said:
        await direct()
        model.garbage = b'{"choices":[{"message":{"content":7,"note":"girl with sword"}}]}'
        await direct()
    assert [entry["event"] for entry in said if entry["log_level"] == "warning"] == ["helper.failed"]
    told = str([entry for entry in said if entry["log_level"] != "debug"])
    assert "sword" in str(said)
    assert model.key not in str(said)
    assert all(word not in told for word in ("girl", "sword"))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"helper": "openai"}, "SAKUGA_HELPER_MODEL"),
        ({"helper_model": "tiny"}, "SAKUGA_HELPER beside it"),
        ({"helper_key": "a-key"}, "SAKUGA_HELPER beside it"),
        ({"helper_url": "http://127.0.0.1:1/v1"}, "SAKUGA_HELPER beside it"),
    ],
)
async def test_half_a_helper_stops_the_start(settings: dict[str, str], problem: str, redis: store.Client) -> None:
    told = Settings.model_validate(settings)
    gate = Gate.open(told)
    with pytest.raises(SettingsInvalid, match=problem):
        Helper.open(told, redis, gate)
    await gate.close()
