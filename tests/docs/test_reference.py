"""Nothing that a reader may use is missing in the reference, and nothing stands there that does not exist."""

import re
from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from api.app import create_app
from bot.commands import OPTIONS
from docs import generate
from sakuga import errors, store
from sakuga.catalog import Catalog, Character, Lora, Style
from sakuga.chat import CommandName
from sakuga.event import EventType
from sakuga.gate_policy import GateCheckerEntry
from sakuga.settings import PREFIX, Settings
from tests.docs.paper import HOUSE, reference, rows

PAGES = HOUSE / "overlay" / "pages"
SCRIPTS = "\n".join(path.read_text("utf-8") for path in sorted((PAGES / "js").glob("*.js")))
KNOBS = dict(re.findall(r"^ *(--sakuga-[\w-]+): *([^;]+);", (PAGES / "overlay.css").read_text("utf-8"), re.MULTILINE))
ADDRESS = re.compile(r"^### ([A-Z]+ /\S*)$", re.MULTILINE)


def test_every_setting_is_documented() -> None:
    assert set(rows("settings.md")) == {PREFIX + name.upper() for name in Settings.model_fields}


def test_every_key_of_the_studio_file_is_documented_with_what_it_is() -> None:
    models = {type(table) for table in (Catalog(), *tables_of(Catalog()))} | {Style, Character, Lora, GateCheckerEntry}
    names = {name for model in models for name in model.model_fields} - generate.INNER
    assert set(rows("studio-file.md")) == names
    assert all(row[-1] for row in rows("studio-file.md").values())
    assert set(generate.TABLES.values()) == models


def tables_of(table: BaseModel) -> Iterator[BaseModel]:
    """Return the tables within a table of the studio file."""
    for name in type(table).model_fields:
        if isinstance(inner := getattr(table, name), BaseModel):
            yield inner
            yield from tables_of(inner)


def test_every_error_code_is_documented() -> None:
    codes = {cls.code for cls in vars(errors).values() if isinstance(cls, type) and "message" in vars(cls)}
    assert set(rows("errors.md")) == codes


def test_every_event_type_is_documented() -> None:
    assert set(rows("events.md")) == {str(kind) for kind in EventType}


def test_every_address_is_documented(settings: Settings) -> None:
    document = create_app(settings).openapi()
    addresses = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert set(ADDRESS.findall(reference("http-api.md"))) == addresses


def test_every_page_of_the_gateway_is_documented(settings: Settings) -> None:
    app = create_app(settings)
    pages = {route.path for route in app.routes if not getattr(route, "include_in_schema", True)} - {"/openapi.json"}
    assert "/overlay" in pages
    for path in pages:
        assert f"| `{path}` |" in reference("http-api.md")


def test_every_command_is_documented() -> None:
    commands = generate.command_line()
    assert "python -m sakuga demo" in commands
    assert commands in reference("command-line.md")


def test_every_process_is_documented() -> None:
    processes = {path.parent.name for path in HOUSE.glob("*/__main__.py")} - {"sakuga"}
    assert all(f"`python -m {name}`" in reference("command-line.md") for name in processes)


def test_every_target_of_make_is_documented() -> None:
    makefile = (HOUSE / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) - {"help"}:
        assert f"| `make {target}` |" in reference("command-line.md")


def test_every_redis_key_is_documented() -> None:
    keys = {key for name, key in vars(store).items() if name.isupper() and str(key).startswith("sakuga:")}
    listed = {key.removesuffix("ID") for key in rows("redis-keys.md")}
    assert keys - {store.PREFIX} <= listed


def test_every_knob_of_the_overlay_is_documented_with_its_default() -> None:
    listed = {name: row[0].strip("`") for name, row in rows("overlay.md").items() if name.startswith("--sakuga-")}
    assert listed == {name: value.strip() for name, value in KNOBS.items()}


def test_every_query_option_of_the_overlay_is_documented() -> None:
    options = set(re.findall(r'(?:asked|location\.search\))\s*\.get\("(\w+)"\)', SCRIPTS))
    listed = {name for name in rows("overlay.md") if not name.startswith("--")}
    assert options == listed


def test_every_chat_command_is_documented() -> None:
    listed = {name.split()[0] for name in rows("chat-commands.md")}
    commands = {f"!{name}" for name in get_args(CommandName)} | {"!anime+"}
    assert listed == commands | {f"--{option}" for option in OPTIONS}


def test_every_chat_command_is_shown_once_at_work() -> None:
    page = (HOUSE / "docs" / "how-to" / "chat.md").read_text("utf-8")
    shown = set(re.findall(r"^!\w+\+?", page, re.MULTILINE))
    assert {f"!{name}" for name in get_args(CommandName)} | {"!anime+"} <= shown


@pytest.mark.parametrize("folder", ["tutorial", "how-to", "reference", "explanation", "decisions"])
def test_every_paper_stands_in_the_index(folder: str) -> None:
    index = (HOUSE / "docs" / "index.md").read_text("utf-8")
    for path in sorted((HOUSE / "docs" / folder).glob("*.md")):
        assert f"({folder}/{path.name})" in index
