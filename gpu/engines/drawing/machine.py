"""Things that were built: a robot, a train, a ship, a vending machine. Origins as said by each."""

import numpy as np

from gpu.engines.drawing.cel import Cel, mix
from gpu.engines.drawing.curve import box, ellipse, ribbon, round_box, smooth
from gpu.engines.drawing.face import Pose
from gpu.engines.drawing.palette import Palette


def draw_robot(cel: Cel, traits: frozenset[str], colors: Palette, pose: Pose, *, action: str) -> None:
    """Draw a mecha from the waist up; the middle of its visor is (0, 0)."""
    armour, dark = mix(colors.white, colors.metal, 0.35), mix(colors.cloth, colors.ink, 0.3)
    bob = pose.wave(0.2) * 2
    for k in (-1, 1):
        cel.add(
            ribbon([(k * 40, 96), (k * 120, 20), (k * 190, -40)], (34, 40, 8)),
            mix(colors.accent, colors.cool, 0.15),
            line=2.4,
            shade=9,
        )
    cel.add(round_box(-24, 50, 48, 50, 8), dark, line=2.2)
    cel.add(
        [(-92, 92), (-40, 78), (40, 78), (92, 92), (72, 220), (44, 260), (-44, 260), (-72, 220)],
        armour,
        line=2.4,
        shade=18,
    )
    cel.add([(-86, 100), (-24, 100), (-34, 156), (-76, 150)], colors.cloth, line=2.2, shade=7)
    cel.add([(86, 100), (24, 100), (34, 156), (76, 150)], colors.cloth, line=2.2, shade=7)
    core = mix(colors.glow, colors.white, 0.3 + 0.25 * pose.wave())
    cel.add(ellipse(0, 150, 23), dark, line=2.2)
    cel.add(ellipse(0, 150, 16), core, line=1.8)
    cel.add([(-52, 250), (52, 250), (80, 340), (-80, 340)], dark, line=2.4, shade=12)
    for k in (-1, 1):
        raised = action == "fight" and k > 0
        hand = (k * 150, 60 + bob) if raised else (k * 152, 268 + bob)
        elbow = (k * 168, 150) if raised else (k * 150, 190)
        cel.add(ribbon([(k * 108, 126), elbow], (48, 44)), dark, line=2.3, shade=8)
        cel.add(ribbon([elbow, hand], (58, 70)), armour, line=2.4, shade=14)
        cel.add(round_box(hand[0] - 30, hand[1] - 28, 60, 54, 16), dark, line=2.4, shade=8)
        for j in range(3):
            cel.stroke([(hand[0] - 16 + j * 16, hand[1] - 22), (hand[0] - 16 + j * 16, hand[1] + 2)], 2.6, cel.ink)
        cel.add(
            smooth([(k * 70, 84), (k * 120, 64), (k * 170, 92), (k * 166, 142), (k * 112, 150), (k * 82, 124)]),
            colors.accent,
            line=2.5,
            shade=14,
        )
    cel.add(
        [(-50, -42), (-30, -66), (30, -66), (50, -42), (54, 20), (34, 58), (-34, 58), (-54, 20)],
        armour,
        line=2.4,
        shade=13,
    )
    cel.add(
        [(-44, -18), (44, -18), (38, 18), (12, 24), (-12, 24), (-38, 18)], mix(colors.ink, colors.cool, 0.3), line=2.2
    )
    look = pose.wave() * 4
    for k in (-1, 1):
        shut = max(0.15, 1 - pose.lid)
        cel.add(
            [
                (k * 8 + look, -8 * shut),
                (k * 36 + look, -14 * shut),
                (k * 34 + look, 8 * shut),
                (k * 12 + look, 10 * shut),
            ],
            core,
        )
    cel.add([(0, -60), (-62, -122), (-10, -80)], (250, 206, 90), line=2.0)
    cel.add([(0, -60), (62, -122), (10, -80)], (250, 206, 90), line=2.0)
    cel.add([(-10, -82), (10, -82), (8, -56), (-8, -56)], colors.accent, line=2.0)
    for y in (34, 44):
        cel.stroke([(-16, y), (16, y)], 2.6, mix(armour, cel.ink, 0.6))
    if "sword" in traits:
        cel.add(
            [(140, 250), (164, 250), (180, -120), (156, -170), (138, -120)],
            mix(colors.glow, colors.white, 0.5),
            line=2.0,
        )


