"""The examples of the papers, run against a real studio."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.docs.paper import HOUSE, REFERENCE, Block, blocks, rows

WRITTEN_FOR = "http://127.0.0.1:8420"
USE_THE_API = HOUSE / "docs" / "how-to" / "use-the-api.md"
OTHERS = [
    HOUSE / "docs" / "tutorial" / "first-clip.md",
    HOUSE / "docs" / "how-to" / "troubleshooting.md",
    HOUSE / "README.md",  # last: it waits for none of its clips, and others would wait for them
]
LIMIT_S = 60


def examples(path: Path) -> list[Block]:
    return [block for block in blocks(path) if block.language == "python" or (block.language and "curl " in block.text)]


def run(block: Block, studio: str, folder: Path) -> str:
    """Run an example as a reader would, and return what it printed."""
    text = block.text.replace(WRITTEN_FOR, studio)
    command = [sys.executable, "-c", text] if block.language == "python" else ["bash", "-eu", "-c", text]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, f"the example in line {block.line}:\n{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def shape(document: Any) -> Any:
    """Return the names in a document without their values."""
    return {name: shape(value) for name, value in document.items()} if isinstance(document, dict) else None


def test_the_examples_of_the_api_page_work_and_answer_what_the_page_says(studio: str, desk: Path) -> None:
    said = ""
    answers = 0
    for block in blocks(USE_THE_API):
        if block.language == "json":
            assert shape(json.loads(said)) == shape(json.loads(block.text)), f"the answer in line {block.line}"
            answers += 1
        else:
            said = run(block, studio, desk)
            assert said or "drawn" in block.text, f"the example in line {block.line} said nothing"
    assert answers == 4
    assert (desk / "clip.mp4").read_bytes()[4:8] == b"ftyp"


def test_events_carry_what_the_events_page_says(studio: str, key: dict[str, str]) -> None:
    listed = {kind: set(row[0].replace("`", "").split(", ")) for kind, row in rows("events.md").items()}
    seen: dict[str, set[str]] = {}
    with (
        httpx.Client(base_url=studio, timeout=LIMIT_S, trust_env=False, headers=key) as client,
        client.stream("GET", "/events", params={"after": "0-0"}) as events,
    ):
        if not client.get("/clips").json()["clips"]:
            client.post("/generate", json={"prompt": "a lighthouse", "duration": 2})
        kind = ""
        for line in events.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                seen[kind] = set(json.loads(value))
                if kind == "clip.ready":
                    break
    assert len(seen) >= 7
    assert {kind: listed[kind] for kind in seen} == seen


def test_the_form_of_an_error_on_the_errors_page_is_the_real_one(studio: str, key: dict[str, str]) -> None:
    shown = next(json.loads(block.text) for block in blocks(REFERENCE / "errors.md") if block.language == "json")
    answer = httpx.post(f"{studio}/generate", json={"prompt": " "}, headers=key, trust_env=False).json()
    assert shape(shown) == shape(answer)
    assert shown["error"]["code"] == answer["error"]["code"]


@pytest.mark.parametrize("paper", OTHERS, ids=lambda path: path.name)
def test_what_other_papers_tell_to_type_works(paper: Path, studio: str, desk: Path) -> None:
    assert examples(paper)
    for block in examples(paper):
        run(block, studio, desk)
