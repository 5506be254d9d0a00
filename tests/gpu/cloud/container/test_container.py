"""What happens in a rented container while it is well."""

import base64
import io
from collections.abc import Callable
from typing import Any

import av
import modal
import pytest
from grpclib import Status
from PIL import Image

from gpu.engines import Place
from sakuga.engine import MODAL_CLAIMS, Progress, RenderResult
from sakuga.errors import restored
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.puppet_engine import Puppet
from tests.gpu.cloud.container.conftest import told

pytestmark = pytest.mark.filterwarnings("ignore:.*executing locally and will not have access:UserWarning")


async def test_a_render_answers_with_a_film_a_poster_and_what_it_cost(draw: Callable[..., Any]) -> None:
    # When a clip is drawn
    answer = await draw()
    # Then the answer is data alone, and its paths are names
    result = RenderResult.model_validate(answer["result"])
    assert (result.video_path, result.poster_path, result.num_frames) == ("job_01.1.mp4", "job_01.1.jpg", 5)
    with av.open(io.BytesIO(answer["video"])) as film:
        assert sum(1 for _ in film.decode(video=0)) == 5
    with Image.open(io.BytesIO(answer["poster"])) as poster:
        assert poster.size == (64, 48)
    # And the cost is for the GPU that was asked for and came, at this workspace's price where it is known
    cost = result.cost
    assert cost
    assert (cost.gpu, cost.rates) == ("L40S", "table")
    assert 0 < cost.usd_overhead < cost.usd
    assert result.making
    assert result.making.seconds["denoise"] >= 0


async def test_progress_lies_in_the_queue_under_the_attempt_and_ends_with_a_last_word(
    fake: FakeWorkspace, draw: Callable[..., Any]
) -> None:
    await draw()
    *reports, last = await told(fake)
    assert last == {"run": reports[0]["run"], "ended": True}
    assert {item["run"] for item in reports} == {last["run"]}
    progress = [Progress.model_validate(item["progress"]) for item in reports]
    assert [each.sequence for each in progress] == sorted(each.sequence for each in progress)
    assert progress[-1].fraction == 1
    pictures = [each.preview for each in progress if each.preview]
    assert pictures
    with Image.open(io.BytesIO(pictures[0])) as picture:
        assert picture.format == "JPEG"
    assert isinstance(reports[0]["progress"]["preview"], str | None)
    assert base64.b64decode(next(item["progress"]["preview"] for item in reports if item["progress"]["preview"]))


async def test_a_clip_is_drawn_before_the_snapshot_so_that_kernels_are_in_it(draw: Callable[..., Any]) -> None:
    await draw()
    assert Puppet.seen == ["a lighthouse at dusk", "a cat"]
    assert Puppet.loads == 1


async def test_an_attempt_that_another_call_draws_is_not_drawn_twice(
    fake: FakeWorkspace, draw: Callable[..., Any]
) -> None:
    await modal.Dict.from_name(MODAL_CLAIMS, create_if_missing=True).put.aio("job_01.1", "fc-other")
    assert await draw() == {"claimed_by": "fc-other"}
    assert "a cat" not in Puppet.seen
    assert await told(fake) == []


async def test_a_call_that_runs_again_after_preemption_goes_on_as_another_run(
    fake: FakeWorkspace, draw: Callable[..., Any]
) -> None:
    assert "video" in await draw()
    assert "video" in await draw()
    assert len({item["run"] for item in await told(fake)}) == 2
    assert len(fake.kept(MODAL_CLAIMS)) == 1


async def test_a_claim_that_cannot_be_made_stops_no_render(fake: FakeWorkspace, draw: Callable[..., Any]) -> None:
    fake.troubles["DictUpdate"] = (Status.INTERNAL, "dicts are out")
    assert "video" in await draw()


async def test_weights_that_come_after_the_container_are_found(
    fake: FakeWorkspace, draw: Callable[..., Any], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a container that was snapshotted without weights
    (place.weights / "puppet").unlink()
    answer = await draw()
    assert restored(**answer["error"]).code == "weights_missing"
    # When they have come, and are seen once the volume is read anew
    reload = fake.VolumeReload

    async def arrive(request: Any) -> Any:
        (place.weights / "puppet").touch()
        return await reload(request)

    monkeypatch.setattr(fake, "VolumeReload", arrive)
    # Then the same container draws
    assert "video" in await draw(job_id="job_02")
    assert "reload sakuga-weights" in fake.fetched
    stages = [item["progress"]["stage"] for item in await told(fake, "job_02.1") if "progress" in item]
    assert stages[0] == "loading"


async def test_a_picture_that_was_sent_after_the_container_began_is_found(
    fake: FakeWorkspace, draw: Callable[..., Any], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await draw(image="ren.png"))["error"] == {"code": "media_missing", "data": {"name": "ren.png"}}
    reload = fake.VolumeReload

    async def arrive(request: Any) -> Any:
        (place.media / "ren.png").touch()
        return await reload(request)

    monkeypatch.setattr(fake, "VolumeReload", arrive)
    assert "video" in await draw(job_id="job_02", image="ren.png")
