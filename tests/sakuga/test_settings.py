from datetime import timedelta
from pathlib import Path

import pytest

from sakuga.errors import KeyMissing, SettingsInvalid
from sakuga.settings import Settings


def test_a_fresh_clone_needs_no_settings() -> None:
    settings = Settings.load()
    assert settings.base_url == "http://127.0.0.1:8420"
    assert settings.gateway == settings.base_url
    assert settings.rehearsal_seconds == timedelta(seconds=6)
    assert settings.broker_url.startswith("unix:///")


def test_an_unknown_name_stops_the_start_and_the_nearest_is_suggested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAKUGA_REHERSAL_SECONDS", "6")
    with pytest.raises(SettingsInvalid, match="Did you mean SAKUGA_REHEARSAL_SECONDS"):
        Settings.load()


def test_an_unknown_name_in_the_env_file_is_told_the_same_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SAKUGA_API_PROT=1\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    with pytest.raises(SettingsInvalid, match="Did you mean SAKUGA_API_PORT"):
        Settings.load()


def test_lines_of_the_env_file_that_are_for_others_are_left_to_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("MODAL_TOKEN_ID=ak-1\nCOMPOSE_PROJECT_NAME=show\nSAKUGA_SLOTS=3\n")
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    assert Settings.load().slots == 3


def test_the_first_renderer_is_the_main_one_and_none_is_named_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAKUGA_RENDERER", "modal, local,rehearsal")
    assert Settings.load().renderer == ["modal", "local", "rehearsal"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAKUGA_API_PORT", "many"),
        ("SAKUGA_SLOTS", "0"),
        ("SAKUGA_REHEARSAL_SECONDS", "soon"),
        ("SAKUGA_LEASE", "0"),
        ("SAKUGA_LEASE", "inf"),
        ("SAKUGA_RENDER_TIMEOUT", "0"),
        ("SAKUGA_RENDERER", "mars"),
        ("SAKUGA_RENDERER", "modal,modal"),
        ("SAKUGA_RENDERER", ","),
        ("SAKUGA_MODAL_IDLE", "1"),
    ],
)
def test_a_value_that_can_not_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=name):
        Settings.load()


def test_durations_are_written_in_seconds_and_lists_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAKUGA_REHEARSAL_SECONDS", "2.5")
    monkeypatch.setenv("SAKUGA_ALLOWED_HOSTS", "gateway, studio.local")
    settings = Settings.load()
    assert settings.rehearsal_seconds == timedelta(seconds=2.5)
    assert settings.allowed_hosts == ["gateway", "studio.local"]


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAKUGA_REDIS_URL", "redis://:hunter2@127.0.0.1:6379/0")
    settings = Settings.load()
    assert "hunter2" not in repr(settings)
    assert settings.broker_url == "redis://:hunter2@127.0.0.1:6379/0"


def test_an_account_is_named_as_people_write_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAKUGA_TWITCH_CHANNEL", "@Your_Channel")
    assert Settings.load().twitch_channel == "your_channel"
    monkeypatch.setenv("SAKUGA_TWITCH_CHANNEL", "https://twitch.tv/your_channel")
    with pytest.raises(SettingsInvalid, match="SAKUGA_TWITCH_CHANNEL: Value error, should be a login name"):
        Settings.load()


@pytest.mark.parametrize("key", ["short", "x" * 19, "with a space in its middle", "schlüsselschlüsselschlüssel"])
def test_a_key_that_is_too_short_or_fits_no_header_stops_the_start(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("SAKUGA_KEY", key)
    with pytest.raises(SettingsInvalid, match="SAKUGA_KEY: Value error, should be 20 or more") as told:
        Settings.load()
    assert key not in str(told.value)


def test_without_a_key_a_program_of_ours_says_so() -> None:
    with pytest.raises(KeyMissing, match="keys new bot"):
        _ = Settings().own_key
