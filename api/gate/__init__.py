"""The gate: whether what somebody wrote may be drawn and shown. Lists first, then checkers, then a person.

One gate for prompts, names, style texts and moderators' edits, so that none of them is a way around it.
"""

import asyncio
from typing import Literal, Self

import httpx

from api.gate import wordcheck
from api.gate.checker import PATIENCE_S, Checker
from api.gate.verdict import SOMEBODY, Decision, Verdict
from sakuga.errors import SettingsInvalid
from sakuga.gate_policy import GatePolicy
from sakuga.settings import Settings

__all__ = ["SOMEBODY", "Decision", "Gate", "Kind", "Verdict"]

Kind = Literal["prompt", "name", "style", "edit"]

BY_HAND = Verdict(Decision.HOLD, "approved by hand")


class Gate:
    """Judges texts by a policy that is given with each: the studio file may change while we run."""

    def __init__(
        self, http: httpx.AsyncClient, *, url: str | None = None, model: str = "", key: str | None = None
    ) -> None:
        self._http = http
        self._keyed = Checker(http, url, model=model, key=key) if url else None
        self._keyless: dict[tuple[str, str], Checker] = {}

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Return the gate of these settings. Nothing is asked of a checker yet. Raises SettingsInvalid."""
        if settings.moderation_key and not settings.moderation_url:  # else nothing is checked, and nobody notices
            raise SettingsInvalid(problem="SAKUGA_MODERATION_KEY needs SAKUGA_MODERATION_URL beside it.")
        key = settings.moderation_key.get_secret_value() if settings.moderation_key else None
        http = httpx.AsyncClient(timeout=PATIENCE_S, follow_redirects=False, trust_env=False)
        return cls(http, url=settings.moderation_url, model=settings.moderation_model, key=key)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def judge(self, text: str, *, kind: Kind, policy: GatePolicy) -> Verdict:
        """Return what is done with a text.

        A prompt, a style text or an edit is accepted, held or refused. A name can't wait for anybody: it is accepted,
        or refused and shown as `SOMEBODY`, and the job goes on. A checker that is configured and gives no answer holds.
        """
        verdict = wordcheck.check(text, policy)
        if text.strip() and not verdict.refused:
            for answer in await asyncio.gather(*(checker.judge(text, policy) for checker in self._checkers(policy))):
                verdict = verdict.sterner(answer)
        if kind == "prompt" and policy.mode == "approve":
            verdict = verdict.sterner(BY_HAND)
        if kind == "name" and not verdict.accepted:
            return Verdict(Decision.REFUSE, verdict.reason)
        return verdict

    def _checkers(self, policy: GatePolicy) -> list[Checker]:
        wanted = {(entry.url, entry.model) for entry in policy.checkers}
        self._keyless = {place: checker for place, checker in self._keyless.items() if place in wanted}
        for url, model in wanted - set(self._keyless):
            self._keyless[url, model] = Checker(self._http, url, model=model)
        return [*([self._keyed] if self._keyed else []), *self._keyless.values()]
