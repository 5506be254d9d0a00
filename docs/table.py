"""Tables in Markdown."""

from collections.abc import Iterable, Sequence

NOTHING = "none"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table. Cells are put on one line and can't end their column; a column that is empty is left out."""
    cells = [[cell(value) for value in row] for row in rows]
    used = [index for index, _ in enumerate(heads) if any(row[index] for row in cells)]
    lines = [
        [heads[index] for index in used],
        ["---" for _ in used],
        *([row[index] for index in used] for row in cells),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: object) -> str:
    """Return a value as the text of one cell."""
    return " ".join(str("" if value is None else value).split()).replace("|", "\\|").replace("<", "&lt;")
