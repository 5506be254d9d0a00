"""The key picture: the shot built up in passes as on an animator's desk, from blue pencil to light."""

from collections.abc import Callable, Iterator

from PIL import Image, ImageDraw

from gpu.engines.drawing.actor import Actor
from gpu.engines.drawing.cel import RGB, Cel, Stage, mix, paint
from gpu.engines.drawing.palette import BLUE_PENCIL, GRAPHITE, PAPER, RED_PENCIL
from gpu.engines.drawing.plane import PLANES
from gpu.engines.drawing.shot import CANVAS, FRAME, MARGIN, Shot
from gpu.engines.drawing.title import paper

SMALL = (472, 272)
STEPS = 20
KEY_DRAWING = 4
KEY_FRAME, KEY_COUNT, KEY_FPS = 40, 81, 16.0

Look = Callable[[], Image.Image]


class Desk:
    """One key picture in the making. The passes after the pencil paint the layers that the frames are made of."""

    def __init__(self, shot: Shot) -> None:
        self._shot = shot
        self._sheet = paper(SMALL, shot.board.dice("paper"))
        self._cels = [(actor, actor.cel(actor.pose(KEY_DRAWING, ()))) for actor in shot.actors]

    def passes(self) -> Iterator[Look]:
        """Do STEPS passes of work, and yield after each how to see what is on the paper (RGB, SMALL)."""
        yield self._constructed
        pencil, ink, people = (Image.new("RGBA", SMALL, (0, 0, 0, 0)) for _ in range(3))
        for name in PLANES:
            self._draw(pencil, self._shot.cels[name], "pencil", mix(BLUE_PENCIL, PAPER, 0.45))
            yield lambda: _over(self._sheet, pencil)
        for color, grow in ((BLUE_PENCIL, 1.0), (RED_PENCIL, 1.012)):
            for actor, cel in self._cels:
                self._draw(pencil, _placed(cel, actor, grow), "pencil", color)
            yield lambda: _over(self._sheet, pencil)
        for names in (("far", "mid"), ("near",)):
            for name in names:
                self._draw(ink, self._shot.cels[name], "line")
            yield lambda: _over(self._sheet, ink, pencil)
        for actor, cel in self._cels:
            self._draw(people, _placed(cel, actor), "line")
        yield lambda: _over(self._sheet, ink, people, pencil)
        yield lambda: _over(self._sheet, ink, people)
        yield from self._colour(ink, people)

    def _colour(self, ink: Image.Image, people: Image.Image) -> Iterator[Look]:
        shot = self._shot
        shot.paint_sky()
        yield lambda: _over(Image.blend(self._sheet, _small(shot.stacked(("sky", "clouds"))), 0.8), ink, people)
        done: tuple[str, ...] = ("sky", "clouds")
        for name in PLANES:
            shot.paint_plane(name)
            done = (*done, name)
            yield lambda names=done: _over(_small(shot.stacked(names)), people)  # type: ignore[misc]
        for stage in ("flat", "full"):
            yield lambda stage=stage: _small(shot.stacked(done, self._pictures(stage)))  # type: ignore[misc]
        shot.light()
        yield lambda: _small(shot.exposed(KEY_FRAME, KEY_COUNT, KEY_FPS))
        shot.develop()
        yield lambda: shot.frame(KEY_FRAME, KEY_COUNT, KEY_FPS).resize(SMALL, Image.Resampling.BOX)

    def _pictures(self, stage: Stage) -> list[tuple[Actor, Image.Image]]:
        return [(actor, actor.picture(actor.pose(KEY_DRAWING, ()), stage=stage)) for actor in self._shot.actors]

    def _constructed(self) -> Image.Image:
        """Show the frame, the horizon, and a ball and a spine for each actor."""
        picture = self._sheet.copy()
        draw = ImageDraw.Draw(picture)
        k = SMALL[0] / FRAME[0]
        draw.rectangle((14, 12, SMALL[0] - 14, SMALL[1] - 12), outline=GRAPHITE)
        draw.line([(0, 312 * k), (SMALL[0], 306 * k)], fill=BLUE_PENCIL)
        for actor in self._shot.actors:
            x, y, r = actor.x * k, actor.y * k, 62 * actor.scale * k
            for grow in (1.0, 1.06):
                draw.ellipse((x - r * grow, y - r * grow, x + r * grow, y + r), outline=BLUE_PENCIL)
            draw.line([(x, y - r), (x + 3, y + 4 * r)], fill=BLUE_PENCIL)
            draw.line([(x - r, y + 4), (x + r, y + 4)], fill=BLUE_PENCIL)
        return picture

    @staticmethod
    def _draw(lines: Image.Image, cel: Cel, stage: Stage, color: RGB = BLUE_PENCIL) -> None:
        lines.alpha_composite(paint(cel, SMALL, scale=SMALL[0] / FRAME[0], stage=stage, over=1, pencil=color))


def _placed(cel: Cel, actor: Actor, grow: float = 1.0) -> Cel:
    placed = Cel(ink=cel.ink)
    placed.place(cel, actor.x, actor.y, grow)
    return placed


def _over(below: Image.Image, *sheets: Image.Image) -> Image.Image:
    picture = below.copy()
    for sheet in sheets:
        picture.paste(sheet, (0, 0), sheet)
    return picture


def _small(canvas: Image.Image) -> Image.Image:
    x, y = MARGIN
    return canvas.crop((x, y, CANVAS[0] - x, CANVAS[1] - y)).resize(SMALL, Image.Resampling.BOX)
