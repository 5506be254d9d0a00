"""Open country: hills, fields, woods, mountains, the sea, a shrine, and other planets, as cels from far to near."""

from collections.abc import Callable

import numpy as np

from gpu.engines.drawing.cel import mix
from gpu.engines.drawing.curve import box, ellipse, points, ribbon, ridge, smooth
from gpu.engines.drawing.palette import Palette
from gpu.engines.drawing.plane import HORIZON, LEFT, RIGHT, Planes
from gpu.engines.drawing.plant import grass, pine, sunflower, tree


def sunflowers(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a field in which sunflowers grow."""
    field(p, colors, dice, flowers=True)


def field(p: Planes, colors: Palette, dice: np.random.Generator, *, flowers: bool = False) -> None:
    """Draw a field: far hills, rows of green, and grass before the lens."""
    p["far"].add(ridge(dice, LEFT, RIGHT, 286, 26), colors.far)
    p["far"].add(ridge(dice, LEFT, RIGHT, 304, 12), mix(colors.far, colors.mid, 0.5))
    for x in np.linspace(LEFT, RIGHT, 24):
        tree(p["far"], (x + dice.uniform(-16, 16), 318), dice.uniform(20, 44), mix(colors.mid, colors.far, 0.3), dice)
    p["mid"].add(ridge(dice, LEFT, RIGHT, 322, 5, count=5), mix(colors.ground, colors.leaf, 0.3))
    for i in range(11):
        y = 326 + i**1.7 * 3.1
        band = mix(mix(colors.ground, colors.leaf, i / 11), colors.cool, 0.12 * (i % 2))
        p["mid"].add([(LEFT, y), (RIGHT, y + 2), (RIGHT, y + 40), (LEFT, y + 42)], band)
        for _ in range(64 - i * 3 if flowers else 0):
            x, r = dice.uniform(LEFT, RIGHT), 1.3 + i * 0.62
            p["mid"].add(
                ellipse(x, y + dice.uniform(-2, 8), r * 1.3, r, count=9),
                mix((255, 200, 50), (240, 140, 30), dice.random()),
            )
            p["mid"].add(ellipse(x, y + 1, r * 0.5, r * 0.4, count=7), (110, 66, 40))
    p["near"].add(ridge(dice, LEFT, RIGHT, 440, 8, count=6), mix(colors.leaf, colors.cool, 0.1))
    for _ in range(15 if flowers else 0):
        sunflower(p["near"], (dice.uniform(LEFT, RIGHT), dice.uniform(398, 452)), dice.uniform(19, 27), colors, dice)
    grass(p["near"], 470, 60, colors.leaf, dice)
    if flowers:
        for x, y, size in ((-30, 372, 60), (86, 430, 48), (740, 420, 52), (856, 366, 66)):
            sunflower(p["front"], (x + dice.uniform(-10, 10), y), size, colors, dice)
    grass(p["front"], 500, 90, mix(colors.leaf, colors.cool, 0.35), dice, count=60)


def mountain(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a snowy peak above lesser ranges and pines."""
    x, top = dice.uniform(240, 600), dice.uniform(96, 130)
    slope = [
        (x - 420, 340),
        (x - 210, 236),
        (x - 70, top + 30),
        (x - 26, top),
        (x + 30, top + 3),
        (x + 84, top + 44),
        (x + 220, 240),
        (x + 430, 340),
    ]
    peak = smooth(slope, closed=False)
    p["far"].add(np.vstack([peak, [(x + 430, 600), (x - 420, 600)]]), colors.far)
    p["far"].add(
        [(x + 30, top + 3), (x + 84, top + 44), (x + 220, 240), (x + 430, 340), (x + 40, 340), (x + 60, 200)],
        mix(colors.far, colors.cool, 0.2),
        alpha=0.6,
    )
    snow = [
        (x - 70, top + 30),
        (x - 26, top),
        (x + 30, top + 3),
        (x + 84, top + 44),
        (x + 56, top + 84),
        (x + 34, top + 52),
        (x + 8, top + 98),
        (x - 14, top + 56),
        (x - 44, top + 92),
        (x - 58, top + 58),
        (x - 96, top + 84),
    ]
    p["far"].add(snow, mix(colors.cloud, colors.white, 0.6))
    for k, (y, rough) in enumerate(((292, 34), (326, 26))):
        p["mid"].add(ridge(dice, LEFT, RIGHT, y, rough), mix(colors.far, colors.mid, 0.45 + 0.4 * k))
    for x in np.sort(dice.uniform(LEFT, RIGHT, 46)):
        pine(p["mid"], x, 372 + dice.uniform(-8, 12), dice.uniform(50, 90), mix(colors.mid, colors.leaf, 0.4))
    p["near"].add(ridge(dice, LEFT, RIGHT, 408, 14), mix(colors.ground, colors.cool, 0.12))
    for x in np.sort(dice.uniform(LEFT, RIGHT, 14)):
        pine(p["near"], x, 470, dice.uniform(90, 170), mix(colors.leaf, colors.near, 0.4))
    grass(p["front"], 500, 80, mix(colors.leaf, colors.cool, 0.4), dice)


def forest(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw trunks behind trunks, and leaves that frame the picture."""
    for plane, count, wide, tone in (("far", 16, 22, 0.55), ("mid", 11, 36, 0.25), ("near", 5, 62, 0.0)):
        color = mix(mix((96, 74, 70), colors.near, 0.5), colors.sky[2], tone)
        leaf = mix(mix(colors.leaf, colors.cool, 0.1), colors.sky[2], tone * 0.8)
        p[plane].add(ridge(dice, LEFT, RIGHT, 352 + 44 * (1 - tone), 12), mix(leaf, colors.ground, 0.3))
        for x in np.linspace(LEFT, RIGHT, count) + dice.uniform(-26, 26, count):
            if plane == "near" and 220 < x < 600:  # noqa: PLR2004 (room for the subject)
                continue
            lean = dice.uniform(-18, 18)
            p[plane].add(
                ribbon([(x, 480), (x + lean * 0.4, 250), (x + lean, -60)], (wide * 1.5, wide, wide * 0.7)),
                mix(color, colors.cool, dice.uniform(0, 0.2)),
            )
        for _ in range(30):
            p[plane].add(
                ellipse(
                    dice.uniform(LEFT, RIGHT),
                    dice.uniform(-50, 70 + 60 * tone),
                    dice.uniform(26, 64),
                    dice.uniform(18, 42),
                ),
                mix(leaf, (240, 255, 180), dice.uniform(0, 0.25)),
            )
        grass(p[plane], 400 + 60 * (1 - tone), 40, leaf, dice, count=60)
    for x in (-40, 30, 800, 880):
        for _ in range(9):
            p["front"].add(
                ellipse(
                    x + dice.uniform(-70, 70), dice.uniform(-30, 90), dice.uniform(20, 46), 16, tilt=dice.uniform(-1, 1)
                ),
                mix(colors.leaf, colors.ink, 0.55),
            )
    grass(p["front"], 500, 90, mix(colors.leaf, colors.ink, 0.4), dice)


def sea(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw the open sea with glitter, islands and breaking waves."""
    water = mix(colors.sky[0], (40, 150, 180), 0.3)
    for _ in range(3):
        x = dice.uniform(LEFT, RIGHT)
        p["far"].add(
            smooth([(x - 120, 318), (x - 50, 284), (x, 268 + dice.uniform(-10, 16)), (x + 60, 290), (x + 130, 318)]),
            colors.far,
        )
    p["mid"].add(box(LEFT, HORIZON, RIGHT - LEFT, 300), mix(water, colors.sky[3], 0.35))
    for i in range(10):
        y = HORIZON + 4 + i**1.75 * 3.2
        p["mid"].add(
            ridge(dice, LEFT, RIGHT, y, 1 + i * 0.5, count=18), mix(water, colors.sky[3], max(0.32 - i * 0.035, 0))
        )
        for _ in range(26 - i):
            x, long = dice.uniform(LEFT, RIGHT), (8 + i * 5) * dice.uniform(0.5, 1.3)
            p["mid"].stroke(
                [(x - long, y + 6), (x, y + 4.5), (x + long, y + 6)],
                1.0 + i * 0.22,
                mix(colors.glow, colors.sky[3], 0.3),
            )
    p["near"].add(ridge(dice, LEFT, RIGHT, 448, 10, count=14), mix(water, colors.cool, 0.2))
    crest = ridge(dice, LEFT, RIGHT, 452, 10, count=14)[:-2]
    p["near"].stroke(crest, 5, mix(colors.white, water, 0.2))
    front = ridge(dice, LEFT, RIGHT, 482, 10, count=10)
    p["front"].add(front, mix(water, colors.cool, 0.42))
    p["front"].stroke(front[:-2], 7, mix(colors.white, water, 0.15))


def shrine(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a torii among hills, with stone lanterns and a pine branch before the lens."""
    for k, (y, rough) in enumerate(((250, 60), (292, 40), (330, 22))):
        p[("far", "far", "mid")[k]].add(
            ridge(dice, LEFT, RIGHT, y, rough, count=11), mix(colors.far, colors.mid, 0.35 * k)
        )
    x = dice.choice((210.0, 600.0))
    gate = mix(colors.accent, colors.cool, 0.16)
    for side in (-1, 1):
        p["mid"].add(ribbon([(x + side * 112, 420), (x + side * 98, 190)], (24, 19)), gate, shade=6)
    p["mid"].add(box(x - 128, 222, 256, 15), gate, shade=5)
    p["mid"].add(
        smooth(
            [
                (x - 168, 166),
                (x - 90, 176),
                (x, 179),
                (x + 90, 176),
                (x + 168, 166),
                (x + 160, 192),
                (x, 199),
                (x - 160, 192),
            ]
        ),
        gate,
        shade=6,
    )
    p["mid"].add(
        smooth([(x - 172, 154), (x, 168), (x + 172, 154), (x + 168, 167), (x, 180), (x - 168, 167)]),
        mix(colors.ink, gate, 0.25),
    )
    p["mid"].add(box(x - 10, 196, 20, 28), gate, shade=4)
    p["near"].add(ridge(dice, LEFT, RIGHT, 410, 8), mix(colors.ground, colors.mid, 0.3))
    stone = mix(colors.wall, colors.mid, 0.45)
    for lx in (x - 250, x + 250):
        for outline in (box(lx - 12, 370, 24, 70), box(lx - 24, 344, 48, 28), box(lx - 30, 434, 60, 16)):
            p["near"].add(outline, stone, shade=6)
        p["near"].add([(lx - 42, 346), (lx - 10, 318), (lx + 10, 318), (lx + 42, 346)], stone, shade=6)
        p["near"].add(box(lx - 10, 350, 20, 16), colors.lamp)
    grass(p["near"], 470, 46, colors.leaf, dice)
    branch = mix(colors.ink, colors.leaf, 0.25)
    p["front"].add(
        ribbon([(932, -10), (800, 40), (690, 36), (610, 66)], (30, 16, 9, 2)), mix(branch, (90, 60, 50), 0.4)
    )
    for i in range(26):
        at = np.array([dice.uniform(620, 930), dice.uniform(-10, 96)])
        fan = [at + np.array([np.cos(a) * 30, np.sin(a) * 16 - 4]) for a in np.linspace(np.pi, 2 * np.pi, 7)]
        p["front"].add(points([tuple(at), *map(tuple, fan)]), mix(branch, colors.leaf, 0.3 * (i % 2)))


def space(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a ringed planet over the plains of a moon."""
    x, y, r = dice.uniform(480, 680), dice.uniform(120, 180), dice.uniform(80, 120)
    world = mix(colors.accent, colors.sky[2], 0.25)
    ring = ellipse(0, 0, r * 1.85, r * 0.42, tilt=-0.3, count=80) + np.array([x, y])
    p["far"].add(ribbon(np.vstack([ring[40:], ring[:1]]), (7, 5, 7)), mix(colors.glow, world, 0.5))
    disc = p["far"].add(ellipse(x, y, r, count=60), world, shade=r * 0.5, dark=mix(world, colors.sky[0], 0.7))
    for i in range(6):
        band = y - r + r * 2 * (i + 0.5) / 6
        p["far"].add(
            smooth([(x - r, band), (x, band + 14), (x + r, band), (x, band + 22)]),
            mix(world, colors.white, 0.3),
            alpha=0.35,
            clip=disc,
        )
    p["far"].add(ribbon(ring[:41], (7, 11, 7)), mix(colors.glow, colors.white, 0.4))
    p["far"].add(ellipse(x - r * 2.6, y + 10, r * 0.2), mix(colors.far, colors.white, 0.4), shade=7)
    for plane, level, tone in (("mid", 352.0, 0.35), ("near", 424.0, 0.1)):
        soil = mix(colors.far, colors.ground, 1 - tone)
        p[plane].add(ridge(dice, LEFT, RIGHT, level, 18, count=12), soil)
        for _ in range(14):
            cx, cy, w = dice.uniform(LEFT, RIGHT), level + dice.uniform(18, 90), dice.uniform(12, 44)
            p[plane].add(ellipse(cx, cy, w, w * 0.26), mix(soil, colors.ink, 0.4))
            p[plane].add(ellipse(cx + 3, cy + 2.5, w * 0.92, w * 0.2), mix(soil, colors.glow, 0.12))
    p["front"].add(ridge(dice, LEFT, RIGHT, 496, 22, count=7), mix(colors.ground, colors.ink, 0.6))


LAND: dict[str, Callable[[Planes, Palette, np.random.Generator], None]] = {
    "field": field,
    "sunflowers": sunflowers,
    "mountain": mountain,
    "forest": forest,
    "sea": sea,
    "shrine": shrine,
    "space": space,
}
