"""Outlines: smooth curves, tapering ribbons and round forms as arrays of points (N x 2, pixels)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
PointsLike = Points | Sequence[tuple[float, float]]


def points(of: PointsLike) -> Points:
    """Return the points as an N x 2 array."""
    return np.asarray(of, dtype=np.float64).reshape(-1, 2)


def smooth(of: PointsLike, *, closed: bool = True, steps: int = 6) -> Points:
    """Run a Catmull-Rom curve through the points, with `steps` new points for each."""
    p = points(of)
    if len(p) < 3:  # noqa: PLR2004 (two points are a straight line)
        return p
    wrapped = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    a, b, c, d = wrapped[:-3], wrapped[1:-2], wrapped[2:-1], wrapped[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (q[:, None, :] for q in (a, b, c, d))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat: Points = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, p[-1]])


def ribbon(along: PointsLike, widths: Sequence[float], *, steps: int = 5) -> Points:
    """Return the outline of a band along a curve; `widths` are spread over its length (pixels)."""
    spine = smooth(along, closed=False, steps=steps)
    run = np.gradient(spine, axis=0)
    length = np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-6)
    normal = np.column_stack([-run[:, 1], run[:, 0]]) / length[:, None]
    wide = np.interp(np.linspace(0, 1, len(spine)), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    return np.vstack([spine + normal * wide, (spine - normal * wide)[::-1]])


def ellipse(x: float, y: float, rx: float, ry: float | None = None, *, tilt: float = 0.0, count: int = 28) -> Points:
    """Return an ellipse around (x, y); `tilt` in radians."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    round_form = np.column_stack([np.cos(angle) * rx, np.sin(angle) * (rx if ry is None else ry)])
    moved: Points = turn(round_form, tilt) + np.array([x, y])
    return moved


def box(x: float, y: float, width: float, height: float) -> Points:
    """Return a rectangle from its upper left corner."""
    return points([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def round_box(x: float, y: float, width: float, height: float, radius: float) -> Points:
    """Return a rectangle with round corners from its upper left corner."""
    radius = min(radius, width / 2, height / 2)
    quarter = np.linspace(0, np.pi / 2, 6)
    arc = np.column_stack([np.cos(quarter), np.sin(quarter)]) * radius
    centres = [
        (x + width - radius, y + height - radius),
        (x + radius, y + height - radius),
        (x + radius, y + radius),
        (x + width - radius, y + radius),
    ]
    return np.vstack([turn(arc, i * np.pi / 2) + centre for i, centre in enumerate(centres)])


def turn(of: Points, angle: float, about: tuple[float, float] = (0.0, 0.0)) -> Points:
    """Turn points by an angle in radians, clockwise on the screen."""
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = (points(of) - about) @ np.array([[cos, sin], [-sin, cos]]) + about
    return turned


def ridge(rng: np.random.Generator, left: float, right: float, y: float, height: float, *, count: int = 9) -> Points:
    """Return a closed hill range whose crest lies around `y`, rough by `height`, open to far below."""
    x = np.linspace(left, right, count)
    crest = smooth(np.column_stack([x, y - rng.uniform(-1, 1, count) * height]), closed=False)
    return np.vstack([crest, [(right, y + 900), (left, y + 900)]])


def ease(t: float) -> float:
    """Slow in, slow out: 0 to 1 for `t` from 0 to 1."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)
