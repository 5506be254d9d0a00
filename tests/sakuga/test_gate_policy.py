import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.gate.wordcheck import WORDS
from sakuga.gate_policy import GatePolicy


def test_thresholds_that_cross_are_refused() -> None:
    with pytest.raises(ValidationError, match="hold_at"):
        GatePolicy(hold_at=0.8, refuse_at=0.5)


def test_languages_are_those_that_are_shipped() -> None:
    shipped = {path.stem for path in (WORDS / "naughty-words").glob("*.json")}
    known = GatePolicy.model_json_schema()["properties"]["languages"]["items"]["enum"]
    assert set(known) == shipped
    with pytest.raises(ValidationError):
        GatePolicy.model_validate({"languages": ["tlh"]})


@pytest.mark.parametrize("url", ["ftp://host/x", "http://user:secret@host/x", "moderations", "http://"])
def test_a_checkers_address_is_http_and_holds_no_secret(url: str) -> None:
    with pytest.raises(ValidationError):
        GatePolicy.model_validate({"checkers": [{"url": url}]})


def test_an_empty_word_is_refused() -> None:
    with pytest.raises(ValidationError):
        GatePolicy(refuse=(" ",))


def test_the_page_about_it_holds_tables_that_the_studio_takes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "moderate-prompts.md").read_text("utf-8")
    tables = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(tables) == 3
    for table in tables:
        GatePolicy.model_validate(tomllib.loads(table)["gate"])
