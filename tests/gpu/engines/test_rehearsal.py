import itertools

import numpy as np
import pytest

from gpu.engines.drawing.genga import Desk
from gpu.engines.drawing.shot import Shot
from gpu.engines.drawing.storyboard import read
from gpu.engines.drawing.title import Tag
from gpu.engines.rehearsal import Rehearsal
from sakuga.errors import RenderFailed
from tests.gpu.conftest import ask, draw, fingerprint

AFTER_THE_TITLE = 18


@pytest.fixture(scope="module")
def clip():
    return draw(ask(num_frames=33))


def key_picture(request) -> np.ndarray:
    """Return the key picture when its last pass is done, as signed numbers."""
    shot = Shot(read(request.prompt, request.style, request.seed))
    *_, last = Desk(shot).passes()
    return np.asarray(last()).astype(int)


@pytest.fixture(scope="module")
def anime():
    return key_picture(ask("a walk", "anime"))


def mean_luma(frame: np.ndarray) -> float:
    return float((frame @ np.array([0.2126, 0.7152, 0.0722])).mean())


def test_the_same_request_gives_the_same_frames():
    assert fingerprint(draw(ask(num_frames=3))) == fingerprint(draw(ask(num_frames=3)))


def test_another_prompt_or_seed_gives_another_picture(anime):
    for other in (ask("a swim", "anime"), ask("a walk", "anime", seed=8)):
        assert np.abs(key_picture(other) - anime).mean() > 8, other


def test_a_clip_has_as_many_frames_as_were_asked_for_in_the_right_shape(clip):
    assert len(clip) == 33
    assert {(frame.shape, frame.dtype) for frame in clip} == {((480, 832, 3), np.dtype(np.uint8))}


def test_every_frame_says_rehearsal(clip):
    left, top, right, bottom = Tag((832, 480)).box
    labels = [frame[top:bottom, left:right] for frame in clip]
    assert all((label == labels[0]).all() for label in labels)
    assert labels[0].min() < 60
    assert labels[0].max() > 220
    assert 0.05 < (labels[0][..., 0] > 140).mean() < 0.4


def test_the_clip_opens_with_the_title_card_that_then_lifts_off(clip):
    assert (clip[0] == clip[8]).all()
    assert clip[0].mean() > 200
    assert clip[AFTER_THE_TITLE].mean() < 120


def test_the_camera_moves_on_ones_and_the_figure_never_freezes(clip):
    shot = [frame.astype(int) for frame in clip[AFTER_THE_TITLE:]]
    changes = [np.abs(b - a).mean() for a, b in itertools.pairwise(shot)]
    assert min(changes) > 0.3


@pytest.mark.parametrize("request_", [ask("robot cat fights a vending machine", "anime"), ask("storm", "neon")])
def test_nothing_flashes(request_):
    shot = Shot(read(request_.prompt, request_.style, request_.seed))
    for _ in Desk(shot).passes():
        pass
    luma = np.array([mean_luma(np.asarray(shot.frame(index, 81, 16.0))) for index in range(20, 36)])
    # A flash is a pair of opposing changes of a tenth of full light; we stay below that even once.
    assert np.ptp(luma) < 25.5
    assert np.abs(np.diff(luma)).max() < 4


@pytest.mark.parametrize("style", ["neon", "watercolor", "sumi", "retro", "storybook", "a streamer's own", ""])
def test_every_style_draws_and_unknown_ones_have_a_look_of_their_own(style, anime):
    assert np.abs(key_picture(ask("a walk", style)) - anime).mean() > 4


@pytest.mark.parametrize(
    "fields", [{"width": 100}, {"height": 832}, {"num_frames": 0}, {"num_frames": 4001}, {"fps": 0.01}, {"fps": 1e9}]
)
def test_what_is_not_offered_is_refused_before_anything_is_drawn(fields):
    with pytest.raises(RenderFailed, match="rehearsal draws"):
        draw(ask(**fields))


def test_the_key_picture_is_built_up_in_twenty_different_passes():
    seen = []

    def report(stage, step, total, fraction, preview):
        if stage == "denoise":
            seen.append((step, total, preview().tobytes()))

    next(Rehearsal().render(ask(), report))
    assert [step for step, *_ in seen] == list(range(1, 21))
    assert {total for _, total, _ in seen} == {20}
    assert len({picture for *_, picture in seen}) == 20
