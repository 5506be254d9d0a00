"""Wan as diffusers draws it, only heard, remembered, streamed and restyled."""

import numpy as np
import pytest
import torch
from diffusers import WanPipeline

from gpu import weights
from gpu.engines import Place, Preview, find_spec
from gpu.engines.wan import Wan
from gpu.pipeline.plan import Plan
from gpu.pipeline.preview import PreviewBudget
from sakuga.engine import Adapter, RenderStage, Source
from sakuga.errors import AdapterUnfit, MediaMissing
from tests.fakes import loras
from tests.fakes.footage import draw_footage
from tests.fakes.weights.shelf import stock
from tests.gpu.engines.test_families import Listener, drawn, pictures, request
from tests.gpu.pipeline.test_preview import Clock

NAME = "wan2.1-t2v-1.3b"
STEPS = 6


@pytest.fixture(scope="module")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Wan:
    torch.set_num_threads(1)
    shelf, media = tmp_path_factory.mktemp("weights"), draw_footage(tmp_path_factory.mktemp("media"), seconds=0.6)
    spec = find_spec(NAME)
    quality = spec.presets["quality"].model_copy(update={"num_inference_steps": STEPS})
    spec = spec.model_copy(update={"presets": spec.presets | {"quality": quality}})
    engine = Wan(spec, Place(weights=stock(NAME, shelf), media=media, cache=shelf / "cache", device="cpu"))
    engine.load()
    return engine


@pytest.fixture
def plain(wan: Wan) -> WanPipeline:
    """The same weights in a pipeline of diffusers, with nothing of ours."""
    assert wan.spec.source
    folder = weights.find(wan.spec.source, wan.place.weights, engine=NAME)
    pipe = WanPipeline.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_it_draws_what_diffusers_draws(wan: Wan, plain: WanPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wan, "cache_threshold", None)
    wanted = request(NAME, preset="quality", negative_prompt="blurry", seed=11)
    film = plain(
        prompt=wanted.prompt,
        negative_prompt="blurry",
        height=64,
        width=96,
        num_frames=9,
        num_inference_steps=STEPS,
        guidance_scale=5.0,
        generator=torch.Generator("cpu").manual_seed(11),
        output_type="np",
    ).frames[0]
    ours = pictures(drawn(wan, wanted)).astype(int)
    assert np.abs(ours - (film.clip(0, 1) * 255).round()).max() <= 1


