"""The papers as tests read them: all Markdown files, their blocks of code, their links."""

import re
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
REFERENCE = HOUSE / "docs" / "reference"
PAPERS = sorted([*HOUSE.glob("*.md"), *(HOUSE / "docs").rglob("*.md")])
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block of code: its language, its text, and the line that it begins at."""

    language: str
    text: str
    line: int


def blocks(path: Path) -> list[Block]:
    """Return a paper's blocks of code in their order."""
    text = path.read_text("utf-8")
    return [Block(found[1], found[2], text.count("\n", 0, found.start()) + 1) for found in FENCE.finditer(text)]


def prose(path: Path) -> str:
    """Return a paper without its blocks of code."""
    return FENCE.sub("", path.read_text("utf-8"))


def links(path: Path) -> list[str]:
    """Return where a paper's links lead, pictures included."""
    return LINK.findall(prose(path))


def anchors(path: Path) -> set[str]:
    """Return the names of a paper's headings, as GitHub makes them."""
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in HEADING.findall(prose(path)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def reference(page: str) -> str:
    """Return the text of a page of the reference."""
    return (REFERENCE / page).read_text("utf-8")


def rows(page: str) -> dict[str, list[str]]:
    """Return the table rows of a page of the reference by the code in their first cell."""
    cells = (line.strip("|").split(" | ") for line in reference(page).splitlines() if line.startswith("| `"))
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in cells}
