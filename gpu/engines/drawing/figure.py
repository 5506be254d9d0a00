"""A person from the knees up. The head's centre is (0, 0), a head is 127 pixels high."""

import numpy as np

from gpu.engines.drawing import prop
from gpu.engines.drawing.cel import Cel, mix
from gpu.engines.drawing.curve import ellipse, points, ribbon, smooth
from gpu.engines.drawing.face import Pose, draw_back_hair, draw_face, draw_hair
from gpu.engines.drawing.palette import Palette

MOODS = {"samurai": ("calm", "fierce"), "knight": ("calm", "fierce")}
NECK = 58.0
LENGTHS = {"girl": 190.0, "witch": 210.0, "boy": 62.0, "knight": 120.0, "samurai": 60.0}


def draw_person(
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
    """Draw one of storyboard.PEOPLE. `side` (-1 to 1) is where the person looks."""
    length = LENGTHS[kind] + dice.uniform(-16, 24)
    mood = "fierce" if action == "fight" else str(dice.choice(MOODS.get(kind, ("calm", "smile"))))
    breath = pose.wave(0.2) * 1.2
    if "cape" in traits or kind in ("knight", "witch"):
        _cape(cel, mix(colors.trim if kind == "witch" else colors.accent, colors.cool, 0.15), pose)
    if "scarf" in traits or (kind in ("girl", "boy") and action in ("run", "fly")):
        _scarf_tail(cel, colors, pose)
    if "guitar" in traits:
        prop.guitar(cel, colors)
    body = Cel(ink=cel.ink)
    _body(body, kind, colors, pose, broad=1.12 if kind in ("boy", "samurai", "knight") else 0.86)
    nod = side * 0.05 + pose.wave(0.1) * 0.014 + float(dice.choice((-0.07, -0.04, 0.04, 0.07)))
    behind, head = Cel(ink=cel.ink), Cel(ink=cel.ink)
    if kind == "samurai":
        _topknot(behind, colors, pose)
    else:
        draw_back_hair(behind, colors, pose, length=length)
    cel.place(_about_neck(behind), 0, NECK, tilt=nod)
    cel.place(body, 0, breath)
    if "barista" in traits:
        prop.apron(cel, colors)
    if "scarf" in traits or (kind in ("girl", "boy") and action in ("run", "fly")):
        cel.add(smooth([(-40, 62), (0, 76), (40, 62), (46, 84), (0, 102), (-46, 84)]), colors.accent, line=1.8, shade=7)
    draw_face(head, colors, pose, side, mood=mood)
    draw_hair(head, colors, pose, dice, side=side, length=length if kind != "samurai" else 20)
    _headwear(head, kind, traits, colors, pose)
    cel.place(_about_neck(head), 0, NECK + breath * 0.6, tilt=nod)
    _hold(cel, kind, traits, colors, pose, fight=action == "fight")


def _headwear(cel: Cel, kind: str, traits: frozenset[str], colors: Palette, pose: Pose) -> None:
    if "ears" in traits:
        for left in (-1, 1):
            cel.add([(left * 18, -76), (left * 46, -118 + pose.wave() * 2), (left * 54, -56)], colors.hair, line=1.8)
            cel.add([(left * 28, -78), (left * 44, -104 + pose.wave() * 2), (left * 48, -66)], (255, 170, 180))
    if kind == "witch" or "hat" in traits:
        prop.witch_hat(cel, colors, pose)
    if kind == "knight":
        prop.circlet(cel, colors)


def _about_neck(cel: Cel) -> Cel:
    """Return a cel whose origin is the neck, so that it nods there."""
    moved = Cel(ink=cel.ink)
    moved.place(cel, 0, -NECK)
    return moved


def _body(cel: Cel, kind: str, colors: Palette, pose: Pose, *, broad: float) -> None:
    cel.add(ribbon([(0, 40), (0, 92)], (34, 32, 42)), colors.skin, line=1.6)
    cel.add([(-16, 58), (17, 54), (15, 72), (-6, 80)], mix(colors.skin, (196, 96, 120), 0.5))
    w = broad
    torso = smooth(
        [(-20 * w, 82), (-62 * w, 100), (-72 * w, 130), (-56 * w, 180), (-50 * w, 226), (-72 * w, 330), (0, 350),
         (72 * w, 330),
         (50 * w, 226), (56 * w, 180), (72 * w, 130), (62 * w, 100), (20 * w, 82), (0, 86)]
    )  # fmt: skip
    cloth = (
        colors.metal if kind == "knight" else mix(colors.cloth, colors.ink, 0.45) if kind == "witch" else colors.cloth
    )
    cel.add(torso, cloth, line=2.0, shade=13)
    if kind == "girl":
        skirt = [(-50, 232), (50, 232), (84 + pose.wind * 5, 340), (-80 + pose.wind * 5, 340)]
        cel.add(skirt, colors.trim, line=1.8, shade=10)
        for x in (-34, -12, 12, 34):
            cel.stroke(
                [(x, 238), (x * 1.5 + pose.wind * 4 + pose.wave(0.2) * 2, 340)], 2.2, mix(colors.trim, colors.ink, 0.55)
            )
        collar = [(-22, 82), (-54, 104), (-44, 136), (0, 158), (44, 136), (54, 104), (22, 82), (0, 128)]
        cel.add(collar, colors.white, line=1.6, shade=4)
        cel.stroke([(-43, 124), (0, 148), (43, 124)], 3.2, colors.cloth)
        for left in (-1, 1):
            bow = [(0, 146), (left * 28, 132 + pose.wave() * 2), (left * 30, 160 + pose.wave() * 2)]
            cel.add(bow, colors.accent, line=1.4, shade=3)
        cel.add(ellipse(0, 147, 6, 7), colors.accent, line=1.4)
    elif kind == "samurai":
        cel.add([(-30, 80), (10, 176), (-10, 190), (-52, 96)], colors.white, line=1.5, shade=4)
        cel.add([(30, 80), (-34, 200), (-60, 190), (8, 92)], mix(colors.cloth, colors.white, 0.16), line=1.6, shade=5)
        cel.add([(-56, 206), (56, 206), (58, 236), (-58, 236)], colors.accent, line=1.8, shade=6)
        for x in (-44, -16, 16, 44):
            cel.stroke([(x, 240), (x * 1.3, 350)], 2.2, mix(colors.cloth, colors.ink, 0.5))
    elif kind == "knight":
        plate = smooth([(-52, 104), (0, 96), (52, 104), (48, 160), (0, 196), (-48, 160)])
        cel.add(plate, mix(colors.metal, colors.white, 0.4), line=1.8, shade=10)
        cel.stroke([(0, 100), (0, 194)], 2.4)
        cel.add(ellipse(0, 132, 10), colors.accent, line=1.6, shade=3)
        cel.add([(-54, 214), (54, 214), (56, 232), (-56, 232)], (122, 82, 56), line=1.6)
        for left in (-1, 1):
            cel.add(ellipse(left * 74, 112, 32, 25), mix(colors.metal, colors.white, 0.3), line=2.0, shade=8)
    elif kind == "witch":
        cel.add([(-22, 82), (-50, 98), (0, 150), (50, 98), (22, 82), (0, 104)], colors.trim, line=1.6, shade=4)
        cel.add([(-54, 206), (54, 206), (56, 224), (-56, 224)], colors.accent, line=1.6)
        cel.add(ellipse(0, 215, 10, 11), (250, 214, 110), line=1.8)
        cel.add(ellipse(0, 134, 9, 11), colors.glow, line=1.8)
    else:
        cel.add([(-24, 82), (-50, 96), (-26, 146), (0, 110)], mix(colors.cloth, colors.white, 0.22), line=1.6, shade=4)
        cel.add([(24, 82), (50, 96), (26, 146), (0, 110)], mix(colors.cloth, colors.white, 0.22), line=1.6, shade=4)
        cel.add([(-22, 92), (0, 122), (22, 92), (12, 84), (-12, 84)], colors.white, line=1.4)
        cel.stroke([(0, 122), (1, 340)], 2.6, mix(colors.cloth, colors.ink, 0.6))
        cel.add([(-60, 300), (60, 300), (62, 318), (-62, 318)], colors.trim, line=1.5)


def _arm(cel: Cel, colors: Palette, kind: str, joints: list[tuple[float, float]]) -> None:
    cloth = {"knight": colors.metal, "witch": mix(colors.cloth, colors.ink, 0.45)}.get(kind, colors.cloth)
    wide = (40, 42, 48, 54) if kind in ("samurai", "witch") else (36, 33, 29, 27)
    x, y = joints[-1]
    shoulder = joints[0]
    cel.add(ellipse(shoulder[0], shoulder[1], wide[0] / 2 + 1.5), cloth, line=2.0)
    cel.add(ribbon(joints, wide), cloth, line=2.0, shade=8)
    cel.add(ellipse(shoulder[0], shoulder[1] + 3, wide[0] / 2 - 0.5), cloth)
    before = points(joints)[-2]
    cuff = points(joints)[-1] + (before - points(joints)[-1]) * 0.12
    cel.add(
        ribbon([tuple(cuff + (before - cuff) * 0.16), tuple(cuff)], (wide[-1] + 3, wide[-1] + 4)), colors.trim, line=1.6
    )
    cel.add(ellipse(x + (x - cuff[0]) * 1.1, y + (y - cuff[1]) * 1.1, 12.5, 11.5), colors.skin, line=1.7, shade=4)


def _hold(cel: Cel, kind: str, traits: frozenset[str], colors: Palette, pose: Pose, *, fight: bool) -> None:
    sway = pose.wave(0.15) * 2
    armed = "sword" in traits or (kind in ("samurai", "knight") and not {"umbrella", "empty hands"} & traits)
    if "umbrella" in traits:
        prop.umbrella(cel, colors, (58, 196 + sway), pose, pair="pair" in traits)
        _arm(cel, colors, kind, [(66, 118), (92, 196), (60, 200 + sway)])
    elif armed:
        angle = (-0.95 if fight else -0.5) + pose.wave(0.3) * 0.03
        prop.sword(cel, colors, (86, 206 + sway), angle, length=250 if fight else 240)
        _arm(cel, colors, kind, [(68, 116), (104, 178), (90, 204 + sway)])
    elif kind == "witch" or "magic" in traits:
        prop.staff(cel, colors, (92, 190 + sway), pose)
        _arm(cel, colors, kind, [(66, 116), (104, 176), (94, 192 + sway)])
    elif "barista" in traits:
        prop.cup(cel, colors, (50, 196 + sway), pose)
        _arm(cel, colors, kind, [(66, 118), (96, 196), (66, 206 + sway)])
    else:
        _arm(cel, colors, kind, [(66, 116), (82, 180), (76 + sway, 262)])
    if "guitar" in traits:
        _arm(cel, colors, kind, [(-66, 116), (-92, 180), (-30, 222 + sway)])
    else:
        _arm(cel, colors, kind, [(-66, 116), (-84, 182), (-74 - sway, 264)])


def _cape(cel: Cel, color: tuple[int, int, int], pose: Pose) -> None:
    w = pose.wind
    hem = [
        (60 + w * 100 + pose.wave(0.5) * 16, 250 + pose.wave(0.4) * 14),
        (20 + w * 84 + pose.wave(0.7) * 10, 330),
        (-80 + w * 30, 350),
    ]
    cel.add(
        smooth([(-58, 96), (0, 84), (60, 96), (92 + w * 46 + pose.wave(0.25) * 8, 170), *hem, (-86 + w * 16, 220)]),
        color,
        line=2.2,
        shade=18,
    )
    cel.stroke([(50, 110), (70 + w * 40, 180), (40 + w * 86, 300)], 3.0, mix(color, cel.ink, 0.5))
    cel.stroke([(-40, 120), (-40 + w * 24, 220), (-30 + w * 50, 330)], 3.0, mix(color, cel.ink, 0.5))


def _scarf_tail(cel: Cel, colors: Palette, pose: Pose) -> None:
    for k, (low, long) in enumerate(((0.0, 210.0), (26.0, 160.0))):
        spine = []
        for s in np.linspace(0, 1, 8):
            lift = np.sin(2 * np.pi * (s * 0.9 - pose.phase) + k) * 22 * s
            spine.append((pose.wind * (30 + s * long), 82 + low - 20 * s + lift))
        cel.add(ribbon(spine, (28, 30, 34, 38)), mix(colors.accent, colors.cool, 0.25 * k), line=1.9, shade=7)


def _topknot(cel: Cel, colors: Palette, pose: Pose) -> None:
    tail = [
        (0, -84),
        (pose.wind * 18, -112),
        (pose.wind * 52, -104 + pose.wave() * 5),
        (pose.wind * 84, -74 + pose.wave(0.2) * 9),
    ]
    cel.add(ribbon(tail, (20, 26, 22, 1)), colors.hair, line=1.7, shade=5)
    cel.add(ellipse(2, -88, 13, 8), colors.accent, line=1.6)
    cel.add(
        smooth([(-54, 10), (-58, -40), (0, -86), (58, -40), (54, 10), (40, 40), (-40, 40)]),
        mix(colors.hair, colors.cool, 0.3),
        line=1.5,
    )
