"""Every setting can be found in .env.example, and reaches its container or is set there."""

from pathlib import Path

import pytest

from sakuga.settings import PREFIX, Settings

HOUSE = Path(__file__).parents[2]
TESTS_ONLY = {"twitch_api_base", "youtube_api_base"}
IN_CONTAINERS_FIXED = {"var_dir", "studio_file", "bot"}
NAMES = sorted(set(Settings.model_fields) - TESTS_ONLY)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_example(name: str) -> None:
    assert f"#{PREFIX}{name.upper()}=" in (HOUSE / ".env.example").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in IN_CONTAINERS_FIXED])
def test_every_setting_reaches_a_container(name: str) -> None:
    text = (HOUSE / "docker-compose.yml").read_text(encoding="utf-8")
    assert f"{PREFIX}{name.upper()}:" in text or f"${{{PREFIX}{name.upper()}:-" in text