def draw_vending(cel: Cel, colors: Palette, pose: Pose, dice: np.random.Generator, *, angry: bool) -> None:
    """Draw a vending machine that stands at y = 236; in a fight it has a face and arms."""
    if angry:
        for k in (-1, 1):
            fist = (k * 128, 40 + pose.wave(0.25 * k) * 14)
            cel.add(
                ribbon([(k * 70, 110), (k * 122, 116), fist], (20, 18, 18)),
                mix(colors.metal, colors.ink, 0.4),
                line=2.2,
            )
            cel.add(ellipse(fist[0], fist[1] - 8, 25), mix(colors.accent, colors.white, 0.1), line=2.4, shade=8)
    cel.add(box(-66, 226, 30, 14), cel.ink)
    cel.add(box(36, 226, 30, 14), cel.ink)
    cel.add(round_box(-82, -124, 164, 356, 12), colors.accent, line=2.6, shade=18)
    cel.add(round_box(-70, -110, 140, 190, 6), mix(colors.lamp, colors.white, 0.7), line=2.2)
    tones = (colors.cloth, colors.trim, (90, 190, 120), (250, 190, 70), (86, 160, 230), (240, 110, 140))
    shift = 46 if angry else 0
    for row in range(2 if angry else 3):
        for i in range(5):
            x, y = -60 + i * 25.5, -100 + shift * 1.55 + row * 60
            cel.add(round_box(x, y, 18, 38, 5), tones[int(dice.integers(6))], line=1.4, shade=4)
            cel.add(round_box(x + 3, y + 42, 12, 6, 2), (90, 220, 130) if (row + i) % 3 else colors.accent)
    if angry:
        for k in (-1, 1):
            cel.add(ellipse(k * 30, -70, 17, 15 * (1 - 0.85 * pose.lid)), colors.white, line=2.4)
            cel.add(ellipse(k * 30 - 5, -68, 7, 8 * (1 - 0.85 * pose.lid)), cel.ink)
            cel.stroke([(k * 52, -98), (k * 30, -92), (k * 8, -82)], 7)
    cel.add(round_box(30, 96, 40, 62, 6), mix(colors.white, colors.metal, 0.5), line=2.0)
    cel.add(round_box(40, 108, 20, 10, 3), mix(colors.ink, colors.leaf, 0.3))
    cel.add(round_box(-66, 170, 132, 40, 6), mix(colors.ink, colors.accent, 0.25), line=2.0)
    if angry:
        for i in range(8):
            x = -58 + i * 15.5
            cel.add([(x, 172), (x + 14, 172), (x + 7, 188)], colors.white)
    else:
        cel.add(round_box(-66, 104, 84, 40, 4), mix(colors.white, colors.accent, 0.1), line=1.6)


def draw_train(cel: Cel, colors: Palette, *, cars: int = 4) -> float:
    """Draw a train that runs to the left with its nose at x = 0 and its rails at y = 0; return its length in pixels."""
    body, stripe = mix(colors.white, colors.metal, 0.2), colors.accent
    car = 286.0
    for i in range(cars):
        x = i * (car + 12)
        for wheel in (46, 84, 200, 238):
            cel.add(ellipse(x + wheel, -9, 12), mix(colors.ink, colors.metal, 0.25), line=1.6)
            cel.add(ellipse(x + wheel, -9, 5), colors.metal)
        cel.add(box(x + 26, -26, car - 50, 14), mix(colors.ink, colors.cool, 0.2))
        left = (
            smooth([(x + 26, -112), (x + 4, -78), (x, -40), (x + 4, -22)], closed=False)
            if i == 0
            else [(x, -112), (x, -22)]
        )
        cel.add(np.vstack([left, [(x + car, -22), (x + car, -112)]]), body, line=2.2, shade=9)
        cel.add(box(x + (3 if i == 0 else 0), -48, car - 3, 13), stripe)
        cel.add(box(x + 24, -118, car - 40, 8), mix(body, colors.ink, 0.3), line=1.4)
        for w in range(6):
            wx = x + 34 + w * 41
            glass = (
                mix(colors.lamp, colors.white, 0.2) if colors.dark or w % 2 else mix(colors.lamp, colors.sky[1], 0.35)
            )
            cel.add(round_box(wx, -98, 31, 36, 5), glass, line=1.8)
            cel.stroke([(wx + 6, -68), (wx + 22, -94)], 3, mix(glass, colors.white, 0.6))
            if (w * 7 + i * 3) % 4 == 0:
                cel.add(ellipse(wx + 15, -74, 6), mix(glass, colors.ink, 0.65))
                cel.add(box(wx + 7, -69, 17, 7), mix(glass, colors.ink, 0.65))
        for door in (74, 197):
            cel.stroke([(x + door, -100), (x + door, -26)], 1.8, mix(body, colors.ink, 0.5))
    cel.add([(10, -92), (26, -106), (28, -66), (4, -62)], mix(colors.sky[0], colors.ink, 0.3), line=1.8)
    cel.add(ellipse(6, -34, 7), mix(colors.lamp, colors.white, 0.6), line=1.6)
    pantograph = [(380, -118), (396, -138), (380, -154)]
    cel.wire(pantograph, 2.4, mix(colors.ink, colors.metal, 0.3))
    cel.wire([(362, -154), (400, -154)], 3.0, mix(colors.ink, colors.metal, 0.3))
    return cars * (car + 12)


