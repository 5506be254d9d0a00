import json
import re
import sys
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.commands import MODERATORS, Command, Name, parse, unquoted
from sakuga.chat import ChatPolicy, CommandName, Commands

CHAT = ChatPolicy()


@pytest.mark.parametrize(
    "said",
    [
        "!anime girl with sword",
        '!anime "girl with sword"',
        "!anime “girl with sword”",
        "!anime ”girl with sword”",
        "!anime 'girl with sword'",
        "!anime 「girl with sword」",
        '!anime "girl with sword',
        '!anime"girl with sword"',
        '!ANIME  " girl with sword "',
        "\uff01anime girl with sword",
        "\uff01\uff41\uff4e\uff49\uff4d\uff45 girl with sword",
    ],
)
def test_a_prompt_is_the_same_with_any_quotes_or_none(said: str) -> None:
    assert parse(said, CHAT) == Command("anime", "girl with sword")


def test_quotes_inside_a_prompt_stay() -> None:
    assert unquoted('a sign that says "ramen"') == 'a sign that says "ramen"'
    assert unquoted('"a" and "b"') == '"a" and "b"'
    assert unquoted('"a" and more') == '"a" and more'
    assert unquoted("girl's sword") == "girl's sword"


@pytest.mark.parametrize("said", ["!anime", "!anime  ", '!anime ""', '!anime "'])
def test_a_command_without_words_has_an_empty_prompt(said: str) -> None:
    assert parse(said, CHAT) == Command("anime")


def test_the_queue_and_the_own_place_can_be_asked_for() -> None:
    assert parse("!queue", CHAT) == Command("queue")
    assert parse("!Pos", CHAT) == Command("pos")


@pytest.mark.parametrize(
    "said", ["", "!", "! anime cat", "hello !anime cat", "!animelist", "!animé", "!so mika", "?anime"]
)
def test_other_lines_and_other_bots_commands_are_not_ours(said: str) -> None:
    assert parse(said, CHAT) is None


def test_the_prefix_can_be_longer_than_one_character() -> None:
    assert parse("sk!anime a cat", ChatPolicy(prefix="sk!")) == Command("anime", "a cat")
    assert parse("!anime a cat", ChatPolicy(prefix="sk!")) is None


@pytest.mark.parametrize(
    ("text", "prompt", "style"),
    [
        ("!anime girl with sword --style neon", "girl with sword", "neon"),
        ('!anime "girl with sword" --style=Neon', "girl with sword", "neon"),
        ("!anime --style sumi two samurai", "two samurai", "sumi"),
        ("!anime two samurai \u2014style sumi", "two samurai", "sumi"),
        ('!anime "a page that says --style neon"', "a page that says --style neon", None),
        ("!anime in style", "in style", None),
        ("!anime two samurai --style", "two samurai", None),
        ("!anime --style", "", None),
    ],
)
def test_a_style_may_be_named_outside_of_the_quotes(text: str, prompt: str, style: str | None) -> None:
    assert parse(text, CHAT) == Command("anime", prompt, style)


@pytest.mark.parametrize(
    "said",
    [
        "!anime two samurai --character hana --style sumi --character Ren --preset draft",
        '!anime --preset=draft --character=hana "two samurai" \u2014character ren --style sumi',
        "!anime two samurai --character hana --character hana --character ren --style sumi --preset draft --style neon",
    ],
)
def test_characters_and_a_preset_may_be_named_too_in_any_order(said: str) -> None:
    assert parse(said, CHAT) == Command("anime", "two samurai", "sumi", ("hana", "ren"), "draft")


def test_of_a_crowd_the_first_three_play() -> None:
    said = "!anime a crowd " + " ".join(f"--character {name}" for name in "abcd")
    assert parse(said, CHAT) == Command("anime", "a crowd", characters=("a", "b", "c"))


@pytest.mark.parametrize("said", ["#42", "42", "C-042", "c42", "#0042", "\uff03\uff14\uff12", "#42!", "#42 please"])
def test_a_cut_may_be_named_as_people_name_it(said: str) -> None:
    assert parse(f"!promote {said}", CHAT) == Command("promote", number=42)
    assert parse(f"!vote {said}", CHAT) == Command("vote", number=42)


@pytest.mark.parametrize("said", ["", "the cat", "#", "C-", "-42", "4 2x"[2:], "9" * 10, "4\u00b2x"])
def test_what_names_no_cut_is_left_out(said: str) -> None:
    assert parse(f"!promote {said}", CHAT) == Command("promote")


def test_one_to_three_is_a_choice_on_the_ballot_and_with_a_hash_a_cut() -> None:
    assert [parse(f"!vote {said}", CHAT) for said in ("1", "3!", "4", "#2", "0")] == [
        Command("vote", choice=1),
        Command("vote", choice=3),
        Command("vote", number=4),
        Command("vote", number=2),
        Command("vote", number=0),
    ]


