"""A remote checker: an OpenAI-compatible moderation endpoint, asked for its scores. When in doubt it holds."""

import asyncio
from time import monotonic
from typing import Annotated

import httpx
from pydantic import BaseModel, ConfigDict, Field

from api.gate.verdict import ACCEPTED, Decision, Verdict
from api.inquiry import FAILURES, inquire
from sakuga.gate_policy import GatePolicy
from sakuga.log import get_logger

log = get_logger("gate")

PATIENCE_S = 3.0  # for the whole answer
AWAY_S = 10.0  # it is not asked again for so long after a failure: a queue of viewers must not wait three seconds each
MINORS = "sexual/minors"
UNREACHABLE = Verdict(Decision.HOLD, "checker unreachable")
# A checker's own words could repeat the prompt, so only names that we know stand in a reason.
CATEGORIES = frozenset({
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
    "self-harm/instructions", "self-harm/intent", "sexual", MINORS, "violence", "violence/graphic",
})  # fmt: skip

Score = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Result(BaseModel):
    model_config = ConfigDict(strict=True)

    flagged: bool
    categories: dict[str, bool | None] = Field(default_factory=dict)
    category_scores: dict[str, Score | None] = Field(default_factory=dict)

    def verdict(self, policy: GatePolicy) -> Verdict:
        """Return what the scores come to. A flag holds without them, and anything about minors is refused."""
        scores = {category: score for category, score in self.category_scores.items() if score is not None}
        if self.categories.get(MINORS) or scores.get(MINORS, 0) >= policy.hold_at:
            return Verdict(Decision.REFUSE, f"checker: {MINORS}")
        category, score = max(scores.items(), key=lambda pair: pair[1], default=("", 0.0))
        reason = f"checker: {category if category in CATEGORIES else 'other'}"
        if score >= policy.refuse_at:
            return Verdict(Decision.REFUSE, reason)
        return Verdict(Decision.HOLD, reason) if self.flagged or score >= policy.hold_at else ACCEPTED


class _Answer(BaseModel):
    results: list[_Result] = Field(min_length=1, max_length=16)


class Checker:
    """One endpoint and whether it answered lately."""

    def __init__(self, http: httpx.AsyncClient, url: str, *, model: str = "", key: str | None = None) -> None:
        self._http = http
        self._url = url
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._away_until = 0.0
        self._failed = False
        self._trying = False  # after a failure one request tries again, and the others don't wait for it

    async def judge(self, text: str, policy: GatePolicy) -> Verdict:
        """Return the endpoint's verdict; `UNREACHABLE`, which holds, when it has none within three seconds."""
        if self._failed and (self._trying or monotonic() < self._away_until):
            return UNREACHABLE
        self._trying = True
        try:
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._ask(text)
        except FAILURES as error:
            # Not the error's own words: a ValidationError repeats what it was given.
            log.warning("gate.checker_unreachable", reason=type(error).__name__)
            self._failed, self._away_until = True, monotonic() + AWAY_S
            return UNREACHABLE
        finally:
            self._trying = False
        self._failed = False
        verdict = ACCEPTED
        for result in answer.results:
            verdict = verdict.sterner(result.verdict(policy))
        return verdict

    async def _ask(self, text: str) -> _Answer:
        body = {"input": text} | ({"model": self._model} if self._model else {})
        return _Answer.model_validate_json(await inquire(self._http, self._url, body, self._headers))
