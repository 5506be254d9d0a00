"""Writes the tables of the reference from the code: `python -m docs.generate`, or `--check` to change nothing.

A page holds hand-written prose and, between `<!-- generated -->` and `<!-- end -->`, what this module writes.
"""

import argparse
import inspect
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from string import Formatter
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from api.app import create_app
from api.errors import STATUS
from docs import addresses, engines
from docs.table import NOTHING, table
from sakuga import errors, store
from sakuga.__main__ import parser
from sakuga.ballot import VotePolicy
from sakuga.budget import BudgetPolicy, Prices
from sakuga.catalog import Catalog, Character, Hero, Lora, Style
from sakuga.chat import ChatPolicy, Commands
from sakuga.gate_policy import GateCheckerEntry, GatePolicy
from sakuga.helper import HelperPolicy
from sakuga.lane import LanePolicy
from sakuga.limits import Active, Cooldown, Limits
from sakuga.metric import FAMILIES
from sakuga.pot import PotPolicy
from sakuga.reward import RewardPolicy
from sakuga.sentences import SENTENCES, WORDS
from sakuga.settings import PREFIX, Settings
from sakuga.support import PaidPolicy

REFERENCE = Path(__file__).parent / "reference"
MARKED = re.compile(r"(<!-- generated -->\n).*?(<!-- end -->)", re.DOTALL)
KEY = re.compile(r'^(?P<name>[A-Z_]+) = "(?P<key>sakuga:[a-z:]+)"(?:  # (?P<holds>.+))?$', re.MULTILINE)
DOCUMENTS = "hash id -> document in JSON"  # the two hashes beside a zset, which store.py names in one line with it
BRANCHES = {
    "The viewer can do something about it": errors.RequestRefused,
    "The studio can do something about it": errors.RenderError,
    "The streamer can do something about it": errors.StudioError,
    "Others": errors.SakugaError,
}

TABLES: Mapping[str, type[BaseModel]] = {
    "Top of the file": Catalog,
    "[styles.NAME]": Style,
    "[characters.NAME]": Character,
    "LoRAs": Lora,
    "[lanes]": LanePolicy,
    "[limits]": Limits,
    "[limits.cooldown]": Cooldown,
    "[limits.active]": Active,
    "[votes]": VotePolicy,
    "[pot]": PotPolicy,
    "[gate]": GatePolicy,
    "[helper]": HelperPolicy,
    "[[gate.checkers]]": GateCheckerEntry,
    "[budget]": BudgetPolicy,
    "[prices]": Prices,
    "[paid]": PaidPolicy,
    "[hero]": Hero,
    "[chat]": ChatPolicy,
    "[chat.commands]": Commands,
    "[chat.reward]": RewardPolicy,
}
INNER = {"styles", "characters", "cooldown", "active", "checkers", "commands", "reward"} | {
    name.strip("[]") for name in TABLES
}
"""Keys that are tables of their own."""


def settings() -> str:
    """Return the table of all settings."""
    return table(
        ("Name", "Takes", "Default", "What it is"),
        (
            (f"`{PREFIX}{name.upper()}`", takes(field), default(field), field.description)
            for name, field in Settings.model_fields.items()
        ),
    )


def studio_file() -> str:
    """Return the tables of the studio file."""
    parts = []
    for heading, model in TABLES.items():
        rows = [
            (f"`{name}`", takes(field), default(field), field.description)
            for name, field in model.model_fields.items()
            if name not in INNER
        ]
        parts.append(f"## {heading}\n\n{table(('Key', 'Takes', 'Default', 'What it is'), rows)}")
    return "\n\n".join(parts)


def error_codes() -> str:
    """Return a table of errors for each branch of their tree."""
    known = [cls for cls in vars(errors).values() if inspect.isclass(cls) and "message" in vars(cls)]
    parts = []
    for heading, branch in BRANCHES.items():
        members = sorted((cls for cls in known if issubclass(cls, branch)), key=lambda cls: cls.code)
        known = [cls for cls in known if cls not in members]
        rows = (
            (f"`{cls.code}`", STATUS.get(cls, NOTHING), "yes" if cls.retryable else "no", cls.__doc__, sentence(cls))
            for cls in members
        )
        parts.append(f"## {heading}\n\n{table(('Code', 'HTTP', 'Again?', 'When', 'Message'), rows)}")
    return "\n\n".join(parts)


def chat_answers() -> str:
    """Return the table of what the bot says."""
    return table(("Key", "Sentence"), ((f"`{key}`", said) for key, said in {**SENTENCES, **WORDS}.items()))


