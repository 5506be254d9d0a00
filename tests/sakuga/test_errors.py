import inspect
import string

from sakuga import errors

TREE = [
    cls
    for cls in vars(errors).values()
    if inspect.isclass(cls) and issubclass(cls, errors.SakugaError) and "message" in vars(cls)
]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in TREE]
    assert len(set(codes)) == len(codes)
    assert errors.JobNotFound.code == "job_not_found"


def test_every_error_says_what_happened_in_its_docstring_and_what_to_do_in_its_message() -> None:
    for cls in TREE:
        assert cls.__doc__, cls
        assert cls.__doc__.endswith("."), cls


def test_every_message_fills_with_its_data() -> None:
    for cls in TREE:
        names = {name for _, name, _, _ in string.Formatter().parse(cls.message) if name}
        if cls is not errors.GatewayRefused:  # brings the gateway's own sentence
            assert str(cls(**dict.fromkeys(names, 1)))


def test_the_tree_at_the_top_of_the_file_shows_every_error() -> None:
    for cls in TREE:
        assert cls.__name__ in (errors.__doc__ or ""), cls
