"""What happens in a rented container, in this process: the real client, and a puppet for an engine."""

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import av
import modal
import pytest
from grpclib import Status
from modal.exception import InputCancellation
from PIL import Image

from gpu import app, container
from gpu.engines import ENGINES, Place, find_spec
from sakuga.engine import MODAL_CLAIMS, MODAL_PROGRESS, Progress, RenderRequest, RenderResult
from sakuga.errors import restored
from tests.fakes.modal_deploy import FakeWorkspace
from tests.fakes.puppet_engine import Puppet
from tests.fakes.terminal import at_home

pytestmark = pytest.mark.filterwarnings("ignore:.*executing locally and will not have access:UserWarning")
Answer = dict[str, Any]


@pytest.fixture(scope="module")
def rented() -> Iterator[modal.Cls]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(ENGINES, "puppet", "tests.fakes.puppet_engine")
        yield app.rent(find_spec("puppet"))


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeWorkspace]:
    """The workspace that every handle of the container leads to."""
    async with at_home(FakeWorkspace(), monkeypatch) as workspace:
        for name in ("weights", "media"):
            monkeypatch.setattr(container, name, modal.Volume.from_name(f"sakuga-{name}", create_if_missing=True))
        monkeypatch.setattr(container, "progress", modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True))
        monkeypatch.setattr(container, "claims", modal.Dict.from_name(MODAL_CLAIMS, create_if_missing=True))
        monkeypatch.setattr(container, "ledger", modal.Dict.from_name("sakuga-ledger", create_if_missing=True))
        yield workspace


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A place with weights."""
    found = Place(weights=tmp_path / "weights", media=tmp_path / "media", cache=tmp_path / "cache")
    for folder in (found.weights, found.media, found.cache):
        folder.mkdir()
    (found.weights / "puppet").touch()
    monkeypatch.setattr(container, "PLACE", found)
    monkeypatch.setattr(Puppet, "seen", [])
    monkeypatch.setattr(Puppet, "loads", 0)
    return found


@pytest.fixture
def draw(rented: modal.Cls, fake: FakeWorkspace, place: Place) -> Callable[..., Any]:
    """Draw in one and the same container."""
    boxed = rented()

    async def drawn(**fields: Any) -> Answer:
        return await asyncio.to_thread(boxed.render.local, ask(**fields).model_dump(mode="json"))

    return drawn


def ask(**fields: Any) -> RenderRequest:
    plain = {"job_id": "job_01", "number": 42, "attempt": 1, "engine": "puppet", "prompt": "a cat", "style": "anime"}
    size = {"seed": 7, "width": 64, "height": 48, "num_frames": 5, "fps": 8.0}
    return RenderRequest.model_validate(plain | size | fields)


async def told(fake: FakeWorkspace, key: str = "job_01.1") -> list[dict[str, Any]]:
    """Return what a worker reads in the queue."""
    items = modal.Queue.from_name(MODAL_PROGRESS, create_if_missing=True)
    return [item async for item in items.iterate.aio(partition=key, item_poll_timeout=0)]


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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


@pytest.mark.parametrize(
    ("prompt", "code"), [("burn", "gpu_memory_exhausted"), ("stumble", "render_failed")], ids=["memory", "bug"]
)
async def test_an_error_is_an_answer_in_our_words_and_the_next_clip_is_drawn(
    fake: FakeWorkspace, draw: Callable[..., Any], prompt: str, code: str
) -> None:
    answer = await draw(prompt=prompt)
    error = restored(**answer["error"])
    assert error.code == code
    assert "secret words" not in str(answer)
    assert (await told(fake))[-1]["ended"]
    assert "video" in await draw(job_id="job_02")


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


async def test_boot_and_idle_are_shared_by_what_containers_of_the_engine_counted(
    fake: FakeWorkspace, draw: Callable[..., Any]
) -> None:
    # Given two containers of last week, alive for 100 s with 20 s of drawing, five clips in all
    ledger = modal.Dict.from_name("sakuga-ledger", create_if_missing=True)
    await ledger.put.aio("puppet.a", {"engine": "puppet", "alive_s": 60.0, "busy_s": 15.0, "clips": 3})
    await ledger.put.aio("puppet.b", {"engine": "puppet", "alive_s": 40.0, "busy_s": 5.0, "clips": 2})
    await ledger.put.aio("other.c", {"engine": "other", "alive_s": 900.0, "busy_s": 5.0, "clips": 1})
    # When a clip is drawn
    cost = RenderResult.model_validate((await draw())["result"]).cost
    # Then it is charged a fifth of the 80 s in which nothing was drawn
    assert cost
    per_second = (cost.usd - cost.usd_overhead) / cost.seconds
    assert cost.usd_overhead / per_second == pytest.approx(16.0)
    # And this container counts for the next ones
    mine = [
        entry for key, entry in fake.kept("sakuga-ledger").items() if key not in {"puppet.a", "puppet.b", "other.c"}
    ]
    assert [entry["clips"] for entry in mine] == [1]


async def test_a_restored_container_is_charged_no_boot_that_was_another_ones(
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "BORN_AS", "ta-of-the-snapshot")
    monkeypatch.setattr(container, "BORN", 0.0)
    cost = RenderResult.model_validate((await draw())["result"]).cost
    assert cost
    per_second = (cost.usd - cost.usd_overhead) / cost.seconds
    assert cost.usd_overhead / per_second == pytest.approx(container.IDLE_S)


async def test_prices_are_those_of_the_workspace_where_modal_tells_them(
    fake: FakeWorkspace, draw: Callable[..., Any]
) -> None:
    fake.rates = {"gpu/l40s": "0.0004", "cpu": "0.0000131", "memory": "0.00000222"}
    cost = RenderResult.model_validate((await draw())["result"]).cost
    assert cost
    assert cost.rates == "workspace"
    memory_gib = 29  # 20.5 GB on the card, rounded up, and 8 to spare
    per_second = 0.0004 + 4 * 0.0000131 + memory_gib * 0.00000222
    assert cost.usd - cost.usd_overhead == pytest.approx(per_second * cost.seconds)


async def test_a_bill_that_cannot_be_asked_for_stops_no_render(fake: FakeWorkspace, draw: Callable[..., Any]) -> None:
    fake.troubles["WorkspaceBillingRates"] = (Status.PERMISSION_DENIED, "not for containers")
    cost = RenderResult.model_validate((await draw())["result"]).cost
    assert cost
    assert cost.rates == "table"
