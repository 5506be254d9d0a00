"""The papers hold together: links lead somewhere, sizes are kept, and no machine is named."""

import re
import tomllib
from pathlib import Path

import pytest

from sakuga.catalog import Catalog
from sakuga.settings import PREFIX, Settings
from tests.docs.paper import HOUSE, PAPERS, anchors, blocks, links

DECISIONS = sorted((HOUSE / "docs" / "decisions").glob("*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives"]
SETTING = re.compile(rf"\b{PREFIX}[A-Z0-9_]+\b(?!…)")
OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/")


def named(path: Path) -> str:
    return str(path.relative_to(HOUSE))


@pytest.mark.parametrize("paper", PAPERS, ids=named)
def test_every_link_leads_somewhere(paper: Path) -> None:
    for link in links(paper):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (paper.parent / file).resolve() if file else paper
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("paper", PAPERS, ids=named)
def test_every_setting_that_is_named_exists(paper: Path) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert set(SETTING.findall(paper.read_text("utf-8"))) <= known


@pytest.mark.parametrize("paper", PAPERS, ids=named)
def test_no_path_of_a_machine_is_named(paper: Path) -> None:
    assert not OF_A_MACHINE.search(paper.read_text("utf-8"))


@pytest.mark.parametrize("paper", PAPERS, ids=named)
def test_every_file_of_ours_that_is_named_exists(paper: Path) -> None:
    for name in re.findall(
        r"`((?:sakuga|api|worker|gpu|bot|overlay|tests|docs|requirements)/[\w./-]+)`", paper.read_text()
    ):
        assert (HOUSE / name).exists(), name


def test_the_readme_is_short_and_says_how_to_begin() -> None:
    text = (HOUSE / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 120
    assert "make demo" in text
    assert "docs/images/studio.png" in text


@pytest.mark.parametrize("decision", DECISIONS, ids=named)
def test_a_decision_has_a_number_a_date_a_status_and_four_sections_on_one_page(decision: Path) -> None:
    text = decision.read_text("utf-8")
    assert re.match(rf"# {decision.name[:4]}: .+\n\n\d{{4}}-\d\d-\d\d, (accepted|superseded by \d{{4}})\n", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_on() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_styles_page_holds_studio_files_that_the_studio_takes() -> None:
    files = [block.text for block in blocks(HOUSE / "docs" / "how-to" / "styles.md") if block.language == "toml"]
    assert files
    for text in files:
        Catalog.model_validate(tomllib.loads(text))


def test_the_licence_is_the_one_that_is_named() -> None:
    licence = (HOUSE / "LICENSE").read_text("utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in licence
    assert "Version 3, 29 June 2007" in licence
    assert 'license = "GPL-3.0-or-later"' in (HOUSE / "pyproject.toml").read_text("utf-8")
