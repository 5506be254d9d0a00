"""A face: big eyes that blink, a small nose, a mouth, and the hair around it. The head's centre is (0, 0)."""

from dataclasses import dataclass

import numpy as np

from gpu.engines.drawing.cel import Cel, mix
from gpu.engines.drawing.curve import Points, ellipse, points, ribbon, smooth
from gpu.engines.drawing.palette import Palette


@dataclass(frozen=True)
class Pose:
    """A moment of a cel's cycle. `phase` runs from 0 to 1; `lid` is 0 for open eyes and 1 for shut ones."""

    phase: float = 0.0
    lid: float = 0.0
    wind: float = 1.0

    def wave(self, delay: float = 0.0) -> float:
        """Return a swing between -1 and 1 that comes `delay` (parts of a cycle) later."""
        return float(np.sin(2 * np.pi * (self.phase - delay)))


def skull(side: float) -> Points:
    """Return the outline of a head that looks a little to one side (-1 to 1)."""
    s = side * 5
    half = [(0 + s * 1.6, 63), (17 + s, 55), (36 + s * 0.4, 36), (46, 12), (48, -14), (36, -50), (0, -64)]
    other = [(-36, -50), (-48, -14), (-46, 12), (-36 + s * 0.4, 36), (-17 + s, 55)]
    return smooth(half + other)


def draw_eyes(cel: Cel, colors: Palette, pose: Pose, side: float, *, fierce: float = 0.0, size: float = 1.0) -> None:
    """Draw both eyes with their brows. `fierce` (0-1) pulls the brows down."""
    for left in (-1, 1):
        far = 0.88 if left * side > 0 else 1.0
        x, y = left * 23 + side * 8, 13.0
        eye = Cel(ink=cel.ink)
        _eye(eye, colors, pose.lid, tall=(1 - 0.22 * fierce) * size)
        for shape in eye.shapes:
            by = np.array([left * far * size, 1.0])
            clip = None if shape.clip is None else shape.clip * by + (x, y)
            cel.add(shape.points * by + (x, y), shape.fill, clip=clip, alpha=shape.alpha)
        if pose.lid < 0.7:  # noqa: PLR2004 (a shut eye shines no more)
            cel.add(ellipse(x - 4, y - 6, 3.6 * size, 4.6 * size), colors.white)
            cel.add(ellipse(x + 4, y + 7, 2.0, 2.4), mix(colors.white, colors.eye, 0.2))
        drop = fierce * 7
        brow = [
            (x - left * 11, y - 21 + drop),
            (x + left * 2, y - 25 + drop * 0.4),
            (x + left * 14, y - 20 - drop * 0.6),
        ]
        cel.stroke(brow, 3.0, mix(colors.hair, colors.ink, 0.5))


def _eye(cel: Cel, colors: Palette, lid: float, *, tall: float) -> None:
    """Draw a right eye around (0, 0); its outer corner is at positive x."""
    up, down = -15 * tall * (1 - lid) + 5 * lid, 11.0
    white = smooth(
        [(-12, 2), (-8, up * 0.75), (1, up), (10, up * 0.7), (14, -2), (10, down * 0.75), (0, down), (-8, down * 0.7)]
    )
    if lid < 0.7:  # noqa: PLR2004
        cel.add(white, mix(colors.white, colors.cool, 0.06))
        cel.add(ellipse(0, 0, 9.4, 14.0), mix(colors.eye, colors.ink, 0.45), clip=white)
        cel.add(ellipse(0, 5, 7.6, 9.0), colors.eye, clip=white)
        cel.add(ellipse(0, 8.5, 5.4, 5.0), mix(colors.eye, colors.white, 0.5), clip=white)
        cel.add(ellipse(0, -0.5, 3.8, 6.0), colors.ink, clip=white)
        cel.add([(-14, up - 4), (16, up - 4), (16, up + 6), (-14, up + 6)], colors.cool, alpha=0.4, clip=white)
    lash = [(-13, 3 + 3 * lid), (-8, up * 0.8 + 1), (1, up - 0.5), (10, up * 0.72), (16.5, -2 + 4 * lid)]
    cel.add(ribbon(lash, (1.0, 3.6, 4.6, 4.8, 1.0)), colors.ink)
    cel.add([(11, up * 0.6), (20, up * 0.5 - 2 + 4 * lid), (13, 2 + 2 * lid)], colors.ink)
    cel.stroke([(-6, down + 0.4), (1, down + 1.4), (9, down - 1)], 1.4)


