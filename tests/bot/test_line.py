from bot.line import visible, words


def test_what_chat_clients_append_to_repeated_messages_is_gone() -> None:
    assert visible("!anime a cat \U000e0000") == "!anime a cat"
    assert visible("!anime a cat \u034f\u2800") == "!anime a cat"
    assert visible("a\u200bcat\u202e\ufeff") == "acat"


def test_joined_emoji_and_foreign_scripts_stay_as_typed() -> None:
    family = "\U0001f469\u200d\U0001f467"
    assert visible(f"{family} crossing \u0915\u094d\u200d\u0937") == f"{family} crossing \u0915\u094d\u200d\u0937"
    assert visible("剣を持つ少女\u3000雨") == "剣を持つ少女 雨"


def test_white_space_of_any_kind_is_one_space() -> None:
    assert visible("  a\t\ncat\u00a0 here ") == "a cat here"


def test_cheermotes_and_emotes_are_not_words() -> None:
    spoken = [("cheermote", "Cheer100"), ("text", " !anime a cat "), ("emote", "Kappa"), ("text", " in rain")]
    assert words(spoken) == "!anime a cat in rain"


def test_the_name_at_the_head_of_a_reply_is_not_part_of_it_but_other_names_are() -> None:
    spoken = [("mention", "@animebot"), ("text", " !pos")]
    assert words(spoken, is_reply=True) == "!pos"
    assert words(spoken) == "@animebot !pos"
