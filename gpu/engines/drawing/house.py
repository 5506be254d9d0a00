"""Houses and what stands along a street: fronts with windows, shop signs, poles and wires."""

import numpy as np

from gpu.engines.drawing.cel import RGB, Cel, mix
from gpu.engines.drawing.curve import box, ribbon, round_box
from gpu.engines.drawing.palette import Palette
from gpu.engines.drawing.plane import LEFT, RIGHT

SIGNS: tuple[RGB, ...] = ((255, 84, 150), (72, 224, 234), (255, 200, 90), (150, 110, 255), (110, 240, 160))


def block(
    cel: Cel,
    outline: tuple[float, float, float, float],
    color: RGB,
    colors: Palette,
    dice: np.random.Generator,
    *,
    lit: float,
    pane: float = 7.0,
) -> None:
    """Draw a house front: x, y, width and the y of its foot in pixels; the part `lit` of its windows shines."""
    x, y, wide, base = outline
    cel.add(box(x, y, wide, base - y), color)
    cel.add(box(x + wide * 0.72, y, wide * 0.28, base - y), mix(color, colors.cool, 0.28))
    cel.add(box(x - 2, y - 4, wide + 4, 6), mix(color, colors.ink, 0.2))
    across, down = max(1, int(wide / (pane * 2))), max(1, int((base - y) / (pane * 2.4)))
    for i in range(across):
        for j in range(down):
            light = dice.random() < lit
            glass = (
                mix(colors.lamp, SIGNS[int(dice.integers(5))], 0.35 * (dice.integers(4) == 0))
                if light
                else mix(color, colors.sky[1], 0.4)
            )
            cel.add(box(x + pane * (0.5 + i * 2), y + pane * (1 + j * 2.4), pane * 1.1, pane * 1.4), glass)


def sign(cel: Cel, outline: tuple[float, float, float, float], color: RGB, dice: np.random.Generator) -> None:
    """Draw a shop sign (x, y, width, height) with strokes that read as writing from afar."""
    x, y, wide, tall = outline
    cel.add(round_box(x - 3, y - 3, wide + 6, tall + 6, 5), mix(color, (10, 6, 24), 0.72))
    frame = round_box(x, y, wide, tall, 4)
    cel.wire(np.vstack([frame, frame[:1]]), 2.0, color)
    count = max(1, int(max(wide, tall) / (min(wide, tall) * 0.9)))
    for k in range(count):
        cx = x + wide * (0.5 if tall > wide else (k + 0.5) / count)
        cy = y + tall * ((k + 0.5) / count if tall > wide else 0.5)
        u = min(wide, tall) * 0.3
        for _ in range(4):
            a, b, c, d = dice.uniform(-u, u, 4)
            line = (
                [(cx - u, cy + a), (cx + u, cy + a + c * 0.2)]
                if dice.integers(2)
                else [(cx + b, cy - u), (cx + b + d * 0.4, cy + u)]
            )
            cel.wire(line, 2.2, mix(color, (255, 255, 255), 0.55))


def pole(cel: Cel, x: float, base: float, tall: float, color: RGB) -> None:
    """Draw a telegraph pole with its arms."""
    cel.add(ribbon([(x, base), (x + 2, base - tall)], (tall * 0.03, tall * 0.022)), color)
    for k in (0.06, 0.14):
        cel.add(box(x - tall * 0.12, base - tall * (1 - k), tall * 0.25, tall * 0.016), color)
    cel.add(round_box(x + 4, base - tall * 0.74, tall * 0.06, tall * 0.1, 3), color)


def wires(cel: Cel, y: float, color: RGB, *, sag: float = 26.0) -> None:
    """Draw telegraph wires across the whole picture."""
    for k in range(4):
        cel.wire(
            [
                (LEFT, y - 20 + 9 * k),
                (150, y + sag + 6 * k),
                (420, y + 4 + 7 * k),
                (690, y + sag + 3 * k),
                (RIGHT, y - 34 + 9 * k),
            ],
            1.5,
            color,
        )


def fence(cel: Cel, rail: RGB) -> None:
    """Draw the mesh fence of a roof across the whole picture."""
    for x in np.arange(LEFT, RIGHT, 13):
        cel.wire([(x, 300), (x + 66, 432)], 0.9, rail)
        cel.wire([(x + 66, 300), (x, 432)], 0.9, rail)
    for y in (300, 430):
        cel.add(box(LEFT, y, RIGHT - LEFT, 5), rail)
    for x in np.arange(LEFT, RIGHT, 118):
        cel.add(box(x, 290, 6, 150), mix(rail, cel.ink, 0.15))
