"""Plants: trees, pines, grass and sunflowers, for whatever setting grows them."""

import numpy as np

from gpu.engines.drawing.cel import RGB, Cel, mix
from gpu.engines.drawing.curve import ellipse, ribbon, smooth
from gpu.engines.drawing.palette import Palette
from gpu.engines.drawing.plane import LEFT, RIGHT


def tree(cel: Cel, at: tuple[float, float], size: float, leaf: RGB, dice: np.random.Generator) -> None:
    """Draw a round leafy tree that stands at a point."""
    x, y = at
    cel.add(
        ribbon([(x, y), (x + size * 0.03, y - size * 0.5)], (size * 0.12, size * 0.07)), mix((92, 66, 58), leaf, 0.3)
    )
    for tone, lift in ((-0.3, 0.0), (0.0, 0.08), (0.22, 0.18)):
        color = mix(leaf, (255, 255, 230), tone) if tone > 0 else mix(leaf, cel.cool, -tone)
        for _ in range(7):
            angle, far = dice.uniform(0, 6.3), dice.uniform(0, 0.28) * (1 - lift)
            centre = (
                x + np.cos(angle) * size * far - lift * size * 0.4,
                y - size * (0.68 + lift) + np.sin(angle) * size * far * 0.7,
            )
            cel.add(ellipse(*centre, size * dice.uniform(0.13, 0.24) * (1 - lift)), color)


def pine(cel: Cel, x: float, y: float, size: float, leaf: RGB) -> None:
    """Draw a conifer."""
    for i in range(4):
        top, wide = y - size * (1 - i * 0.2), size * (0.13 + 0.07 * i)
        cel.add(
            [
                (x, top - size * 0.08),
                (x + wide, top + size * 0.3),
                (x, top + size * 0.24),
                (x - wide, top + size * 0.3),
            ],
            mix(leaf, cel.cool, 0.1 + 0.12 * (i % 2)),
        )


def grass(cel: Cel, y: float, tall: float, color: RGB, dice: np.random.Generator, *, count: int = 90) -> None:
    """Draw a fringe of grass along the lower edge."""
    for _ in range(count):
        x, t = dice.uniform(LEFT, RIGHT), tall * dice.uniform(0.5, 1.2)
        bend = dice.uniform(-0.1, 0.5) * t
        blade = [(x, y + 30), (x + bend * 0.3, y - t * 0.5), (x + bend, y - t)]
        cel.add(
            ribbon(blade, (t * 0.10 + 2, t * 0.08 + 1, 0.5), steps=3),
            mix(color, cel.cool if dice.integers(2) else (255, 250, 190), dice.uniform(0, 0.3)),
        )


def sunflower(cel: Cel, at: tuple[float, float], size: float, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a sunflower whose face is at a point."""
    x, y = at
    cel.add(
        ribbon([(x, y), (x + 4, y + size * 2), (x - 2, y + size * 5)], (size * 0.16, size * 0.2)),
        mix(colors.leaf, colors.cool, 0.15),
    )
    for side in (-1, 1):
        leaf = [
            (x, y + size * 2.2),
            (x + side * size * 0.8, y + size * 1.5),
            (x + side * size * 1.4, y + size * 1.9),
            (x + side * size * 0.7, y + size * 2.2),
        ]
        cel.add(smooth(leaf), mix(colors.leaf, (255, 255, 200), 0.1))
    yellow = mix((255, 198, 40), colors.cool, 0.22 if colors.dark else 0.0)
    start = dice.uniform(0, 1)
    for ring, tone in ((1.0, 0.22), (0.86, 0.0)):
        for i in range(15):
            a = (i + ring * 2 + start) / 15 * 2 * np.pi
            tip = np.array([np.cos(a), np.sin(a)]) * size * ring
            across = np.array([-np.sin(a), np.cos(a)]) * size * 0.16
            cel.add(
                smooth(np.array([tip, tip * 0.6 + across, tip * 0.3, tip * 0.6 - across]) + np.array([x, y]), steps=3),
                mix(yellow, (226, 104, 30), tone),
            )
    cel.add(ellipse(x, y, size * 0.46), (104, 62, 34))
    cel.add(ellipse(x - size * 0.06, y - size * 0.08, size * 0.3), (142, 90, 48))
