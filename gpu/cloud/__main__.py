"""`python -m gpu.cloud COMMAND`: the words of the studio's side of Modal, and how a command ends."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sakuga.errors import RendererNotDeployed, RendererUnauthorised, SakugaError, StudioError

EVERY_NIGHT = "0 4 * * *"
AT_NIGHT = f"draw the heroes of the studio file at night; at {EVERY_NIGHT}, in UTC, unless CRON says another time"
MOST = 10_000  # lines or days: what nobody reads, and more than Modal keeps
NAMED = "a name of docs/reference/engines.md"
INTERRUPTED = 130
TO_MEND = (StudioError, RendererNotDeployed, RendererUnauthorised)
"""What a person has to mend before the command can do its work."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. What stands before the command is the studio's settings."""
    root = argparse.ArgumentParser(prog="python -m sakuga gpu", description="The GPU half of the studio, on Modal.")
    root.add_argument("--app", help=argparse.SUPPRESS)
    root.add_argument("--weights", type=Path, default=Path("var/weights"), help=argparse.SUPPRESS)
    root.add_argument("--media", type=Path, default=Path("media"), help=argparse.SUPPRESS)
    root.add_argument("--studio-file", type=Path, default=Path("studio.toml"), help=argparse.SUPPRESS)
    root.add_argument("--gpu", help=argparse.SUPPRESS)
    root.add_argument("--idle", type=float, help=argparse.SUPPRESS)
    root.add_argument("--offer", action="append", default=[], help=argparse.SUPPRESS)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, told: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=told, description=f"{told[0].upper()}{told[1:]}.")

    found = add("deploy", "put the app up; again after every update of the studio")
    found.add_argument("--nightly", metavar="CRON", nargs="?", const=EVERY_NIGHT, type=_cron, help=AT_NIGHT)
    found.add_argument("--secret", metavar="NAME", help="a secret on Modal that holds HF_TOKEN, for gated weights")
    add("media", "send LoRAs and pictures of the media folder")
    add("status", "say what is deployed, what runs, and what is paid for")
    for name, told in (("warm", "keep a GPU ready, and pay for it"), ("cool", "keep no GPU ready any more")):
        add(name, told).add_argument("engine", nargs="?", metavar="ENGINE", help=NAMED)
    found = add("logs", "print the last lines of the log")
    found.add_argument("-n", "--lines", metavar="LINES", type=_count, default=100, help="how many (100)")
    found = add("cost", "print what was charged")
    found.add_argument("--days", metavar="DAYS", type=_count, default=7, help="how many days back (7)")
    found = add("weights", "fetch the weights of engines, and the LoRAs for them")
    found.add_argument("engines", nargs="+", metavar="ENGINE", help=NAMED)
    found.add_argument("--accept-licence", action="store_true", help="agree to terms that have to be agreed to")
    found.add_argument("--check", action="store_true", help="only say how much there is to fetch")
    found.add_argument("--here", action="store_true", help="fetch them into the weights folder of this PC")
    add("collect", "bring hero clips into the media folder")
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 where a person has to mend something first."""
    asked = parser().parse_args(arguments)
    try:
        from gpu.cloud import commands  # takes a second, in which somebody may change their mind

        commands.run(asked)
    except SakugaError as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, TO_MEND) else 1
    except KeyboardInterrupt:
        kept = " What has arrived is kept: the same command goes on from there." if asked.command == "weights" else ""
        sys.stderr.write(f"\nStopped.{kept}\n")
        return INTERRUPTED
    return 0


def _cron(text: str) -> str:
    if len(text.split()) != len(EVERY_NIGHT.split()):
        msg = 'five fields in quotes are needed, such as "30 2 * * *" for 2:30 (UTC)'
        raise argparse.ArgumentTypeError(msg)
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MOST:
        msg = f"a number from 1 to {MOST} is needed"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
