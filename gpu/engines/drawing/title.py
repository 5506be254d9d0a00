"""The title card, a sheet of animation paper that lifts off the shot, and the tag that stays."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from gpu.engines.drawing.curve import ease
from gpu.engines.drawing.layer import Layer
from gpu.engines.drawing.lettering import clean, font, width, wrap, write
from gpu.engines.drawing.palette import BLUE_PENCIL, GRAPHITE, PAPER, RED_PENCIL
from sakuga.engine import RenderRequest

HOLD_S, LIFT_S = 0.6, 0.42
FILLED = 13
TAG = "rehearsal"
PENCIL, HAIR_LINE = (90, 92, 99), (203, 191, 159)


def paper(size: tuple[int, int], dice: np.random.Generator) -> Image.Image:
    """Return a sheet of cream paper with its fibres, as RGB."""
    noise = Image.fromarray(dice.normal(128, 40, (size[1], size[0])).clip(0, 255).astype(np.uint8))
    grain = (np.asarray(noise.filter(ImageFilter.BoxBlur(1.2)), np.float32)[..., None] - 128) * 0.12
    return Image.fromarray(np.clip(np.array(PAPER, np.float32) + grain, 0, 255).astype(np.uint8))


def pegs(image: Image.Image, centre: int, top: int) -> None:
    """Punch the three peg holes."""
    draw = ImageDraw.Draw(image)
    hole, shadow = (52, 50, 52), (214, 204, 182)
    for k in (-1, 1):
        draw.rounded_rectangle((centre + k * 150 - 29, top + 1, centre + k * 150 + 29, top + 17), 4, fill=shadow)
        draw.rounded_rectangle((centre + k * 150 - 29, top, centre + k * 150 + 29, top + 15), 4, fill=hole)
    draw.ellipse((centre - 9, top - 1, centre + 9, top + 18), fill=shadow)
    draw.ellipse((centre - 9, top - 2, centre + 9, top + 16), fill=hole)


def _time_sheet(draw: ImageDraw.ImageDraw, left: int, top: int, tall: int) -> None:
    """Rule the 24 rows of a time sheet and fill its first half."""
    row = tall / 24
    for k in range(24):
        y = top + k * row
        draw.line([(left, y), (left + 48, y)], fill=PENCIL if k % 6 == 0 else HAIR_LINE, width=2 if k % 6 == 0 else 1)
        if k <= FILLED:
            draw.rectangle((left + 8, y + 2, left + 40, y + row - 2), fill=RED_PENCIL if k == FILLED else BLUE_PENCIL)
    draw.rectangle((left, top, left + 48, top + tall), outline=GRAPHITE, width=2)


class TitleCard:
    """The card of one cut."""

    def __init__(self, size: tuple[int, int], request: RenderRequest, dice: np.random.Generator) -> None:
        width_px, height_px = size
        sheet = paper(size, dice)
        draw = ImageDraw.Draw(sheet)
        pegs(sheet, width_px // 2, 22)
        draw.rectangle((44, 62, width_px - 44, height_px - 38), outline=GRAPHITE, width=3)
        for x in range(62, width_px - 62, 16):
            for y in (80, height_px - 56):
                draw.line([(x, y), (x + 8, y)], fill=HAIR_LINE, width=2)
        for y in range(80, height_px - 60, 16):
            for x in (62, width_px - 62):
                draw.line([(x, y), (x, y + 8)], fill=HAIR_LINE, width=2)
        _time_sheet(draw, width_px - 128, 104, height_px - 208)
        cut = f"C-{request.number:03d}"
        write(sheet, (92, 176), cut, "title", 76, color=GRAPHITE)
        if request.attempt > 1:
            write(sheet, (110 + width(cut, "title", 76), 174), f"take {request.attempt}", "text", 26, color=PENCIL)
        words = clean(request.prompt)
        for text_size, rows in ((40, 3), (32, 4), (26, 5)):
            lines = wrap(words, "text", text_size, width_px - 260, rows)
            if " ".join(lines).replace(" ", "") == words.replace(" ", ""):
                break
        for i, line in enumerate(lines):
            write(sheet, (92, 196 + text_size * (1 + i * 1.24)), line, "text", text_size, color=GRAPHITE)
        who = clean(request.requested_by)
        if who:
            name = wrap(who, "text", 28, 420, 1)[0]
            write(sheet, (92, height_px - 78), name, "text", 28, color=BLUE_PENCIL)
        self._sheet = sheet

    @property
    def picture(self) -> Image.Image:
        """The card as RGB."""
        return self._sheet

    def cover(self, frame: Image.Image, t: float) -> Image.Image:
        """Return a frame under the card at `t` seconds: it lies still, then lifts off to the upper left."""
        away = ease((t - HOLD_S) / LIFT_S)
        if away >= 1:
            return frame
        if away <= 0:
            return self._sheet.copy()
        lifted = self._sheet.convert("RGBA").rotate(-7 * away, resample=Image.Resampling.BILINEAR, expand=True)
        left, top = (
            round(-60 * away - (lifted.width - frame.width) / 2),
            round(-away * 1.35 * frame.height - (lifted.height - frame.height) / 2),
        )
        shadow = Image.new("L", frame.size)
        shadow.paste(lifted.getchannel("A").point([round(v * 0.5) for v in range(256)]), (left + 10, top + 26))
        shade = ImageChops.invert(shadow.filter(ImageFilter.BoxBlur(12)))
        frame = ImageChops.multiply(frame, Image.merge("RGB", (shade, shade, shade)))
        Layer(lifted).lay(frame, left, top)
        return frame


class Tag:
    """The word that every frame of a rehearsal carries, at the lower right."""

    def __init__(self, size: tuple[int, int]) -> None:
        face = font("text", 16)
        wide = round(face.getlength(TAG)) + 20
        self.box = (size[0] - wide - 14, size[1] - 40, size[0] - 14, size[1] - 14)
        self._label = Image.new("RGB", (wide, 26), GRAPHITE)
        ImageDraw.Draw(self._label).text((10, 19), TAG, font=face, fill=PAPER, anchor="ls")

    def put(self, frame: Image.Image) -> None:
        """Put the tag onto a frame."""
        frame.paste(self._label, self.box)
