"""Palettes: the colours of an hour, seen through a style. A style we don't know gets a look from its name."""

import colorsys
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gpu.engines.drawing.cel import RGB, mix

PAPER: RGB = (243, 236, 220)
GRAPHITE: RGB = (36, 38, 43)
BLUE_PENCIL: RGB = (63, 111, 216)
RED_PENCIL: RGB = (226, 85, 43)

HAIR: tuple[RGB, ...] = (
    (58, 52, 78), (96, 60, 52), (226, 176, 96), (212, 92, 108), (88, 120, 196), (158, 124, 206), (236, 158, 172),
    (64, 150, 150), (232, 232, 240), (44, 44, 56), (186, 84, 52),
)  # fmt: skip
CLOTH: tuple[RGB, ...] = (
    (52, 74, 132), (176, 60, 72), (66, 124, 112), (228, 176, 76), (112, 84, 148), (232, 232, 236), (66, 70, 84),
    (222, 118, 84),
)  # fmt: skip


@dataclass(frozen=True)
class Palette:
    """Every colour a scene may use."""

    sky: tuple[RGB, ...]
    cloud: RGB
    cloud_dark: RGB
    far: RGB
    mid: RGB
    near: RGB
    ground: RGB
    leaf: RGB
    wall: RGB
    lamp: RGB
    glow: RGB
    ink: RGB
    cool: RGB
    rim: RGB
    skin: RGB
    hair: RGB
    cloth: RGB
    trim: RGB
    accent: RGB
    eye: RGB
    metal: RGB
    petal: RGB
    white: RGB
    sunny: float
    dark: bool = False

    def dyed(self, **colors: RGB) -> "Palette":
        """Return this palette with some single colours changed."""
        return replace(self, **colors)  # type: ignore[arg-type]

    def seen(self, eye: Callable[[RGB], RGB], *, keep: tuple[str, ...] = ()) -> "Palette":
        """Return this palette with every colour but those in `keep` seen through `eye`."""
        changed: dict[str, object] = {}
        for name, value in vars(self).items():
            if name in keep or not isinstance(value, tuple):
                continue
            changed[name] = tuple(eye(c) for c in value) if name == "sky" else eye(value)
        return replace(self, **changed)  # type: ignore[arg-type]


def _hour(sky: str, land: str, light: str, *, sunny: float, dark: bool = False) -> dict[str, object]:
    """Read a row of hex colours: the sky from top to horizon, then the land, then the light."""
    names = ("far", "mid", "near", "ground", "leaf", "wall", "cloud", "cloud_dark", "lamp", "glow", "cool", "rim")
    row = dict(zip(names, (_hex(c) for c in (land + " " + light).split()), strict=True))
    return {"sky": tuple(_hex(c) for c in sky.split()), "sunny": sunny, "dark": dark, **row}


def _hex(text: str) -> RGB:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


HOURS: dict[str, dict[str, object]] = {
    "day": _hour(
        "1f6fd0 4f9fe6 9fd3f2 e4f4f4",
        "8fb9d8 6fa58e 4f9a58 5fae5a 3f8f4f d9cdb8",
        "ffffff b4cbe6 ffe9a8 fff2c8 4a4a9a fffbe6",
        sunny=0.8,
    ),
    "morning": _hour(
        "6aa3d8 a9cdea f6dcd0 ffe9c4",
        "a7b7d6 8aa8a4 74a272 86b070 5f9a66 e2d2c4",
        "fff6ee d6bfd0 ffe3a0 ffe6bc 6a5a9c fff0d0",
        sunny=0.7,
    ),
    "sunset": _hour(
        "3b3f8f 8d4f9a ee7a6c ffc46b",
        "9a649c 7d5486 5c4868 a06a5c 8a6a3e c8948a",
        "ffc9a0 a8618f ffdf90 ffb866 4a2f7a ffcf8a",
        sunny=1.0,
    ),
    "night": _hour(
        "0c1436 1c2a5e 35488a 6a7ab4",
        "2c3a72 23305e 1c2850 242f54 234a54 3c466e",
        "7d8ec2 46558f ffe08a a8c4ff 14164a b8d0ff",
        sunny=0.0,
        dark=True,
    ),
    "neon": _hour(
        "0a0820 1d1046 4a1a74 b03a94",
        "3a1f6e 241a52 17133a 1a1638 1f3f56 30265e",
        "6a3f9c 2f1f66 ff5fb4 48e0ea 1a0f52 5ff0ff",
        sunny=0.0,
        dark=True,
    ),
    "ink": _hour(
        "d9d4c8 e6e1d5 efeadf f5f1e6",
        "c4bfb4 98948c 5c5a56 8a867e 4a4845 b8b3a8",
        "f8f5ec d0cbc0 f2eee2 f5f1e6 26262a f5f1e6",
        sunny=0.0,
    ),
}


