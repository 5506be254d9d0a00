"""``python -m bot.login``: logs accounts in to the platforms whose chat is heard; `--check` says how that stands."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict

from bot.twitch import checkup
from bot.twitch import login as twitch_login
from bot.twitch.scopes import SEATS
from bot.youtube import checkup as youtube_checkup
from bot.youtube import login as youtube_login
from sakuga.errors import SakugaError, StudioError
from sakuga.log import configure
from sakuga.settings import Settings

PLATFORMS: Mapping[str, Callable[[Settings, argparse.Namespace], Awaitable[int]]] = {
    "twitch": twitch_login.run,
    "youtube": youtube_login.run,
}
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of this command."""
    root = argparse.ArgumentParser(prog="python -m sakuga login", description="Log in where the chat is.")
    root.add_argument("platform", nargs="?", default="twitch", choices=list(PLATFORMS))
    root.add_argument(
        "--as", dest="seat", choices=SEATS, help="one account of two: the one that speaks, or the channel's"
    )
    what = root.add_mutually_exclusive_group()
    what.add_argument("--status", action="store_true", help="say who is logged in, without asking the platform")
    what.add_argument("--forget", action="store_true", help="forget a login, here and at the platform")
    what.add_argument("--check", action="store_true", help="ask the platform whether everything is in order")
    root.add_argument("--json", action="store_true", help="with --check: as JSON")
    return root


async def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Do what was asked and return the exit code. Raises StudioError."""
    if not asked.check:
        return await PLATFORMS[asked.platform](settings, asked)
    on_twitch = await checkup.look(settings) if asked.platform == "twitch" else []
    checks = [*on_twitch, *await youtube_checkup.look(settings)]
    if asked.json:
        sys.stdout.write(json.dumps([asdict(check) for check in checks]) + "\n")
    else:
        sys.stdout.writelines(f"{check}\n" for check in checks)
    return 0 if all(check.ok for check in checks) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    asked = parser().parse_args(arguments)
    try:
        settings = Settings.load()
        configure(settings, "login")
        return asyncio.run(run(settings, asked))
    except StudioError as error:
        sys.stderr.write(f"{error}\n")
        return 1 if error.retryable else 2
    except SakugaError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
