"""The doctor: `python -m sakuga doctor` looks at everything that a streamer can get wrong, and says what to do."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from sakuga.errors import StudioError
from sakuga.looks import LOOKS, Finding, Look, State
from sakuga.settings import Settings

MARKS: Mapping[State, str] = {"good": "ok", "off": "--", "doubtful": "??", "bad": "!!"}
LOOK_S = 20.0  # the longest that one look may take


def add_options(group: argparse.ArgumentParser) -> None:
    """Add the options of `doctor` to a parser."""
    group.add_argument("--json", action="store_true", help="print the findings as JSON")


def main(asked: argparse.Namespace) -> int:
    """Look at everything, print what was found, and return 1 if something is bad."""
    findings = asyncio.run(examine())
    bad = any(finding.state == "bad" for finding in findings)
    if asked.json:
        told = json.dumps({"well": not bad, "findings": [asdict(finding) for finding in findings]}, indent=2)
    else:
        end = "Something has to be mended." if bad else "The studio can go on air."
        told = "\n".join([*map(_lines, findings), "", end])
    sys.stdout.write(f"{told}\n")
    return 1 if bad else 0


async def examine(looks: Mapping[str, Look] | None = None) -> list[Finding]:
    """Return what each look finds, in their order; without settings that can be read no other look is taken."""
    try:
        settings = Settings.load()
    except StudioError as error:
        return [Finding("settings", "bad", str(error), "Mend that line of .env, or of the environment.")]
    wanted = LOOKS if looks is None else looks
    found = await asyncio.gather(*(_in_time(name, look, settings) for name, look in wanted.items()))
    return [Finding("settings", "good", _where()), *(finding for each in found for finding in each)]


async def _in_time(name: str, look: Look, settings: Settings) -> list[Finding]:
    try:
        async with asyncio.timeout(LOOK_S):
            return await look(settings)
    except TimeoutError:
        return [Finding(name, "doubtful", f"No answer within {LOOK_S:.0f} s.", "Look again when the machine is quiet.")]
    except Exception as error:  # noqa: BLE001 - one look that fails may not hide what the others find
        todo = "Compare its settings with docs/reference/settings.md."
        return [Finding(name, "bad", f"It could not be looked at ({type(error).__name__}).", todo)]


def _where() -> str:
    return "Read from .env and the environment." if Path(".env").exists() else "All as they come; there is no .env."


def _lines(finding: Finding) -> str:
    todo = f"\n{'':21}{finding.todo}" if finding.todo else ""
    return f"{MARKS[finding.state]}  {finding.check:16} {finding.says}{todo}"
