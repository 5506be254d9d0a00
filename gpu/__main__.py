"""The child processes of the renderers, which say JSON lines on stdout.

`specs` prints what engines are. `render` reads one RenderRequest as one line on stdin and writes `{"progress": ...}`
lines, then one `{"result": ...}` or one `{"error": {"code", "data"}}`. `serve` stays and draws many; gpu/serve.py says
how. When stdin ends, the parent is gone, and `render` and `serve` end at once with status 3.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from gpu.engines import ENGINES, Place, find_engine, find_spec
from gpu.pipe import ABANDONED, Lines, hear, lines
from gpu.price import usd_per_s
from gpu.telling import Telling
from sakuga.engine import Progress
from sakuga.errors import SakugaError

TRIAL = "tiny"
"""An engine for trying things out, which is offered only where somebody names it."""


def _specs(names: Iterable[str], gpu: str | None) -> int:
    """Print the specs as a list, with what `gpu` costs; or the error as `render` does."""
    said: object
    try:
        specs = [find_spec(name) for name in names]
        said, status = [spec.model_dump(mode="json") | {"usd_per_s": usd_per_s(spec, gpu)} for spec in specs], 0
    except SakugaError as error:
        said, status = {"error": {"code": error.code, "data": error.data}}, 1
    try:
        sys.stdout.write(json.dumps(said, indent=2) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # who asked is gone, as a worker is that is stopped while it starts
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor may it fail once more at the exit
        return ABANDONED
    return status


def _here(weights: Path) -> list[str]:
    """Return the engines whose weights lie in that folder."""
    from gpu.weights import present

    specs = [find_spec(name) for name in ENGINES if name != TRIAL]
    return [spec.name for spec in specs if spec.source and present(spec, weights)]


def _render(folder: Path, place: Place) -> int:
    from gpu.serve import LOADED, failure, read  # only now is a frame in sight

    out, said = Lines(), lines()
    line = next(said, None)
    if line is None:
        return ABANDONED
    hear(said, lambda _line: None)
    from gpu.render import render, translated

    def send(progress: Progress) -> None:
        out.send(progress=progress.model_dump(mode="json"))

    telling = Telling(send)
    try:
        request = read(line)
        telling.expect(request)
        engine = find_engine(request.engine, place)
        telling.report("loading", 0, 1, 0.0)
        with translated(request.engine):
            engine.load()
        telling.report("loading", 1, 1, LOADED)
        result = render(engine, request, folder, telling)
    except SakugaError as error:
        out.send(error=failure(error))
        return 1
    out.send(result=result.model_dump(mode="json"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gpu", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    place = argparse.ArgumentParser(add_help=False)
    plain = Place()
    place.add_argument("--weights", type=Path, default=plain.weights, help="folder of the weights")
    place.add_argument("--media", type=Path, default=plain.media, help="folder of LoRAs, pictures and videos")
    place.add_argument("--cache", type=Path, default=plain.cache, help="folder for what is kept between runs")
    place.add_argument("--device", choices=("cuda", "cpu"), help="the best there is if left out")
    place.add_argument("--compile", action="store_true", help="compile engines: slow to begin, faster from then on")
    specs = commands.add_parser("specs", help="print EngineSpecs as a JSON list")
    specs.add_argument("names", nargs="*", metavar="NAME", help="engines (default: rehearsal)")
    specs.add_argument("--gpu", metavar="GPU", help="the GPU to rent for all (default: the first of each)")
    specs.add_argument("--present", action="store_true", help="all engines whose weights are in --weights")
    specs.add_argument("--weights", type=Path, default=plain.weights, help="folder of the weights")
    render = commands.add_parser("render", parents=[place], help="draw one clip, told on stdin")
    render.add_argument("--out", type=Path, required=True, help="folder for the clip and its poster")
    commands.add_parser("serve", parents=[place], help="draw what is told on stdin, with one engine in memory")
    return parser


def main() -> int:
    """Run one command and return the exit status."""
    os.environ["TQDM_DISABLE"] = "1"  # noqa: TID251 (told, not asked): the studio's log has no room for moving bars
    chosen = _parser().parse_args()
    if chosen.command == "specs":
        return _specs(_here(chosen.weights) if chosen.present else chosen.names or ["rehearsal"], chosen.gpu)
    place = Place(chosen.weights, chosen.media, chosen.cache, chosen.device, chosen.compile)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    if chosen.command == "render":
        return _render(chosen.out, place)
    from gpu.serve import serve

    serve(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