@pytest.mark.parametrize("said", ["@Mika_2", "mika_2", "@mika_2, enough"])
def test_a_viewer_is_named_with_an_at_or_without(said: str) -> None:
    assert parse(f"!ban {said}", CHAT) == Command("ban", login="mika_2")


@pytest.mark.parametrize("said", ["", "@", "m\u00efka", "a/b"])
def test_what_is_no_login_names_nobody(said: str) -> None:
    assert parse(f"!ban {said}", CHAT) == Command("ban")


@pytest.mark.parametrize("name", get_args(CommandName))
def test_every_command_has_a_word_of_its_own(name: CommandName) -> None:
    assert parse(f"!{name}", CHAT) == Command(name)
    assert set(get_args(CommandName)) >= MODERATORS


PLUSES = ("+", "\uff0b", "\ufe62", "\u207a")


@pytest.mark.parametrize("plus", PLUSES)
def test_a_plus_right_behind_the_word_is_for_all_together(plus: str) -> None:
    for said in (f"!anime{plus} a cat", f"!anime{plus}a cat", f"!\uff21nime{plus} \u201ca cat\u201d --style neon"):
        command = parse(said, CHAT)
        assert command is not None
        assert (command.name, command.prompt) == ("ensemble", "a cat")
    assert parse(f"!anime{plus}", CHAT) == Command("ensemble")
    assert parse(f"!anime {plus} a cat", CHAT) == Command("anime", f"{plus} a cat")
    assert parse(f"!queue{plus}", CHAT) == Command("queue")
    german = ChatPolicy(commands=Commands(anime=("zeichne",)))
    assert parse(f"!zeichne{plus} eine Katze", german) == Command("ensemble", "eine Katze")
    assert parse(f"!anime{plus} a cat", german) is None


@pytest.mark.parametrize(
    ("said", "number", "change"),
    [
        ("", None, ""),
        ("#42", 42, ""),
        ("42", 42, ""),
        ("C-042, in the snow", 42, "in the snow"),
        ('#42 "in the snow"', 42, "in the snow"),
        ("\uff03\uff14\uff12 \u300cin the snow\u300d", 42, "in the snow"),
        ("in the snow", None, "in the snow"),
        ("2 cats", None, "2 cats"),
        ("c4 explodes", None, "c4 explodes"),
        ("in the snow #42", None, "in the snow #42"),
        ("--style neon #42", 42, ""),
        ("# 42", None, "# 42"),
    ],
)
def test_a_remix_has_a_cut_and_a_change_or_neither(said: str, number: int | None, change: str) -> None:
    command = parse(f"!remix {said}", CHAT)
    assert command is not None
    assert (command.number, command.prompt) == (number, change)
    assert command.style == ("neon" if "--style" in said else None)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("", ()),
        ("Neon", ("neon",)),
        ("neon, please!", ("neon", "please")),
        ("\uff4e\uff45\uff4f\uff4e", ("neon",)),
        ("a b c d", ("a", "b", "c")),
        ("hana hana", ("hana",)),
        ("\u202e\u0308 <b>", ()),
    ],
)
def test_styles_and_characters_are_named_as_in_the_catalog(said: str, names: tuple[str, ...]) -> None:
    assert parse(f"!style {said}", CHAT) == Command("style", names=names)
    assert parse(f"!character {said}", CHAT) == Command("character", names=names)


def test_words_and_aliases_are_the_studio_files() -> None:
    chat = ChatPolicy(prefix="?", commands=Commands(anime=("zeichne", "draw"), ban=()))
    assert parse("?Zeichne eine Katze", chat) == parse("?draw eine Katze", chat) == Command("anime", "eine Katze")
    assert parse("?anime a cat", chat) is None
    assert parse("?ban @mika", chat) is None
    assert parse("!draw a cat", chat) is None


WORDS = st.sampled_from([f"!{word}" for word in (*get_args(CommandName), "anime+", "anime\uff0b", "remove", "")])
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=80)
SPICE = st.sampled_from(["--style ", "\u2014character=", "\u201c", '"', "#", "C-", "@", "42", "\u202e", "\ud800", " "])


@given(WORDS, st.lists(ANYTHING | SPICE, max_size=8))
def test_no_line_of_any_characters_breaks_the_parser(word: str, rest: list[str]) -> None:
    command = parse(f"{word}{''.join(rest)}", CHAT)
    if command is not None:
        assert command.name in get_args(Name)
        assert command.number is None or 0 <= command.number < sys.maxsize
        assert command.login.isascii()
        assert len(command.names) <= 3
        assert all(re.fullmatch(r"[\w-]{1,40}", name) and name == name.lower() for name in command.names)
        assert json.loads(TypeAdapter(Command).dump_json(replace(command, prompt="")))["name"] == command.name


@given(ANYTHING)
def test_a_line_that_does_not_begin_with_the_prefix_is_never_ours(text: str) -> None:
    if not text.startswith(("!", "\uff01", "\ufe57", "\ufe15")):
        assert parse(text, CHAT) is None
