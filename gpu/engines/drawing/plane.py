"""The four planes of a setting, from far to before the subject, and how wide they reach (pixels of the frame)."""

from gpu.engines.drawing.cel import Cel
from gpu.engines.drawing.palette import Palette

LEFT, RIGHT, HORIZON = -124.0, 956.0, 312.0
PLANES = ("far", "mid", "near", "front")

Planes = dict[str, Cel]


def planes(colors: Palette) -> Planes:
    """Return four empty cels."""
    return {name: Cel(ink=colors.ink, cool=colors.cool) for name in PLANES}
