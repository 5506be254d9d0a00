"""`python -m sakuga`: the command line."""

import argparse
import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from sakuga import __version__, accounts, broker, demo, doctor, keyring, log, recorder, replay, switchboard
from sakuga.catalog import Catalog
from sakuga.errors import BrokerUnavailable, SakugaError, StudioError
from sakuga.gallery import Gallery
from sakuga.settings import Settings
from sakuga.storage import Storage

GPU = {
    "deploy": "put the GPU half up on Modal; again after every update of the studio",
    "weights": "fetch the weights of engines, and LoRAs for them, to Modal or with --here to this machine",
    "media": "send LoRAs and pictures of the media folder to Modal",
    "status": "say what is deployed on Modal, what runs, and what is paid for",
    "warm": "keep a GPU on Modal ready, and pay for it",
    "cool": "keep none ready any more",
    "logs": "print the last lines that the GPUs on Modal logged",
    "cost": "print what Modal charged",
    "collect": "bring hero clips of the last nights into the media folder",
}
CHARACTER = {
    "add": "look at a LoRA, and add it to the studio file as a character",
    "check": "look at a LoRA, and change nothing",
    "list": "list the characters of the studio file",
}
SIGNALLED = 128  # plus the signal, as shells count
INTERRUPTED = 130
SLOWEST, FASTEST = 0.01, 1000
READS_THE_STUDIO_FILE = {"deploy", "weights"}
LOGIN = {
    "twitch": "log the bot and the channel in to Twitch, without a secret; --help for one of two accounts",
    "youtube": "log the bot in to YouTube, which only its answers there need",
}
OTHERS = {"gpu": "gpu.cloud", "character": "gpu.character", "login": "bot.login"}
"""Processes that parse by themselves what follows such a command."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    root = argparse.ArgumentParser(prog="python -m sakuga", description="An anime studio that a live chat directs.")
    root.add_argument("--version", action="version", version=f"sakuga {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="run the whole studio on this machine")
    doctor.add_options(commands.add_parser("doctor", help="look at what can be set up wrong, and say what to do"))
    gallery = commands.add_parser("gallery", help="look after the gallery").add_subparsers(
        dest="act", required=True, metavar="COMMAND"
    )
    gallery.add_parser("rebuild", help="write the index of clips anew from their sidecars")
    keyring.add_commands(commands.add_parser("keys", help="look after who may do what"))
    accounts.add_options(commands.add_parser("ledger", help="print what was spent as CSV"))
    switchboard.add_commands(commands.add_parser("webhooks", help="look after who hears of events"))
    _recordings(commands)
    _list(commands.add_parser("gpu", help="look after the GPU half"), GPU)
    _list(commands.add_parser("character", help="look after the characters"), CHARACTER)
    _list(commands.add_parser("login", help="log in where the chat is"), LOGIN)
    return root


def _recordings(commands: Any) -> None:
    record = commands.add_parser("record", help="write down a show as it happens, with its prompts, until Ctrl-C")
    record.add_argument("file", type=Path, help="a new file, which only you may read")
    again = commands.add_parser("replay", help="show a recorded show on a gateway of its own, until Ctrl-C")
    again.add_argument("file", type=Path)
    again.add_argument("--speed", type=_speed, default=1.0, help="times as fast")
    again.add_argument("--port", type=int, default=8421, help="where its pages are (8421)")
    again.add_argument("--clips", help="a folder that has the clips, if they are no longer where they were")


def _speed(text: str) -> float:
    speed = float(text)
    if not SLOWEST <= speed <= FASTEST:
        msg = f"between {SLOWEST} and {FASTEST}"
        raise argparse.ArgumentTypeError(msg)
    return speed


def _list(group: argparse.ArgumentParser, helps: Mapping[str, str]) -> None:
    acts = group.add_subparsers(dest="act", required=True, metavar="COMMAND")
    for name, told in helps.items():
        acts.add_parser(name, help=told, add_help=False)


async def rebuild_gallery(settings: Settings, _: argparse.Namespace) -> str:
    """Write the gallery's index anew from the storage, and say how many clips it has."""
    async with broker.lent(settings) as redis:
        return f"The gallery has {await Gallery(redis).rebuild(Storage.open(settings))} clips."


def call(module: str, settings: Settings, act: str, rest: Sequence[str]) -> int:
    """Run a command in a process of its own, with what it needs of our settings, and return its exit code."""
    weights, media = ["--weights", str(settings.weights)], ["--media", str(settings.media_dir)]
    file = ["--studio-file", str(settings.studio_file)]
    if module == "gpu.cloud":
        if act in READS_THE_STUDIO_FILE:
            Catalog.load(settings.studio_file)  # all of it: the process that is called knows a part
        app = ["--app", settings.modal_app, "--idle", f"{settings.modal_idle.total_seconds():g}"]
        gpu = ["--gpu", settings.modal_gpu] if settings.modal_gpu else []
        offered = [word for name in settings.engines for word in ("--offer", name)]
        words = [*weights, *media, *file, *app, *gpu, *offered, act, *rest]
    elif module == "bot.login":
        words = [act, *rest]
    else:
        words = [act, *weights, *([] if act == "check" else [*media, *file]), *rest]
    with subprocess.Popen([sys.executable, "-m", module, *words]) as child:  # noqa: S603 - our own module
        while True:
            try:
                code = child.wait()
                return code if code >= 0 else SIGNALLED - code
            except KeyboardInterrupt:  # it is told as well, and may have something to put in order
                continue


SHOWS: Mapping[str, Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, int]]] = {
    "demo": lambda settings, _: demo.run(settings),
    "replay": replay.run,
    "ledger": accounts.run,
}
"""What prints by itself or runs until Ctrl-C, and ends with an exit code."""

ACTS: Mapping[str, Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, str]]] = {
    "gallery": rebuild_gallery,
    "keys": keyring.run,
    "webhooks": switchboard.run,
    "record": recorder.run,
}
"""What is done with, and ends with a line to print."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    asked, rest = parser().parse_known_args(words)
    if rest and asked.command not in OTHERS:
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    if asked.command == "doctor":
        return doctor.main(asked)  # also where the settings can't be read
    return _done(asked, words)


def _done(asked: argparse.Namespace, words: Sequence[str]) -> int:
    try:
        settings = Settings.load()
        log.configure(settings, "sakuga")
        if asked.command in OTHERS:
            return call(OTHERS[asked.command], settings, asked.act, words[2:])
        if asked.command in SHOWS:
            return asyncio.run(SHOWS[asked.command](settings, asked))
        print(asyncio.run(ACTS[asked.command](settings, asked)))
    except StudioError as error:
        print(error, file=sys.stderr)
        return 2
    except (SakugaError, RedisError) as error:
        print(error if isinstance(error, SakugaError) else BrokerUnavailable(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
