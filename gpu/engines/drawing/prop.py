"""Props: what figures hold and wear. Coordinates as in the figure that holds them."""

import numpy as np

from gpu.engines.drawing.cel import Cel, mix
from gpu.engines.drawing.curve import box, ellipse, points, ribbon, round_box, smooth, turn
from gpu.engines.drawing.face import Pose
from gpu.engines.drawing.palette import Palette


def sword(cel: Cel, colors: Palette, hand: tuple[float, float], angle: float, *, length: float) -> None:
    """Draw a curved blade; `angle` 0 points up, in radians."""
    blade = [(-5.0, -16.0), (-7.0, -length * 0.6), (6.0, -length), (9.0, -length * 0.6), (6.0, -16.0)]
    bend = points(blade) + np.column_stack([-((points(blade)[:, 1] / length) ** 2) * 16, np.zeros(5)])
    edge = np.vstack([bend[:1], smooth(bend[:3], closed=False), smooth(bend[2:], closed=False)])
    lit = mix(colors.metal, colors.white, 0.75)
    cel.add(turn(edge, -angle) + hand, lit, line=1.8, shade=3, dark=mix(colors.metal, colors.glow, 0.35))
    cel.add(turn(box(-5.5, -12, 11, 58), -angle) + hand, mix(colors.cloth, colors.ink, 0.6), line=1.6)
    for i in range(4):
        y = -4 + i * 12
        cel.stroke(turn(points([(-5, y), (5, y + 8)]), -angle) + hand, 2.2, colors.accent)
    cel.add(turn(ellipse(0, -14, 17, 5.5), -angle) + hand, (226, 184, 96), line=1.7)


def umbrella(cel: Cel, colors: Palette, hand: tuple[float, float], pose: Pose, *, pair: bool) -> None:
    """Draw an open umbrella above; `pair` makes it wide enough for two."""
    wide = 250.0 if pair else 176.0
    top = (hand[0] - (34 if not pair else 0) + pose.wave() * 2, hand[1] - 352)
    cel.add(ribbon([(hand[0], hand[1] + 46), hand, (top[0], top[1] + 8)], (6, 6, 5)), (112, 76, 58), line=1.5)
    low = top[1] + wide * 0.52
    rim = [
        (top[0] + wide * t, low - 14 * (1 - t * t) + (10 if i % 2 else 0)) for i, t in enumerate(np.linspace(-1, 1, 13))
    ]
    arc = [
        (top[0] + wide * np.sin(a), top[1] + (low - top[1]) * (1 - np.cos(a)))
        for a in np.linspace(np.pi / 2, -np.pi / 2, 17)
    ]
    dome = np.vstack([smooth(rim, closed=False), points(arc)])
    cel.add(dome, colors.accent, line=2.4, shade=24, dark=mix(colors.accent, colors.cool, 0.4))
    for t in np.linspace(-0.66, 0.66, 5):
        spoke = [
            (top[0], top[1]),
            (top[0] + wide * t * 0.74, top[1] + wide * 0.2),
            (top[0] + wide * t, low - 12 * (1 - t * t) + 4),
        ]
        cel.stroke(spoke, 2.2, mix(colors.accent, colors.ink, 0.5))
    cel.add(ribbon([(top[0], top[1] - 16), (top[0], top[1] + 4)], (3, 7)), (112, 76, 58), line=1.4)


def staff(cel: Cel, colors: Palette, hand: tuple[float, float], pose: Pose) -> None:
    """Draw a magic staff with a glowing stone."""
    x, y = hand
    cel.add(ribbon([(x - 12, y + 170), (x, y), (x + 14, y - 190)], (10, 9, 8)), (126, 86, 62), line=1.8, shade=3)
    cel.add(
        ribbon(
            [(x + 14, y - 186), (x - 8, y - 214), (x + 14, y - 246), (x + 40, y - 226), (x + 34, y - 204)], (8, 9, 8, 3)
        ),
        (126, 86, 62),
        line=1.8,
    )
    stone = mix(colors.glow, colors.white, 0.3 + 0.3 * (pose.wave() * 0.5 + 0.5))
    cel.add(ellipse(x + 18, y - 220, 13), stone, line=1.8, shade=4, dark=colors.glow)


