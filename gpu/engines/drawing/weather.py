"""Weather: rain, snow, petals, leaves, embers, fireflies, dust and speed lines, each nearer or farther."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from gpu.engines.drawing.cel import RGB, Cel, mix, paint
from gpu.engines.drawing.curve import Points, ellipse, smooth, turn
from gpu.engines.drawing.layer import Layer
from gpu.engines.drawing.palette import Palette
from gpu.engines.drawing.sky import noise

TURNS = 12
FLAKES = {
    "snow": (90, 26),
    "petals": (34, 13),
    "leaves": (22, 9),
    "embers": (34, 12),
    "fireflies": (24, 8),
    "dust": (22, 10),
}
"""How many drift behind the subject and before it."""


class Weather:
    """One kind of weather over a canvas, the same at the same time."""

    def __init__(
        self, kind: str, size: tuple[int, int], colors: Palette, dice: np.random.Generator, *, wind: float, rush: str
    ) -> None:
        self._kind, self._size, self._wind = kind, size, wind
        self._sheets: dict[str, Image.Image] = {}
        self._rush: list[Image.Image] = []
        bright = mix(colors.white, colors.glow, 0.4)
        if rush == "fight":
            self._rush = [_focus(size, dice, bright) for _ in range(3)]
        elif rush in ("run", "fly"):
            self._rush = [_streaks(size, dice, 30, lengths=(120, 320), toward=(-1.0 * wind, 0.03), tint=(bright, 0.28))]
        self._inked = max(colors.sky[0]) - min(colors.sky[0]) < 20 and not colors.dark  # noqa: PLR2004 (white lines don't show on white paper)
        if kind == "rain":
            tint = mix(colors.white, colors.glow, 0.35) if colors.dark else mix(colors.cloud_dark, colors.white, 0.45)
            self._sheets["back"] = _streaks(
                size, dice, 170, lengths=(22, 44), toward=(0.16 * wind, 1.0), tint=(tint, 0.34)
            )
            self._sheets["front"] = _streaks(
                size, dice, 44, lengths=(60, 120), toward=(0.16 * wind, 1.0), tint=(tint, 0.42)
            )
        self._banks: list[Layer] = []
        if kind == "fog":
            self._banks = [_bank(size, dice, mix(colors.sky[3], colors.white, 0.25)) for _ in range(2)]
        behind, before = FLAKES.get(kind, (0, 0))
        self._flakes = {"back": dice.random((behind, 5)), "front": dice.random((before, 5))}
        self._looks = {"back": _looks(kind, colors, 1.0), "front": _looks(kind, colors, 1.9)} if behind else {}

    def fall(self, canvas: Image.Image, depth: str, t: float) -> Image.Image:
        """Return the canvas with the weather of a depth ("back" or "front") at `t` seconds."""
        if depth in self._sheets:
            near = 1.45 if depth == "front" else 1.0
            down = 620 * near * t
            sheet = ImageChops.offset(self._sheets[depth], round(down * 0.16 * self._wind), round(down))
            canvas = ImageChops.screen(canvas, sheet)
        if self._banks:
            bank, speed, level = (self._banks[0], 14, 0.42) if depth == "back" else (self._banks[1], 30, 0.6)
            bank.lay(canvas, self._wind * (speed * t - 90) - self._size[0] / 2, round(self._size[1] * level))
        if depth == "front" and self._rush:
            lines = self._rush[int(t * 8) % len(self._rush)]
            if len(self._rush) == 1:
                lines = ImageChops.offset(lines, round(-1500 * t * self._wind), 0)
            canvas = ImageChops.subtract(canvas, lines) if self._inked else ImageChops.screen(canvas, lines)
        for flake in self._flakes.get(depth, ()):
            self._place(canvas, depth, flake, t)
        return canvas

    def _place(self, canvas: Image.Image, depth: str, flake: Points, t: float) -> None:
        width, height = self._size[0] + 120, self._size[1] + 80
        x0, y0, speed, swing, look = flake
        near = 1.7 if depth == "front" else 1.0
        sink, drift = {
            "snow": (52, 22),
            "petals": (56, 60),
            "leaves": (66, 90),
            "embers": (-74, 16),
            "fireflies": (-6, 6),
        }.get(self._kind, (-5, 12))
        y = (y0 * height + sink * near * (0.6 + 0.8 * speed) * t) % height - 40
        x = (
            x0 * width
            + drift * self._wind * near * (0.6 + 0.8 * speed) * t
            + np.sin(t * (0.9 + speed) + swing * 6.3) * 18
        )
        looks = self._looks[depth]
        sizes = len(looks) // TURNS
        which = int(look * sizes) * TURNS + int(t * 8 * (0.4 + speed) + swing * TURNS) % TURNS
        looks[which].lay(canvas, float(x % width - 60), round(y))


def _streaks(
    size: tuple[int, int],
    dice: np.random.Generator,
    many: int,
    *,
    lengths: tuple[int, int],
    toward: tuple[float, float],
    tint: tuple[RGB, float],
) -> Image.Image:
    """Return slanted lines on black that tile in both directions; `tint` is their colour and how bright it shines."""
    color, light = tint
    sheet = Image.new("RGB", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(sheet)
    for x, y, long, glow in dice.random((many, 4)):
        reach = lengths[0] + long * (lengths[1] - lengths[0])
        shown = mix((0, 0, 0), color, light * (0.35 + 0.65 * glow))
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                at = ((x + dx) * size[0] * 2, (y + dy) * size[1] * 2)
                draw.line(
                    [at, (at[0] + toward[0] * reach * 2, at[1] + toward[1] * reach * 2)],
                    fill=shown,
                    width=1 + lengths[1] // 40,
                )
    return sheet.reduce(2)


def _bank(size: tuple[int, int], dice: np.random.Generator, color: RGB) -> Layer:
    """Return a bank of fog, twice as wide as the picture."""
    wide, high = size[0] * 2, size[1] // 2
    rows = np.sin(np.linspace(0, np.pi, high))[:, None]
    sides = np.sin(np.linspace(0, np.pi, wide))[None, :] ** 0.3
    thick = np.clip(noise((wide, high), dice, cell=(420, 90)) * 1.3 - 0.2, 0, 1) * rows * sides * 215
    bank = Image.new("RGBA", (wide, high), color)
    bank.putalpha(Image.fromarray(thick.astype(np.uint8)))
    return Layer(bank)


def _focus(size: tuple[int, int], dice: np.random.Generator, color: RGB) -> Image.Image:
    """Return the lines of a fight on black: they point at the middle from all sides."""
    sheet = Image.new("RGB", (size[0] * 2, size[1] * 2))
    draw = ImageDraw.Draw(sheet)
    for angle, near, wide in zip(
        dice.uniform(0, 6.3, 90), dice.uniform(0.82, 1.1, 90), dice.uniform(0.004, 0.014, 90), strict=True
    ):
        tip = (size[0] * (1 + near * np.cos(angle)), size[1] * (1 + near * np.sin(angle)))
        foot = [(size[0] * (1 + 2 * np.cos(angle + a)), size[1] * (1 + 2 * np.sin(angle + a))) for a in (-wide, wide)]
        draw.polygon([tip, *foot], fill=mix((0, 0, 0), color, dice.uniform(0.2, 0.55)))
    return sheet.reduce(2)


def _looks(kind: str, colors: Palette, scale: float) -> list[Layer]:
    """Return TURNS pictures for each of three sizes."""
    steps = [(size * scale, step / TURNS) for size in (3.2, 4.6, 6.4) for step in range(TURNS)]
    return [Layer(_look(kind, colors, size, turned, blur=scale > 1)) for size, turned in steps]


def _look(kind: str, colors: Palette, size: float, turned: float, *, blur: bool) -> Image.Image:
    angle = turned * 2 * np.pi
    cel = Cel(ink=colors.ink, cool=colors.cool)
    if kind in ("petals", "leaves"):
        leaf = [(0, -1.5), (0.8, -0.4), (0.7, 0.7), (0.12, 1.5), (0, 1.2), (-0.12, 1.5), (-0.7, 0.7), (-0.8, -0.4)]
        flat = smooth(leaf) * size * (0.35 + 0.65 * abs(np.cos(angle)), 1.0)
        tone = colors.petal if kind == "petals" else mix((232, 128, 50), colors.accent, turned)
        tone = (
            mix(tone, colors.cool, 0.25 * (np.sin(angle) < 0))
            if kind == "petals" or not colors.dark
            else mix(tone, colors.cool, 0.3)
        )
        cel.add(turn(flat, angle * 0.7 + 0.6), tone)
    elif kind == "snow":
        cel.add(ellipse(0, 0, size * 0.75), colors.white)
    room = int(size * 5) + 4
    picture = paint(cel, (room, room), origin=(-room / 2, -room / 2), over=3)
    if kind in ("embers", "fireflies", "dust"):
        tone = {"embers": (255, 150, 60), "fireflies": mix(colors.lamp, (220, 255, 150), 0.4)}.get(
            kind, mix(colors.white, colors.glow, 0.4)
        )
        y, x = np.mgrid[0:room, 0:room] - (room - 1) / 2
        far = np.clip(1 - np.hypot(x, y) / (room / 2), 0, 1)
        breath = 0.65 + 0.35 * np.sin(angle) if kind != "dust" else 0.45
        halo = np.clip(far**3 * 0.7 + (far > 0.72) * 0.6, 0, 1) * breath * 255  # noqa: PLR2004
        picture = Image.new("RGBA", (room, room), tone)
        picture.putalpha(Image.fromarray(halo.astype(np.uint8)))
    return picture.filter(ImageFilter.GaussianBlur(1.3 if kind != "snow" else 2.0)) if blur else picture
