from pathlib import Path

from structlog.testing import capture_logs

from bot.tokens import TokenFile, TokenPair
from sakuga.settings import Settings


def settings(folder: Path, **given: str) -> Settings:
    return Settings(_env_file=None, var_dir=folder / "var", **given)


GIVEN = {"twitch_access_token": "given-access", "twitch_refresh_token": "given-refresh"}


def test_the_kept_pair_comes_before_the_one_from_the_settings(tmp_path: Path) -> None:
    TokenFile(settings(tmp_path)).save(TokenPair("new-access", "new-refresh"))
    pairs = TokenFile(settings(tmp_path, **GIVEN)).pairs()
    assert pairs == [TokenPair("new-access", "new-refresh"), TokenPair("given-access", "given-refresh")]


def test_the_file_is_for_its_owner_only_even_where_a_wider_one_lay(tmp_path: Path) -> None:
    tokens = TokenFile(settings(tmp_path))
    tokens.path.parent.mkdir()
    tokens.path.write_text("{}")
    tokens.path.chmod(0o644)
    tokens.save(TokenPair("a", "r"))
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tokens.path.parent.iterdir()] == ["twitch-tokens.json"]


def test_a_leftover_of_a_crash_is_no_obstacle(tmp_path: Path) -> None:
    tokens = TokenFile(settings(tmp_path))
    tokens.path.parent.mkdir()
    tokens.path.with_suffix(".new").write_text('{"access_')
    tokens.save(TokenPair("a", "r"))
    assert tokens.pairs() == [TokenPair("a", "r")]


def test_a_broken_file_is_named_and_the_settings_are_used(tmp_path: Path) -> None:
    tokens = TokenFile(settings(tmp_path, **GIVEN))
    tokens.path.parent.mkdir()
    tokens.path.write_text("not json")
    with capture_logs() as logs:
        assert tokens.pairs() == [TokenPair("given-access", "given-refresh")]
    assert logs[0]["event"] == "tokens.unreadable"


def test_tokens_do_not_show_when_a_pair_is_printed() -> None:
    assert "secret" not in repr(TokenPair("secret-access", "secret-refresh"))
