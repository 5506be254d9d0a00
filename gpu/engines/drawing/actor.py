"""An actor: one subject of the shot, its place, and its drawings on twos."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from gpu.engines.drawing.cel import Cel, Stage, inked, paint
from gpu.engines.drawing.creature import COATS, draw_animal, draw_ghost
from gpu.engines.drawing.dragon import draw_dragon
from gpu.engines.drawing.face import Pose
from gpu.engines.drawing.figure import draw_person
from gpu.engines.drawing.layer import Layer
from gpu.engines.drawing.machine import draw_robot, draw_ship, draw_train, draw_vending
from gpu.engines.drawing.palette import Palette
from gpu.engines.drawing.storyboard import PEOPLE, Storyboard

CYCLE = 12
"""Drawings until a movement comes round: 12 on twos are a second and a half at 16 frames per second."""
STAGING: dict[str, tuple[float | None, float, float, tuple[int, int, int, int]]] = {
    "animal": (None, 250.0, 0.98, (210, 230, 210, 260)),
    "ghost": (None, 206.0, 1.1, (170, 170, 170, 300)),
    "vending": (None, 232.0, 0.96, (190, 150, 190, 250)),
    "robot": (None, 176.0, 1.05, (280, 200, 280, 340)),
    "dragon": (200.0, 190.0, 0.92, (220, 220, 700, 330)),
    "train": (240.0, 398.0, 0.9, (20, 160, 1150, 24)),
    "ship": (None, 296.0, 1.0, (260, 280, 320, 200)),
}
"""Kind: x if it has a place of its own, y, size and reach; all others are people."""
TALL = frozenset({"umbrella", "hat", "magic"})
"""What would leave the frame in a closer shot."""
LIDS = (0.0, 0.55, 1.0)


@dataclass
class Actor:
    """A subject.

    `x`, `y` are where its origin stands in the frame, `reach` how far it extends left, up, right and down (pixels).
    """

    kind: str
    board: Storyboard
    colors: Palette
    x: float
    y: float
    scale: float = 1.0
    side: float = 0.4
    wind: float = 1.0
    place: int = 0
    mirror: bool = False
    reach: tuple[int, int, int, int] = (300, 230, 300, 330)
    light: tuple[float, float] = (-0.6, -0.8)
    sprites: dict[tuple[int, float], Layer] = field(default_factory=dict)

    def cel(self, pose: Pose) -> Cel:
        """Return the drawing of a pose around (0, 0)."""
        c = self.colors
        cel = Cel(ink=c.ink, cool=c.cool, rim=c.rim, light=self.light, outline=1.7)
        drawn = Cel(ink=c.ink)
        self._draw(drawn, pose, self.board.dice(f"actor {self.place}"))
        cel.place(drawn, 0, 0, self.scale, mirror=self.mirror)
        return cel

    def _draw(self, cel: Cel, pose: Pose, dice: np.random.Generator) -> None:
        traits, action = self.board.traits, self.board.action
        if self.place and "umbrella" in traits and "pair" in traits:
            traits = traits - {"umbrella", "sword"} | {"empty hands"}
        side = -self.side if self.mirror else self.side
        draw: dict[str, Callable[[], object]] = {
            "ghost": lambda: draw_ghost(cel, traits, self.colors, pose, side=side),
            "dragon": lambda: draw_dragon(cel, traits, self.colors, pose),
            "robot": lambda: draw_robot(cel, traits, self.colors, pose, action=action),
            "vending": lambda: draw_vending(cel, self.colors, pose, dice, angry=action == "fight"),
            "train": lambda: draw_train(cel, self.colors),
            "ship": lambda: draw_ship(cel, self.colors, pose),
        }
        if self.kind in PEOPLE:
            draw_person(cel, self.kind, traits, self.colors, pose, dice=dice, action=action, side=side)
        elif self.kind in COATS:
            draw_animal(cel, self.kind, traits, self.colors, pose, dice=dice, action=action, side=side)
        else:
            draw[self.kind]()

    def picture(self, pose: Pose, *, stage: Stage = "full") -> Image.Image:
        """Paint a pose as RGBA; its upper left corner belongs at (x - reach left, y - reach up)."""
        left, up, right, down = self.reach
        painted = paint(self.cel(pose), (left + right, up + down), origin=(-left, -up), stage=stage)
        return inked(painted) if self.board.style == "sumi" else painted

    def pose(self, index: int, blinks: tuple[int, ...]) -> Pose:
        """Return the pose of drawing `index`; `blinks` are the drawings at which the eyes shut."""
        near = min((abs(index - blink) for blink in blinks), default=9)
        lid = LIDS[2] if near == 0 else LIDS[1] if near == 1 else LIDS[0]
        return Pose(phase=index % CYCLE / CYCLE, lid=lid, wind=-self.wind if self.mirror else self.wind)

    def lay(self, canvas: Image.Image, pose: Pose, x: float, y: float) -> None:
        """Lay a pose on a canvas with the actor's origin at (x, y); each is painted once."""
        key = (round(pose.phase * CYCLE), pose.lid)
        if key not in self.sprites:
            self.sprites[key] = Layer(self.picture(pose))
        self.sprites[key].lay(canvas, x - self.reach[0], round(y) - self.reach[1])


def cast(board: Storyboard, colors: Palette) -> list[Actor]:
    """Return the actors of a storyboard in their places, back to front."""
    dice = board.dice("cast")
    wind = float(dice.choice((-1.0, 1.0)))
    kinds = board.subjects
    light = (float(dice.choice((-0.6, 0.6))), -0.8)
    if len(kinds) == 1:
        third = float(dice.choice((300.0, 416.0, 530.0)))
        lone = Actor(kinds[0], board, colors, third, 0, side=(400 - third) / 260, wind=wind, light=light)
        lone = _staged(lone, scale=1.0)
        if lone.kind in PEOPLE and not TALL & board.traits and lone.kind != "witch":
            closer = float(dice.choice((1.0, 1.0, 1.3)))
            lone.scale, lone.y = lone.scale * closer, lone.y + 40 * (closer - 1)
        return [lone]
    first, second = (
        _staged(Actor(kind, board, colors, x, 0, side=side, wind=wind, place=place, light=light), scale=0.86)
        for place, (kind, x, side) in enumerate(zip(kinds, (262.0, 562.0), (0.7, -0.7), strict=True))
    )
    together = "umbrella" in board.traits and "pair" in board.traits
    if together:
        first.x, second.x = 330.0, 556.0
        return [second, first]
    if first.kind == "dragon":  # it comes from the right, over the other's shoulder
        first.x, second.x = second.x, first.x
        first, second = second, first
    if second.kind == "dragon":
        second.x, second.y, second.scale = 470.0, 150.0, 0.7
        first.x = 230.0
    second.mirror = second.kind not in ("vending", "dragon", "train")
    return sorted((first, second), key=lambda a: a.kind in PEOPLE or a.kind in COATS)


def _staged(actor: Actor, *, scale: float) -> Actor:
    """Give an actor its height in the frame, size and reach."""
    role = "animal" if actor.kind in COATS else actor.kind
    x, actor.y, by, actor.reach = STAGING.get(role, (None, 218.0, 1.06, (300, 250, 300, 300)))
    actor.x = actor.x if x is None else x
    actor.scale = by * scale
    return actor
