"""A cel: a list of inked shapes, and the brush that paints it in pencil, flat, or with shadow and rim light."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from gpu.engines.drawing.curve import Points, PointsLike, points, ribbon, smooth

RGB = tuple[int, int, int]
Stage = Literal["pencil", "line", "flat", "full"]

OVERSAMPLE = 2


def mix(a: RGB, b: RGB, t: float) -> RGB:
    """Return the colour that lies the part `t` of the way from `a` to `b`."""
    red, green, blue = (round(p + (q - p) * t) for p, q in zip(a, b, strict=True))
    return red, green, blue


def inked(picture: Image.Image) -> Image.Image:
    """Return an RGBA picture in ink: gray, but for what is strongly red."""
    red, green, blue, alpha = picture.split()
    strong = ImageChops.subtract(red, ImageChops.lighter(green, blue)).point([255 if v > 84 else 0 for v in range(256)])  # noqa: PLR2004
    gray = picture.convert("L")
    paper = Image.merge("RGBA", (gray, gray, gray.point([round(v * 0.97) for v in range(256)]), alpha))
    return Image.composite(picture, paper, strong)


@dataclass(frozen=True)
class Shape:
    """One closed outline. Widths and offsets in pixels of the frame."""

    points: Points
    fill: RGB | None
    line: float = 0.0
    ink: RGB = (30, 26, 34)
    shade: float = 0.0
    dark: RGB | None = None
    alpha: float = 1.0
    clip: Points | None = None


@dataclass
class Cel:
    """Shapes from back to front, and the light that falls on them."""

    ink: RGB = (30, 26, 34)
    cool: RGB = (70, 60, 120)
    rim: RGB | None = None
    light: tuple[float, float] = (-0.6, -0.8)
    outline: float = 0.0
    shapes: list[Shape] = field(default_factory=list)

    def add(
        self,
        outline: PointsLike,
        fill: RGB | None,
        *,
        line: float = 0.0,
        shade: float = 0.0,
        dark: RGB | None = None,
        alpha: float = 1.0,
        clip: Points | None = None,
        ink: RGB | None = None,
    ) -> Points:
        """Put a shape on top and return its outline."""
        outline = points(outline)
        self.shapes.append(Shape(outline, fill, line, ink or self.ink, shade, dark, alpha, clip))
        return outline

    def stroke(
        self,
        along: PointsLike,
        width: float,
        color: RGB | None = None,
        *,
        clip: Points | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Draw a pencil or brush line that is thick in the middle and thin at its ends."""
        self.add(ribbon(along, (width * 0.2, width, width, width * 0.2)), color or self.ink, clip=clip, alpha=alpha)

    def wire(self, along: PointsLike, width: float, color: RGB | None = None) -> None:
        """Draw a line of even width."""
        self.add(ribbon(along, (width, width)), color or self.ink)

    def place(
        self, other: "Cel", x: float, y: float, scale: float = 1.0, *, mirror: bool = False, tilt: float = 0.0
    ) -> None:
        """Put another cel's shapes on top: turned by `tilt` (radians), scaled, then moved to (x, y)."""
        cos, sin = np.cos(tilt), np.sin(tilt)
        by = np.array([[cos, sin], [-sin, cos]]) @ np.diag([-scale if mirror else scale, scale])
        for s in other.shapes:
            clip = None if s.clip is None else s.clip @ by + (x, y)
            moved = s.points @ by + (x, y)
            self.shapes.append(Shape(moved, s.fill, s.line * scale, s.ink, s.shade * scale, s.dark, s.alpha, clip))


def paint(
    cel: Cel,
    size: tuple[int, int],
    *,
    origin: tuple[float, float] = (0.0, 0.0),
    scale: float = 1.0,
    stage: Stage = "full",
    over: int = OVERSAMPLE,
    pencil: RGB = (63, 111, 216),
) -> Image.Image:
    """Paint a cel as RGBA of `size`; the point `origin` of the cel comes to the upper left corner."""
    canvas = Image.new("RGBA", (size[0] * over, size[1] * over), (0, 0, 0, 0))
    k = scale * over
    for shape in cel.shapes:
        outline = (shape.points - origin) * k
        if stage == "pencil":
            _sketch(canvas, outline, pencil, k)
        elif stage == "line":
            _trace(canvas, outline, shape, k)
        else:
            clip = None if shape.clip is None else (shape.clip - origin) * k
            _fill(canvas, replace(shape, points=outline, clip=clip), cel, k, full=stage == "full")
    if cel.outline and stage in ("flat", "full"):
        canvas = _finish_edge(canvas, cel, k, full=stage == "full")
    return canvas.reduce(over) if over > 1 else canvas


