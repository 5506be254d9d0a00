"""The sky: a gradient, its stars, sun or moon, and clouds of two kinds."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from gpu.engines.drawing.cel import RGB, Cel, mix
from gpu.engines.drawing.curve import ellipse
from gpu.engines.drawing.palette import Palette

Floats = npt.NDArray[np.float32]
STOPS = (0.0, 0.38, 0.78, 1.0)


def gradient(size: tuple[int, int], colors: Palette, horizon: float) -> Image.Image:
    """Return the bare sky as RGB, from the zenith at the upper edge to `horizon` (pixels) and the same below."""
    at = np.clip(np.arange(size[1]) / horizon, 0, 1)
    column = np.stack([np.interp(at, STOPS, [c[i] for c in colors.sky]) for i in range(3)], axis=1)
    return Image.fromarray(np.repeat(np.round(column).astype(np.uint8)[:, None, :], size[0], axis=1))


def noise(
    size: tuple[int, int], dice: np.random.Generator, *, cell: tuple[int, int] = (160, 60), octaves: int = 4
) -> Floats:
    """Return soft cloudy noise between 0 and 1 as rows x columns; `cell` is the size of its largest blobs (pixels)."""
    total = np.zeros((size[1], size[0]), np.float32)
    weight = 1.0
    for k in range(octaves):
        grid = (max(2, size[0] * 2**k // cell[0] + 2), max(2, size[1] * 2**k // cell[1] + 2))
        blobs = Image.fromarray(dice.random((grid[1], grid[0]), np.float32))
        total += np.asarray(blobs.resize(size, Image.Resampling.BICUBIC)) * weight
        weight *= 0.5
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low), np.float32)


def add_stars(sky: Image.Image, colors: Palette, dice: np.random.Generator, *, many: int) -> None:
    """Put stars onto a sky, fewer towards the horizon."""
    pixels = sky.load()
    if pixels is None:
        return
    for x, y, light in zip(
        dice.integers(0, sky.width, many), dice.random(many) ** 1.6 * 300, dice.random(many) ** 2, strict=True
    ):
        at = int(x), int(y)
        base: RGB = pixels[at]  # type: ignore[assignment]
        pixels[at] = mix(base, colors.white, 0.3 + 0.7 * light)
        if light > 0.8:  # noqa: PLR2004 (the brightest have a cross)
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                near = min(max(at[0] + dx, 0), sky.width - 1), max(at[1] + dy, 0)
                pixels[near] = mix(pixels[near], colors.white, 0.45)  # type: ignore[arg-type]


def add_haze(sky: Image.Image, colors: Palette, dice: np.random.Generator, *, much: float) -> Image.Image:
    """Lay thin high clouds over a sky."""
    veil = noise(sky.size, dice, cell=(460, 50))
    fade = np.clip(np.linspace(1.2, 0.1, sky.height), 0, 1)[:, None]
    mask = np.clip((veil - 0.5) * 3.0, 0, 1) * fade * much * 255
    return Image.composite(Image.new("RGB", sky.size, colors.cloud), sky, Image.fromarray(mask.astype(np.uint8)))


def add_nebula(sky: Image.Image, colors: Palette, dice: np.random.Generator) -> Image.Image:
    """Lay the glowing clouds of deep space over a sky."""
    mask = np.clip((noise(sky.size, dice, cell=(400, 220)) - 0.45) * 300, 0, 255).astype(np.uint8)
    return Image.composite(
        Image.new("RGB", sky.size, mix(colors.accent, colors.sky[3], 0.5)), sky, Image.fromarray(mask)
    )


def disc(
    size: tuple[int, int], at: tuple[float, float], radius: float, color: RGB, *, power: float = 2.0
) -> Image.Image:
    """Return a glow on black: `color` at its centre, nothing at `radius` (pixels)."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    far = np.clip(1 - np.hypot(x - at[0], y - at[1]) / radius, 0, 1) ** power
    return Image.fromarray((far[..., None] * np.array(color, np.float32)).astype(np.uint8))


def moon(cel: Cel, colors: Palette, at: tuple[float, float], radius: float, dice: np.random.Generator) -> None:
    """Draw a full moon with its seas."""
    face = mix(colors.white, colors.lamp, 0.3)
    whole = cel.add(ellipse(*at, radius, count=48), face)
    for _ in range(5):
        x, y = at + dice.uniform(-0.7, 0.7, 2) * radius
        cel.add(ellipse(x, y, radius * dice.uniform(0.1, 0.3)), mix(face, colors.sky[1], 0.22), clip=whole)


def retro_sun(cel: Cel, at: tuple[float, float]) -> None:
    """Draw the big striped sun of the eighties."""
    x, y = at
    for k in range(18):
        top, tint = y - 84 + k * 9.4, mix((255, 220, 96), (255, 92, 110), k / 17)
        rows = (top + max(0.0, (k - 7) * 0.62), top + 9.6)
        half = [np.sqrt(max(84**2 - (row - y) ** 2, 0)) for row in rows]
        cel.add([(x - half[0], rows[0]), (x + half[0], rows[0]), (x + half[1], rows[1]), (x - half[1], rows[1])], tint)


def cumulus(cel: Cel, colors: Palette, foot: tuple[float, float], size: float, dice: np.random.Generator) -> None:
    """Draw a heaped summer cloud that stands on `foot`, about `size` pixels wide."""
    x, base = foot
    count = 16
    puffs = []
    for i in range(count):
        t = i / (count - 1) * 2 - 1
        heap = (1 - abs(t) ** 1.7) * (0.55 + 0.45 * dice.random())
        puffs.append(
            (
                x + t * size * 0.5,
                base - heap * size * 0.34,
                size * (0.06 + 0.11 * (1 - abs(t)) * dice.uniform(0.7, 1.2)),
            )
        )
    tones = (mix(colors.cloud_dark, colors.sky[2], 0.25), mix(colors.cloud, colors.cloud_dark, 0.42), colors.cloud)
    for tone, (shift, grow) in zip(tones, ((0.0, 1.12), (-0.12, 0.98), (-0.34, 0.74)), strict=True):
        for px, py, r in puffs:
            cel.add(ellipse(px + shift * r * 0.8, py + shift * r, r * grow, r * grow * 0.92), tone)
            if tone is tones[0]:
                cel.add(ellipse(px, (py + base) / 2, r * 1.1, max((base - py) * 0.6, r * 0.5)), tone)


def soften(layer: Image.Image, base: float) -> Image.Image:
    """Let the foot of a cloud layer melt away around `base` (pixels from the top)."""
    alpha = np.asarray(layer.getchannel("A"), np.float32)
    rows = np.clip((base - np.arange(layer.height)) / 46, 0, 1)[:, None]
    layer.putalpha(Image.fromarray((alpha * rows).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8)))
    return layer
