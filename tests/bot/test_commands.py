import pytest

from bot.commands import Command, parse, unquoted


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
    ],
)
def test_a_prompt_is_the_same_with_any_quotes_or_none(said: str) -> None:
    assert parse(said, "!") == Command("anime", "girl with sword")


def test_quotes_inside_a_prompt_stay() -> None:
    assert unquoted('a sign that says "ramen"') == 'a sign that says "ramen"'
    assert unquoted('"a" and "b"') == '"a" and "b"'
    assert unquoted('"a" and more') == '"a" and more'
    assert unquoted("girl's sword") == "girl's sword"


@pytest.mark.parametrize("said", ["!anime", "!anime  ", '!anime ""', '!anime "'])
def test_a_command_without_words_has_an_empty_prompt(said: str) -> None:
    assert parse(said, "!") == Command("anime")


def test_the_queue_and_the_own_place_can_be_asked_for() -> None:
    assert parse("!queue", "!") == Command("queue")
    assert parse("!Pos", "!") == Command("pos")


@pytest.mark.parametrize(
    "said", ["", "!", "! anime cat", "hello !anime cat", "!animelist", "!animé", "!so mika", "?anime"]
)
def test_other_lines_and_other_bots_commands_are_not_ours(said: str) -> None:
    assert parse(said, "!") is None


def test_the_prefix_can_be_longer_than_one_character() -> None:
    assert parse("sk!anime a cat", "sk!") == Command("anime", "a cat")
    assert parse("!anime a cat", "sk!") is None


@pytest.mark.parametrize(
    ("text", "prompt", "style"),
    [
        ("!anime girl with sword --style neon", "girl with sword", "neon"),
        ('!anime "girl with sword" --style=Neon', "girl with sword", "neon"),
        ("!anime --style sumi two samurai", "two samurai", "sumi"),
        ("!anime two samurai \u2014style sumi", "two samurai", "sumi"),
        ('!anime "a page that says --style neon"', "a page that says --style neon", None),
        ("!anime in style", "in style", None),
    ],
)
def test_a_style_may_be_named_outside_of_the_quotes(text: str, prompt: str, style: str | None) -> None:
    assert parse(text, "!") == Command("anime", prompt, style)


@pytest.mark.parametrize(
    "said",
    [
        "!anime two samurai --character hana --style sumi --character Ren --preset draft",
        '!anime --preset=draft --character=hana "two samurai" \u2014character ren --style sumi',
        "!anime two samurai --character hana --character hana --character ren --style sumi --preset draft --style neon",
    ],
)
def test_characters_and_a_preset_may_be_named_too_in_any_order(said: str) -> None:
    assert parse(said, "!") == Command("anime", "two samurai", "sumi", ("hana", "ren"), "draft")


def test_of_a_crowd_the_first_three_play() -> None:
    said = "!anime a crowd " + " ".join(f"--character {name}" for name in "abcd")
    assert parse(said, "!") == Command("anime", "a crowd", characters=("a", "b", "c"))
