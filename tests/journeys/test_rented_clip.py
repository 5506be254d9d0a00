"""A rented clip: the worker's renderer, the real client, the class that runs on Modal, and back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import av
import modal
import pytest
from PIL import Image

from gpu import app
from gpu.cloud import container
from gpu.engines import ENGINES, Place, find_spec
from sakuga.engine import MODAL_CLAIMS, MODAL_PROGRESS, Progress, RenderRequest
from sakuga.errors import GpuMemoryExhausted, RenderCancelled
from sakuga.settings import Settings
from tests.fakes.modal_calls import Container
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.puppet_engine import Puppet
from tests.fakes.terminal import at_home
from worker.renderers.modal import ModalRenderer

pytestmark = pytest.mark.filterwarnings("ignore:.*executing locally and will not have access:UserWarning")
LIMIT_S = 20


@pytest.fixture(scope="module")
def rented() -> Iterator[modal.Cls]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "puppet", "tests.fakes.puppet_engine")
        yield app.rent(find_spec("puppet"))


@pytest.fixture
async def fake(rented: modal.Cls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    """A workspace whose one GPU runs the class that is deployed."""
    monkeypatch.setitem(ENGINES, "puppet", "tests.fakes.puppet_engine")
    place = Place(weights=tmp_path / "weights", media=tmp_path / "media", cache=tmp_path / "cache")
    place.weights.mkdir()
    (place.weights / "puppet").touch()
    monkeypatch.setattr(container, "PLACE", place)
    boxed = rented()

    def body(where: Container, job: dict[str, Any]) -> dict[str, Any]:
        monkeypatch.setattr(modal, "current_function_call_id", lambda: where.call_id)
        monkeypatch.setattr(Puppet, "pause", where.order, raising=False)
        answer: dict[str, Any] = boxed.render.local(job)
        return answer

    async with at_home(FakeWorkspace({"Puppet.render": body}), monkeypatch) as workspace:
        monkeypatch.setattr(container, "progress", modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True))
        monkeypatch.setattr(container, "claims", modal.Dict.from_name(MODAL_CLAIMS, create_if_missing=True))
        monkeypatch.setattr(container, "ledger", modal.Dict.from_name("sakuga-ledger", create_if_missing=True))
        yield workspace


@pytest.fixture
async def renderer(fake: FakeWorkspace, tmp_path: Path) -> AsyncIterator[ModalRenderer]:
    found = ModalRenderer(Settings(var_dir=tmp_path))
    found._specs = {"puppet": find_spec("puppet")}
    yield found
    await found.close()


def order(prompt: str = "a cat", job: str = "job_01") -> RenderRequest:
    size = {"seed": 7, "width": 64, "height": 48, "num_frames": 9, "fps": 8.0}
    words = {"job_id": job, "number": 42, "attempt": 1, "engine": "puppet", "prompt": prompt, "style": "anime"}
    return RenderRequest.model_validate(words | size)


async def watched(renderer: ModalRenderer, handle: str, until: Callable[[Progress], bool]) -> list[Progress]:
    reports: list[Progress] = []
    async with asyncio.timeout(LIMIT_S):
        async for report in renderer.watch(handle):
            reports.append(report)
            if until(report):
                break
    return reports


async def test_a_clip_comes_back_with_its_pictures_on_the_way_its_making_and_its_cost(
    renderer: ModalRenderer,
) -> None:
    # When a worker has a clip drawn on a rented GPU
    handle = await renderer.start(order())
    reports = await watched(renderer, handle, lambda _: False)
    result = await renderer.result(handle)
    # Then it saw the picture come
    assert [report.sequence for report in reports] == sorted({report.sequence for report in reports})
    assert {"loading", "denoise", "encode"} <= {report.stage for report in reports}
    assert any(report.preview and report.preview.startswith(b"\xff\xd8") for report in reports)
    assert reports[-1].fraction == 1
    # And it has the film, how it was made, and what it cost
    with av.open(result.video_path) as film:
        assert sum(1 for _ in film.decode(video=0)) == 9
    with Image.open(result.poster_path) as poster:
        assert poster.size == (64, 48)
    assert result.renderer == "modal"
    assert result.making
    assert result.making.device == "NVIDIA L40S"
    assert result.cost
    assert result.cost.gpu == "L40S"


async def test_what_goes_wrong_there_has_the_same_name_here(renderer: ModalRenderer) -> None:
    with pytest.raises(GpuMemoryExhausted) as caught:
        await renderer.result(await renderer.start(order("burn")))
    assert caught.value.data == {"engine": "puppet"}


async def test_a_clip_that_nobody_wants_any_more_stops_and_the_model_stays(renderer: ModalRenderer) -> None:
    # Given a clip in the middle of its steps
    handle = await renderer.start(order("wait"))
    await watched(renderer, handle, lambda report: report.stage == "denoise")
    # When it is cancelled
    await renderer.cancel(handle)
    with pytest.raises(RenderCancelled):
        await renderer.result(handle)
    # Then the next one is drawn by the model that is there
    loads = Puppet.loads
    result = await renderer.result(await renderer.start(order(job="job_02")))
    assert result.num_frames == 9
    assert Puppet.loads == loads
