"""`python -m gpu.character add | check | list`: LoRAs are looked at before the show, and brought into the studio.

What it found is told on stdout in sentences; what was wrong on stderr, with exit status 2 for what the streamer can
mend and 1 for the rest.
"""

import argparse
import math
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpu import weights
from gpu.character import studio_file
from gpu.character.audition import judge
from gpu.character.families import likely_model
from gpu.character.lora_file import LoraFile
from gpu.engines import ENGINES, find_spec
from sakuga.engine import Source
from sakuga.errors import CharacterRefused, EngineUnknown, SakugaError, StudioError

if TYPE_CHECKING:
    from PIL.Image import Image

LORA, PICTURE = "lora.safetensors", "picture.png"
LONGEST_SIDE = 1024
"""Pixels of a kept picture; every engine draws smaller, or crops."""
MOST_PIXELS = 64_000_000
LIMITS = {"title": 40, "trigger": 500}
"""Characters; what the studio file allows."""
HEAVIEST = 4.0
BROKEN, MENDABLE = 1, 2
TO_MEND = (StudioError, EngineUnknown)
TO_FETCH = ".venv/bin/python -m sakuga gpu weights --here ENGINE"


def add(asked: argparse.Namespace) -> Iterator[str]:
    """Check a LoRA, copy it and its picture into the media folder, and write the character into the studio file.

    Yields what there is to tell. Raises CharacterRefused, StudioFileInvalid, EngineUnknown; then nothing has changed.
    """
    name: str = asked.name
    studio_file.free(asked.studio_file, name)
    for key, limit in LIMITS.items():
        text = getattr(asked, key) or ""
        if len(text) > limit or not text.isprintable():
            raise CharacterRefused(file=name, problem=f"its {key} must be one line of up to {limit} characters")
    if not (math.isfinite(asked.weight) and 0 < abs(asked.weight) <= HEAVIEST):
        raise CharacterRefused(
            file=name, problem=f"its weight must lie between -{HEAVIEST:g} and {HEAVIEST:g}, not at 0"
        )
    picture = _small(asked.image) if asked.image else None
    yield from check(asked)
    file = LoraFile.read(asked.file)
    trigger = asked.trigger or file.trigger_phrase
    home = Path(asked.media, "characters", name)
    character: dict[str, Any] = {"title": asked.title or name.replace("_", " ").replace("-", " ").title()}
    if trigger:
        character["prompt"] = trigger
    character["loras"] = [{"file": f"characters/{name}/{LORA}", "weight": float(asked.weight)}]
    if asked.image:
        character["image"] = f"characters/{name}/{PICTURE}"
    character["engines"] = list(dict.fromkeys(asked.engine))
    _bring(asked.file, picture, home)
    try:
        studio_file.append(asked.studio_file, name, character)
    except BaseException:
        shutil.rmtree(home)
        raise
    yield f"{name} is in {asked.studio_file} now, and the files are in {home}."
    yield f"Start the studio again and ask for {name}. To draw on Modal: .venv/bin/python -m sakuga gpu media"
    if not trigger:
        yield "No trigger words were given: add them as prompt in the studio file if the LoRA needs some."
    if asked.image and not any("image-to-video" in find_spec(engine).modes for engine in asked.engine):
        yield "The picture is kept for engines that draw from one; those that were named draw from words."


def check(asked: argparse.Namespace) -> Iterator[str]:
    """Look at a LoRA; yield what it is, and how sure it is that the engines can draw with it.

    Raises CharacterRefused, EngineUnknown.
    """
    for engine in asked.engine:
        if engine not in ENGINES:
            raise EngineUnknown(name=engine, known=", ".join(ENGINES))
    file = LoraFile.read(asked.file)
    sizes = f"rank {file.rank}; layers: {len(file.layers)}; blocks: {file.blocks}; width: {file.width}"
    yield f"{asked.file.name} is a LoRA ({sizes}; names as in {file.form})."
    if made_for := likely_model(file):
        yield f"It seems to be made for {made_for}."
    if file.differences:
        yield f"Of what it changes besides layers, {file.differences} whole weights are left out."
    if file.trigger_phrase:
        yield f"Its trigger words are: {file.trigger_phrase}"
    elif file.frequent_words:
        yield f"It names no trigger words; the words that it learned most from are: {file.frequent_words}"
    for engine in dict.fromkeys(asked.engine):
        yield judge(file, engine, asked.weights)


