"""Lines of chat to test with."""

from bot.line import Line
from sakuga.job import RequestedBy

Said = list[tuple[str, str]]


def line(text: str, *, id: str = "m-1", login: str = "mika", bits: int = 0, **more: object) -> Line:
    who = RequestedBy(platform="twitch", id=f"id-{login}", login=login, display_name=login.title(), bits=bits, **more)
    return Line(id, text, who)
