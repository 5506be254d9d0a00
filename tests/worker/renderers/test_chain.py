"""Several renderers as one, with puppets that come and go."""

from pathlib import Path
from time import monotonic

import pytest
from structlog.testing import capture_logs

from sakuga.engine import Adapter, EngineSpec, Making, Recipe, RenderRequest, RenderResult
from sakuga.errors import (
    GpuMemoryExhausted,
    QuotaExhausted,
    RendererNotDeployed,
    RendererUnauthorised,
    RendererUnavailable,
    RenderLost,
    SakugaError,
    SettingsInvalid,
)
from sakuga.settings import Settings
from tests.fakes.renderer import SPEC, PuppetRenderer
from worker.renderers import Readiness, open_renderer
from worker.renderers.chain import ChainRenderer, fit

WAN = SPEC.model_copy(
    update={
        "name": "wan",
        "sizes": ((96, 64),),
        "modes": ("text-to-video", "image-to-video"),
        "presets": {"live": Recipe(num_inference_steps=4, guidance_scale=1, typical_s=4)},
    }
)
LTX = SPEC.model_copy(
    update={
        "name": "ltx",
        "fps": 24.0,
        "longest_s": 2.0,
        "frame_step": 8,
        "presets": {"draft": Recipe(num_inference_steps=3, guidance_scale=1, typical_s=4, size=(32, 32))},
    }
)
AWAY = [
    RendererUnavailable(reason="no network"),
    RendererNotDeployed(app="sakuga"),
    RendererUnauthorised(reason="no token"),
    QuotaExhausted(provider="Modal", reason="budget"),
]


class Station(PuppetRenderer):
    """A puppet with a name, engines of its own, and a reason to be away."""

    def __init__(self, name: str, folder: Path, *specs: EngineSpec, outlives_worker: bool = False) -> None:
        super().__init__(folder, outlives_worker=outlives_worker)
        self.name = name
        self.offered = list(specs)
        self.broken_specs: SakugaError | None = None

    async def specs(self) -> list[EngineSpec]:
        if self.broken_specs:
            raise self.broken_specs
        return self.offered


@pytest.fixture
def modal(tmp_path: Path) -> Station:
    return Station("modal", tmp_path, WAN, outlives_worker=True)


@pytest.fixture
def local(tmp_path: Path) -> Station:
    return Station("local", tmp_path, LTX, WAN)


@pytest.fixture
def chain(modal: Station, local: Station) -> ChainRenderer:
    return ChainRenderer([modal, local])


def ask(engine: str = "wan", **more: object) -> RenderRequest:
    fields: dict[str, object] = {
        "job_id": "job_1",
        "number": 1,
        "attempt": 1,
        "engine": engine,
        "prompt": "robot cat",
        "style": "anime",
        "seed": 7,
        "width": 96,
        "height": 64,
        "num_frames": 25,
        "fps": 8,
    }
    return RenderRequest.model_validate(fields | more)


async def made(chain: ChainRenderer, handle: str) -> RenderResult:
    async for _ in chain.watch(handle):
        pass
    return await chain.result(handle)


async def test_the_engines_are_those_of_all_each_once_the_first_renderers_first(chain: ChainRenderer) -> None:
    assert [spec.name for spec in await chain.specs()] == ["wan", "ltx"]
    assert chain.name == "modal,local"


async def test_a_render_goes_to_the_first_and_its_handle_says_so(chain: ChainRenderer, modal: Station) -> None:
    with capture_logs() as logs:
        handle = await chain.start(ask())
    assert (handle, logs) == ("modal:puppet-0", [])
    # And all that is asked about it is asked there
    modal.report("puppet-0", 0.5)
    modal.finish("puppet-0")
    assert [report.fraction async for report in chain.watch(handle)] == [0.5]
    assert (await chain.result(handle)).renderer == "modal"
    await chain.release(handle)
    assert modal.released == ["puppet-0"]


@pytest.mark.parametrize("why", AWAY, ids=lambda why: why.code)
async def test_while_the_first_is_away_the_next_draws_and_the_log_says_why(
    chain: ChainRenderer, modal: Station, local: Station, why: SakugaError
) -> None:
    modal.broken_start = why
    with capture_logs() as logs:
        handle = await chain.start(ask())
    local.finish("puppet-0")
    assert (await made(chain, handle)).renderer == "local"
    assert logs == [
        {
            "log_level": "warning",
            "event": "renderer.fell_back",
            "job_id": "job_1",
            "code": why.code,
            "passed_over": "modal",
            "renderer": "local",
            "asked": "wan",
            "engine": "wan",
        }
    ]
    # And when it is back, it draws again
    modal.broken_start = None
    await chain.look()
    assert (await chain.start(ask())).startswith("modal:")


async def test_a_render_goes_to_the_one_that_has_its_engine(chain: ChainRenderer, local: Station) -> None:
    with capture_logs() as logs:
        assert await chain.start(ask("ltx", fps=24.0)) == "local:puppet-0"
    assert (local.requests[0].engine, logs) == ("ltx", [])


