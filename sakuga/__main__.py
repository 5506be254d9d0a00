"""`python -m sakuga`: the command line."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from redis.exceptions import RedisError

from sakuga import __version__, broker, demo, log, store
from sakuga.errors import BrokerUnavailable, SakugaError, StudioError
from sakuga.gallery import Gallery
from sakuga.settings import Settings
from sakuga.storage import Storage


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(prog="python -m sakuga", description="An anime studio that a live chat directs.")
    root.add_argument("--version", action="version", version=f"sakuga {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="run the whole studio on this machine")
    gallery = commands.add_parser("gallery", help="look after the gallery").add_subparsers(dest="act", required=True)
    gallery.add_parser("rebuild", help="write the index of clips anew from their sidecars")
    return root


async def rebuild_gallery(settings: Settings) -> int:
    """Write the gallery's index anew from the storage and return the number of clips."""
    server = await broker.ensure(settings)
    redis = store.connect(settings.broker_url)
    try:
        return await Gallery(redis).rebuild(Storage.open(settings))
    finally:
        await redis.aclose()
        if server is not None:
            await broker.stop(settings, server)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = parser().parse_args(arguments)
    try:
        settings = Settings.load()
        log.configure(settings, "sakuga")
        if asked.command == "demo":
            return asyncio.run(demo.run(settings))
        clips = asyncio.run(rebuild_gallery(settings))
        print(f"The gallery has {clips} clips.")
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    except (SakugaError, RedisError) as error:
        print(error if isinstance(error, SakugaError) else BrokerUnavailable(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
