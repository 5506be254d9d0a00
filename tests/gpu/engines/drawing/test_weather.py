import numpy as np
import pytest
from PIL import Image

from gpu.engines.drawing.palette import choose
from gpu.engines.drawing.storyboard import WORDS
from gpu.engines.drawing.weather import Weather

SIZE = (320, 200)
KINDS = ["dust", *(value for facet, value, _ in WORDS if facet == "weather")]


def sky(kind: str, t: float, *, rush: str = "still", style: str = "anime") -> bytes:
    colors = choose(style, "day", np.random.default_rng(1))
    weather = Weather(kind, SIZE, colors, np.random.default_rng(2), wind=1.0, rush=rush)
    canvas = Image.new("RGB", SIZE, (90, 100, 120))
    for depth in ("back", "front"):
        canvas = weather.fall(canvas, depth, t)
    return canvas.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_weather_is_seen_moves_and_is_the_same_at_the_same_time(kind):
    assert sky(kind, 1.0) != Image.new("RGB", SIZE, (90, 100, 120)).tobytes()
    assert sky(kind, 1.0) != sky(kind, 1.25)
    assert sky(kind, 1.0) == sky(kind, 1.0)


@pytest.mark.parametrize("style", ["anime", "sumi"])
@pytest.mark.parametrize("rush", ["run", "fight", "fly"])
def test_a_rush_draws_its_lines_over_any_weather(rush, style):
    assert sky("snow", 1.0, rush=rush, style=style) != sky("snow", 1.0, style=style)