def _sketch(canvas: Image.Image, outline: Points, pencil: RGB, k: float) -> None:
    if np.ptp(outline, axis=0).max() < 16 * k:
        return
    draw = ImageDraw.Draw(canvas)
    rough = np.random.default_rng(len(outline) * 7 + int(abs(outline[0, 0])))
    for weight in (150, 90):
        wander = smooth(rough.normal(0, 1.5 * k, (max(4, len(outline) // 6), 2)), steps=8)
        index = np.linspace(0, len(wander) - 1, len(outline)).astype(int)
        loose = outline + wander[index]
        draw.line([*map(tuple, loose), tuple(loose[0])], fill=(*pencil, weight), width=max(1, round(k * 1.1)))


def _trace(canvas: Image.Image, outline: Points, shape: Shape, k: float) -> None:
    extent = np.ptp(outline, axis=0)
    draw = ImageDraw.Draw(canvas)
    flat = [tuple(p) for p in outline]
    if shape.fill is not None and extent.min() > 6 * k:
        draw.polygon(flat, fill=(251, 247, 236, 255))
        draw.line([*flat, flat[0]], fill=(*shape.ink, 255), width=max(1, round(k * max(0.8, shape.line * 0.8))))
    elif extent.max() > 5 * k:
        draw.polygon(flat, fill=(*shape.ink, 255))


def _fill(canvas: Image.Image, shape: Shape, cel: Cel, k: float, *, full: bool) -> None:
    """Fill a shape whose points are pixels of the canvas already."""
    outline = shape.points
    flat = [tuple(p) for p in outline]
    draw = ImageDraw.Draw(canvas)
    plain = shape.alpha >= 1 and shape.clip is None and not (full and shape.shade)
    if shape.fill is not None and plain:
        draw.polygon(flat, fill=(*shape.fill, 255))
    elif shape.fill is not None:
        left, top = np.floor(outline.min(axis=0)).astype(int) - 1
        right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 2
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, canvas.width), min(bottom, canvas.height)
        if left < right and top < bottom:
            size, corner = (int(right - left), int(bottom - top)), np.array([left, top])
            mask = _mask(outline - corner, size)
            if shape.clip is not None:
                mask = ImageChops.multiply(mask, _mask(shape.clip - corner, size))
            if shape.alpha < 1:
                mask = mask.point([round(v * shape.alpha) for v in range(256)])
            canvas.paste((*shape.fill, 255), (int(left), int(top)), mask)
            if full and shape.shade:
                lit = Image.new("L", size)
                lit.paste(mask, (round(cel.light[0] * shape.shade * k), round(cel.light[1] * shape.shade * k)))
                dark = shape.dark or mix(shape.fill, cel.cool, 0.38)
                canvas.paste((*dark, 255), (int(left), int(top)), ImageChops.subtract(mask, lit))
    if shape.line:
        draw.line([*flat, flat[0], flat[1 % len(flat)]], fill=(*shape.ink, 255), width=max(1, round(shape.line * k)))


def _mask(outline: Points, size: tuple[int, int]) -> Image.Image:
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon([tuple(p) for p in outline], fill=255)
    return mask


def _finish_edge(canvas: Image.Image, cel: Cel, k: float, *, full: bool) -> Image.Image:
    """Ink the silhouette, and let the light touch the side that faces it."""
    alpha = canvas.getchannel("A")
    if full and cel.rim:
        away = Image.new("L", canvas.size)
        away.paste(alpha, (round(-cel.light[0] * 2.6 * k), round(-cel.light[1] * 2.0 * k)))
        canvas.paste(
            (*cel.rim, 255), (0, 0), ImageChops.subtract(alpha, away).point([round(v * 0.75) for v in range(256)])
        )
    wide = alpha.filter(ImageFilter.BoxBlur(cel.outline * k))
    silhouette = wide.point([min(255, max(0, (v - 10) * 9)) for v in range(256)])
    below = Image.new("RGBA", canvas.size, (*cel.ink, 0))
    below.putalpha(silhouette)
    below.paste(canvas, (0, 0), alpha)
    return below