def choose(style: str, hour: str, dice: np.random.Generator) -> Palette:
    """Return the palette of a style at an hour; `dice` choose hair and clothes."""
    base = HOURS["neon" if style == "neon" else "ink" if style == "sumi" else hour]
    hair, cloth, trim = (
        HAIR[dice.integers(len(HAIR))],
        CLOTH[dice.integers(len(CLOTH))],
        CLOTH[dice.integers(len(CLOTH))],
    )
    accent = _turned((222, 58, 62), float(dice.choice((0.0, 0.0, 0.05, 0.55, 0.9))))
    own = {
        "ink": (34, 28, 42), "skin": (255, 226, 205), "hair": hair, "cloth": cloth, "trim": trim, "accent": accent,
        "eye": _turned((60, 120, 190), float(dice.random())), "metal": (176, 190, 208), "petal": (255, 196, 214),
        "white": (250, 250, 252),
    }  # fmt: skip
    palette = Palette(**base, **own)  # type: ignore[arg-type]
    if palette.dark and style != "neon":
        palette = _dim(palette, (70, 90, 170), 0.24)
    if hour == "sunset" and style != "sumi":
        palette = _dim(palette, (255, 130, 90), 0.10)
    return STYLES[style](palette) if style in STYLES else _named(palette, style)


def _dim(palette: Palette, toward: RGB, much: float) -> Palette:
    worn = ("skin", "hair", "cloth", "trim", "metal", "white", "accent", "petal")
    return palette.dyed(**{name: mix(getattr(palette, name), toward, much) for name in worn})


def _turned(color: RGB, hue: float, saturation: float = 1.0, value: float = 1.0) -> RGB:
    h, s, v = colorsys.rgb_to_hsv(*(c / 255 for c in color))
    red, green, blue = colorsys.hsv_to_rgb((h + hue) % 1, min(1, s * saturation), min(1, v * value))
    return round(red * 255), round(green * 255), round(blue * 255)


def _neon(p: Palette) -> Palette:
    lit = _dim(p, (120, 60, 190), 0.3)
    return replace(lit, accent=(255, 70, 150), eye=(80, 240, 250), ink=(16, 8, 36), petal=(255, 120, 200))


def _sumi(p: Palette) -> Palette:
    def gray(c: RGB) -> RGB:
        v = round(0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2])
        return v, round(v * 0.985), round(v * 0.95)

    inked = p.seen(gray, keep=("accent",))
    light = {"skin": (246, 241, 230), "rim": (252, 249, 240)}
    dark = {"ink": (20, 20, 22), "hair": (42, 41, 42), "cloth": (112, 109, 104), "trim": (70, 68, 66)}
    return inked.dyed(accent=(200, 38, 36), **light, **dark)


def _watercolor(p: Palette) -> Palette:
    washed = p.seen(lambda c: mix(_turned(c, 0, 0.86, 1.04), (255, 250, 240), 0.24), keep=("ink", "cool"))
    return replace(washed, ink=(92, 74, 92), cool=(120, 110, 170))


def _retro(p: Palette) -> Palette:
    cel = p.seen(lambda c: mix(_turned(c, 0.01, 1.16, 0.97), (255, 150, 110), 0.07), keep=("ink",))
    return replace(cel, ink=(40, 20, 36))


def _storybook(p: Palette) -> Palette:
    warm = p.seen(lambda c: mix(_turned(c, 0.0, 0.8, 1.03), (255, 214, 176), 0.26), keep=("ink", "cool"))
    return replace(warm, ink=(106, 68, 62), cool=(150, 96, 120))


def _named(p: Palette, style: str) -> Palette:
    number = hashlib.sha256(style.encode("utf-8", "replace")).digest()
    hue, saturation, wash = number[0] / 255 * 0.8 + 0.1, 0.7 + number[1] / 255 * 0.6, number[2] / 255 * 0.2
    toward = (number[3], number[4], number[5])
    return p.seen(lambda c: mix(_turned(c, hue, saturation), toward, wash), keep=("ink", "skin"))


STYLES: dict[str, Callable[[Palette], Palette]] = {
    "anime": lambda p: p,
    "neon": _neon,
    "sumi": _sumi,
    "watercolor": _watercolor,
    "retro": _retro,
    "storybook": _storybook,
}
