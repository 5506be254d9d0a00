"""A dragon that winds through the sky, of scales or of paper lanterns."""

import numpy as np

from gpu.engines.drawing.cel import RGB, Cel, mix
from gpu.engines.drawing.curve import ellipse, ribbon, round_box, smooth
from gpu.engines.drawing.face import Pose
from gpu.engines.drawing.palette import Palette


def draw_dragon(cel: Cel, traits: frozenset[str], colors: Palette, pose: Pose) -> None:
    """Draw a long dragon, head at (0, 0); with the trait "lantern" its body is a row of paper lanterns."""
    lantern = "lantern" in traits
    scale = mix(colors.accent, (255, 196, 110), 0.25) if lantern else mix(colors.leaf, colors.cloth, 0.4)
    belly = mix(colors.lamp, colors.white, 0.3)
    count = 17 if lantern else 34
    t = np.linspace(1, 0.05 if lantern else 0.0, count)
    x = 40 + t * 640 - 120 * np.sin(t * 3.4)
    y = 20 + 120 * np.sin(t * 7.6 - 2 * np.pi * pose.phase * 1.0 + 0.6) * (0.25 + t * 0.85) + 60 * t
    if lantern:
        cel.wire(np.column_stack([x, y]), 4, mix(colors.ink, scale, 0.3))
    for i in range(count):
        r = 15 + 33 * np.sin(np.pi * min(1.0, (1 - t[i]) * 0.86 + 0.12)) ** 0.8
        if not lantern and i % 2 == 0:
            fin = [(x[i] + 4, y[i] - r * 0.8), (x[i] + r * 0.9, y[i] - r * 1.7), (x[i] + r * 0.9, y[i] - r * 0.5)]
            cel.add(smooth(fin), mix(colors.accent, colors.cool, 0.1), line=1.8)
        if lantern:
            _lantern(
                cel,
                (float(x[i]), float(y[i])),
                float(r),
                colors,
                paper=scale,
                light=belly,
                glow=0.6 + 0.4 * pose.wave(i * 0.09),
            )
        else:
            cel.add(ellipse(x[i], y[i], r, r), scale, line=2.0, shade=r * 0.5)
            cel.add(ellipse(x[i] - r * 0.1, y[i] + r * 0.52, r * 0.62, r * 0.36), belly, line=1.2)
    for i in (count // 3, count * 3 // 4):
        leg = [(x[i], y[i] + 10), (x[i] - 24, y[i] + 54), (x[i] - 60 + pose.wave(0.2) * 6, y[i] + 62)]
        cel.add(ribbon(leg, (26, 20, 14)), scale, line=2.0, shade=6)
        for k in (-8, 4, 14):
            cel.add(
                [
                    (leg[2][0] - 2, leg[2][1] + k - 4),
                    (leg[2][0] - 24, leg[2][1] + k + 4),
                    (leg[2][0] - 2, leg[2][1] + k + 5),
                ],
                colors.white,
                line=1.4,
            )
    _dragon_head(cel, scale, belly, colors, pose)


def _lantern(
    cel: Cel, at: tuple[float, float], r: float, colors: Palette, *, paper: RGB, light: RGB, glow: float
) -> None:
    x, y = at
    whole = cel.add(ellipse(x, y, r * 0.94, r * 1.06), mix(paper, light, 0.1 * glow), line=2.0, shade=r * 0.3)
    cel.add(ellipse(x, y + r * 0.1, r * 0.66, r * 0.74), mix(paper, light, 0.5), clip=whole)
    cel.add(ellipse(x, y + r * 0.16, r * 0.38, r * 0.44), mix(light, colors.white, 0.4 * glow), clip=whole)
    for k in (-0.6, -0.2, 0.2, 0.6):
        cel.stroke(
            [(x - r, y + r * k), (x, y + r * (k + 0.1)), (x + r, y + r * k)],
            1.4,
            mix(paper, colors.ink, 0.4),
            clip=whole,
        )
    cel.add(round_box(x - r * 0.42, y - r * 1.16, r * 0.84, r * 0.2, 3), mix(colors.ink, paper, 0.2))
    cel.add(round_box(x - r * 0.42, y + r * 0.98, r * 0.84, r * 0.2, 3), mix(colors.ink, paper, 0.2))
    cel.stroke([(x, y + r * 1.1), (x, y + r * 1.7)], 3.4, colors.accent)


def _dragon_head(cel: Cel, scale: RGB, belly: RGB, colors: Palette, pose: Pose) -> None:
    mane = mix(colors.lamp, colors.accent, 0.3)
    for k in range(8):
        a = -1.9 + k * 0.44
        tip = (46 + np.cos(a) * (96 + pose.wave(k * 0.1) * 8), np.sin(a) * 84 + pose.wave(k * 0.13) * 8)
        cel.add(
            ribbon([(20, 0), (34 + np.cos(a) * 56, np.sin(a) * 58), tip], (40, 30, 1)),
            mix(mane, colors.cool, 0.2 * (k % 2)),
            line=1.8,
        )
    for k in (0, 18):
        cel.add(
            ribbon([(20 + k, -36), (52 + k, -84), (44 + k, -108), (74 + k, -126)], (14, 11, 8, 2)),
            belly,
            line=1.8,
            shade=3,
        )
    jaw = smooth([(-66, 24), (-88, 40 + pose.wave(0.2) * 3), (-60, 54), (-6, 50), (40, 34), (30, 12)])
    cel.add(jaw, scale, line=2.2, shade=7)
    cel.add([(-74, 28), (-66, 40), (-56, 27), (-46, 39), (-36, 26)], colors.white, line=1.4)
    top = smooth(
        [
            (-112, 8),
            (-104, -14),
            (-84, -20),
            (-48, -26),
            (-22, -50),
            (24, -50),
            (54, -18),
            (50, 20),
            (20, 34),
            (-40, 26),
            (-92, 28),
        ]
    )
    cel.add(top, scale, line=2.4, shade=11)
    cel.add(ellipse(-100, -4, 6, 5), mix(scale, colors.ink, 0.6))
    white = smooth([(-30, -16), (-14, -32), (10, -22), (-4, -8)])
    cel.add(white, colors.white, line=2.4)
    if pose.lid < 0.5:  # noqa: PLR2004
        cel.add(ellipse(-10, -18, 7.5, 9), colors.eye, clip=white)
        cel.add(ellipse(-11, -18, 3, 7), colors.ink, clip=white)
        cel.add(ellipse(-13, -22, 2.6), colors.white)
    else:
        cel.add(white, scale, line=2.2)
    cel.stroke([(-38, -24), (-10, -42), (18, -30)], 6, mix(scale, colors.ink, 0.5))
    for k in (0, 1):
        whisker = [
            (-96, 8),
            (-130, 30 + 16 * k),
            (-150 + pose.wave(0.2) * 8, 6 + 70 * k),
            (-120 + pose.wave(0.4) * 14, -24 + 130 * k),
        ]
        cel.add(ribbon(whisker, (6, 5, 4, 1)), mane, line=1.3)
