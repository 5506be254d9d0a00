"""How renders end in a rented container when they do not end well."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import modal
import pytest
from modal.exception import InputCancellation

from gpu.cloud import container
from gpu.engines import Place
from gpu.serve import Resident
from sakuga.errors import RenderLost, restored
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.puppet_engine import Puppet
from tests.gpu.cloud.container.conftest import lying, suffers, told

pytestmark = pytest.mark.filterwarnings("ignore:.*executing locally and will not have access:UserWarning")


@pytest.mark.parametrize(
    ("prompt", "code"), [("burn", "gpu_memory_exhausted"), ("stumble", "render_failed")], ids=["memory", "bug"]
)
async def test_an_error_is_an_answer_in_our_words_and_the_next_clip_is_drawn(
    fake: FakeWorkspace, draw: Callable[..., Any], capsys: pytest.CaptureFixture[str], prompt: str, code: str
) -> None:
    answer = await draw(prompt=prompt)
    error = restored(**answer["error"])
    assert error.code == code
    assert "secret words" not in str(answer) + capsys.readouterr().err
    assert (await told(fake))[-1]["ended"]
    assert "video" in await draw(job_id="job_02")


async def test_a_card_that_answers_no_more_gets_no_more_work(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await draw()
    retired: list[bool] = []
    monkeypatch.setattr(container, "retire", lambda: retired.append(True))
    suffers(monkeypatch, RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert (await draw(job_id="job_02"))["error"]["code"] == "render_lost"
    assert retired


async def test_an_engine_that_a_cancel_left_unfit_is_loaded_anew_and_the_clip_is_drawn(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a clip that is broken off where that leaves the engine unfit
    with pytest.raises(InputCancellation):
        await draw(prompt="cancel")
    suffers(monkeypatch, TypeError("a hook is missing"))
    # When the next one is asked for
    answer = await draw(job_id="job_02")
    # Then its viewer does not notice
    assert "video" in answer
    assert Puppet.loads == 2


async def test_an_engine_that_failed_at_something_unforeseen_is_loaded_anew_for_the_next_clip(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await draw()
    suffers(monkeypatch, TypeError("a hook is missing"))
    assert (await draw(job_id="job_02"))["error"]["code"] == "render_failed"
    assert "video" in await draw(job_id="job_03")
    assert Puppet.loads == 2


async def test_whatever_goes_wrong_around_the_drawing_is_an_answer_too_and_the_engine_is_loaded_anew(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr(container, "packed", broken)
        answer = await draw()
    assert (answer["error"]["code"], "video" in answer) == ("unexpected", False)
    assert "video" in await draw(job_id="job_02")
    assert Puppet.loads == 2


async def test_a_failure_that_a_broken_card_is_found_behind_gets_no_more_work_and_another_attempt(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a container whose card answers no more, while what is raised says nothing of that
    await draw()
    retired: list[bool] = []

    def forget(_: Resident) -> None:
        raise RenderLost

    monkeypatch.setattr(container, "retire", lambda: retired.append(True))
    monkeypatch.setattr(Resident, "forget", forget)
    suffers(monkeypatch, TypeError("a hook is missing"))
    # When a clip fails
    answer = await draw(job_id="job_02")
    # Then it is drawn elsewhere
    assert restored(**answer["error"]).retryable
    assert retired


async def test_a_refusal_that_was_foreseen_keeps_the_engine(draw: Callable[..., Any]) -> None:
    assert (await draw(image="ren.png"))["error"]["code"] == "media_missing"
    assert "video" in await draw(job_id="job_02")
    assert Puppet.loads == 1


async def test_a_request_that_this_app_cannot_read_is_an_error_and_no_crash(
    rented: modal.Cls, fake: FakeWorkspace, place: Place
) -> None:
    answer = await asyncio.to_thread(rented().render.local, {"job_id": "job_01", "prompt": "secret words"})
    assert answer["error"]["code"] == "render_failed"
    assert "secret words" not in str(answer)


async def test_a_cancelled_render_leaves_nothing_behind_and_the_engine_fit(
    fake: FakeWorkspace, draw: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a render that Modal interrupts between two lines of Python
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = lying(tmp_path)
    with pytest.raises(InputCancellation):
        await draw(prompt="cancel")
    # Then its files are gone, and who watches hears that it ended
    assert lying(tmp_path) == before
    assert (await told(fake))[-1]["ended"]
    # And the next clip is drawn by the engine that is loaded
    assert "video" in await draw(job_id="job_02")
    assert Puppet.loads == 1
