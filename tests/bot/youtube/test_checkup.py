from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.twitch.checkup import Check
from bot.youtube.checkup import look
from bot.youtube.tokens import YouTubeToken, YouTubeTokens
from sakuga.settings import Settings
from tests.fakes.youtube import API_KEY, CHANNEL, VIDEO, FakeYouTube


@pytest.fixture
async def fake() -> AsyncIterator[FakeYouTube]:
    async with FakeYouTube() as fake:
        yield fake


async def checks(folder: Path, fake: FakeYouTube, *, replies: bool = False, **changes: object) -> dict[str, Check]:
    file = folder / "studio.toml"
    file.write_text(f"[chat]\nyoutube_replies = {str(replies).lower()}\n")
    found = await look(Settings(_env_file=None, var_dir=folder, studio_file=file, **fake.settings(**changes)))
    assert API_KEY not in str(found)
    assert all(check.ok != bool(check.todo) for check in found)
    return {check.check: check for check in found}


async def test_a_key_and_a_live_video_are_in_order(tmp_path: Path, fake: FakeYouTube) -> None:
    found = await checks(tmp_path, fake)
    assert {name: check.ok for name, check in found.items()} == {"youtube key": True, "youtube video": True}
    assert found["youtube video"].detail == f"of {CHANNEL}, with a live chat"
    assert fake.spent == 1


async def test_who_wants_no_youtube_is_told_nothing(tmp_path: Path, fake: FakeYouTube) -> None:
    assert await checks(tmp_path, fake, youtube_api_key=None, youtube_video=None) == {}
    assert fake.asked == []


async def test_half_of_the_settings_is_a_mistake(tmp_path: Path, fake: FakeYouTube) -> None:
    found = await checks(tmp_path, fake, youtube_video=None)
    assert found["youtube"].detail == "SAKUGA_YOUTUBE_VIDEO is not set"


async def test_a_stream_that_has_not_begun_is_in_order(tmp_path: Path, fake: FakeYouTube) -> None:
    fake.chat = None
    assert (await checks(tmp_path, fake))["youtube video"].ok


async def test_a_video_that_is_none_or_not_there_is_told(tmp_path: Path, fake: FakeYouTube) -> None:
    found = await checks(tmp_path, fake, youtube_video="https://www.youtube.com/@streamer")
    assert not found["youtube video"].ok
    fake.exists = False
    found = await checks(tmp_path, fake)
    assert found["youtube video"].detail == f"there is no {VIDEO}"


async def test_a_refused_key_and_a_spent_quota_ask_for_different_things(tmp_path: Path, fake: FakeYouTube) -> None:
    wrong = (await checks(tmp_path, fake, youtube_api_key="wrong"))["youtube key"]
    assert "API_KEY_INVALID" in wrong.detail
    assert "SAKUGA_YOUTUBE_API_KEY" in wrong.todo
    fake.limit = 0
    assert "midnight in California" in (await checks(tmp_path, fake))["youtube key"].todo


async def test_a_youtube_that_is_away_is_told(tmp_path: Path, fake: FakeYouTube) -> None:
    await fake.shut()
    assert (await checks(tmp_path, fake))["youtube"].detail == "no answer (ConnectError)"


async def test_a_login_is_looked_at_where_answers_are_on(tmp_path: Path, fake: FakeYouTube) -> None:
    assert not (await checks(tmp_path, fake, replies=True))["youtube login"].ok
    told = fake.log_in()
    tokens = YouTubeTokens(Settings(_env_file=None, var_dir=tmp_path), None, now=None)
    tokens.save(YouTubeToken(told["access_token"], told["refresh_token"], 0, CHANNEL))
    login = (await checks(tmp_path, fake, replies=True))["youtube login"]
    assert (login.ok, login.detail) == (True, CHANNEL)
    fake.withdraw()
    login = (await checks(tmp_path, fake, replies=True))["youtube login"]
    assert (login.ok, login.todo) == (False, ".venv/bin/python -m sakuga login youtube")


async def test_a_studio_file_that_is_broken_is_somebody_elses_check(tmp_path: Path, fake: FakeYouTube) -> None:
    file = tmp_path / "studio.toml"
    file.write_text("[chat")
    found = await look(Settings(_env_file=None, var_dir=tmp_path, studio_file=file, **fake.settings()))
    assert [check.ok for check in found] == [True, True]
