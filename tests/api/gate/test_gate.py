"""The gate with checkers: a real client, a real loopback server."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from api import inquiry
from api.gate import SOMEBODY, Decision, Gate, Kind, checker
from api.gate.verdict import Verdict
from sakuga.errors import SettingsInvalid
from sakuga.gate_policy import GatePolicy
from sakuga.prompt import clean_name
from sakuga.settings import Settings
from tests.fakes.moderation import FakeModeration, result

SECRET, TEXT = "a-key-that-nobody-may-see", "girl with sword, neon rain"
AUTO, BY_HAND = GatePolicy(), GatePolicy(mode="approve")
UNREACHABLE = Verdict(Decision.HOLD, "checker unreachable")


@pytest.fixture
async def moderation() -> AsyncIterator[FakeModeration]:
    async with FakeModeration() as server:
        yield server


@pytest.fixture
async def gate(moderation: FakeModeration) -> AsyncIterator[Gate]:
    gate = Gate.open(Settings(moderation_url=moderation.url, moderation_key=SECRET, moderation_model="omni"))
    yield gate
    await gate.close()


@pytest.fixture
async def lists_only() -> AsyncIterator[Gate]:
    gate = Gate.open(Settings())
    yield gate
    await gate.close()


async def judge(gate: Gate, text: str = TEXT, kind: Kind = "prompt", policy: GatePolicy = AUTO) -> Verdict:
    return await gate.judge(text, kind=kind, policy=policy)


async def test_a_checker_is_sent_the_text_the_model_and_its_key(gate: Gate, moderation: FakeModeration) -> None:
    assert (await judge(gate)).accepted
    assert moderation.asked == [{"input": TEXT, "model": "omni"}]
    assert moderation.keys == [f"Bearer {SECRET}"]


@pytest.mark.parametrize(
    ("answer", "decision", "reason"),
    [
        (result(violence=0.39), Decision.ACCEPT, ""),
        (result(violence=0.4), Decision.HOLD, "checker: violence"),
        (result(violence=0.5, hate=0.9), Decision.REFUSE, "checker: hate"),
        (result(flagged=True, violence__graphic=0.1), Decision.HOLD, "checker: violence/graphic"),
        (result(flagged=True), Decision.HOLD, "checker: other"),
        (result(sexual__minors=0.4), Decision.REFUSE, "checker: sexual/minors"),
        (result(categories={"sexual/minors": True}), Decision.REFUSE, "checker: sexual/minors"),
        (result(**{"girl with sword": 0.95}), Decision.REFUSE, "checker: other"),
    ],
)
async def test_scores_decide(
    gate: Gate, moderation: FakeModeration, answer: dict[str, object], decision: Decision, reason: str
) -> None:
    moderation.results = [answer]
    assert await judge(gate) == Verdict(decision, reason)


async def test_the_sternest_of_several_results_counts(gate: Gate, moderation: FakeModeration) -> None:
    moderation.results = [result(), result(hate=0.95), result(hate=0.5)]
    assert (await judge(gate)).refused


async def test_the_streamers_thresholds_count(gate: Gate, moderation: FakeModeration) -> None:
    moderation.results = [result(violence=0.5)]
    assert (await judge(gate, policy=GatePolicy(hold_at=0.6))).accepted
    assert (await judge(gate, policy=GatePolicy(hold_at=0.3, refuse_at=0.5))).refused


async def test_what_the_lists_refuse_is_sent_to_nobody(gate: Gate, moderation: FakeModeration) -> None:
    assert (await judge(gate, "h e n t a i")).refused
    assert moderation.asked == []


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
async def test_a_checker_that_refuses_to_answer_holds(gate: Gate, moderation: FakeModeration, status: int) -> None:
    moderation.status = status
    assert await judge(gate) == UNREACHABLE


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"OK",
        b"[]",
        b"{}",
        b'{"results": []}',
        b'{"results": [{}]}',
        b'{"results": [{"flagged": "no"}]}',
        b'{"results": [{"flagged": false, "category_scores": {"hate": NaN}}]}',
        b'{"results": [{"flagged": false, "category_scores": {"hate": -1}}]}',
        b'{"results": [{"flagged": false, "category_scores": "girl"}]}',
        b"\xff\xfe",
        b" " * (inquiry.ANSWER_LIMIT + 1),
    ],
)
async def test_an_answer_that_is_not_understood_holds(gate: Gate, moderation: FakeModeration, garbage: bytes) -> None:
    moderation.garbage = garbage
    assert await judge(gate) == UNREACHABLE


async def test_a_checker_that_is_not_there_holds(gate: Gate, moderation: FakeModeration) -> None:
    await moderation.shut()
    assert await judge(gate) == UNREACHABLE


async def test_a_checker_that_says_nothing_holds_in_time(
    gate: Gate, moderation: FakeModeration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "PATIENCE_S", 0.05)
    moderation.freeze()
    assert await judge(gate) == UNREACHABLE
    assert len(moderation.asked) == 1


async def test_after_a_failure_nobody_waits_for_the_checker_again(gate: Gate, moderation: FakeModeration) -> None:
    moderation.status = 500
    verdicts = [await judge(gate) for _ in range(5)]
    assert verdicts == [UNREACHABLE] * 5
    assert len(moderation.asked) == 1


async def test_later_one_request_tries_again_and_the_others_are_held_meanwhile(
    gate: Gate, moderation: FakeModeration, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderation.status = 500
    monkeypatch.setattr(checker, "AWAY_S", 0.0)
    await judge(gate)
    moderation.status = 200
    moderation.freeze()
    trying = asyncio.create_task(judge(gate))
    await moderation.was_asked(2)
    assert await judge(gate) == UNREACHABLE
    moderation.thaw()
    assert (await trying).accepted
    assert (await judge(gate)).accepted
    assert len(moderation.asked) == 3


async def test_every_checker_of_the_studio_file_is_asked_without_the_key(
    lists_only: Gate, moderation: FakeModeration
) -> None:
    policy = GatePolicy.model_validate({"checkers": [{"url": moderation.url}]})
    moderation.results = [result(hate=0.95)]
    assert (await judge(lists_only, policy=policy)).refused
    assert moderation.keys == [None]
    assert moderation.asked == [{"input": TEXT}]


async def test_one_checker_that_is_away_holds_though_another_accepts(gate: Gate) -> None:
    async with FakeModeration() as other:
        policy = GatePolicy.model_validate({"checkers": [{"url": other.url}]})
        await other.shut()
        assert await judge(gate, policy=policy) == UNREACHABLE


@pytest.mark.parametrize("kind", ["prompt", "name", "style", "edit"])
async def test_one_gate_judges_every_kind_of_text(lists_only: Gate, kind: Kind) -> None:
    assert (await judge(lists_only, kind=kind)).accepted
    assert (await judge(lists_only, "f.u.c.k", kind)).refused
    assert (await judge(lists_only, "a nude child", kind)).reason == "word list: minors"


async def test_a_name_is_never_held(lists_only: Gate, gate: Gate, moderation: FakeModeration) -> None:
    assert (await judge(lists_only, "naked_mika", "name")).refused
    assert (await judge(lists_only, "mika", "name", BY_HAND)).accepted
    await moderation.shut()
    assert await judge(gate, "mika", "name") == Verdict(Decision.REFUSE, "checker unreachable")
    assert clean_name(SOMEBODY) == SOMEBODY
    assert (await judge(lists_only, SOMEBODY, "name")).accepted


async def test_approving_by_hand_holds_every_prompt_and_no_moderators_edit(lists_only: Gate) -> None:
    assert await judge(lists_only, policy=BY_HAND) == Verdict(Decision.HOLD, "approved by hand")
    assert (await judge(lists_only, kind="edit", policy=BY_HAND)).accepted
    assert (await judge(lists_only, "fuck", policy=BY_HAND)).refused


async def test_a_key_without_an_address_stops_the_start() -> None:
    with pytest.raises(SettingsInvalid, match="SAKUGA_MODERATION_URL"):
        Gate.open(Settings(moderation_key=SECRET))


async def test_no_log_above_debug_holds_a_text_or_the_key(
    gate: Gate, moderation: FakeModeration, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    moderation.garbage = f'{{"results": "{TEXT}"}}'.encode()
    await judge(gate)
    written = caplog.text + "".join(capsys.readouterr())
    assert "gate.checker_unreachable" in written
    assert TEXT not in written
    assert SECRET not in written