def known(asked: argparse.Namespace) -> Iterator[str]:
    """Yield a line for each character of the studio file, and whether its files are there. Raises StudioFileInvalid."""
    for name, character in studio_file.read(asked.studio_file).get("characters", {}).items():
        loras = character.get("loras", [])
        files = [lora.get("file") for lora in loras if "repository" not in lora] + [character.get("image")]
        missing = [file for file in files if file and not Path(asked.media, file).is_file()]
        hub = [lora for lora in loras if "repository" in lora and not _fetched(lora, asked.weights)]
        told = [f"missing: {', '.join(missing)}"] if missing else []
        if hub:
            names = ", ".join(f"{lora['repository']}/{lora.get('file', '')}" for lora in hub)
            told.append(f"not fetched to this machine: {names} ({TO_FETCH})")
        engines = ", ".join(character.get("engines", [])) or "every engine"
        state = "; ".join(told) or "its files are there"
        yield f"{name}: {character.get('title', name)}, for {engines}; {state}"


def _fetched(lora: dict[str, Any], folder: Path) -> bool:
    """Whether a LoRA of the Hub lies in the weights folder."""
    keys = ("repository", "revision", "file")
    source = Source(**{key: str(lora[key]) for key in keys if key in lora})
    return weights.lying(source, folder) is not None


def _bring(lora: Path, picture: "Image | None", home: Path) -> None:
    """Put the files where the studio looks for them: all of them, or none. Raises CharacterRefused."""
    if home.exists():
        problem = f"the folder {home} is there already. Remove it, or choose another name"
        raise CharacterRefused(file=home.name, problem=problem)
    desk = home.with_name(f".{home.name}.part")
    try:
        shutil.rmtree(desk, ignore_errors=True)
        desk.mkdir(parents=True)
        shutil.copyfile(lora, desk / LORA)
        if picture:
            picture.save(desk / PICTURE, format="PNG")
        desk.rename(home)
    except OSError as error:
        raise CharacterRefused(file=lora.name, problem=f"it can't be copied ({error.strerror})") from error
    finally:
        shutil.rmtree(desk, ignore_errors=True)


def _small(source: Path) -> "Image":
    """Return a picture of at most 1024 pixels a side: nothing else that was in the file comes along.

    Raises CharacterRefused.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not source.is_file():
        raise CharacterRefused(file=source.name, problem=f"there is no file {source}")
    try:
        with Image.open(source, formats=("PNG", "JPEG", "WEBP")) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise CharacterRefused(file=source.name, problem=f"it has more than {MOST_PIXELS // 10**6} megapixels")
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise CharacterRefused(file=source.name, problem="it is no PNG, JPEG or WebP that can be read") from error
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    white = Image.new("RGBA", upright.size, "white")
    return Image.alpha_composite(white, upright).convert("RGB")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(prog="python -m sakuga character", description="Bring LoRAs into the studio.")
    commands = whole.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", allow_abbrev=False, help="bring a character into the studio")
    adding.add_argument("name", help="what is typed in chat: small letters, digits, - and _")
    checking = commands.add_parser("check", allow_abbrev=False, help="look at a LoRA, change nothing")
    listing = commands.add_parser("list", help="list the studio's characters")
    for command in (adding, checking):
        command.add_argument("file", type=Path, help="the LoRA, a .safetensors file")
        command.add_argument("--engine", action="append", required=True, help="who draws with it; may be given again")
    for command in (adding, checking, listing):
        command.add_argument("--weights", type=Path, default=Path("var/weights"), help=argparse.SUPPRESS)
    for command in (adding, listing):
        command.add_argument("--media", type=Path, default=Path("media"), help=argparse.SUPPRESS)
        command.add_argument("--studio-file", type=Path, default=Path("studio.toml"), help=argparse.SUPPRESS)
    adding.add_argument("--weight", type=float, default=1.0, help="how strongly it counts (1.0)")
    adding.add_argument("--trigger", help="words that call the character; they are added to the viewer's")
    adding.add_argument("--image", type=Path, help="a picture to begin with, for engines that draw from one")
    adding.add_argument("--title", help="the name that people read")
    for command, run in ((adding, add), (checking, check), (listing, known)):
        command.set_defaults(run=run)
    return whole


def main() -> int:
    """Run one command and return the exit status."""
    asked = parser().parse_args()
    try:
        for sentence in asked.run(asked):
            sys.stdout.write(sentence + "\n")
    except SakugaError as error:
        sys.stderr.write(f"{error}\n")
        return MENDABLE if isinstance(error, TO_MEND) else BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
