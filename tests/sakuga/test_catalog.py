from pathlib import Path

import pytest

from sakuga.catalog import Catalog
from sakuga.errors import StudioFileInvalid

ROOT = Path(__file__).parents[2]


def test_without_a_studio_file_there_is_a_style_and_a_policy(tmp_path: Path) -> None:
    catalog = Catalog.load(tmp_path / "studio.toml")
    assert catalog.style in catalog.styles
    assert catalog.lanes.sub_s == 300


def test_the_studio_file_that_is_shipped_is_valid() -> None:
    catalog = Catalog.load(ROOT / "studio.toml")
    assert set(catalog.styles) == {"anime", "neon", "watercolor", "sumi", "retro", "storybook"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("title = ", "Invalid value"),
        ("titel = 'x'", "titel"),
        ("style = 'cubist'", "cubist"),
        ("[lanes]\nsub_s = 'long'", "lanes.sub_s"),
        ("[limits]\nprompt_length = 0", "limits.prompt_length"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "studio.toml"
    path.write_text(text)
    with pytest.raises(StudioFileInvalid, match=named) as refusal:
        Catalog.load(path)
    assert str(path) in str(refusal.value)
