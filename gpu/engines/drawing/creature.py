"""Animals, ghosts and dragons. The middle of the face is (0, 0); sitting animals touch the ground at y = 236."""

import numpy as np

from gpu.engines.drawing import prop
from gpu.engines.drawing.cel import RGB, Cel, mix
from gpu.engines.drawing.curve import Points, ellipse, points, ribbon, smooth, turn
from gpu.engines.drawing.face import Pose, draw_eyes
from gpu.engines.drawing.palette import Palette

COATS: dict[str, tuple[RGB, ...]] = {
    "cat": ((236, 168, 96), (88, 84, 100), (238, 232, 226), (150, 146, 160)),
    "dog": ((226, 166, 104), (240, 226, 204), (142, 104, 84)),
    "fox": ((236, 124, 58), (226, 110, 66), (244, 240, 240)),
    "rabbit": ((246, 238, 236), (206, 178, 160), (170, 166, 180)),
}


def draw_animal(
    cel: Cel,
    kind: str,
    traits: frozenset[str],
    colors: Palette,
    pose: Pose,
    *,
    dice: np.random.Generator,
    action: str,
    side: float,
) -> None:
    """Draw a sitting cat, dog, fox or rabbit; with the trait "robot" it is made of steel."""
    coat = COATS[kind][int(dice.integers(len(COATS[kind])))]
    steel = "robot" in traits
    fur = mix(colors.metal, colors.white, 0.35) if steel else mix(coat, colors.cool, 0.3 if colors.dark else 0.04)
    if max(colors.skin) - min(colors.skin) < 20:  # noqa: PLR2004 (an ink world has no fur colours)
        gray = round(sum(fur) / 3)
        fur = (gray, gray, round(gray * 0.97))
    pale = mix(fur, colors.white, 0.7)
    if "cape" in traits or "scarf" in traits or action == "fight":
        _cape(cel, colors, pose)
    _tail(cel, kind, (fur, pale), colors, pose, steel=steel)
    body = smooth([(-40, 66), (-66, 130), (-84, 200), (-72, 236), (0, 242), (72, 236), (84, 200), (66, 130), (40, 66)])
    cel.add(body, fur, line=2.2, shade=14)
    cel.add(smooth([(-30, 78), (0, 70), (30, 78), (36, 130), (0, 168), (-36, 130)]), pale, line=0, shade=8)
    for k in (-1, 1):
        lift = (8 + pose.wave(0.2) * 8) if action == "fight" and k > 0 else 0.0
        paw = [(k * 26, 120), (k * 30, 176), (k * 30 + lift * 4 * k * 0.4, 226 - lift * 7)]
        cel.add(ribbon(paw, (36, 34, 34)), fur, line=2.0, shade=6)
        x, y = paw[-1]
        cel.add(
            smooth([(x - 24, y + 4), (x, y - 12), (x + 24, y + 4), (x + 20, y + 16), (x - 20, y + 16)]),
            pale,
            line=2.0,
            shade=4,
        )
        for toe in (-7, 7):
            cel.stroke([(x + toe, y + 4), (x + toe, y + 13)], 1.8)
    _ears(cel, kind, fur, pose)
    head = smooth(
        [
            (-70, 4),
            (-66, -40),
            (-34, -66),
            (0, -70),
            (34, -66),
            (66, -40),
            (70, 4),
            (84, 26),
            (58, 42),
            (0, 60),
            (-58, 42),
            (-84, 26),
        ]
    )
    cel.add(head, fur, line=2.2, shade=11)
    cel.add(smooth([(-56, 30), (-20, 8), (0, 2), (20, 8), (56, 30), (30, 50), (0, 56), (-30, 50)]), pale, clip=head)
    if not steel and kind == "cat":
        _stripes(cel, fur, head)
    eyes = Cel(ink=cel.ink)
    draw_eyes(eyes, colors, pose, side, fierce=0.6 if action == "fight" else 0.0, size=1.16)
    cel.place(eyes, side * 2, -12, 1.28)
    nose = smooth([(-9, 19), (9, 19), (0, 29)])
    cel.add(nose, mix(colors.accent, colors.ink, 0.2), line=1.4)
    cel.stroke([(-16, 35), (-8, 40), (0, 33), (8, 40), (16, 35)], 2.4)
    for k in (-1, 1):
        cel.add(ellipse(k * 48, 28, 11, 6), (255, 130, 130), alpha=0.35)
        for j in range(3):
            cel.stroke([(k * 46, 24 + 7 * j), (k * 96, 14 + 12 * j + pose.wave(0.1 * j) * 2)], 1.6)
    collar = smooth([(-44, 58), (0, 74), (44, 58), (48, 70), (0, 88), (-48, 70)])
    cel.add(collar, colors.accent, line=1.9, shade=4)
    cel.add(ellipse(0, 86, 11), (250, 210, 100), line=1.9, shade=4)
    if steel:
        _plates(cel, colors, pose)
    _held(cel, traits, colors, pose)


