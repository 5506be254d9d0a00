from string import Formatter

import pytest

from docs import generate
from docs.table import table
from sakuga import errors
from sakuga.errors import StreamsExhausted
from tests.docs.paper import reference


@pytest.mark.parametrize("page", generate.PAGES)
def test_a_table_of_the_reference_says_what_the_code_says(page: str) -> None:
    assert reference(page) == generate.fresh(page), "run `make docs`"


def test_a_page_without_a_place_for_its_table_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "settings.md").write_text("# Settings\n")
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    with pytest.raises(ValueError, match=r"settings\.md has 0 places"):
        generate.fresh("settings.md")


def test_a_message_is_shown_with_the_names_of_its_data() -> None:
    assert "{limit} readers follow" in generate.sentence(StreamsExhausted)
    assert "/status/{job_id}" in generate.sentence(StreamsExhausted)
    assert not any("!" in name for _, name, _, _ in Formatter().parse(generate.sentence(errors.StyleUnknown)) if name)


def test_lists_are_told_as_they_are_written() -> None:
    page = generate.studio_file()
    assert '| `presets` | list of `draft` or `live` or `quality` | `["draft", "live"]` |' in page
    assert "| `loras` | list of [LoRAs](#loras), up to 4 | none |" in page
    assert "| `prompts` | list of text | none |" in page


def test_a_cell_can_not_end_its_column_and_an_empty_column_is_left_out() -> None:
    assert table(("Name", "Is", "Of"), [("a|b", "", "c\nd")]) == "| Name | Of |\n| --- | --- |\n| a\\|b | c d |"
