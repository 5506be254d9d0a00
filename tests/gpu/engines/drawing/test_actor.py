import numpy as np
import pytest

from gpu.engines.drawing.actor import CYCLE, cast
from gpu.engines.drawing.face import Pose
from gpu.engines.drawing.palette import choose
from gpu.engines.drawing.storyboard import WORDS
from tests.gpu.conftest import board

SUBJECTS = [value for facet, value, _ in WORDS if facet == "subject"]
TRAITS = frozenset(value for facet, value, _ in WORDS if facet == "trait")
COLORS = choose("anime", "day", np.random.default_rng(1))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_can_hold_and_wear_everything(subject):
    for traits in (frozenset(), TRAITS, *(frozenset({trait}) for trait in TRAITS)):
        (actor,) = cast(board(subjects=(subject,), traits=traits), COLORS)
        assert actor.cel(Pose(phase=0.3)).shapes, traits


@pytest.mark.parametrize("action", ["still", "fight", "run", "fly"])
def test_two_subjects_stand_apart_and_act(action):
    for subject in SUBJECTS:
        one, other = cast(board(subjects=(subject, "girl"), action=action), COLORS)
        assert abs(one.x - other.x) > 100, subject
        assert all(actor.cel(Pose(phase=0.3, lid=0.55)).shapes for actor in (one, other))


def test_a_movement_comes_round_and_a_blink_is_seen():
    (girl,) = cast(board(), COLORS)
    assert girl.pose(1, (40,)) == girl.pose(1 + CYCLE, (40,))
    assert [girl.pose(index, (40,)).lid for index in (38, 39, 40, 41, 42)] == [0, 0.55, 1, 0.55, 0]
