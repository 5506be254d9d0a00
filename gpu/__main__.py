"""The child process of the renderers: `python -m gpu specs` and `python -m gpu render --out DIR`, JSON lines on stdout.

`render` reads one RenderRequest as one line on stdin and writes `{"progress": ...}` lines, then one `{"result": ...}`
or one `{"error": {"code", "data"}}`. When stdin ends, the parent is gone, and this process ends at once with status 3.
"""

import argparse
import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from gpu.engines import ENGINES, Frame, Preview, find_engine
from sakuga.engine import Progress, RenderRequest, RenderStage
from sakuga.errors import RenderFailed, SakugaError

PREVIEW_WIDTH = 472
PREVIEW_QUALITY = 70
MEASURABLE = 0.1
"""From this fraction on, the time left is taken from the speed so far."""
ABANDONED = 3


class Telling:
    """What the parent hears: numbered reports, and one last word."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._sequence = 0
        self._begin = time.monotonic()
        self._pace_s = 0.0

    def expect(self, request: RenderRequest) -> None:
        """Take the pace of a request into account when guessing the time left."""
        self._pace_s = request.pace_s

    def report(self, stage: RenderStage, step: int, total: int, fraction: float, preview: Preview = None) -> None:
        """Send one Progress line; the arguments are those of `gpu.engines.Report`."""
        self._sequence += 1
        progress = Progress(
            sequence=self._sequence,
            stage=stage,
            step=step,
            total=total,
            fraction=fraction,
            seconds_left=self._seconds_left(fraction),
            preview=_jpeg(preview() if callable(preview) else preview) if preview is not None else None,
        )
        self.line(progress=progress.model_dump(mode="json", exclude={"preview"}) | {"preview": _text(progress.preview)})

    def line(self, **content: Any) -> None:
        """Send one line."""
        self._out.write(json.dumps(content, ensure_ascii=False) + "\n")
        self._out.flush()

    def _seconds_left(self, fraction: float) -> float | None:
        spent = time.monotonic() - self._begin
        if fraction >= MEASURABLE:
            return round(max(spent * (1 - fraction) / fraction, 0.0), 2)
        return round(self._pace_s - spent, 2) if self._pace_s > spent else None


def _jpeg(picture: Frame) -> bytes:
    from PIL import Image  # noqa: PLC0415 (specs must not wait for it)

    image = Image.fromarray(picture)
    if image.width > PREVIEW_WIDTH:
        image = image.resize((PREVIEW_WIDTH, round(image.height * PREVIEW_WIDTH / image.width)), Image.Resampling.BOX)
    target = io.BytesIO()
    image.save(target, format="JPEG", quality=PREVIEW_QUALITY)
    return target.getvalue()


def _text(jpeg: bytes | None) -> str | None:
    from base64 import b64encode  # noqa: PLC0415

    return None if jpeg is None else b64encode(jpeg).decode("ascii")


def _private_stdout() -> IO[str]:
    """Keep stdout for the lines alone: whatever else writes to descriptor 1 from now on ends on stderr."""
    mine = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(mine, "w", encoding="utf-8", newline="\n")


def _end_with_the_parent() -> None:
    """End this process the moment stdin ends, in the middle of whatever it does."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(ABANDONED)

    threading.Thread(target=wait, daemon=True, name="stdin").start()


def _render(folder: Path) -> int:
    telling = Telling(_private_stdout())
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    line = sys.stdin.buffer.readline()
    if not line:
        return ABANDONED
    _end_with_the_parent()
    try:
        try:
            request = RenderRequest.model_validate_json(line)
        except ValidationError as broken:
            first = broken.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the line"
            raise RenderFailed(reason=f"the request can't be read ({where}: {first['msg']})") from broken
        telling.expect(request)
        engine = find_engine(request.engine)
        telling.report("loading", 0, 1, 0.0)
        from gpu.encode import encode  # noqa: PLC0415 (only now is a frame in sight)

        engine.load()
        telling.report("loading", 1, 1, 0.005)
        folder.mkdir(parents=True, exist_ok=True)
        result = encode(engine.render(request, telling.report), request, folder)
        telling.report("encode", 1, 1, 1.0)
    except SakugaError as error:
        telling.line(error={"code": error.code, "data": error.data})
        return 1
    except Exception as error:  # noqa: BLE001 (the edge of this process: the parent must hear why)
        telling.line(error={"code": RenderFailed.code, "data": {"reason": f"{type(error).__name__} in the engine"}})
        sys.excepthook(*sys.exc_info())  # the traceback goes to stderr, which the parent logs
        return 1
    telling.line(result=result.model_dump(mode="json"))
    return 0


def main() -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gpu", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("specs", help="print every engine's EngineSpec as a JSON list")
    render = commands.add_parser("render", help="draw one clip, told on stdin")
    render.add_argument("--out", type=Path, required=True, help="folder for the clip and its poster")
    chosen = parser.parse_args()
    if chosen.command == "specs":
        specs = [find_engine(name).spec.model_dump(mode="json") for name in ENGINES]
        sys.stdout.write(json.dumps(specs, indent=2) + "\n")
        return 0
    try:
        return _render(chosen.out)
    except BrokenPipeError:
        os._exit(ABANDONED)  # nobody listens any more


if __name__ == "__main__":
    sys.exit(main())
