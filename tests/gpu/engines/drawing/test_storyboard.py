import pytest

from gpu.engines.drawing.storyboard import WORDS, read


@pytest.mark.parametrize(
    ("prompt", "style", "expected"),
    [
        (
            "girl with sword, neon rain",
            "neon",
            {"subjects": ("girl",), "setting": "city", "weather": "rain", "hour": "night"},
        ),
        ("robot cat fights a vending machine", "anime", {"subjects": ("cat", "vending"), "action": "fight"}),
        ("ninja fights a robot", "anime", {"subjects": ("samurai", "robot")}),
        (
            "ひまわり畑を走る列車、夏の夕方",
            "anime",
            {"subjects": ("train",), "setting": "sunflowers", "hour": "sunset"},
        ),
        ("two samurai share an umbrella", "sumi", {"subjects": ("samurai", "samurai")}),
        ("dragon made of paper lanterns", "anime", {"subjects": ("dragon",), "hour": "night"}),
        ("ghost barista pours latte art, cozy café", "watercolor", {"subjects": ("ghost",), "setting": "room"}),
        ("cat girl on a roof", "anime", {"subjects": ("girl",), "setting": "rooftop"}),
        ("GIRLS RUNNING", "anime", {"subjects": ("girl",), "action": "run"}),
    ],
)
def test_a_storyboard_shows_what_the_words_say(prompt, style, expected):
    board = read(prompt, style, 1)
    assert {name: getattr(board, name) for name in expected} == expected


def test_words_inside_other_words_are_not_heard():
    assert read("concatenate the management", "anime", 1).subjects[0] in ("girl", "boy")


def test_unknown_words_choose_by_themselves_and_always_the_same():
    boards = [read(f"qwerty {n}", "anime", 1) for n in range(40)]
    assert boards == [read(f"qwerty {n}", "anime", 1) for n in range(40)]
    assert len({(board.setting, board.weather, board.hour) for board in boards}) > 12


def test_no_value_stands_twice_in_the_table():
    entries = [(facet, value) for facet, value, _ in WORDS]
    assert len(entries) == len(set(entries))
