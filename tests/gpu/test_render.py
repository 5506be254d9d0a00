"""Rendering with engines that do exactly what a test needs."""

import errno
import logging
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from gpu.engines import Sound
from gpu.render import leaves_doubts, needs_fresh_process, render
from gpu.telling import Telling
from sakuga.engine import EngineSpec, Making
from sakuga.errors import (
    FramesInvalid,
    GpuMemoryExhausted,
    RenderCancelled,
    RenderFailed,
    RenderLost,
    SakugaError,
)
from tests.gpu.conftest import ask

REQUEST = ask(engine="puppet", width=320, height=192, num_frames=5)


class PuppetEngine:
    """Draws grey frames with pauses, and breaks where it is told to."""

    def __init__(self, *, break_with: BaseException | None = None, sound: bool = False) -> None:
        self.spec = EngineSpec(
            name="puppet",
            summary="For tests.",
            sizes=((320, 192),),
            fps=16,
            shortest_s=1,
            longest_s=2,
            default_s=1,
            frame_step=4,
            typical_s=1,
        )
        self.making: Making | None = None
        self.closed = False
        self._break_with = break_with
        self._sound = sound

    def load(self) -> None:
        pass

    def render(self, request, report):
        try:
            report("text", 0, 1, 0.0, None)
            time.sleep(0.05)
            report("denoise", 0, 2, 0.1, None)
            for step in (1, 2):
                time.sleep(0.1)
                report("denoise", step, 2, 0.1 + step * 0.3, None)
            for number in range(request.num_frames):
                time.sleep(0.02)
                yield np.full((request.height, request.width, 3), 10 * number, np.uint8)
                report("decode", number + 1, request.num_frames, 0.7, None)
            if self._sound:
                yield Sound(np.zeros((2, 4800), np.float32), 48_000)
            if self._break_with:
                raise self._break_with
            self.making = Making(engine="puppet", num_inference_steps=2, seconds={"text": 0.5})
        finally:
            self.closed = True


def draw(engine: PuppetEngine, folder: Path, **options):
    return render(engine, REQUEST, folder, Telling(lambda _: None, **options))


def test_a_render_says_what_was_made_and_how(tmp_path):
    result = draw(PuppetEngine(sound=True), tmp_path / "new")
    assert (result.width, result.height, result.num_frames, result.has_sound) == (320, 192, 5, True)
    assert result.making.num_inference_steps == 2
    assert {Path(result.video_path), Path(result.poster_path)} == set((tmp_path / "new").iterdir())


def test_the_seconds_of_the_stages_add_up_to_the_render(tmp_path):
    engine = PuppetEngine()
    telling = Telling(lambda _: None)
    time.sleep(0.05)  # while the engine loads
    seconds = render(engine, REQUEST, tmp_path, telling).making.seconds
    whole = time.monotonic() - telling.begin
    assert set(seconds) == {"loading", "text", "denoise", "decode", "encode"}
    assert seconds["loading"] == pytest.approx(0.05, abs=0.04)
    assert seconds["denoise"] == pytest.approx(0.2, abs=0.1)
    assert seconds["decode"] == pytest.approx(0.1, abs=0.08)
    # And what the engine measured itself goes before what is measured from outside
    assert seconds["text"] == 0.5
    assert sum(seconds.values()) - 0.5 == pytest.approx(whole - 0.05, abs=0.05)


@pytest.mark.parametrize(
    "full",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_full_card_is_named_with_the_engine(tmp_path, full):
    with pytest.raises(GpuMemoryExhausted) as caught:
        draw(PuppetEngine(break_with=full), tmp_path)
    assert caught.value.data == {"engine": "puppet"}
    assert caught.value.__cause__ is full


@pytest.mark.parametrize(
    "broken",
    [
        torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("Triton Error [CUDA]: an illegal memory access was encountered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_a_card_that_answers_no_more_loses_the_render_and_not_the_job(tmp_path, broken):
    with pytest.raises(RenderLost) as caught:
        draw(PuppetEngine(break_with=broken), tmp_path)
    assert caught.value.retryable
    assert needs_fresh_process(caught.value)


def test_a_disk_that_is_full_says_so(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device", "/home/streamer/clip.mp4")
    with pytest.raises(RenderFailed, match="No space left on device, where puppet draws") as caught:
        draw(PuppetEngine(break_with=full), tmp_path)
    assert "streamer" not in str(caught.value)


def test_a_folder_that_can_not_be_made_is_a_failed_render(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RenderFailed, match="Not a directory"):
        draw(PuppetEngine(), tmp_path / "file" / "clip")


def unreadable() -> RenderFailed:
    """Return what is raised for a file that no library can read."""
    error = RenderFailed(reason="ren.mp4 is no video that can be read")
    error.__cause__ = IndexError("0")
    return error


@pytest.mark.parametrize(
    ("why", "doubtful"),
    [
        (KeyError("x"), True),
        (RenderFailed(reason="no"), False),
        (unreadable(), False),
        (OSError(errno.ENOSPC, "full"), False),
        (torch.OutOfMemoryError("CUDA out of memory"), False),
        (FramesInvalid(engine="puppet"), False),
    ],
)
def test_only_what_nobody_foresaw_leaves_doubts_about_the_engine(tmp_path, why, doubtful):
    with pytest.raises(SakugaError) as caught:
        draw(PuppetEngine(break_with=why), tmp_path)
    assert leaves_doubts(caught.value) is doubtful


def test_whatever_else_breaks_is_named_by_its_type_and_keeps_its_words_to_itself(tmp_path):
    with pytest.raises(RenderFailed) as caught:
        draw(PuppetEngine(break_with=KeyError("the viewer's words")), tmp_path)
    assert caught.value.data == {"reason": "KeyError in puppet"}


def test_what_a_pipeline_cuts_off_a_prompt_is_not_logged_and_its_warnings_are_heard_again_after_that(tmp_path, caplog):
    class Cutting(PuppetEngine):
        def render(self, request, report):
            warn(request.prompt)
            return super().render(request, report)

    warn = logging.getLogger("diffusers.pipelines.ltx.pipeline_ltx").warning
    draw(Cutting(), tmp_path)
    assert caplog.text == ""
    warn("weights are of another type")
    assert "another type" in caplog.text


def test_an_error_of_ours_stays_what_it_is(tmp_path):
    with pytest.raises(FramesInvalid):
        draw(PuppetEngine(break_with=FramesInvalid(engine="puppet")), tmp_path)


@pytest.mark.parametrize("why", [RenderFailed(reason="no"), KeyboardInterrupt()])
def test_a_render_that_breaks_leaves_no_files(tmp_path, why):
    engine = PuppetEngine(break_with=why)
    with pytest.raises(type(why)):
        draw(engine, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert engine.closed


def test_a_stop_ends_the_engine_at_its_next_report_and_leaves_no_files(tmp_path):
    heard = []
    engine = PuppetEngine()
    telling = Telling(heard.append, stopped=lambda: len(heard) == 3)
    with pytest.raises(RenderCancelled):
        render(engine, REQUEST, tmp_path, telling)
    assert ([report.stage for report in heard], engine.closed) == (["text", "denoise", "denoise"], True)
    assert list(tmp_path.iterdir()) == []


def test_a_stop_that_comes_after_the_last_frame_comes_too_late(tmp_path):
    heard = []
    telling = Telling(heard.append, stopped=lambda: bool(heard) and heard[-1].stage == "encode")
    assert render(PuppetEngine(), REQUEST, tmp_path, telling).num_frames == 5
    assert len(list(tmp_path.iterdir())) == 2
