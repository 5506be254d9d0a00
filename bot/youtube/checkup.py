"""What can be wrong with YouTube, looked at piece by piece, with the one thing to do for each."""

from datetime import UTC, datetime

import httpx

from bot.twitch.checkup import Check
from bot.youtube.api import LiveChat, YouTubeApi, YouTubeAway, YouTubeRefused, video_id
from bot.youtube.chat import HELP, missing
from bot.youtube.login import COMMAND
from bot.youtube.tokens import GoogleLogin, YouTubeTokens
from bot.youtube.voice import QUOTA
from sakuga.errors import StudioFileInvalid
from sakuga.settings import Settings
from sakuga.studio_file import StudioFile


async def look(settings: Settings) -> list[Check]:
    """Return all checks that can be made; none where YouTube is not wanted. One look costs a unit of the quota.

    Where the studio file lets the bot answer, its token is renewed and kept: nobody knows else whether it still can be.
    """
    names = missing(settings)
    if len(names) == 2:  # noqa: PLR2004 - both: nobody wants YouTube
        return []
    if names:
        return [Check("youtube", ok=False, detail=f"{names[0]} is not set", todo=f"Set it: {HELP}")]
    video = video_id(settings.youtube_video or "")
    if video is None:
        todo = "Set SAKUGA_YOUTUBE_VIDEO to the address of the live video."
        return [Check("youtube video", ok=False, detail="is no address of a video", todo=todo)]
    async with httpx.AsyncClient(trust_env=False) as http:
        checks = await _video(YouTubeApi(settings, http), video)
        if _answering(settings):
            checks.append(await _login(settings, http))
    return checks


def _answering(settings: Settings) -> bool:
    try:
        return StudioFile(settings.studio_file).catalog.chat.youtube_replies
    except StudioFileInvalid:
        return False


async def _video(api: YouTubeApi, video: str) -> list[Check]:
    try:
        found = await api.live_chat(video)
    except YouTubeAway as error:
        todo = "Look at this machine's connection."
        return [Check("youtube", ok=False, detail=f"no answer ({error.reason})", todo=todo)]
    except YouTubeRefused as error:
        spent = "Wait until midnight in California, or give the bot a project of its own."
        todo = spent if error.reason in QUOTA else f"Compare SAKUGA_YOUTUBE_API_KEY with Google's console: {HELP}"
        return [Check("youtube key", ok=False, detail=f"is refused ({error.reason})", todo=todo)]
    return [Check("youtube key", ok=True, detail="is taken"), _chat(found, video)]


def _chat(found: LiveChat | None, video: str) -> Check:
    if found is None:
        todo = "Set SAKUGA_YOUTUBE_VIDEO to the address of the live video. It must be public or unlisted."
        return Check("youtube video", ok=False, detail=f"there is no {video}", todo=todo)
    if found.id is None:
        return Check("youtube video", ok=True, detail=f"of {found.channel}, without a live chat now")
    return Check("youtube video", ok=True, detail=f"of {found.channel}, with a live chat")


async def _login(settings: Settings, http: httpx.AsyncClient) -> Check:
    tokens = YouTubeTokens(settings, GoogleLogin(settings, http), now=lambda: datetime.now(UTC))
    token = tokens.kept()
    if token is None:
        return Check("youtube login", ok=False, detail="nobody is logged in, and answers are on", todo=COMMAND)
    try:
        if await tokens.access(anew=True):
            return Check("youtube login", ok=True, detail=token.channel or "an account")
    except YouTubeAway as error:
        return Check("youtube login", ok=False, detail=f"could not be looked at ({error.reason})", todo="Try again.")
    return Check("youtube login", ok=False, detail="is taken no more", todo=COMMAND)
