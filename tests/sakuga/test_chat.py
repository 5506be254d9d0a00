from pathlib import Path

import pytest
from pydantic import ValidationError

from sakuga.catalog import Catalog
from sakuga.chat import ChatPolicy, Commands
from sakuga.errors import StudioFileInvalid


def test_a_studio_file_may_rename_commands_and_say_things_its_own_way(tmp_path: Path) -> None:
    path = tmp_path / "studio.toml"
    path.write_text(
        '[chat]\nprefix = "?"\n'
        '[chat.commands]\nanime = ["zeichne"]\nban = []\n'
        '[chat.texts]\n"job.held" = "{cut} wartet."\n'
    )
    chat = Catalog.load(path).chat
    assert (chat.prefix, chat.commands.words_of("anime"), chat.commands.ban) == ("?", ("zeichne",), ())
    assert chat.texts == {"job.held": "{cut} wartet."}


def test_a_word_has_one_meaning() -> None:
    with pytest.raises(ValidationError, match="'queue' stands for both anime and queue: choose one"):
        Commands(anime=("anime", "queue"))


@pytest.mark.parametrize("word", ["two words", "!anime", "", "ANIME", "x" * 26])
def test_a_word_that_nobody_could_type_is_refused(word: str) -> None:
    with pytest.raises(ValidationError, match="can't be a command"):
        Commands(anime=(word,))


@pytest.mark.parametrize("prefix", ["", "/", ".", "@bot", "#", "! ", "longer", "\uff01"])
def test_a_prefix_that_chat_keeps_for_itself_is_refused(prefix: str) -> None:
    with pytest.raises(ValidationError, match="can't begin a command"):
        ChatPolicy(prefix=prefix)


@pytest.mark.parametrize(
    "text",
    ["", "/ban mika", ".me", "two\nlines", "turned \u202e", "{cut.number}", "{cut!r}", "{cut:>99}", "{0}", "{", "{}"],
)
def test_a_text_that_could_do_harm_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        ChatPolicy(texts={"job.held": text})


def test_a_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "studio.toml"
    path.write_text('[chat.commands]\nzeichne = ["draw"]\n')
    with pytest.raises(StudioFileInvalid, match=r"chat\.commands\.zeichne: there is no such key"):
        Catalog.load(path)
