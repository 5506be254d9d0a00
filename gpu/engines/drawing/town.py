"""Where people live: a city street, a rooftop, a hill town, a school, a castle and a café, as cels from far to near."""

from collections.abc import Callable

import numpy as np

from gpu.engines.drawing.cel import mix
from gpu.engines.drawing.curve import box, ellipse, ribbon, ridge, round_box, smooth
from gpu.engines.drawing.house import SIGNS, block, fence, pole, sign, wires
from gpu.engines.drawing.palette import Palette
from gpu.engines.drawing.plane import HORIZON, LEFT, RIGHT, Planes
from gpu.engines.drawing.plant import grass, tree


def city(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a street: a skyline, shop fronts with signs on both sides, and a pavement."""
    lit = 0.5 if colors.dark else 0.12
    x = LEFT
    while x < RIGHT:
        wide = dice.uniform(34, 74)
        block(
            p["far"],
            (x, dice.uniform(120, 240), wide, 420),
            mix(colors.far, colors.sky[2], 0.3),
            colors,
            dice,
            lit=lit * 0.8,
            pane=4.5,
        )
        x += wide * 0.94
    for x0, step, stop in ((LEFT, 1, 260), (RIGHT, -1, 590)):
        x = x0
        while (stop - x) * step > 0:
            wide = dice.uniform(92, 140)
            left = x if step > 0 else x - wide
            rise = 20 + 150 * abs(x - x0) / 360
            block(
                p["mid"],
                (left, rise + dice.uniform(0, 40), wide, 470),
                mix(colors.mid, colors.wall, dice.uniform(0.2, 0.7)),
                colors,
                dice,
                lit=lit,
                pane=8.5,
            )
            for _ in range(2):
                hue = (
                    SIGNS[int(dice.integers(5))]
                    if colors.dark
                    else mix(SIGNS[int(dice.integers(5))], colors.wall, 0.25)
                )
                tall = dice.uniform(70, 120)
                sign(p["mid"], (left + dice.uniform(8, wide - 34), dice.uniform(130, 290), 24, tall), hue, dice)
            sign(p["mid"], (left + 8, 366, wide - 18, 26), SIGNS[int(dice.integers(5))], dice)
            p["mid"].add(
                box(left + 10, 398, wide - 22, 60), mix(colors.lamp, colors.wall, 0.2 if colors.dark else 0.55)
            )
            x += step * wide
    asphalt = mix(mix(colors.wall, colors.cool, 0.35), colors.ground, 0.7 if colors.dark else 0.0)
    p["near"].add([(LEFT, 446), (RIGHT, 446), (RIGHT, 620), (LEFT, 620)], asphalt)
    for k in range(5):
        y = 452 + k * k * 3.2
        p["near"].wire([(LEFT, y), (RIGHT, y)], 1.2 + k * 0.4, mix(asphalt, colors.glow, 0.2))
    pole(p["near"], 150 if dice.random() < 0.5 else 690, 470, 400, mix(colors.near, colors.ink, 0.5))  # noqa: PLR2004
    wires(p["near"], 74, mix(colors.near, colors.ink, 0.6))
    dark = mix(colors.near, colors.ink, 0.55)
    for x in (-36, 812):
        p["front"].add(box(x, -30, 56, 600), dark)
        sign(p["front"], (x + 10, 70, 34, 150), SIGNS[int(dice.integers(5))], dice)


def rooftop(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a roof over the city with its mesh fence and water tank."""
    lit = 0.5 if colors.dark else 0.1
    for plane, low, high, tone in (("far", 200, 270, 0.45), ("mid", 270, 340, 0.1)):
        x = LEFT
        while x < RIGHT:
            wide = dice.uniform(30, 80)
            block(
                p[plane],
                (x, dice.uniform(low, high), wide, 470),
                mix(mix(colors.mid, colors.wall, 0.3), colors.sky[2], tone),
                colors,
                dice,
                lit=lit,
                pane=4.0 + 2 * (0.45 - tone),
            )
            x += wide * 0.96
    fence(p["near"], mix(colors.near, colors.sky[1], 0.35))
    p["near"].add(box(LEFT, 434, RIGHT - LEFT, 200), mix(colors.wall, colors.ground, 0.5))
    p["near"].add(box(LEFT, 434, RIGHT - LEFT, 12), mix(colors.wall, colors.white, 0.25))
    x = dice.choice((30.0, 690.0))
    p["near"].add(round_box(x, 190, 110, 140, 12), mix(colors.wall, colors.metal, 0.5), shade=16)
    for k in (8, 50, 92):
        p["near"].add(box(x + k, 326, 9, 116), mix(colors.wall, colors.ink, 0.4))
    wires(p["front"], 60, mix(colors.near, colors.ink, 0.5))


def hill(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a hillside town above a bay, telegraph poles, and the slope where one stands."""
    p["far"].add(box(LEFT, HORIZON - 8, RIGHT - LEFT, 60), mix(colors.sky[1], colors.sky[3], 0.35))
    p["far"].add(ridge(dice, LEFT, RIGHT, 296, 18), colors.far)
    p["mid"].add(ridge(dice, LEFT, RIGHT, 330, 14), colors.mid)
    roofs = [(206, 106, 86), (92, 108, 148), (150, 92, 96), (110, 138, 132)]
    for i in range(46):
        y = 322 + i * 1.9 + dice.uniform(-4, 4)
        x, size = dice.uniform(LEFT, RIGHT), 15 + i * 0.42
        wall = mix(colors.wall, colors.far, 0.25 * (1 - i / 46))
        p["mid"].add(box(x, y, size * 1.5, size), wall)
        p["mid"].add(box(x + size, y, size * 0.5, size), mix(wall, colors.cool, 0.25))
        roof = mix(mix(roofs[int(dice.integers(4))], colors.mid, 0.35), colors.sky[1], 0.12)
        p["mid"].add(
            [
                (x - 4, y + 2),
                (x + size * 0.3, y - size * 0.55),
                (x + size * 1.2, y - size * 0.55),
                (x + size * 1.5 + 4, y + 2),
            ],
            roof,
        )
        pane = colors.lamp if colors.dark or dice.random() < 0.12 else mix(wall, colors.sky[0], 0.5)  # noqa: PLR2004
        p["mid"].add(box(x + size * 0.3, y + size * 0.35, size * 0.3, size * 0.3), pane)
        if i % 3 == 0:
            tree(p["mid"], (x - 14, y + size), size * 1.7, mix(colors.leaf, colors.mid, 0.3), dice)
    for x, tall in ((120, 240), (330, 180), (520, 150), (700, 230)):
        pole(p["mid"], x + dice.uniform(-20, 20), 430, tall, mix(colors.near, colors.ink, 0.4))
    wires(p["mid"], 212, mix(colors.near, colors.ink, 0.4))
    p["near"].add(ridge(dice, LEFT, RIGHT, 428, 12, count=6), colors.ground)
    grass(p["near"], 462, 54, colors.leaf, dice, count=130)
    grass(p["front"], 500, 96, mix(colors.leaf, colors.cool, 0.38), dice, count=70)


def school(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a school front with its clock, and cherry trees along the yard."""
    p["far"].add(ridge(dice, LEFT, RIGHT, 300, 16), colors.far)
    wall = mix(colors.wall, colors.white, 0.3)
    block(p["mid"], (120, 176, 600, 420), wall, colors, dice, lit=0.6 if colors.dark else 0.05, pane=13)
    p["mid"].add(box(366, 110, 108, 310), mix(wall, colors.white, 0.2), shade=12)
    p["mid"].add(ellipse(420, 150, 25), colors.white, line=2.6, ink=mix(wall, colors.ink, 0.6))
    p["mid"].stroke([(420, 150), (420, 133)], 3, colors.ink)
    p["mid"].stroke([(420, 150), (432, 155)], 3, colors.ink)
    p["near"].add(ridge(dice, LEFT, RIGHT, 418, 3, count=5), mix(colors.wall, (214, 176, 130), 0.5))
    for x in (-30, 110, 720, 850):
        tree(
            p["near"],
            (x + dice.uniform(-16, 16), 440),
            dice.uniform(230, 290),
            mix(colors.petal, colors.cool, 0.06),
            dice,
        )
    for _ in range(12):
        p["front"].add(
            ellipse(dice.choice((-20, 850)) + dice.uniform(-80, 80), dice.uniform(-30, 60), 42, 26),
            mix(colors.petal, colors.cool, 0.2),
        )
    grass(p["front"], 506, 60, mix(colors.leaf, colors.cool, 0.3), dice)


def castle(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a castle on its rock above woods."""
    p["far"].add(ridge(dice, LEFT, RIGHT, 288, 44), colors.far)
    cx = dice.choice((250.0, 590.0))
    stone = mix(colors.wall, colors.far, 0.3)
    p["mid"].add(
        smooth([(cx - 260, 400), (cx - 130, 300), (cx, 284), (cx + 140, 306), (cx + 260, 400), (cx, 560)]),
        mix(colors.mid, stone, 0.3),
    )
    for dx, wide, top in ((-96, 44, 190), (88, 48, 180), (-46, 60, 150), (36, 54, 134), (-8, 46, 84)):
        p["mid"].add(box(cx + dx - wide / 2, top, wide, 330 - top), stone, shade=wide * 0.32)
        p["mid"].add(
            [(cx + dx - wide * 0.64, top + 2), (cx + dx, top - wide * 1.35), (cx + dx + wide * 0.64, top + 2)],
            mix(colors.accent, colors.cool, 0.4),
            shade=wide * 0.3,
        )
        p["mid"].stroke([(cx + dx, top - wide * 1.3), (cx + dx, top - wide * 1.3 - 22)], 2)
        p["mid"].add(
            [(cx + dx, top - wide * 1.3 - 22), (cx + dx + 26, top - wide * 1.3 - 15), (cx + dx, top - wide * 1.3 - 8)],
            colors.trim,
        )
        for k in range(3):
            p["mid"].add(
                round_box(cx + dx - 5, top + 22 + k * 38, 9, 17, 4),
                colors.lamp if colors.dark or k == 1 else mix(stone, colors.ink, 0.6),
            )
    for x in np.sort(dice.uniform(LEFT, RIGHT, 30)):
        tree(p["mid"], (x, 416), dice.uniform(50, 84), mix(colors.leaf, colors.mid, 0.4), dice)
    p["near"].add(ridge(dice, LEFT, RIGHT, 428, 14), colors.ground)
    grass(p["near"], 466, 50, colors.leaf, dice)
    grass(p["front"], 502, 80, mix(colors.leaf, colors.cool, 0.4), dice)


def room(p: Planes, colors: Palette, dice: np.random.Generator) -> None:
    """Draw a café: a wide window, shelves of cups, hanging lamps and the counter."""
    wood, plaster = (
        mix((150, 98, 66), colors.cool, 0.25 if colors.dark else 0.05),
        mix(colors.wall, (238, 206, 166), 0.6),
    )
    x = dice.choice((70.0, 470.0))
    wall = mix(plaster, colors.cool, 0.35 if colors.dark else 0.04)
    for outline in (
        box(LEFT, -60, x - LEFT, 640),
        box(x + 300, -60, RIGHT - x - 300, 640),
        box(x - 2, -60, 304, 110),
        box(x - 2, 330, 304, 260),
    ):
        p["mid"].add(outline, wall)
    for k in (0, 97, 194, 291):
        p["mid"].add(box(x + k, 46, 9, 290), wood)
    for y in (44, 180, 326):
        p["mid"].add(box(x - 8, y, 316, 9), wood, shade=2)
    for k in range(7):
        tree(p["far"], (x + k * 52, 350), dice.uniform(110, 180), mix(colors.leaf, colors.sky[2], 0.35), dice)
    shelf = 470 if x < 300 else 60  # noqa: PLR2004
    for y in (130, 208, 286):
        p["mid"].add(box(shelf, y, 300, 9), wood, shade=3)
        for k in range(9):
            cx, tall = shelf + 20 + k * 32, dice.uniform(22, 50)
            tone = (colors.cloth, colors.trim, colors.white, colors.accent, wood)[int(dice.integers(5))]
            p["mid"].add(round_box(cx - 10, y - tall, dice.uniform(15, 24), tall, 4), mix(tone, wall, 0.3), shade=4)
    for k, lx in enumerate((130, 420, 700)):
        p["near"].wire([(lx, -60), (lx, 56 + 14 * (k % 2))], 2.0, mix(wood, colors.ink, 0.5))
        y = 56 + 14 * (k % 2)
        p["near"].add(ellipse(lx, y + 32, 14, 12), mix(colors.lamp, colors.white, 0.5))
        p["near"].add(
            smooth([(lx - 8, y), (lx + 8, y), (lx + 40, y + 32), (lx - 40, y + 32)], steps=3),
            mix(colors.accent, wood, 0.3),
            shade=7,
        )
    p["front"].add(box(LEFT, 444, RIGHT - LEFT, 26), mix(wood, colors.white, 0.2))
    p["front"].add(box(LEFT, 468, RIGHT - LEFT, 200), mix(wood, colors.ink, 0.3))
    for px in (40, 790):
        p["front"].add(round_box(px - 24, 400, 50, 50, 8), mix((206, 116, 84), colors.cool, 0.1), shade=8)
        for a in np.linspace(-2.6, -0.5, 9):
            p["front"].add(
                ribbon(
                    [
                        (px, 404),
                        (px + np.cos(a) * 36, 404 + np.sin(a) * 46),
                        (px + np.cos(a) * 62, 404 + np.sin(a) * 60),
                    ],
                    (4, 17, 1),
                ),
                mix(colors.leaf, colors.cool, dice.uniform(0, 0.3)),
            )


TOWN: dict[str, Callable[[Planes, Palette, np.random.Generator], None]] = {
    "city": city, "rooftop": rooftop, "hill": hill, "school": school, "castle": castle, "room": room,
}  # fmt: skip