def cup(cel: Cel, colors: Palette, at: tuple[float, float], pose: Pose) -> None:
    """Draw a cup of latte with a heart on the foam, and its steam."""
    x, y = at
    for k in range(3):
        steam = [(x - 14 + 14 * k + pose.wave(0.3 * k + s * 0.1) * (4 + s), y - 30 - 12 * s) for s in range(5)]
        cel.stroke(steam, 4.0, colors.white, alpha=0.5)
    cel.add(
        ribbon([(x + 26, y - 12), (x + 46, y - 8), (x + 40, y + 12), (x + 22, y + 14)], (7, 8, 7)),
        colors.white,
        line=1.6,
    )
    cel.add(
        smooth(
            [(x - 34, y - 20), (x - 30, y + 14), (x - 14, y + 28), (x + 14, y + 28), (x + 30, y + 14), (x + 34, y - 20)]
        ),
        colors.white,
        line=1.9,
        shade=8,
    )
    cel.add(ellipse(x, y - 20, 35, 12), mix(colors.white, colors.cool, 0.1), line=1.7)
    cel.add(ellipse(x, y - 19, 30, 9), (176, 112, 70))
    heart = smooth([(x, y - 13), (x - 14, y - 20), (x - 8, y - 25), (x, y - 21), (x + 8, y - 25), (x + 14, y - 20)])
    cel.add(heart, (250, 236, 214))


def apron(cel: Cel, colors: Palette) -> None:
    """Draw a barista's apron over a body."""
    cel.add(
        [(-30, 132), (30, 132), (36, 196), (58, 204), (62, 330), (-62, 330), (-58, 204), (-36, 196)],
        (108, 76, 60),
        line=1.9,
        shade=9,
    )
    cel.stroke([(-28, 134), (-24, 96)], 4, (108, 76, 60))
    cel.stroke([(28, 134), (24, 96)], 4, (108, 76, 60))
    cel.add(round_box(-22, 240, 44, 34, 5), mix((108, 76, 60), colors.white, 0.16), line=1.5)


def witch_hat(cel: Cel, colors: Palette, pose: Pose) -> None:
    """Draw a pointed hat whose tip nods."""
    felt = mix(colors.cloth, colors.ink, 0.4)
    tip = (58 + pose.wind * 18 + pose.wave() * 5, -168 + pose.wave(0.2) * 4)
    cel.add(
        smooth([(-52, -58), (-34, -110), (4, -166), (30, -186), tip, (34, -150), (46, -104), (54, -58)]),
        felt,
        line=2.0,
        shade=12,
    )
    cel.add([(-53, -70), (0, -56), (55, -70), (51, -92), (0, -80), (-47, -92)], colors.accent, line=1.6, shade=4)
    cel.add(
        smooth([(-110, -44), (-50, -72), (0, -62), (54, -72), (114, -50), (60, -38), (0, -34), (-58, -34)]),
        felt,
        line=2.0,
        shade=6,
    )
    cel.add(ellipse(16, -72, 9), (250, 214, 110), line=1.6)


def circlet(cel: Cel, colors: Palette) -> None:
    """Draw a knight's crown band."""
    cel.add(
        smooth([(-52, -44), (0, -34), (52, -44), (50, -56), (0, -47), (-50, -56)]), (236, 196, 104), line=1.6, shade=3
    )
    cel.add([(-7, -50), (0, -64), (7, -50), (0, -34)], colors.accent, line=1.4)


def guitar(cel: Cel, colors: Palette) -> None:
    """Draw an electric guitar across the body; it is drawn behind the arms."""
    cel.add(ribbon([(-30, 236), (150, 130)], (12, 10)), (126, 86, 62), line=1.6)
    cel.add(
        smooth([(-90, 236), (-60, 210), (-26, 226), (4, 214), (10, 246), (-20, 276), (-60, 286), (-92, 268)]),
        colors.accent,
        line=2.0,
        shade=10,
    )
    cel.add(box(140, 118, 30, 14), colors.ink)
