"""Measures the engines on this machine's card: `python -m gpu.bench` prints a table and writes it as JSON and SVG."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import get_args

from gpu import price
from gpu.bench.chart import Bar, chart
from gpu.bench.floors import INSTALL, UNABLE
from gpu.bench.fullsize import FULL
from gpu.bench.measure import STAGES, Bench, Row
from gpu.engines import ENGINES, Place
from gpu.pipeline.tuning import NOTES, Notes
from sakuga.engine import Preset

PACKAGES = ("torch", "diffusers", "transformers", "peft", "av")
HEADS = ("engine", "by", *STAGES, "total s", "GiB", "$ a clip", "x floor")


def lines(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """Return what was measured as lines of a table: one for ours, and one for diffusers where it was measured."""
    found = []
    for row in rows:
        ratio = f"{row.total_s / row.floor_s:.1f}" if row.floor_s else "-"
        usd = "-" if row.usd is None else f"{row.usd:.4f}"
        stages = [f"{row.seconds[stage]:.2f}" for stage in STAGES]
        ours = " ".join(part for part in ("sakuga", row.variant, f"({row.weights})") if part)
        found.append((row.engine, ours, *stages, f"{row.total_s:.2f}", f"{row.peak_vram_gb:.1f}", usd, ratio))
        if isinstance(row.stock, str):
            found.append((row.engine, f"diffusers: {row.stock}", *["-"] * 8))
        elif row.stock:
            theirs = [f"{row.stock[stage]:.2f}" for stage in STAGES]
            total = sum(row.stock.values())
            found.append(
                (row.engine, "diffusers", *theirs, f"{total:.2f}", "-", "-", f"{total / row.total_s:.2f} x ours")
            )
    return found


def written(rows: Sequence[Row], card: str, out: Path) -> None:
    """Write bench.json and bench.svg."""
    bars: list[Bar] = [(row.engine, row.seconds) for row in rows]
    bars += [(f"{row.engine}, diffusers", row.stock) for row in rows if isinstance(row.stock, dict)]
    notes = Notes(out / "cache" / NOTES)
    facts = {
        "card": card,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {package: version(package) for package in PACKAGES},
        "prices": price.AS_OF,
        "tuning": notes.all(),
        "rows": [asdict(row) for row in rows],
    }
    (out / "bench.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    title = f"Seconds of a clip on {card}, torch {version('torch')}, diffusers {version('diffusers')}"
    (out / "bench.svg").write_text(chart(title, sorted(bars)), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.tiny and chosen.engines:
        parser.error(f"--tiny measures the tiny engine alone: leave {' '.join(chosen.engines)} out, or --tiny")
    if unknown := [name for name in chosen.engines if name not in ENGINES]:
        parser.error(f"there is no engine {unknown[0]!r}; there are {', '.join(FULL)}")
    try:
        import diffusers  # noqa: F401 - looked for here, as nothing can be measured without
        import torch
    except ImportError as error:
        sys.stderr.write(f"What draws is not installed here ({error.name}). Install it: {INSTALL}\n")
        return UNABLE

    if not chosen.tiny and not torch.cuda.is_available():
        sys.stderr.write("There is no CUDA card here to measure; --tiny goes through the same steps on the CPU.\n")
        return UNABLE
    out: Path = chosen.out
    out.mkdir(parents=True, exist_ok=True)
    folder = out / "weights" if chosen.tiny else chosen.weights
    place = Place(weights=folder, media=out / "media", cache=out / "cache", device="cpu" if chosen.tiny else None)
    card = "cpu" if chosen.tiny else torch.cuda.get_device_name()
    bench, rows = Bench(place, out, chosen.runs, chosen.stock), []
    names = ["tiny"] if chosen.tiny else chosen.engines or [name for name in ENGINES if name in FULL]
    for name in names:
        try:
            rows.append(bench.measure(name, chosen.preset, card))
        except Exception as error:  # noqa: BLE001 - the edge of this process: the other engines are measured all the same
            sys.stderr.write(f"{name}: {type(error).__name__}: {error}\n")
    widths = [max(len(line[index]) for line in [HEADS, *lines(rows)]) for index in range(len(HEADS))]
    for line in [HEADS, *lines(rows)]:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n")
    written(rows, card, out)
    sys.stdout.write(f"written: {out / 'bench.json'}, {out / 'bench.svg'}\n")
    return 0 if len(rows) == len(names) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gpu.bench", description=__doc__)
    parser.add_argument(
        "engines", nargs="*", metavar="ENGINE", help="which to measure; all that are known at full size"
    )
    parser.add_argument("--preset", choices=get_args(Preset), default="live")
    parser.add_argument("--runs", type=_count, default=3, help="how many count, after one that warms up")
    parser.add_argument(
        "--out", type=Path, default=Path("var/bench"), help="folder for bench.json, bench.svg and clips"
    )
    parser.add_argument(
        "--weights", type=Path, default=Place().weights, help="folder of real weights, if there are any"
    )
    parser.add_argument("--stock", action="store_true", help="measure diffusers as it comes, too")
    parser.add_argument("--tiny", action="store_true", help="go through it with the tiny engine, on the CPU")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        msg = "a number from 1 on is needed"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