def draw_rails(cel: Cel, colors: Palette, left: float, right: float, y: float) -> None:
    """Draw a viaduct that carries rails at `y`, from `left` to `right`."""
    stone = mix(colors.wall, colors.mid, 0.5)
    for x in np.arange(left, right, 104):
        cel.add(box(x, y + 14, 26, 200), mix(stone, colors.cool, 0.2))
        cel.add(box(x, y + 14, 8, 200), stone)
    cel.add(box(left, y + 5, right - left, 15), stone)
    cel.add(box(left, y + 17, right - left, 4), mix(stone, colors.cool, 0.4))
    cel.add(box(left, y, right - left, 4), mix(colors.ink, colors.metal, 0.4))


def draw_ship(cel: Cel, colors: Palette, pose: Pose) -> None:
    """Draw a sailing ship that floats at y = 120."""
    wood = mix((134, 84, 56), colors.cool, 0.12)
    sway = pose.wave(0.2) * 4
    for x, tall in ((-92, 210), (6, 262), (104, 200)):
        cel.add(ribbon([(x, 74), (x, 74 - tall)], (9, 6)), wood, line=1.8)
        for k in range(2):
            y, wide = 60 - tall * (0.46 + 0.46 * k), tall * (0.25 - 0.05 * k)
            high = tall * 0.38
            belly = pose.wind * (22 + sway)
            sail = smooth(
                [
                    (x - wide, y),
                    (x + wide, y),
                    (x + wide + belly * 0.6, y + high * 0.5),
                    (x + wide * 0.9, y + high),
                    (x, y + high * 0.9),
                    (x - wide * 0.9, y + high),
                    (x - wide + belly, y + high * 0.5),
                ]
            )
            cel.add(sail, mix(colors.white, colors.lamp, 0.25), line=2.2, shade=13)
            cel.stroke([(x - wide - 6, y), (x + wide + 6, y)], 5, wood)
        flag = [
            (x, 74 - tall),
            (x + pose.wind * 30, 64 - tall + sway),
            (x + pose.wind * 54, 74 - tall - sway),
            (x, 92 - tall),
        ]
        cel.add(smooth(flag), colors.accent, line=1.8)
    hull = smooth(
        [
            (-196, 46),
            (-160, 78),
            (0, 84),
            (150, 76),
            (206, 34),
            (184, 100),
            (140, 146),
            (0, 158),
            (-130, 148),
            (-172, 100),
        ]
    )
    cel.add(hull, wood, line=2.6, shade=16)
    cel.add(ribbon([(-184, 76), (0, 106), (190, 70)], (9, 10, 9)), mix(colors.accent, wood, 0.15), line=1.6)
    for x in range(-120, 140, 40):
        cel.add(ellipse(x, 122, 8), mix(colors.lamp, wood, 0.1), line=1.8)
    cel.add(ribbon([(196, 44), (276, 6)], (10, 4)), wood, line=1.8)
    cel.add([(270, 8), (196, -40), (110, -70), (190, 36)], mix(colors.white, colors.lamp, 0.3), line=2.0, shade=8)
    for k, (x, y) in enumerate(((-170, 132), (20, 146), (190, 128))):
        spray = [(x - 60, y + 10), (x - 20, y + sway * (k - 1)), (x + 10, y + 6), (x + 60, y - 2)]
        cel.stroke(spray, 6, mix(colors.white, colors.sky[1], 0.15))
