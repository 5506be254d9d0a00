"""A painted layer that slides under the camera with sub-pixel steps, kept premultiplied so that laying it is cheap."""

import numpy as np
from PIL import Image, ImageChops


class Layer:
    """A picture with holes. Positions are pixels of the canvas it is laid on."""

    def __init__(self, picture: Image.Image) -> None:
        """Take an RGBA picture whose empty margins cost nothing; RGB has no holes."""
        self._corner, self._hole = (0, 0), None
        if picture.mode == "RGB":
            self._light = picture
            return
        left, top, right, bottom = picture.getchannel("A").getbbox() or (0, 0, 1, 1)
        # One empty column on either side: a shift by part of a pixel needs room.
        left, right = left - 1, right + 1
        self._corner = (left, top)
        red, green, blue, alpha = picture.crop((left, top, right, bottom)).convert("RGBa").split()
        self._light = Image.merge("RGB", (red, green, blue))
        clear = ImageChops.invert(alpha)
        self._hole = Image.merge("RGB", (clear, clear, clear))

    def lay(self, canvas: Image.Image, left: float, top: int = 0) -> None:
        """Lay the layer with its upper left corner at (left, top); what hangs over is cut off."""
        whole = int(np.floor(left))
        part = left - whole
        x, y = whole + self._corner[0], top + self._corner[1]
        box = (
            max(x, 0),
            max(y, 0),
            min(x + self._light.width, canvas.width),
            min(y + self._light.height, canvas.height),
        )
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        light = _cut(self._light, box, x, y, part)
        if self._hole is not None:
            below = ImageChops.multiply(canvas.crop(box), _cut(self._hole, box, x, y, part))
            light = ImageChops.add(below, light)
        canvas.paste(light, box)


def _cut(picture: Image.Image, box: tuple[int, int, int, int], left: int, top: int, part: float) -> Image.Image:
    here = (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
    cut = picture.crop(here)
    if part < 0.04:  # noqa: PLR2004 (a smaller step can't be seen)
        return cut
    if here[0] == 0:  # the outer columns are empty, so that what comes round is, too
        return Image.blend(cut, ImageChops.offset(picture, 1, 0).crop(here), part)
    return Image.blend(cut, picture.crop((here[0] - 1, here[1], here[2] - 1, here[3])), part)