def _stripes(cel: Cel, fur: RGB, head: Points) -> None:
    for x in (-16, 0, 16):
        cel.stroke([(x, -68), (x * 0.8, -44)], 7, mix(fur, cel.ink, 0.35), clip=head)


def _held(cel: Cel, traits: frozenset[str], colors: Palette, pose: Pose) -> None:
    if "sword" in traits:
        prop.sword(cel, colors, (62, 190), -0.5, length=220)
    if "umbrella" in traits:
        prop.umbrella(cel, colors, (112, 168), pose, pair="pair" in traits)
    if "barista" in traits:
        prop.cup(cel, colors, (0, 180), pose)


def _tail(cel: Cel, kind: str, tones: tuple[RGB, RGB], colors: Palette, pose: Pose, *, steel: bool) -> None:
    fur, pale = tones
    swing = pose.wave() * 22
    if kind == "rabbit":
        cel.add(ellipse(78, 206, 24), pale, line=2.0, shade=7)
        return
    wide = {"cat": (24, 24, 22, 16), "dog": (30, 36, 34, 10), "fox": (26, 62, 66, 6)}[kind]
    spine = [(56, 212), (118, 196), (132 + swing * 0.5, 130), (112 + swing, 66)]
    cel.add(ribbon(spine, wide), fur, line=2.2, shade=8)
    if kind == "fox":
        tip = points(spine)[-1]
        cel.add(ribbon([(124 + swing * 0.8, 112), tuple(tip)], (56, 6)), pale, line=1.6)
    if steel:
        for t in (0.25, 0.5, 0.75):
            x, y = points(spine)[1] * (1 - t) + points(spine)[3] * t + (10 * np.sin(np.pi * t), 0)
            cel.add(ellipse(x, y, 9), colors.glow, line=2)


def _ears(cel: Cel, kind: str, fur: RGB, pose: Pose) -> None:
    twitch = max(0.0, pose.wave(0.3)) * 4
    for k in (-1, 1):
        if kind == "rabbit":
            ear = smooth([(k * 18, -54), (k * 14, -120), (k * 30 + twitch, -166), (k * 48, -120), (k * 44, -52)])
            inner = smooth([(k * 26, -64), (k * 24, -118), (k * 31 + twitch, -146), (k * 39, -116), (k * 38, -62)])
        elif kind == "dog":
            ear = smooth([(k * 30, -62), (k * 66, -86 + twitch), (k * 92, -36), (k * 82, 6), (k * 62, -18)])
            inner = smooth([(k * 50, -62), (k * 68, -70 + twitch), (k * 80, -34), (k * 76, -8)])
        else:
            tall = 136 if kind == "fox" else 122
            ear = points([(k * 18, -60), (k * (62 + twitch), -tall), (k * 72, -26)])
            inner = points([(k * 32, -62), (k * (58 + twitch), -tall + 24), (k * 62, -40)])
        cel.add(ear, fur, line=2.2, shade=7)
        cel.add(inner, mix((255, 168, 170), fur, 0.25))


def _plates(cel: Cel, colors: Palette, pose: Pose) -> None:
    seam = mix(colors.metal, colors.ink, 0.55)
    cel.stroke([(-60, -30), (0, -46), (60, -30)], 2.2, seam)
    cel.stroke([(0, -70), (0, -46)], 2.2, seam)
    cel.stroke([(-62, 150), (0, 166), (62, 150)], 2.2, seam)
    for k in (-1, 1):
        for y in (-22, 20):
            cel.add(ellipse(k * 62, y, 4.4), seam)
    cel.add(ribbon([(0, -66), (4, -104)], (6, 5)), seam, line=1.4)
    beat = 0.5 + 0.5 * pose.wave()
    cel.add(ellipse(5, -112, 11), mix(colors.accent, colors.white, 0.5 * beat), line=2, shade=3)
    cel.add(
        ellipse(0, 128, 21), mix(colors.glow, colors.white, 0.25 + 0.35 * beat), line=2.4, shade=5, dark=colors.glow
    )


