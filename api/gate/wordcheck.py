"""The word check: a text against the studio's own lists and the shipped ones, in every reading."""

import json
import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path

from api.gate.readings import Reading
from api.gate.skeleton import skeleton
from api.gate.verdict import ACCEPTED, Decision, Verdict
from api.gate.wordlist import UNSPACED, Mark, WordList
from sakuga.gate_policy import GatePolicy

WORDS = Path(__file__).parent / "words"
READ = frozenset({"en", "ja"})  # graded word by word; words of other languages are held, not refused
ADULT = 18  # years
TEENS = "three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
AGE = re.compile(
    rf"(?<![a-z0-9])(?:(?P<years>[0-9]{{1,2}}|{TEENS.replace(' ', '|')})[\s-]{{0,3}}"
    r"(?:(?:years?|yrs?)[\s-]{0,3}old|y[\s./]{0,2}o(?![a-z])|歳|才)"
    r"|aged?\s{0,3}(?P<aged>[0-9]{1,2})(?![0-9]))"
)
CAST_OUT = " 0 "  # stands where an allowed phrase was: a word of no list, which keeps its neighbours apart
VERDICTS = {  # the sternest first
    Mark.OWN_REFUSE: Verdict(Decision.REFUSE, "own list: refuse"),
    Mark.REFUSE: Verdict(Decision.REFUSE, "word list: refuse"),
    Mark.OWN_HOLD: Verdict(Decision.HOLD, "own list: hold"),
    Mark.HOLD: Verdict(Decision.HOLD, "word list: hold"),
    Mark.HIDDEN: Verdict(Decision.HOLD, "word list: hidden letters"),
}
MINORS = Verdict(Decision.REFUSE, "word list: minors")


def check(text: str, policy: GatePolicy) -> Verdict:
    """Return the sternest verdict of the lists. `allow` excuses from the shipped ones, but never where minors are."""
    known = _known(policy.languages, policy.hold, policy.refuse)
    whole = skeleton(text)
    marks = known.marks(Reading(whole))
    if _minors(whole, marks, policy):
        return MINORS
    if policy.allow:
        rest = Reading(_allowed(policy.allow).sub(CAST_OUT, Reading(whole).text))
        marks = (marks & {Mark.OWN_HOLD, Mark.OWN_REFUSE}) | known.marks(rest)
    return next((verdict for mark, verdict in VERDICTS.items() if mark in marks), ACCEPTED)


def _minors(whole: str, marks: set[Mark], policy: GatePolicy) -> bool:
    """Whether somebody young is there together with a word of intimacy, or with anything that we refuse."""
    ages = (found["years"] or found["aged"] for found in AGE.finditer(whole))
    if Mark.YOUNG not in marks and not any(not age.isdecimal() or int(age) < ADULT for age in ages):
        return False
    if not set(policy.languages) >= READ:
        marks = _known(tuple(sorted(READ)), (), ()).marks(Reading(whole))
    return bool(marks & {Mark.INTIMATE, Mark.REFUSE})


@cache
def _grades() -> dict[str, list[str]]:
    return dict(tomllib.loads((WORDS / "grades.toml").read_text("utf-8")))


@lru_cache(maxsize=8)
def _known(languages: tuple[str, ...], hold: tuple[str, ...], refuse: tuple[str, ...]) -> WordList:
    """Return the words of a policy. Those for minors are in it whatever it says."""
    grades = _grades()
    known = WordList(grades["innocent"])
    known.add(hold, Mark.OWN_HOLD)
    known.add(refuse, Mark.OWN_REFUSE)
    known.add(grades["young"], Mark.YOUNG)
    known.add(grades["intimate"], Mark.INTIMATE)
    if languages:
        known.add(grades["refuse"], Mark.REFUSE)
        known.add(grades["hold"], Mark.HOLD)
        known.add_stems(grades["anywhere"], Mark.REFUSE)
    graded = {skeleton(word) for grade in ("pass", "hold", "refuse") for word in grades[grade]}
    for language in languages:
        listed = json.loads((WORDS / "naughty-words" / f"{language}.json").read_text("utf-8"))
        usual = Mark.REFUSE if language in READ else Mark.HOLD
        known.add((word for word in listed if skeleton(word) not in graded and len(skeleton(word)) > 1), usual)
    return known


@lru_cache(maxsize=8)
def _allowed(allow: tuple[str, ...]) -> re.Pattern[str]:
    patterns = []
    for phrase in sorted(map(skeleton, allow), key=len, reverse=True):
        spaced = r"[\W_]+".join(map(re.escape, Reading(phrase).words))
        if spaced:
            patterns.append(spaced if UNSPACED.search(phrase) else rf"(?<![^\W_])(?:{spaced})(?![^\W_])")
    return re.compile("|".join(patterns) or r"(?!)")