def draw_face(cel: Cel, colors: Palette, pose: Pose, side: float, *, mood: str = "calm") -> Points:
    """Draw head, ears, eyes, nose and mouth; return the skull. Moods: calm, smile, fierce."""
    for left in (-1, 1):
        cel.add(ellipse(left * 47 - side * 3, 10, 8, 13), colors.skin, line=1.6, shade=3)
    head = cel.add(skull(side), colors.skin, line=1.8, shade=7, dark=mix(colors.skin, (214, 110, 120), 0.42))
    for left in (-1, 1):
        cel.add(ellipse(left * 29 + side * 8, 33, 9, 5), (255, 130, 130), alpha=0.3, clip=head)
        for i in range(3):
            x = left * 29 + side * 8 + (i - 1) * 4.5
            cel.stroke([(x + 1.5, 30), (x - 1.5, 35)], 1.1, (226, 96, 100), alpha=0.6)
    draw_eyes(cel, colors, pose, side, fierce=1.0 if mood == "fierce" else 0.0)
    cel.stroke(
        [(side * 13 + 1, 29), (side * 13 + 3 * np.sign(side or 1), 33), (side * 13, 34.5)],
        1.6,
        mix(colors.ink, colors.skin, 0.3),
    )
    x, y = side * 10, 46.0
    if mood == "smile":
        mouth = smooth([(x - 8, y - 3), (x, y - 1), (x + 8, y - 3), (x + 4, y + 5), (x, y + 6.5), (x - 4, y + 5)])
        cel.add(mouth, (150, 56, 66), line=1.3)
        cel.add(ellipse(x, y + 6, 5, 3), (238, 130, 130), clip=mouth)
    elif mood == "fierce":
        cel.stroke([(x - 8, y + 1), (x, y - 1.5), (x + 8, y + 1)], 2.2)
    else:
        cel.stroke([(x - 7, y - 1), (x, y + 2), (x + 7, y - 1.5)], 2.0)
    return head


def draw_back_hair(cel: Cel, colors: Palette, pose: Pose, *, length: float) -> None:
    """Draw the hair behind the head; locks of about `length` pixels blow with the wind."""
    dark = mix(colors.hair, colors.cool, 0.34)
    count = 11
    for i in range(count):
        t = i / (count - 1) * 2 - 1
        long = length * (0.86 + 0.14 * np.cos(3.0 * t + 1)) * (1 - 0.12 * abs(t))
        spine = []
        for s in np.linspace(0, 1, 7):
            drift = pose.wind * (0.10 + 0.42 * s**1.6) * long * s * 0.9
            swing = pose.wave(s * 0.55 + 0.06 * i) * s * long * 0.075
            spine.append((t * 46 + t * 12 * s + drift + swing, -24 + s * long * (1 - 0.16 * s) + swing * 0.3))
        fill = dark if i % 2 else mix(colors.hair, colors.cool, 0.18)
        cel.add(ribbon(spine, (30, 34, 28, 17, 1)), fill, line=1.3)


def draw_hair(cel: Cel, colors: Palette, pose: Pose, dice: np.random.Generator, *, side: float, length: float) -> None:
    """Draw cap, side locks, bangs and shine over the face."""
    hair, lock_dark = colors.hair, mix(colors.hair, colors.cool, 0.36)
    swing = pose.wave(0.1) * 3 + pose.wind * 2
    for left in (-1, 1):
        low = 46 + 0.22 * length + 6 * (left * pose.wind > 0)
        spine = [(left * 47, -24), (left * 53, 4), (left * 51 + swing * 0.7, 30), (left * 45 + swing * 1.6, low)]
        cel.add(ribbon(spine, (15, 20, 15, 1)), hair, line=1.4, shade=4, dark=lock_dark)
    tips = np.linspace(-44, 44, 6) + dice.uniform(-4, 4, 6) + side * 6
    drops = dice.uniform(-1, 6, 6) + np.array([14, 2, 5, -2, 4, 14])
    edge: list[tuple[float, float]] = [(-55, 10)]
    for i, (x, y) in enumerate(zip(tips, drops, strict=True)):
        edge += [(x - 5 + swing * 0.3, y - 15), (x + swing, y), (x + 3 + swing * 0.4, y - 13)]
        if i < len(tips) - 1:
            edge.append(((x + tips[i + 1]) / 2, -20 - 5 * (i % 2)))
    edge.append((55, 10))
    crown = [(58, -20), (50, -56), (26, -80), (0, -85), (-26, -80), (-50, -56), (-58, -20)]
    top = smooth([edge[-1], *crown, edge[0]], closed=False)
    cap = cel.add(np.vstack([points(edge), top]), hair, line=1.7, shade=5, dark=lock_dark)
    for i in range(5):
        x = tips[i] + 8
        cel.stroke(
            [(x * 0.35, -78), (x * 0.8, -55), (x + swing * 0.4, -22)], 1.5, mix(hair, colors.ink, 0.55), clip=cap
        )
    shine = mix(hair, colors.white, 0.55)
    x = np.linspace(-46, 46, 23)
    zig = np.where(np.arange(23) % 2 == 0, -4.0, 3.5)
    band = np.column_stack([x, -50 + (x / 46) ** 2 * 16 + zig])
    cel.add(
        np.vstack([band, band[::-1] * (1, 1) - (0, 8) - np.column_stack([np.zeros(23), -zig[::-1] * 0.6])]),
        shine,
        clip=cap,
        alpha=0.85,
    )
    ahoge = [(4, -82), (-2, -100), (14 + swing * 2, -110), (24 + swing * 3, -102)]
    cel.add(ribbon(ahoge, (7, 6, 4, 1)), hair, line=1.4)