def http_api() -> str:
    """Return every address of the gateway with its fields, from the OpenAPI document."""
    with tempfile.TemporaryDirectory() as folder:
        return addresses.describe(create_app(Settings(var_dir=Path(folder))).openapi())


def redis_keys() -> str:
    """Return the table of our keys."""
    source = Path(inspect.getfile(store)).read_text("utf-8")
    rows = []
    for found in KEY.finditer(source):
        key = found["key"] + ("ID" if found["name"].endswith("_PREFIX") else "")
        if found["name"] != "PREFIX":
            rows.append((f"`{key}`", found["holds"] or DOCUMENTS))
    return table(("Key", "Holds"), rows)


def metrics() -> str:
    """Return the table of all metrics."""
    rows = (
        (f"`{family.name}`", family.kind, ", ".join(f"`{label}`" for label in family.labels), family.help)
        for family in FAMILIES
    )
    return table(("Name", "Is a", "Labels", "What it is"), rows)


def command_line() -> str:
    """Return the table of all commands."""
    return table(("Command", "Does"), _commands(parser(), "python -m sakuga"))


PAGES: Mapping[str, Callable[[], str]] = {
    "settings.md": settings,
    "studio-file.md": studio_file,
    "errors.md": error_codes,
    "chat-answers.md": chat_answers,
    "http-api.md": http_api,
    "redis-keys.md": redis_keys,
    "metrics.md": metrics,
    "command-line.md": command_line,
    "engines.md": engines.describe,
}


def fresh(page: str) -> str:
    """Return the text that a page of the reference should have."""
    text = (REFERENCE / page).read_text("utf-8")
    written, places = MARKED.subn(lambda match: f"{match[1]}\n{PAGES[page]()}\n\n{match[2]}", text)
    if places != 1:
        msg = f"{page} has {places} places for what is generated, not one"
        raise ValueError(msg)
    return written


def takes(field: FieldInfo) -> str:
    """Return what a field may be set to, in words."""
    kind = _kind(field.annotation)
    low, high, longest = (_bound(field, name) for name in ("ge", "le", "max_length"))
    if low is not None and high is not None:
        kind += f", {_seconds(low)} to {_seconds(high)}"
    unit = "" if get_origin(field.annotation) is tuple else " characters"
    return kind if longest is None else f"{kind}, up to {longest}{unit}"


def default(field: FieldInfo) -> str:
    """Return a field's default, in words."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ([], (), {}, ""):
        return NOTHING
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    return f"`{_seconds(value)}`" if not isinstance(value, bool) else f"`{str(value).lower()}`"


def sentence(cls: type[errors.SakugaError]) -> str:
    """Return an error's message with the names of its data in braces."""
    return "".join(text + (f"{{{name}}}" if name else "") for text, name, _, _ in Formatter().parse(cls.message))


def _bound(field: FieldInfo, name: str) -> Any:
    return next((getattr(limit, name) for limit in field.metadata if hasattr(limit, name)), None)


def _kind(annotation: Any) -> str:
    given = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in given)
    if get_origin(annotation) is dict:
        return f"table of {_kind(given[1])}"
    if get_origin(annotation) is list:
        return "names, separated by commas"
    if get_origin(annotation) is tuple:
        return f"list of {_kind(given[0])}"
    if given:
        return _kind(given[0])
    words = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "`true` or `false`",
        Path: "path",
        timedelta: "seconds",
        SecretStr: "secret",
        Lora: "[LoRAs](#loras)",
    }
    return words[annotation]


def _seconds(value: Any) -> Any:
    return f"{value.total_seconds():g}" if isinstance(value, timedelta) else value


def _commands(root: argparse.ArgumentParser, words: str) -> Iterator[Sequence[str]]:
    for action in root._actions:  # noqa: SLF001 - argparse tells its commands no other way
        if not isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
        for name, command in action.choices.items():
            deeper = list(_commands(command, f"{words} {name}"))
            yield from deeper or [(f"`{words} {name}`", helps[name])]


def main() -> int:
    """Write the pages; with `--check` only name those that are out of date, and return 1 if there are any."""
    arguments = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    arguments.add_argument("--check", action="store_true", help="change nothing")
    check = arguments.parse_args().check
    stale = [page for page in PAGES if fresh(page) != (REFERENCE / page).read_text("utf-8")]
    for page in stale:
        if not check:
            (REFERENCE / page).write_text(fresh(page), "utf-8")
        sys.stdout.write(f"docs/reference/{page} {'is out of date' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