async def test_where_nobody_has_the_engine_another_draws_and_the_clip_and_the_log_say_which(
    chain: ChainRenderer, modal: Station, local: Station
) -> None:
    # Given an engine that only the one has that is away
    local.broken_start = RendererUnavailable(reason="no card")
    # When a clip is asked for
    with capture_logs() as logs:
        handle = await chain.start(ask("ltx", fps=24.0, num_frames=73))
    # Then the other draws with what it has, in that engine's form
    request = modal.requests[0]
    assert (request.engine, request.width, request.height) == ("wan", 96, 64)
    assert (request.num_frames, request.fps) == (WAN.num_frames(3.0), 8)
    # And neither the log nor the result keep it back
    assert (logs[0]["code"], logs[0]["asked"], logs[0]["engine"]) == ("renderer_unavailable", "ltx", "wan")
    modal.finish("puppet-0")
    result = await made(chain, handle)
    assert (result.renderer, result.making) == ("modal", Making(engine="wan"))


async def test_what_the_other_engine_can_not_draw_is_named_in_the_log(chain: ChainRenderer, modal: Station) -> None:
    hana = Adapter(name="hana", file="hana.safetensors")
    with capture_logs() as logs:
        await chain.start(ask("mochi", adapters=(hana,), image="hana.png", video="walk.mp4"))
    assert (modal.requests[0].adapters, modal.requests[0].video) == ((), None)
    assert logs[0]["without"] == "hana, image, video"


async def test_one_that_was_away_is_not_asked_for_each_clip_that_another_draws(
    chain: ChainRenderer, local: Station
) -> None:
    local.broken_specs = RendererUnavailable(reason="no weights")
    await chain.specs()
    local.broken_specs = AssertionError("asked")  # type: ignore[assignment]
    assert (await chain.start(ask())).startswith("modal:")