def _cape(cel: Cel, colors: Palette, pose: Pose) -> None:
    w = pose.wind
    hem = [(w * 150, 150 + pose.wave(0.3) * 14), (w * 176, 206 + pose.wave(0.5) * 14), (w * 120, 236), (0, 220)]
    cel.add(smooth([(-50, 70), (50, 70), *hem]), colors.accent, line=2.2, shade=14)


def draw_ghost(cel: Cel, traits: frozenset[str], colors: Palette, pose: Pose, *, side: float) -> None:
    """Draw a friendly ghost that floats; with the trait "barista" it pours coffee."""
    sheet = mix(colors.white, colors.glow, 0.12)
    hem = []
    for i in range(9):
        t = i / 8 * 2 - 1
        drop = 214 + (16 if i % 2 else -10) + pose.wave(0.12 * i) * 9
        hem.append((-t * 92 + pose.wave(0.1 * i + 0.3) * 5 + pose.wind * 14, drop))
    body = smooth(
        [(-86, 60), (-80, -20), (-52, -74), (0, -94), (52, -74), (80, -20), (86, 60), (94, 140), *hem, (-94, 140)]
    )
    cel.add(body, sheet, line=2.4, shade=20, dark=mix(sheet, colors.cool, 0.32))
    if "barista" in traits:
        prop.apron(cel, colors)
    eyes = Cel(ink=cel.ink)
    draw_eyes(eyes, colors, pose, side, size=1.1)
    cel.place(eyes, 0, -14, 1.15)
    for k in (-1, 1):
        cel.add(ellipse(k * 44 + side * 9, 28, 12, 7), (255, 120, 130), alpha=0.4)
    mouth = smooth([(side * 9 - 9, 28), (side * 9, 30), (side * 9 + 9, 28), (side * 9 + 5, 40), (side * 9 - 5, 40)])
    cel.add(mouth, (140, 60, 76), line=1.6)
    lift = pose.wave(0.15) * 3
    if "barista" in traits:
        _pour(cel, colors, pose, lift)
    for k in (-1, 1):
        hand = (-44.0, 150.0 - lift) if k < 0 and "barista" in traits else (k * 88.0, 96 + lift * 2)
        arm = ribbon([(k * 76, 78), (k * 92, 100), hand], (30, 34, 30))
        cel.add(ellipse(*hand, 16), sheet, line=2.2)
        cel.add(arm, sheet, line=2.2, shade=7, dark=mix(sheet, colors.cool, 0.32))
        cel.add(ellipse(hand[0], hand[1], 14.5), sheet)
    cel.add(
        smooth([(-40, -78), (0, -92), (40, -78), (44, -64), (0, -78), (-44, -64)]), colors.accent, line=1.8, shade=4
    )
    cel.add(
        smooth([(-34, -84), (-30, -112), (0, -122), (34, -112), (36, -84), (0, -92)]),
        mix(colors.trim, colors.white, 0.1),
        line=2.0,
        shade=7,
    )


def _pour(cel: Cel, colors: Palette, pose: Pose, lift: float) -> None:
    jug = np.add(turn(points([(-24, -20), (22, -28), (30, -20), (20, 26), (-20, 26)]), 0.55), (62, 82 + lift))
    cel.add(ribbon([(94, 60 + lift), (110, 84 + lift), (86, 106 + lift)], (8, 9, 8)), colors.metal, line=1.7)
    cel.add(jug, mix(colors.metal, colors.white, 0.45), line=2.1, shade=8)
    stream = [(42, 66 + lift), (26, 92), (16 + pose.wave() * 1.5, 140)]
    prop.cup(cel, colors, (4, 168 - lift * 0.5), pose)
    cel.add(ribbon(stream, (5, 8, 7)), (246, 228, 200), line=1.4)
