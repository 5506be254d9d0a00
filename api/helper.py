"""The helper: has a language model word a viewer's prompt for the engine, and does without it whenever it fails."""

import asyncio
import re
from time import monotonic
from typing import Literal, Self

import httpx
from redis.exceptions import RedisError

from api.dialect import DIALECTS, Dialect, Wording
from api.gate import Gate, Verdict
from api.inquiry import FAILURES, inquire
from sakuga import store
from sakuga.catalog import Catalog
from sakuga.errors import RequestRefused, SettingsInvalid
from sakuga.helper import HelperPolicy
from sakuga.log import get_logger
from sakuga.metrics import Metrics
from sakuga.prompt import clean_prompt
from sakuga.settings import Settings

log = get_logger("helper")

AWAY_S = 10.0  # it is not asked for so long after a failure: a chat full of viewers must not wait two seconds each
LONGEST = 700  # characters of a direction
KEPT_S = 90 * 86_400  # how long a day's cost is remembered
QUOTES = '"\u201c\u201d\u00ab\u00bb'
# Models that won't do it say so in words that would be drawn.
DECLINED = re.compile(
    r"\W*(?:i(?:['\u2019]m| am) (?:sorry|unable)|sorry\b|i can(?:['\u2019]t|not)\b|as an ai\b)", re.IGNORECASE
)

Outcome = Literal["directed", "failed", "refused", "budget"]


class Helper:
    """One model, and whether it answered lately."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        redis: store.Client,
        gate: Gate,
        *,
        dialect: Dialect | None = None,
        url: str = "",
        model: str = "",
        key: str | None = None,
    ) -> None:
        self._http = http
        self._redis = redis
        self._gate = gate
        self._dialect = dialect
        self._url = url
        self._model = model
        self._headers = dialect.headers(key) if dialect else {}
        self._metrics = Metrics(redis)
        self._away_until = 0.0
        self._failed = False
        self._trying = False  # after a failure one request tries again, and the others don't wait for it

    @classmethod
    def open(cls, settings: Settings, redis: store.Client, gate: Gate) -> Self:
        """Return the helper of these settings; nothing is asked of a model yet. Raises SettingsInvalid."""
        http = httpx.AsyncClient(timeout=None, follow_redirects=False, trust_env=False)  # noqa: S113 - `direct` has one
        if settings.helper is None:
            if settings.helper_url or settings.helper_key or settings.helper_model:  # else it is off, and nobody knows
                raise SettingsInvalid(problem="SAKUGA_HELPER_… needs SAKUGA_HELPER beside it: openai or anthropic.")
            return cls(http, redis, gate)
        if not settings.helper_model:
            raise SettingsInvalid(problem="SAKUGA_HELPER needs SAKUGA_HELPER_MODEL beside it.")
        dialect = DIALECTS[settings.helper]
        return cls(
            http,
            redis,
            gate,
            dialect=dialect,
            url=settings.helper_url or dialect.url,
            model=settings.helper_model,
            key=settings.helper_key.get_secret_value() if settings.helper_key else None,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def direct(self, prompt: str, *, verdict: Verdict, catalog: Catalog) -> str:
        """Return what the engine is told in place of a prompt; empty if the prompt itself goes on. Never raises.

        `verdict` is the gate's on the prompt. The model's words pass the same gate, which must not find them worse.
        """
        policy = catalog.helper
        if self._dialect is None or not policy.enabled or verdict.refused:
            return ""
        if self._failed and (self._trying or monotonic() < self._away_until):
            return ""
        self._trying = True
        begun = monotonic()
        try:
            async with asyncio.timeout(policy.timeout_s):
                outcome, direction = await self._directed(self._dialect, prompt, verdict, catalog)
            self._failed = False
        except (*FAILURES, RedisError) as error:
            # Not the error's own words: a ValidationError repeats what it was given.
            log.warning("helper.failed", reason=type(error).__name__)
            self._failed, self._away_until = True, monotonic() + AWAY_S
            outcome, direction = "failed", ""
        finally:
            self._trying = False
        log.info("helper.asked", outcome=outcome, seconds=round(monotonic() - begun, 3))
        await self._count(outcome)
        return direction

    async def _directed(self, dialect: Dialect, prompt: str, verdict: Verdict, catalog: Catalog) -> tuple[Outcome, str]:
        policy = catalog.helper
        reserved = policy.most(prompt)
        purse = f"{store.HELPER_PREFIX}{int(await store.clock(self._redis) // 86_400)}"
        if not await self._reserved(purse, reserved, policy):
            return "budget", ""
        body = dialect.question(self._url, self._model, policy.instruction, prompt)
        try:
            answer = await inquire(self._http, self._url, body, self._headers)
        except (httpx.HTTPStatusError, httpx.ConnectError):  # it wrote nothing; whatever else fails may well cost
            await self._redis.incrby(purse, -reserved)
            raise
        wording = dialect.wording(answer)
        await self._redis.incrby(purse, policy.price(wording.tokens_in, wording.tokens_out) - reserved)
        direction = _said(wording)
        log.debug("helper.said", prompt=prompt, direction=direction)
        if direction:
            judged = await self._gate.judge(direction, kind="prompt", policy=catalog.gate)
            if verdict.sterner(judged) is verdict:
                return "directed", direction
        return "refused", ""

    async def _reserved(self, purse: str, amount: int, policy: HelperPolicy) -> bool:
        """Put the most that a question can cost to the day's cost, unless that would be above the limit."""
        spent = await self._redis.incrby(purse, amount)
        await self._redis.expire(purse, KEPT_S)
        if policy.day_usd and spent > round(policy.day_usd * 1_000_000):
            await self._redis.incrby(purse, -amount)
            return False
        return True

    async def _count(self, outcome: Outcome) -> None:
        try:
            await self._metrics.count("helped", outcome)
        except RedisError as error:
            log.debug("helper.uncounted", reason=type(error).__name__)


def _said(wording: Wording) -> str:
    """Return what the model said on one line, empty if it is of no use."""
    text = wording.text.strip().strip(QUOTES)
    if not wording.whole or DECLINED.match(text):
        return ""
    try:
        return clean_prompt(text, LONGEST)
    except RequestRefused:
        return ""