def test_the_film_comes_from_the_decoder_bit_by_bit_as_at_once(wan: Wan) -> None:
    plan = Plan.of(request(NAME, num_frames=13), wan.spec, wan.place)
    latents = torch.randn(1, 16, 4, 8, 12, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        chunks = list(wan.decoded(latents, plan))
        mean, deviation = wan._scale(latents)
        whole = wan.pipe.vae.decode(latents * deviation + mean, return_dict=False)[0][0]
    assert [chunk.shape[1] for chunk in chunks] == [1, 4, 4, 4]
    assert torch.equal(torch.cat(chunks, dim=1).clamp(-1, 1), whole)


def test_words_that_come_again_are_not_encoded_again(wan: Wan) -> None:
    wanted = request(NAME, prompt="a robot in the rain")
    first = pictures(drawn(wan, wanted))
    assert wan.making
    assert wan.making.seconds["text"] > 0
    assert np.array_equal(pictures(drawn(wan, wanted)), first)
    assert wan.making.seconds.get("text", 0) == 0


def test_quality_skips_blocks_whose_outcome_is_foreseen(wan: Wan, monkeypatch: pytest.MonkeyPatch) -> None:
    def calls(threshold: float | None) -> int:
        monkeypatch.setattr(wan, "cache_threshold", threshold)
        counted: list[int] = []
        last = wan.pipe.transformer.blocks[-1].ffn.register_forward_hook(lambda *_: counted.append(1))
        drawn(wan, request(NAME, preset="quality"))
        last.remove()
        return len(counted)

    drawn(wan, request(NAME, preset="quality"))  # the base is on now
    assert calls(None) == 2 * STEPS
    assert calls(10.0) < 2 * STEPS
    assert calls(None) == 2 * STEPS


def test_a_video_is_restyled_in_as_many_steps_as_are_told(wan: Wan) -> None:
    for preset, steps in (("live", 2), ("quality", 4)):
        listener = Listener()
        drawn(wan, request(NAME, "video-to-video", preset=preset), listener)
        assert listener.steps() == list(range(1, steps + 1))
        assert {total for stage, _, total, _ in listener.heard if stage == "denoise"} == {steps}
        assert wan.making
        assert wan.making.num_inference_steps == steps


def test_what_live_is_drawn_with_is_in_memory_before_the_first_clip(wan: Wan, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Source] = []
    plain = Wan.distilled_transformer
    monkeypatch.setattr(
        Wan, "distilled_transformer", lambda self, source: fetched.append(source) or plain(self, source)
    )
    fresh = Wan(wan.spec, wan.place)
    fresh.load()
    assert fetched == [wan.spec.presets["live"].source]
    drawn(fresh, request(NAME))
    assert len(fetched) == 1


def test_what_a_preview_takes_counts_until_it_is_on_its_way(wan: Wan, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(wan, "_budget", PreviewBudget(clock))

    class Slow(Listener):
        def __call__(self, stage: RenderStage, step: int, total: int, fraction: float, preview: Preview = None) -> None:
            super().__call__(stage, step, total, fraction, preview)
            clock.now += 1.0 if preview else 5.0

    drawn(wan, request(NAME, preset="quality"), Slow())
    assert wan._budget.spent_s == 1.0


def test_previews_are_paid_from_the_time_of_their_own_render(wan: Wan, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(wan, "_budget", PreviewBudget(clock))
    with wan._budget.spending(96 * 64):
        clock.now += 1
    clock.now += 3600  # nobody asked for anything
    listener = Listener()
    drawn(wan, request(NAME), listener)
    assert not listener.previews


def test_a_rehearsal_tells_what_previews_cost(wan: Wan, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = PreviewBudget()
    monkeypatch.setattr(wan, "_budget", budget)
    assert budget.affordable(10**9)
    wan.rehearse()
    assert not budget.affordable(10**9)


def test_the_shift_is_that_of_the_size(wan: Wan) -> None:
    for size, shift in (((832, 480), 3.0), ((1280, 720), 5.0)):
        wanted = request(NAME, preset="quality", width=size[0], height=size[1])
        assert wan.scheduler(Plan.of(wanted, wan.spec, wan.place)).config.flow_shift == shift


def test_a_sibling_shares_the_weights_as_they_are(wan: Wan) -> None:
    kinds = {name: part.dtype for name, part in wan.pipe.components.items() if hasattr(part, "dtype")}
    wan.pipe.vae.to(torch.bfloat16)
    try:
        from diffusers import WanVideoToVideoPipeline  # noqa: PLC0415

        found = wan.sibling(WanVideoToVideoPipeline)
        assert found.vae is wan.pipe.vae
        assert found.vae.dtype == torch.bfloat16
    finally:
        wan.pipe.vae.to(kinds["vae"])


def test_a_character_changes_the_picture_and_leaves_without_a_trace(wan: Wan) -> None:
    wanted = request(NAME, preset="quality")
    before = pictures(drawn(wan, wanted))
    loras.write(wan.place.media / "hana.safetensors", loras.comfyui(loras.trained(wan.pipe.transformer)))
    hana = Adapter(name="hana", file="hana.safetensors", weight=0.8)
    assert not np.array_equal(pictures(drawn(wan, wanted.model_copy(update={"adapters": (hana,)}))), before)
    assert wan.making
    assert wan.making.adapters == ("hana:0.8",)
    assert wan.making.variant is None  # a CPU computes in fp32, whatever a card would hold
    assert np.array_equal(pictures(drawn(wan, wanted)), before)


def test_a_character_that_does_not_fit_or_is_away_spoils_nothing(wan: Wan) -> None:
    wanted = request(NAME, preset="quality")
    before = pictures(drawn(wan, wanted))
    loras.write(wan.place.media / "large.safetensors", loras.comfyui(loras.of_wan(width=5120, blocks=1)))
    for adapter, error in (
        (Adapter(name="large", file="large.safetensors"), AdapterUnfit),
        (Adapter(name="gone", file="gone.safetensors"), MediaMissing),
    ):
        with pytest.raises(error):
            drawn(wan, wanted.model_copy(update={"adapters": (adapter,)}))
    assert np.array_equal(pictures(drawn(wan, wanted)), before)
