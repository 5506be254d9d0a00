"""Google's device code flow, end to end against FakeYouTube, and by a clock that hurries."""

from pathlib import Path

import pytest

from bot.login import parser
from bot.youtube.login import run
from bot.youtube.tokens import YouTubeTokens, path_of
from sakuga.errors import ClientIdMissing, LoginDeclined, LoginExpired, LoginRefused, LoginUnreachable
from sakuga.settings import Settings
from tests.fakes.hurry import Hurry
from tests.fakes.youtube import CHANNEL, FakeYouTube


class Terminal:
    """`python -m sakuga login youtube`, with what it said."""

    def __init__(self, folder: Path, fake: FakeYouTube, clock: Hurry) -> None:
        self.folder = folder
        self.given = {"var_dir": folder / "var", "studio_file": folder / "studio.toml", **fake.settings()}
        self.clock = clock
        self.said = ""

    @property
    def settings(self) -> Settings:
        return Settings(_env_file=None, **self.given)

    @property
    def path(self) -> Path:
        return path_of(self.settings)

    def say(self, line: str) -> None:
        self.said += line + "\n"

    async def types(self, *words: str) -> int:
        asked = parser().parse_args(["youtube", *words])
        return await run(self.settings, asked, self.say, now=self.clock.now, sleep=self.clock.sleep)


@pytest.fixture
def terminal(tmp_path: Path, fake: FakeYouTube, clock: Hurry) -> Terminal:
    return Terminal(tmp_path, fake, clock)


async def test_a_code_is_shown_and_the_login_is_kept_for_its_owner_only(terminal: Terminal, fake: FakeYouTube) -> None:
    terminal.clock.plan(60, lambda: setattr(fake, "agreed", True))
    assert await terminal.types() == 0
    kept = YouTubeTokens(terminal.settings, None, now=terminal.clock.now).kept()
    assert kept
    assert (kept.channel, kept.expires_at) == (CHANNEL, terminal.clock.at.timestamp() + 3600)
    assert terminal.path.stat().st_mode & 0o777 == 0o600
    assert "open      https://www.google.com/device" in terminal.said
    assert "enter     GQVQ-JKEC   good for 30 minutes" in terminal.said
    assert f"The bot answers as {CHANNEL}" in terminal.said
    assert "youtube_replies = true" in terminal.said
    for secret in (kept.access_token, kept.refresh_token):
        assert secret not in terminal.said
        assert secret not in repr(kept)


async def test_where_answers_are_on_nothing_is_said_of_them(terminal: Terminal, fake: FakeYouTube) -> None:
    (terminal.folder / "studio.toml").write_text("[chat]\nyoutube_replies = true\n")
    fake.agreed = True
    assert await terminal.types() == 0
    assert "youtube_replies" not in terminal.said


async def test_google_is_not_asked_faster_than_it_wants(terminal: Terminal, fake: FakeYouTube) -> None:
    fake.interval = 2  # less than it really wants
    terminal.clock.plan(60, lambda: setattr(fake, "agreed", True))
    assert await terminal.types() == 0
    assert terminal.clock.slept[:3] == [2, 7, 7]


async def test_who_declines_is_told_so(terminal: Terminal, fake: FakeYouTube) -> None:
    terminal.clock.plan(20, lambda: setattr(fake, "agreed", False))
    with pytest.raises(LoginDeclined):
        await terminal.types()
    assert not terminal.path.exists()


async def test_a_code_that_nobody_enters_runs_out(terminal: Terminal) -> None:
    with pytest.raises(LoginExpired, match="within 30 minutes"):
        await terminal.types()
    assert sum(terminal.clock.slept) == 1800


async def test_a_code_that_google_has_forgotten_has_run_out(terminal: Terminal, fake: FakeYouTube) -> None:
    terminal.clock.plan(20, fake._devices.clear)
    with pytest.raises(LoginExpired):
        await terminal.types()


@pytest.mark.parametrize("field", ["youtube_client_id", "youtube_client_secret"])
async def test_a_setting_that_is_missing_is_named(terminal: Terminal, field: str) -> None:
    terminal.given[field] = None
    with pytest.raises(ClientIdMissing, match=f"SAKUGA_{field.upper()} is not set.*docs/how-to/youtube.md"):
        await terminal.types()


@pytest.mark.parametrize("field", ["youtube_client_id", "youtube_client_secret"])
async def test_a_wrong_client_is_named(terminal: Terminal, fake: FakeYouTube, field: str) -> None:
    terminal.given[field] = "another"
    fake.agreed = True
    with pytest.raises(LoginRefused, match="invalid_client"):
        await terminal.types()


async def test_a_google_that_is_away_is_told(terminal: Terminal, fake: FakeYouTube) -> None:
    await fake.shut()
    with pytest.raises(LoginUnreachable, match="ConnectError"):
        await terminal.types()


async def test_a_login_is_kept_also_when_nobody_says_whose_it_is(terminal: Terminal, fake: FakeYouTube) -> None:
    fake.agreed = True
    fake.next_errors.append((403, "quotaExceeded"))
    assert await terminal.types() == 0
    assert "YouTube did not say whose channel that is (quotaExceeded)." in terminal.said
    assert terminal.path.exists()


async def test_who_is_logged_in_can_be_asked_and_forgotten_here_and_at_google(
    terminal: Terminal, fake: FakeYouTube
) -> None:
    assert await terminal.types("--status") == 1
    assert "nobody. To log in: .venv/bin/python -m sakuga login youtube" in terminal.said
    fake.agreed = True
    await terminal.types()
    assert await terminal.types("--status") == 0
    assert f"youtube  {CHANNEL}" in terminal.said
    assert await terminal.types("--forget") == 0
    assert f"Forgotten: {CHANNEL}." in terminal.said
    assert not terminal.path.exists()
    assert fake._renews == set()
    assert await terminal.types("--forget") == 0
    assert "No account was forgotten." in terminal.said


async def test_what_google_can_not_be_told_is_forgotten_here_anyway(terminal: Terminal, fake: FakeYouTube) -> None:
    fake.agreed = True
    await terminal.types()
    await fake.shut()
    assert await terminal.types("--forget") == 0
    assert "https://myaccount.google.com/connections" in terminal.said
    assert not terminal.path.exists()
