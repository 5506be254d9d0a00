"""The shot: layers from the sky to the lens, the actors between them, and the camera that moves over all."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from gpu.engines.drawing import sky as heaven
from gpu.engines.drawing.actor import CYCLE, Actor, cast
from gpu.engines.drawing.cel import Cel, inked, mix, paint
from gpu.engines.drawing.curve import ease, ellipse
from gpu.engines.drawing.finish import Finish, Lamp, lamps, sunlight, texture
from gpu.engines.drawing.land import LAND
from gpu.engines.drawing.layer import Layer
from gpu.engines.drawing.machine import draw_rails
from gpu.engines.drawing.palette import choose
from gpu.engines.drawing.plane import LEFT, RIGHT, planes
from gpu.engines.drawing.storyboard import Storyboard
from gpu.engines.drawing.town import TOWN
from gpu.engines.drawing.weather import Weather

FRAME = (832, 480)
MARGIN = (16, 9)
CANVAS = (FRAME[0] + 2 * MARGIN[0], FRAME[1] + 2 * MARGIN[1])
ROOM = 108
"""By how much a sheet is wider than the canvas on either side, for the pan (pixels)."""
SHEET = (CANVAS[0] + 2 * ROOM, CANVAS[1])
ORIGIN = (-float(MARGIN[0] + ROOM), -float(MARGIN[1]))
TRAVEL = 60.0
DEPTH = {"sky": 0.04, "clouds": 0.12, "far": 0.24, "mid": 0.5, "near": 0.85, "front": 1.7}
ACTOR_DEPTH = 0.6
GROUND = 448
PASSING = ("train", "ship")
"""What moves behind the near plane."""
FLOATING = ("ghost", "dragon", "ship")
HAZE = {"far": 0.5, "mid": 0.22}


class Shot:
    """A storyboard in the making: paint the sky and each plane, light and develop it; then ask for frames."""

    def __init__(self, board: Storyboard) -> None:
        self.board = board
        self._colors = choose(board.style, board.hour, board.dice("palette"))
        self.actors = cast(board, self._colors)
        self.cels = planes(self._colors)
        (LAND | TOWN)[board.setting](self.cels, self._colors, board.dice("setting"))
        for actor in self.actors:
            if actor.kind == "train":
                draw_rails(self.cels["mid"], self._colors, LEFT, RIGHT, actor.y)
        dice = board.dice("shot")
        self._wind = self.actors[0].wind
        self._pan = float(dice.choice((-1.0, 1.0)))
        self._push = float(dice.choice((0.085, 0.07, -0.07)))
        low = 110 if board.hour == "sunset" else 0
        self._sun = (416 + 290 * self.actors[0].light[0] + dice.uniform(-60, 60), 118 + dice.uniform(-40, 30) + low)
        self._blinks = tuple(int(dice.integers(12, 18)) + 17 * k for k in range(4))
        self._layers: dict[str, Layer] = {}
        self._rays: list[Image.Image] = []
        self._lamps: list[Lamp] = []

    def paint_sky(self) -> None:
        """Paint the sky and, where there is air, its clouds."""
        colors, board, dice = self._colors, self.board, self.board.dice("sky")
        picture = heaven.gradient(SHEET, colors, 330)
        if colors.dark:
            heaven.add_stars(picture, colors, dice, many=420 if board.setting == "space" else 170)
        if board.setting == "space":
            picture = heaven.add_nebula(picture, colors, dice)
        elif board.weather != "rain":
            picture = heaven.add_haze(picture, colors, dice, much=0.5)
        sun = (self._sun[0] - ORIGIN[0], self._sun[1] - ORIGIN[1])
        bodies = Cel(ink=colors.ink, cool=colors.cool)
        if board.style == "sumi":
            bodies.add(ellipse(*self._sun, 56), colors.accent)
        elif colors.dark and board.setting != "space":
            picture = ImageChops.screen(picture, heaven.disc(SHEET, sun, 240, mix((0, 0, 0), colors.glow, 0.4)))
            heaven.moon(bodies, colors, self._sun, 34, dice)
        elif colors.sunny:
            picture = ImageChops.screen(
                picture, heaven.disc(SHEET, sun, 330, mix((0, 0, 0), colors.glow, 0.75 * colors.sunny))
            )
            if board.style == "retro":
                heaven.retro_sun(bodies, self._sun)
            elif board.hour == "sunset":
                bodies.add(ellipse(*self._sun, 44), mix(colors.glow, colors.white, 0.55))
        painted = paint(bodies, SHEET, origin=ORIGIN)
        picture.paste(painted, (0, 0), painted)
        self._layers["sky"] = Layer(picture)
        if board.setting != "space":
            self._layers["clouds"] = Layer(texture(self._clouds(dice), board.style, dice))

    def _clouds(self, dice: np.random.Generator) -> Image.Image:
        clouds = Cel(ink=self._colors.ink, cool=self._colors.cool)
        for k in range(4):
            base = 318 - 46 * k * dice.random()
            heaven.cumulus(
                clouds, self._colors, (-60 + k * 290 + dice.uniform(-70, 70), base), dice.uniform(220, 420), dice
            )
        painted = heaven.soften(paint(clouds, SHEET, origin=ORIGIN), 318 - ORIGIN[1])
        if self._colors.dark:
            painted.putalpha(painted.getchannel("A").point([round(v * 0.5) for v in range(256)]))
        return painted

    def paint_plane(self, name: str) -> None:
        """Paint one of PLANES; from far to front."""
        board = self.board
        picture = paint(self.cels[name], SHEET, origin=ORIGIN)
        haze = HAZE.get(name, 0.0) * (1.5 if board.weather in ("fog", "rain", "snow") else 1.0)
        if haze:
            rows = np.clip((np.arange(SHEET[1]) - 150) / 230, 0, 1)[:, None, None] * haze
            pixels = np.asarray(picture, np.float32).copy()
            pixels[..., :3] += (np.array(self._colors.sky[3], np.float32) - pixels[..., :3]) * rows
            picture = Image.fromarray(pixels.astype(np.uint8))
        if board.style == "sumi":
            picture = inked(picture)
        picture = texture(picture, board.style, board.dice(name))
        if name == "near" and board.setting in ("city", "rooftop") and board.weather == "rain":
            picture = self._wet(picture)
        if name == "front":
            picture = picture.filter(ImageFilter.GaussianBlur(2.4))
        self._layers[name] = Layer(picture)

    def _wet(self, near: Image.Image) -> Image.Image:
        """Let the ground mirror what stands behind it."""
        ground = GROUND - round(ORIGIN[1])
        behind = Image.new("RGB", SHEET)
        for name in ("sky", "clouds", "far", "mid"):
            if name in self._layers:
                self._layers[name].lay(behind, 0)
        mirror = (
            behind.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
            .resize((SHEET[0], SHEET[1] // 3))
            .filter(ImageFilter.BoxBlur((2, 5)))
        )
        pool = near.crop((0, ground, SHEET[0], SHEET[1]))
        wet = Image.blend(pool.convert("RGB"), mirror.crop((0, 0, SHEET[0], pool.height)), 0.62)
        near.paste(wet, (0, ground), pool.getchannel("A"))
        return near

    def light(self) -> None:
        """Make the weather and the light. The planes must be painted."""
        board, colors = self.board, self._colors
        self._weather = Weather(
            board.weather, CANVAS, colors, board.dice("weather"), wind=self._wind, rush=board.action
        )
        if colors.dark and board.setting in TOWN:
            self._lamps = lamps(SHEET, colors, board.dice("lamps"))
        if colors.sunny:
            sun = (self._sun[0] + MARGIN[0], self._sun[1] + MARGIN[1])
            self._rays = sunlight(CANVAS, sun, colors, board.dice("rays"))

    def develop(self) -> None:
        """Make what happens under the camera. Then frames can be taken."""
        self._finish = Finish(self.board.style, FRAME, self._colors, self.board.dice("finish"))

    def frame(self, index: int, count: int, fps: float) -> Image.Image:
        """Return frame `index` of `count` as RGB of FRAME."""
        move = _move(index, count)
        canvas = self.exposed(index, count, fps)
        zoom = 1 + abs(self._push) * (move if self._push > 0 else 1 - move)
        wide, high = (CANVAS[0] - 4) / zoom, (CANVAS[1] - 4) / zoom
        shake = np.sin(index * 2.4) if self.board.action == "fight" else 0.0
        left, top = (CANVAS[0] - wide) / 2 + shake, (CANVAS[1] - high) * 0.42 + shake * 0.7
        frame = canvas.resize(FRAME, Image.Resampling.BILINEAR, box=(left, top, left + wide, top + high))
        return self._finish(frame, index)

    def exposed(self, index: int, count: int, fps: float) -> Image.Image:
        """Return all layers of a frame as RGB of CANVAS, before the camera's push and the finish."""
        t = index / fps
        pan = self._pan * TRAVEL * (1 - 2 * _move(index, count))
        canvas = self.stacked(("sky", "clouds", "far", "mid"), pan=pan, t=t)
        for lamp in self._lamps:
            lamp.shine(canvas, pan * DEPTH["mid"] - ROOM, t)
        for actor in self.actors:
            if actor.kind in PASSING:
                self._act(canvas, actor, pan, index // 2, t)
        self._lay(canvas, "near", pan, t)
        canvas = self._weather.fall(canvas, "back", t)
        for actor in self.actors:
            if actor.kind not in PASSING:
                self._act(canvas, actor, pan, index // 2, t)
        self._lay(canvas, "front", pan, t)
        canvas = self._weather.fall(canvas, "front", t)
        if self._rays:
            canvas = ImageChops.screen(canvas, Image.blend(self._rays[0], self._rays[1], 0.5 + 0.5 * np.sin(t * 1.1)))
        return canvas

    def stacked(
        self,
        names: Sequence[str],
        actors: Sequence[tuple[Actor, Image.Image]] = (),
        *,
        pan: float = 0.0,
        t: float = 0.0,
    ) -> Image.Image:
        """Return some layers on each other as RGB of CANVAS, with pictures of actors before the front."""
        canvas = Image.new("RGB", CANVAS)
        for name in names:
            for actor, picture in actors:
                if name == ("near" if actor.kind in PASSING else "front"):
                    at = round(actor.x + MARGIN[0]) - actor.reach[0], round(actor.y + MARGIN[1]) - actor.reach[1]
                    canvas.paste(picture, at, picture)
            self._lay(canvas, name, pan, t)
        return canvas

    def _lay(self, canvas: Image.Image, name: str, pan: float, t: float) -> None:
        if name in self._layers:
            drift = -9.0 * self._wind * t if name == "clouds" else 0.0
            left = pan * DEPTH[name] + drift - ROOM
            self._layers[name].lay(canvas, round(left) if name == "sky" else left)

    def _act(self, canvas: Image.Image, actor: Actor, pan: float, drawing: int, t: float) -> None:
        """Lay an actor; the drawing changes on twos, the camera on ones."""
        x, y, action = actor.x + MARGIN[0] + pan * ACTOR_DEPTH, actor.y + MARGIN[1], self.board.action
        beat = 2 * np.pi * drawing / CYCLE
        if actor.kind == "train":
            x = actor.x + 440 - 172 * t + pan * ACTOR_DEPTH
        elif actor.kind in FLOATING or action == "fly":
            y += 6 * np.sin(beat + actor.place)
        elif action == "run":
            y += 5 * np.sin(2 * beat)
        if action == "fight":
            x += 16 * max(0.0, np.sin(beat)) ** 2 * (1 if actor.place == 0 else -1)
        actor.lay(canvas, actor.pose(drawing + 5 * actor.place, self._blinks), x, y)


def _move(index: int, count: int) -> float:
    """Return how far the camera has come: 0 to 1, slow at both ends but never standing."""
    part = index / max(1, count - 1)
    return 0.4 * part + 0.6 * ease(part)