async def test_one_that_could_not_be_reached_is_not_waited_for_by_the_next_clips(
    chain: ChainRenderer, modal: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given one that was away when a clip was begun
    modal.broken_start = RendererUnavailable(reason="Modal does not answer")
    await chain.start(ask())
    # When the next clips are begun
    modal.broken_start = AssertionError("asked")  # type: ignore[assignment]
    with capture_logs() as logs:
        handles = [await chain.start(ask()) for _ in range(3)]
    # Then it is not asked, and the log says that it was passed over
    assert {handle.partition(":")[0] for handle in handles} == {"local"}
    assert [(log["passed_over"], log["code"]) for log in logs] == [("modal", "renderer_unavailable")] * 3
    # And from a while on it is asked again, whoever looks
    modal.broken_start = None
    now = monotonic()
    monkeypatch.setattr("worker.renderers.chain.monotonic", lambda: now + 80)
    assert (await chain.start(ask())).startswith("modal:")


async def test_one_that_was_away_is_asked_all_the_same_where_nobody_else_draws(
    chain: ChainRenderer, modal: Station, local: Station
) -> None:
    modal.broken_start = local.broken_start = RendererUnavailable(reason="no network")
    with pytest.raises(RendererUnavailable):
        await chain.start(ask())
    modal.broken_start = None
    with capture_logs():
        assert (await chain.start(ask())).startswith("modal:")


async def test_a_chain_tells_who_is_away_and_whether_somebody_draws(
    chain: ChainRenderer, modal: Station, local: Station
) -> None:
    await chain.specs()
    modal.ready = Readiness(gpu="H100", warm=True)
    assert await chain.readiness() == modal.ready
    # When the first one finds that it can't be used
    why = RendererUnauthorised(reason="there is none")
    modal.ready = Readiness(gpu=None, warm=False, trouble=why, there=False)
    await chain.look()
    # Then the next one is what there is, with the reason
    local.ready = Readiness(gpu="NVIDIA L4", warm=True)
    assert await chain.readiness() == Readiness(gpu="NVIDIA L4", warm=True, trouble=why)
    assert (await chain.start(ask())).startswith("local:")
    # And when that one is away too, there is none
    local.ready = Readiness(None, warm=False, trouble=RendererUnavailable(reason="no card"), there=False)
    await chain.look()
    found = await chain.readiness()
    assert (found.trouble, found.there) == (why, False)
    # And when the first is back, all is well
    modal.ready = local.ready = Readiness(gpu="H100", warm=False)
    await chain.look()
    assert await chain.readiness() == modal.ready


async def test_the_reports_say_what_draws_where_it_is_not_what_was_asked_for(
    chain: ChainRenderer, modal: Station
) -> None:
    with capture_logs():
        handles = await chain.start(ask("mochi")), await chain.start(ask("wan"))
    told = []
    for number, handle in enumerate(handles):
        modal.report(f"puppet-{number}", 0.5)
        modal.finish(f"puppet-{number}")
        told += [report.engine async for report in chain.watch(handle)]
    assert told == ["wan", None]


async def test_an_engine_that_no_renderer_has_is_replaced_as_openly(chain: ChainRenderer) -> None:
    with capture_logs() as logs:
        assert await chain.start(ask("mochi")) == "modal:puppet-0"
    assert (logs[0]["event"], logs[0]["code"]) == ("renderer.fell_back", "engine_unknown")


async def test_what_is_no_absence_is_not_passed_over(chain: ChainRenderer, modal: Station, local: Station) -> None:
    modal.broken_start = GpuMemoryExhausted(engine="wan")
    with pytest.raises(GpuMemoryExhausted):
        await chain.start(ask())
    assert local.requests == []


async def test_when_all_are_away_the_first_one_says_why(chain: ChainRenderer, modal: Station, local: Station) -> None:
    modal.broken_start, local.broken_start = RendererNotDeployed(app="sakuga"), RendererUnavailable(reason="no card")
    with pytest.raises(RendererNotDeployed):
        await chain.start(ask())


async def test_one_that_was_away_at_the_start_is_asked_again(
    chain: ChainRenderer, modal: Station, local: Station
) -> None:
    modal.broken_specs = RendererUnavailable(reason="no network")
    with capture_logs() as logs:
        assert [spec.name for spec in await chain.specs()] == ["ltx", "wan"]
    assert (logs[0]["event"], logs[0]["renderer"]) == ("renderer.away", "modal")
    assert (await chain.start(ask())).startswith("local:")
    modal.broken_specs = None
    await chain.look()
    assert (await chain.start(ask())).startswith("modal:")


async def test_when_none_can_say_what_it_has_there_is_no_renderer(
    chain: ChainRenderer, modal: Station, local: Station
) -> None:
    modal.broken_specs = local.broken_specs = RendererUnavailable(reason="no network")
    with capture_logs(), pytest.raises(RendererUnavailable):
        await chain.specs()
    with pytest.raises(RendererUnavailable):
        await chain.start(ask())


async def test_a_handle_outlives_the_worker_where_its_renderer_does(chain: ChainRenderer, modal: Station) -> None:
    first = await chain.start(ask())
    modal.broken_start = RendererUnavailable(reason="no network")
    with capture_logs():
        second = await chain.start(ask())
    assert [chain.outlives(handle) for handle in (first, second, "nobody", "mars:1")] == [True, False, False, False]


async def test_a_handle_of_another_chain_is_lost(chain: ChainRenderer) -> None:
    with pytest.raises(RenderLost):
        await chain.result("mars:puppet-0")
    await chain.cancel("mars:puppet-0")
    await chain.release("mars:puppet-0")


async def test_the_first_that_is_there_is_warmed_and_all_are_cooled(
    chain: ChainRenderer, modal: Station, local: Station
) -> None:
    await chain.warm()
    assert (modal.asked, local.asked) == (["warm"], [])
    assert (await chain.readiness()).warm
    modal.broken_warmth = RendererNotDeployed(app="sakuga")
    with capture_logs() as logs:
        await chain.warm()
    assert (local.asked, logs[0]["code"]) == (["warm"], "renderer_not_deployed")
    with pytest.raises(RendererNotDeployed):
        await chain.cool()
    assert local.asked == ["warm", "cool"]


def test_a_request_that_fits_is_left_as_it_is() -> None:
    assert fit(ask("wan", preset="quality"), [LTX, WAN]) == ask("wan", preset="quality")


def test_a_request_for_another_engine_keeps_its_words_and_leaves_what_that_one_can_not_use() -> None:
    hana = Adapter(name="hana", file="hana.safetensors")
    fitted = fit(ask("wan", adapters=[hana], image="hana.png", num_frames=65), [LTX])
    assert (fitted.prompt, fitted.seed, fitted.attempt_key) == ("robot cat", 7, "job_1.1")
    assert (fitted.engine, fitted.preset, fitted.width, fitted.height) == ("ltx", "draft", 32, 32)
    assert (fitted.num_frames, fitted.fps) == (LTX.num_frames(LTX.longest_s), 24)
    assert (fitted.adapters, fitted.image) == ((), None)


def test_a_picture_stays_where_the_other_engine_can_begin_with_it() -> None:
    assert fit(ask("ltx", image="hana.png"), [WAN]).image == "hana.png"


@pytest.mark.parametrize("names", [["rehearsal"], ["local"], ["modal"], ["modal", "local", "rehearsal"]])
async def test_the_settings_name_one_renderer_or_a_chain(
    tmp_path: Path, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer = open_renderer(Settings(var_dir=tmp_path, renderer=names))  # type: ignore[arg-type]
    assert renderer.name == ",".join(names)
    await renderer.close()


def test_a_rehearsal_has_no_other_engine(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="SAKUGA_ENGINES"):
        open_renderer(Settings(var_dir=tmp_path, engines=["tiny"]))
