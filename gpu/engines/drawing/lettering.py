"""Lettering: any text in whatever fonts can show it; what none can show is left out."""

import unicodedata
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONTS = Path(__file__).parent / "fonts"
FACES = {"title": "dela-gothic-one-latin-400-normal.woff", "text": "zen-kaku-gothic-new-latin-700-normal.woff"}
FALLBACK = (
    "NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc", "NotoSansJP-Bold.otf", "NotoSansCJKjp-Bold.otf",
    "Hiragino Sans GB.ttc", "ヒラギノ角ゴシック W6.ttc", "YuGothB.ttc", "meiryob.ttc", "malgunbd.ttf", "msyhbd.ttc",
    "DejaVuSans-Bold.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf", "segoeuib.ttf", "arialbd.ttf",
)  # fmt: skip
EMOJI, EMOJI_PIXELS = ("NotoColorEmoji.ttf",), 109
"""Bitmap emoji come in one size only."""
PLACES = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
LONGEST = 500
JOINERS = "\u200d\ufe0f"

AnyFont = ImageFont.FreeTypeFont


def clean(text: str) -> str:
    """Return text without control, bidi and broken characters, its white space single; at most LONGEST characters."""
    kept = (
        " " if c.isspace() else c
        for c in text[: LONGEST * 2]
        if c in JOINERS or c.isspace() or unicodedata.category(c)[0] != "C"
    )
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))[:LONGEST]


@cache
def _found() -> dict[str, Path]:
    """Find the fallback fonts on this machine, by file name."""
    wanted = {*FALLBACK, *EMOJI}
    found: dict[str, Path] = {}
    for place in PLACES:
        folder = Path(place).expanduser()
        for file in sorted(folder.rglob("*.[to]t[fc]")) if folder.is_dir() else ():
            if file.name in wanted:
                found.setdefault(file.name, file)
    return found


@cache
def font(face: str, size: int) -> AnyFont:
    """Return one of our own faces ("title", "text")."""
    return ImageFont.truetype(FONTS / FACES[face], size)


@cache
def _fallback(name: str, size: int) -> AnyFont | None:
    path = _found().get(name)
    try:
        return ImageFont.truetype(path, EMOJI_PIXELS if name in EMOJI else size) if path else None
    except OSError:  # a font file that this FreeType can't read is no help
        return None


@cache
def _shows(face: str, name: str, character: str) -> bool:
    """Say whether a font has a picture of its own for a character."""
    chosen = font(face, 20) if name == face else _fallback(name, 20)
    if chosen is None:
        return False
    mask, missing = chosen.getmask(character), chosen.getmask("\U0010fffe")
    return mask.getbbox() is not None and (mask.size, bytes(mask)) != (missing.size, bytes(missing))


@cache
def _font_for(face: str, character: str) -> str | None:
    if character == " " or character.isascii():
        return face
    emoji = ord(character) > 0x1F000  # noqa: PLR2004 (from here on pictures are meant)
    for name in (face, *EMOJI, *FALLBACK) if emoji else (face, *FALLBACK, *EMOJI):
        if _shows(face, name, character):
            return name
    return None


def runs(text: str, face: str) -> list[tuple[str, str]]:
    """Split clean text into (font name, piece) in order; characters that no font shows are gone."""
    out: list[tuple[str, str]] = []
    for c in text:
        name = out[-1][0] if out and (c in JOINERS or unicodedata.category(c) == "Mn") else _font_for(face, c)
        if name is None or (c in JOINERS and name not in EMOJI):
            continue
        if out and (out[-1][0] == name or (c == " " and out[-1][0] not in EMOJI)):
            out[-1] = (out[-1][0], out[-1][1] + c)
        else:
            out.append((name, c))
    return out


def width(text: str, face: str, size: int) -> float:
    """Return how many pixels a line of clean text takes."""
    return sum(_width(name, piece, face, size) for name, piece in runs(text, face))


def _width(name: str, piece: str, face: str, size: int) -> float:
    chosen = font(face, size) if name == face else _fallback(name, size)
    return 0.0 if chosen is None else chosen.getlength(piece) * (size * 1.1 / EMOJI_PIXELS if name in EMOJI else 1)


def write(
    image: Image.Image, at: tuple[float, float], text: str, face: str, size: int, *, color: tuple[int, int, int]
) -> None:
    """Write one line of clean text onto an RGB or RGBA image; `at` is its left end on the base line (pixels)."""
    x, y = at
    draw = ImageDraw.Draw(image)
    for name, piece in runs(text, face):
        chosen = font(face, size) if name == face else _fallback(name, size)
        if chosen is None:
            continue
        if name in EMOJI:
            x = _paste_emoji(image, (x, y), piece, chosen, size)
            continue
        draw.text((x, y), piece, font=chosen, fill=color, anchor="ls")
        x += chosen.getlength(piece)


def _paste_emoji(image: Image.Image, at: tuple[float, float], piece: str, chosen: AnyFont, size: int) -> float:
    long = max(1, round(chosen.getlength(piece)))
    big = Image.new("RGBA", (long, round(EMOJI_PIXELS * 1.25)), (0, 0, 0, 0))
    ImageDraw.Draw(big).text((0, EMOJI_PIXELS), piece, font=chosen, embedded_color=True, anchor="ls")
    k = size * 1.1 / EMOJI_PIXELS
    small = big.resize((max(1, round(big.width * k)), max(1, round(big.height * k))), Image.Resampling.BOX)
    image.paste(small, (round(at[0]), round(at[1] - EMOJI_PIXELS * k)), small)
    return at[0] + small.width


def wrap(text: str, face: str, size: int, limit: float, lines: int) -> list[str]:
    """Break clean text into at most `lines` lines of `limit` pixels; the last ends in an ellipsis if text is left."""
    out: list[str] = []
    rest = text
    while rest and len(out) < lines:
        count = _fitting(rest, face, size, limit)
        if count < len(rest):
            space = rest.rfind(" ", 1, count + 1)
            count = space if space > count * 0.4 else count
        out.append(rest[:count].strip())
        rest = rest[count:].strip()
    if rest and out:
        out[-1] = out[-1][: _fitting(out[-1], face, size, limit - width("…", face, size))].rstrip() + "…"
    return out


def _fitting(text: str, face: str, size: int, limit: float) -> int:
    """Return how many characters fit, at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(text[:middle], face, size) <= limit else (low, middle - 1)
    return low
