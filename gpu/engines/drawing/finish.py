"""What happens under the rostrum camera: light, bloom, paper, grain, and the edges of the lens."""

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from gpu.engines.drawing.cel import RGB, mix
from gpu.engines.drawing.palette import Palette
from gpu.engines.drawing.sky import disc, noise

BLOOM = {
    "neon": (120, 0.85),
    "sumi": (245, 0.0),
    "watercolor": (225, 0.25),
    "retro": (176, 0.6),
    "storybook": (215, 0.35),
}
"""Style: the brightness from which light blooms (0-255), and how much of it."""


class Finish:
    """The last steps of every frame of one style."""

    def __init__(self, style: str, size: tuple[int, int], colors: Palette, dice: np.random.Generator) -> None:
        start, self._bloom = BLOOM.get(style, (196, 0.5))
        if colors.dark and style != "neon":
            start, self._bloom = 150, 0.7
        self._curve = [round(max(0, v - start) / (256 - start) * 255 * self._bloom) for v in range(256)] * 3
        self._print = _printed(style, size, dice)
        self._style = style

    def __call__(self, frame: Image.Image, index: int) -> Image.Image:
        """Return a finished frame; `index` counts frames, grain changes on twos."""
        if self._bloom:
            small = frame.reduce(4).point(self._curve).filter(ImageFilter.BoxBlur(5)).filter(ImageFilter.BoxBlur(4))
            frame = ImageChops.screen(frame, small.resize(frame.size, Image.Resampling.BILINEAR))
        return ImageChops.multiply(frame, self._print[index // 2 % len(self._print)])


def _printed(style: str, size: tuple[int, int], dice: np.random.Generator) -> list[Image.Image]:
    """Return what each frame is multiplied with: a vignette with the style's surface, several where it lives."""
    wide, high = size
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    edge = np.hypot((x / wide - 0.5) * 1.1, y / high - 0.48)
    vignette = 1 - np.clip(edge - 0.38, 0, 1) ** 1.5 * {"watercolor": 0.15, "sumi": 0.3, "storybook": 0.25}.get(
        style, 0.75
    )
    surface = np.ones((high, wide), np.float32)
    if style in ("watercolor", "sumi", "storybook"):
        tooth = noise(size, dice, cell=(7, 7), octaves=2) - 0.5
        wash = noise(size, dice, cell=(260, 200)) - 0.5
        surface += tooth * 0.14 + wash * (0.16 if style != "storybook" else 0.08)
    if style == "retro":
        surface *= np.where(y.astype(int) % 3 == 0, 0.94, 1.0)
    sheets = []
    for _ in range(3 if style == "retro" else 1):
        grain = dice.normal(0, 0.022, (high, wide)).astype(np.float32) if style == "retro" else 0.0
        light = np.clip(vignette * surface + grain - (0.02 if style == "retro" else 0), 0, 1)[..., None] * 255
        sheets.append(Image.fromarray(np.repeat(light, 3, axis=2).astype(np.uint8)))
    return sheets


def sunlight(
    size: tuple[int, int], at: tuple[float, float], colors: Palette, dice: np.random.Generator
) -> list[Image.Image]:
    """Return two sheets of rays and flare from a sun, to be screened over the picture and slowly blended."""
    wide, high = size
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    angle = np.arctan2(y - at[1], x - at[0])
    far = np.hypot(x - at[0], y - at[1])
    sheets = []
    for _ in range(2):
        rays = np.zeros_like(far)
        for many in (5, 9, 14, 23):
            rays += np.sin(angle * many + dice.uniform(0, 6.3)) / many**0.4
        beam = np.clip(rays, 0, 2.5) * np.clip(1 - far / 620, 0, 1) ** 1.6 * 0.17
        glow = np.clip(1 - far / 260, 0, 1) ** 2.4 * 0.42
        light = (beam + glow)[..., None] * np.array(colors.glow, np.float32) * colors.sunny
        sheet = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
        for k, radius, strength in ((0.55, 34, 0.16), (0.9, 16, 0.22), (1.25, 58, 0.10), (1.5, 24, 0.16)):
            spot = (at[0] + (wide / 2 - at[0]) * 2 * k * 0.8, at[1] + (high / 2 - at[1]) * 2 * k * 0.8)
            sheet = ImageChops.screen(
                sheet, disc(size, spot, radius, mix((0, 0, 0), colors.glow, strength * colors.sunny), power=0.5)
            )
        sheets.append(sheet)
    return sheets


def texture(layer: Image.Image, style: str, dice: np.random.Generator) -> Image.Image:
    """Give a painted background layer the brush of its style."""
    if style not in ("watercolor", "sumi", "storybook", "anime"):
        return layer
    strength = {"watercolor": 0.24, "sumi": 0.4, "storybook": 0.16}.get(style, 0.1)
    brush = 1 + (noise(layer.size, dice, cell=(150, 90), octaves=3) - 0.5) * strength
    pixels = np.asarray(layer, np.float32).copy()
    pixels[..., :3] = np.clip(pixels[..., :3] * brush[..., None], 0, 255)
    painted = Image.fromarray(pixels.astype(np.uint8))
    if style in ("watercolor", "sumi"):
        alpha = painted.getchannel("A")
        soft = alpha.filter(ImageFilter.GaussianBlur(1.6))
        pigment = ImageChops.subtract(alpha, alpha.filter(ImageFilter.GaussianBlur(3.5)))  # darker where a wash dried
        dark = painted.filter(ImageFilter.GaussianBlur(1.1))
        painted = Image.composite(
            dark.point([round(v * 0.8) for v in range(256)] * 3 + list(range(256))), dark, pigment
        )
        painted.putalpha(soft)
    return painted


class Lamp:
    """A light that slowly breathes. Positions are pixels of a sheet."""

    def __init__(self, at: tuple[float, float], radius: int, color: RGB, beat_s: float) -> None:
        self._corner, self._beat_s = (at[0] - radius, at[1] - radius), beat_s
        size, middle = (radius * 2, radius * 2), (radius - 0.5, radius - 0.5)
        self._glows = [
            disc(size, middle, radius, mix((0, 0, 0), color, light), power=2.2) for light in (0.3, 0.45, 0.6, 0.75, 0.9)
        ]

    def shine(self, canvas: Image.Image, left: float, t: float) -> None:
        """Add the light to a canvas on which the sheet begins at `left` pixels, at `t` seconds."""
        glow = self._glows[round(2 + 2 * np.sin(2 * np.pi * t / self._beat_s + self._corner[0]))]
        x, y = round(left + self._corner[0]), round(self._corner[1])
        box = (x, y, x + glow.width, y + glow.height)
        canvas.paste(ImageChops.screen(canvas.crop(box), glow), box)


def lamps(size: tuple[int, int], colors: Palette, dice: np.random.Generator) -> list[Lamp]:
    """Return the lights of a town at night."""
    tones = (colors.lamp, colors.glow, colors.accent)
    return [
        Lamp(
            (dice.uniform(0, size[0]), dice.uniform(size[1] * 0.3, size[1] * 0.85)),
            int(dice.integers(26, 60)),
            tones[k % 3],
            dice.uniform(1.6, 3.2),
        )
        for k in range(16)
    ]
