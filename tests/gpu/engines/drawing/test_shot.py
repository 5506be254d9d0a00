import pytest

from gpu.engines.drawing.shot import Shot
from gpu.engines.drawing.storyboard import WORDS
from tests.gpu.conftest import board

SETTINGS = ["hill", *(value for facet, value, _ in WORDS if facet == "setting")]


@pytest.mark.parametrize("hour", ["day", "night"])
def test_every_setting_has_its_four_planes_filled(hour):
    for setting in SETTINGS:
        assert all(cel.shapes for cel in Shot(board(setting=setting, hour=hour)).cels.values()), setting
