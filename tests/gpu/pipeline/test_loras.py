import copy
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline

from gpu.pipeline import hardware
from gpu.pipeline.loras import Loras
from sakuga.engine import Adapter, Source
from sakuga.errors import AdapterUnfit, MediaMissing, WeightsMissing
from tests.fakes import loras as made
from tests.fakes.weights import write

ENGINE = "tiny"


@pytest.fixture(scope="module")
def wan(tmp_path_factory):
    return opened(write("wan-t2v", tmp_path_factory.mktemp("weights"), "wan/t2v"))


@pytest.fixture
def pipe(wan):
    return fresh(wan)


@pytest.fixture
def loras(pipe, tmp_path) -> Loras:
    return Loras(pipe, ENGINE, media=tmp_path, weights=tmp_path / "weights", keep=2)


def opened(folder: Path, dtype: torch.dtype = torch.float32):
    pipe = DiffusionPipeline.from_pretrained(folder, dtype=dtype, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def fresh(pipe):
    """Give a pipeline that has never had a LoRA."""
    other = type(pipe)(**(pipe.components | {"transformer": copy.deepcopy(pipe.transformer)}))
    other.set_progress_bar_config(disable=True)
    return other


def draw(pipe, output_type: str = "latent") -> np.ndarray:
    """Return latents, which are what LoRAs change, or frames."""
    output = pipe(
        prompt="a cat",
        height=32,
        width=64,
        num_frames=1,
        num_inference_steps=1,
        guidance_scale=1.0,
        max_sequence_length=16,
        generator=torch.Generator().manual_seed(1),
        output_type=output_type,
    )
    return np.asarray(output.frames[0])


def keep(folder: Path, name: str, tensors: dict[str, torch.Tensor], **header) -> Adapter:
    """Put a LoRA into the media folder."""
    made.write(folder / f"{name}.safetensors", tensors, **header)
    return Adapter(name=name, file=f"{name}.safetensors")


def mika(pipe, folder: Path, *, form: str = "diffusers", **more) -> Adapter:
    return keep(folder, "mika", made.FORMS[form](made.trained(pipe.transformer, seed=1, **more)))


def rin(pipe, folder: Path, **more) -> Adapter:
    return keep(folder, "rin", made.diffusers(made.trained(pipe.transformer, seed=2, **more)))


def weighing(adapter: Adapter, weight: float) -> Adapter:
    return adapter.model_copy(update={"weight": weight})


def loaded(pipe) -> list[str]:
    return sorted(getattr(pipe.transformer, "peft_config", {}))


# --- drawing with them -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", made.FORMS)
def test_the_same_lora_draws_the_same_in_the_names_of_every_training_program(wan, tmp_path, form):
    reference, pipe = fresh(wan), fresh(wan)
    reference.load_lora_weights(made.diffusers(made.trained(reference.transformer)), adapter_name="by_hand")
    Loras(pipe, ENGINE, media=tmp_path, weights=tmp_path).use((mika(pipe, tmp_path, form=form),))
    assert np.array_equal(draw(pipe), draw(reference))
    assert not np.array_equal(draw(pipe), draw(fresh(wan)))


def test_without_any_the_pipeline_draws_bit_for_bit_what_it_drew_before(pipe, loras, tmp_path):
    before = draw(pipe, "np")
    loras.use(())
    assert not hasattr(pipe.transformer, "peft_config")
    loras.use((mika(pipe, tmp_path),))
    assert not np.array_equal(draw(pipe, "np"), before)
    loras.use(())
    assert np.array_equal(draw(pipe, "np"), before)


def test_one_of_kohyas_form_may_change_few_layers(wan, pipe, loras, tmp_path):
    reference = fresh(wan)
    few = made.trained(pipe.transformer, layers=("attn1.to_q", "ffn.net.2"))
    reference.load_lora_weights(made.diffusers(few), adapter_name="by_hand")
    loras.use((keep(tmp_path, "few", made.kohya(few)),))
    assert np.array_equal(draw(pipe), draw(reference))


def test_two_at_once_count_with_their_weights(wan, pipe, loras, tmp_path):
    reference = fresh(wan)
    reference.load_lora_weights(made.diffusers(made.trained(reference.transformer, seed=1)), adapter_name="by_hand_1")
    second = made.diffusers(made.trained(reference.transformer, seed=2))
    with pytest.warns(UserWarning, match="multiple adapters"):
        reference.load_lora_weights(second, adapter_name="by_hand_2")
    reference.set_adapters(["by_hand_1", "by_hand_2"], [0.5, -0.25])
    loras.use((weighing(mika(pipe, tmp_path), 0.5), weighing(rin(pipe, tmp_path), -0.25)))
    assert np.array_equal(draw(pipe), draw(reference))


def test_weight_0_is_none_and_is_not_even_loaded(pipe, loras, tmp_path):
    before = draw(pipe)
    loras.use((weighing(mika(pipe, tmp_path), 0.0),))
    assert np.array_equal(draw(pipe), before)
    assert loaded(pipe) == []


def test_one_that_is_named_twice_counts_with_the_sum(pipe, loras, tmp_path):
    adapter = mika(pipe, tmp_path)
    loras.use((weighing(adapter, 0.75),))
    once = draw(pipe)
    loras.use((weighing(adapter, 0.5), weighing(adapter, 0.25).model_copy(update={"name": "her twin"})))
    assert np.array_equal(draw(pipe), once)


def test_alphas_count_whether_they_stand_in_tensors_or_in_the_header(pipe, loras, tmp_path):
    trained = made.trained(pipe.transformer, rank=4)
    loras.use((weighing(keep(tmp_path, "plain", made.diffusers(trained)), 0.5),))
    half = draw(pipe)
    alphas = {f"diffusion_model.{made.wans_own(name)}.alpha": torch.tensor(2.0) for name in trained}
    settings = {"transformer.r": 4, "transformer.lora_alpha": 2}
    stable = {"transformer.r": 4, "transformer.lora_alpha": 1, "transformer.use_rslora": True}
    patterns = {"transformer.r": 4, "transformer.alpha_pattern": {r"blocks\.\d+\..*": 2}}
    for adapter in (
        keep(tmp_path, "in_tensors", made.comfyui(trained) | alphas),
        keep(tmp_path, "in_header", made.diffusers(trained), lora_adapter_metadata=settings),
        keep(tmp_path, "stable", made.diffusers(trained), lora_adapter_metadata=stable),
        keep(tmp_path, "patterns", made.diffusers(trained), lora_adapter_metadata=patterns),
    ):
        loras.use((adapter,))
        assert np.allclose(draw(pipe), half, atol=1e-5)


def test_a_lora_for_pictures_draws_without_one_as_if_it_knew_none(pipe, loras, tmp_path):
    trained = made.trained(pipe.transformer)
    loras.use((keep(tmp_path, "t2v", made.comfyui(trained)),))
    plain = draw(pipe)
    pair = trained["blocks.0.attn2.to_k"]
    pictures = {f"blocks.{block}.attn2.{layer}": pair for block in (0, 1) for layer in ("add_k_proj", "add_v_proj")}
    loras.use((keep(tmp_path, "i2v", made.comfyui(trained | pictures)),))
    assert np.array_equal(draw(pipe), plain)


# --- other families --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["as_in_comfyui", "as_in_peft", "as_in_kohya"])
def test_loras_of_ltx_draw_the_same_in_the_names_of_every_training_program(tmp_path, form):
    folder = write("ltx", tmp_path, "ltx/2b")
    reference, pipe = opened(folder), opened(folder)
    before = draw(pipe)
    trained = made.trained(pipe.transformer)
    reference.load_lora_weights(made.diffusers(trained), adapter_name="by_hand")
    reference.set_adapters(["by_hand"], [0.5])
    forms = {
        "as_in_comfyui": made.comfyui(trained, named=str)
        | {f"diffusion_model.{name}.alpha": torch.tensor(2.0) for name in trained},
        "as_in_peft": {name: t * (0.5 if "lora_B" in name else 1.0) for name, t in made.peft(trained).items()},
        "as_in_kohya": {name: t / 2 if "alpha" in name else t for name, t in made.kohya(trained, named=str).items()},
    }
    loras = Loras(pipe, "ltx-video-2b", media=tmp_path, weights=tmp_path)
    loras.use((keep(tmp_path, "mika", forms[form]),))
    assert np.allclose(draw(pipe), draw(reference), atol=1e-5)
    loras.use(())
    assert np.array_equal(draw(pipe), before)


@pytest.mark.parametrize("family", ["wan-i2v", "wan-vace", "wan-5b", "ltx-2", "mochi"])
def test_every_family_takes_them(tmp_path, family):
    pipe = opened(write(family, tmp_path, "some/model"))
    trained = made.trained(pipe.transformer)
    loras = Loras(pipe, family, media=tmp_path, weights=tmp_path)
    loras.use((keep(tmp_path, "mika", made.diffusers(trained)),))
    assert pipe.get_active_adapters() == loaded(pipe)
    assert len(loaded(pipe)) == 1
    loras.use(())
    assert pipe.get_active_adapters() == []


def test_of_several_on_ltx_2_each_may_change_other_parts(tmp_path):
    pipe = opened(write("ltx-2", tmp_path, "ltx/2"))
    parts = {part: made.trained(getattr(pipe, part)) for part in ("transformer", "connectors")}
    beside = {
        name.replace("transformer.", "connectors.", 1): t for name, t in made.diffusers(parts["connectors"]).items()
    }
    both = keep(tmp_path, "both", made.diffusers(parts["transformer"]) | beside)
    picture = keep(tmp_path, "picture", made.diffusers(parts["transformer"]))
    loras = Loras(pipe, "ltx-2", media=tmp_path, weights=tmp_path, keep=1)
    for adapters in ((both, picture), (picture,), (both,), ()):
        loras.use(adapters)
        active = {part: set(getattr(pipe, part).active_adapters() or ()) for part in parts}
        assert len(active["transformer"]) == len(adapters)


def test_a_lora_for_words_is_taken_by_a_model_for_pictures(tmp_path):
    pipe = opened(write("wan-i2v", tmp_path, "wan/i2v"))
    trained = made.trained(pipe.transformer)
    assert not any("add_k_proj" in name for name in trained)
    Loras(pipe, "wan2.1-i2v-14b-480p", media=tmp_path, weights=tmp_path).use(
        (keep(tmp_path, "mika", made.comfyui(trained)),)
    )
    assert len(loaded(pipe)) == 1


def test_hunyuan_takes_none_and_says_so_when_it_is_asked_for_one(pipe, tmp_path):
    hunyuan = opened(write("hunyuan-t2v", tmp_path, "hunyuan/video"))
    loras = Loras(hunyuan, "hunyuanvideo-1.5", media=tmp_path, weights=tmp_path)
    loras.use(())
    with pytest.raises(AdapterUnfit, match=r"hunyuanvideo-1\.5: this engine takes no LoRAs"):
        loras.use((mika(pipe, tmp_path),))


# --- loading and evicting --------------------------------------------------------------------------------------------


def test_the_least_recently_used_one_is_taken_off_and_draws_the_same_when_it_returns(pipe, loras, tmp_path):
    first = mika(pipe, tmp_path)
    loras.use((first,))
    drawn = draw(pipe)
    others = [keep(tmp_path, name, made.diffusers(made.trained(pipe.transformer, seed=7))) for name in ("b", "c", "d")]
    for adapter in others:
        loras.use((adapter,))
        assert len(loaded(pipe)) <= 2
    loras.use((first,))
    assert np.array_equal(draw(pipe), drawn)
    assert len(loaded(pipe)) == 2


def test_what_is_asked_for_together_is_loaded_together_even_beyond_what_is_kept(pipe, tmp_path):
    loras = Loras(pipe, ENGINE, media=tmp_path, weights=tmp_path, keep=1)
    loras.use((mika(pipe, tmp_path), rin(pipe, tmp_path)))
    assert len(loaded(pipe)) == 2
    loras.use((keep(tmp_path, "third", made.diffusers(made.trained(pipe.transformer, seed=3))),))
    assert len(loaded(pipe)) == 1


def test_one_that_is_loaded_already_is_not_read_again(pipe, loras, tmp_path, monkeypatch):
    adapter = mika(pipe, tmp_path)
    loras.use((adapter,))
    monkeypatch.setattr(pipe, "load_lora_weights", None)
    loras.use(())
    loras.use((adapter,))
    assert draw(pipe).shape == (16, 1, 4, 8)


def test_a_file_that_was_replaced_is_loaded_anew(pipe, loras, tmp_path):
    adapter = mika(pipe, tmp_path)
    loras.use((adapter,))
    old = draw(pipe)
    path = tmp_path / "mika.safetensors"
    made.write(path, made.diffusers(made.trained(pipe.transformer, seed=9)))
    os.utime(path, ns=(1, 1))
    loras.use((adapter,))
    assert not np.array_equal(draw(pipe), old)


def test_a_fixed_one_stays_beside_those_that_are_asked_for_and_is_never_evicted(wan, pipe, loras, tmp_path):
    distilled = keep(tmp_path, "distilled", made.diffusers(made.trained(pipe.transformer, seed=5)))
    for adapter in (mika(pipe, tmp_path), rin(pipe, tmp_path), mika(pipe, tmp_path)):
        loras.use((adapter,), fixed=(distilled,))
    loras.use((rin(pipe, tmp_path),))
    assert len(loaded(pipe)) == 3
    reference = fresh(wan)
    Loras(reference, ENGINE, media=tmp_path, weights=tmp_path).use((distilled, rin(pipe, tmp_path)))
    loras.use((rin(pipe, tmp_path),), fixed=(distilled,))
    assert np.array_equal(draw(pipe), draw(reference))


def test_each_transformer_of_an_engine_has_its_own(pipe, wan, loras, tmp_path):
    adapter, own, other = mika(pipe, tmp_path), pipe.transformer, fresh(wan).transformer
    loras.use((adapter,))
    drawn = draw(pipe)
    pipe.transformer = other
    assert not np.array_equal(draw(pipe), drawn)
    loras.use((adapter,))
    assert np.array_equal(draw(pipe), drawn)
    pipe.transformer = own
    loras.use(())
    assert np.array_equal(draw(pipe), draw(fresh(wan)))


# --- where they lie --------------------------------------------------------------------------------------------------


def test_one_on_the_hub_is_taken_from_what_was_fetched(pipe, tmp_path):
    commit = "0123456789" * 4
    home = tmp_path / "weights" / "models--maker--mika"
    made.write(home / "snapshots" / commit / "mika.safetensors", made.comfyui(made.trained(pipe.transformer)))
    loras = Loras(pipe, ENGINE, media=tmp_path, weights=tmp_path / "weights")
    source = Source(repository="maker/mika", revision=commit, file="mika.safetensors")
    before = draw(pipe)
    loras.use((Adapter(name="mika", source=source),))
    assert not np.array_equal(draw(pipe), before)


def test_one_that_was_not_fetched_is_missing_and_says_whose_it_is(loras):
    adapter = Adapter(name="mika", source=Source(repository="maker/mika", file="mika.safetensors"))
    with pytest.raises(MediaMissing, match=r"maker/mika/mika\.safetensors"):
        loras.use((adapter,))
    with pytest.raises(WeightsMissing, match=ENGINE):
        loras.use((), fixed=(adapter,))


@pytest.mark.parametrize("file", ["../outside.safetensors", "/etc/hostname", "a/../../outside.safetensors", "", "."])
def test_no_path_leads_out_of_the_media_folder(pipe, tmp_path, file):
    media = tmp_path / "media"
    media.mkdir()
    made.write(tmp_path / "outside.safetensors", made.diffusers(made.trained(pipe.transformer)))
    (media / "link.safetensors").symlink_to(tmp_path / "outside.safetensors")
    loras = Loras(pipe, ENGINE, media=media, weights=tmp_path)
    for path in (file, "link.safetensors"):
        with pytest.raises(MediaMissing):
            loras.use((Adapter(name="x", file=path),))


# --- those that don't fit --------------------------------------------------------------------------------------------


def tensors_of(pipe) -> dict[str, torch.Tensor]:
    return made.comfyui(made.trained(pipe.transformer))


def wrong_size(pipe, path):
    made.write(path, made.comfyui(made.of_wan(width=5120, blocks=1)))


def too_many_blocks(pipe, path):
    made.write(path, made.comfyui(made.of_wan(width=48, blocks=3)))


def ltx(pipe, path):
    pair = torch.ones(4, 2048), torch.ones(2048, 4)
    made.write(path, made.diffusers({"transformer_blocks.0.attn1.to_q": pair}))


def stable_diffusion(pipe, path):
    made.write(path, {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": torch.ones(4, 320)})


def flux(pipe, path):
    made.write(path, {"diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight": torch.ones(4, 3072)})


def text_encoder(pipe, path):
    more = {
        "text_encoder.layers.0.q.lora_A.weight": torch.ones(4, 32),
        "text_encoder.layers.0.q.lora_B.weight": torch.ones(32, 4),
    }
    made.write(path, tensors_of(pipe) | more)


def unknown_layer(pipe, path):
    pair = torch.ones(4, 48), torch.ones(48, 4)
    made.write(path, made.diffusers(made.trained(pipe.transformer) | {"blocks.0.attn3.to_q": pair}))


def one_half(pipe, path):
    tensors = made.diffusers(made.trained(pipe.transformer))
    del tensors["transformer.blocks.0.attn1.to_q.lora_B.weight"]
    made.write(path, tensors)


def halves_of_two_ranks(pipe, path):
    tensors = made.diffusers(made.trained(pipe.transformer))
    made.write(path, tensors | {"transformer.blocks.0.attn1.to_q.lora_B.weight": torch.ones(48, 3)})


def no_numbers(pipe, path):
    tensors = tensors_of(pipe)
    tensors["diffusion_model.blocks.0.self_attn.q.lora_up.weight"][0, 0] = torch.nan
    made.write(path, tensors)


def lokr(pipe, path):
    made.write(path, {"diffusion_model.blocks.0.self_attn.q.lokr_w1": torch.ones(4, 4)})


def dora(pipe, path):
    made.write(path, tensors_of(pipe) | {"diffusion_model.blocks.0.self_attn.q.dora_scale": torch.ones(48)})


def bad_settings(pipe, path):
    made.write(path, made.diffusers(made.trained(pipe.transformer)), lora_adapter_metadata="[" * 9000)


def no_rank(pipe, path):
    made.write(path, made.diffusers(made.trained(pipe.transformer)), lora_adapter_metadata={"transformer.r": 0})


def whole_model(pipe, path):
    made.write(path, dict(pipe.transformer.state_dict()))


def corrupt(pipe, path):
    data = made.write(path, tensors_of(pipe)).read_bytes()
    path.write_bytes(data[:8] + b"x" * 40 + data[48:])


def cut_short(pipe, path):
    data = made.write(path, tensors_of(pipe)).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def pickled(pipe, path):
    torch.save(tensors_of(pipe), path)


def old_pickle(pipe, path):
    path.write_bytes(pickle.dumps({"a": 1}))


def web_page(pipe, path):
    path.write_text("<!DOCTYPE html><title>Sign in</title>")


def empty(pipe, path):
    path.write_bytes(b"")


UNFIT = {
    wrong_size: r"numbers.*made for Wan 14B|made for Wan",
    too_many_blocks: r"8 of its 24 layers are not in this model, such as transformer\.blocks\.2\.attn1\.to_q",
    ltx: "none of its layers belongs to this model; it seems to be made for LTX-Video 2B",
    stable_diffusion: "made for Stable Diffusion",
    flux: "made for Flux",
    text_encoder: "1 of its 21 layers are a text encoder's",
    unknown_layer: r"1 of its 21 layers are not in this model, such as transformer\.blocks\.0\.attn3\.to_q",
    one_half: "has only one half",
    halves_of_two_ranks: "has only one half",
    no_numbers: "infinite or none",
    lokr: "LoKr",
    dora: "DoRA",
    bad_settings: "lora_adapter_metadata can't be read",
    no_rank: "lora_adapter_metadata can't be read",
    whole_model: "it is no LoRA",
    corrupt: "damaged",
    cut_short: "incomplete",
    pickled: "pickle",
    old_pickle: "pickle",
    web_page: "web page",
    empty: "no safetensors file",
}


@pytest.mark.parametrize(("make", "problem"), UNFIT.items(), ids=[make.__name__ for make in UNFIT])
def test_one_that_does_not_fit_is_refused_in_plain_words_and_harms_nothing(pipe, loras, tmp_path, make, problem):
    before = draw(pipe)
    make(pipe, tmp_path / "odd.safetensors")
    with pytest.raises(AdapterUnfit, match=problem) as refused:
        loras.use((Adapter(name="odd", file="odd.safetensors"),))
    assert refused.value.data["adapter"] == "odd"
    assert refused.value.data["engine"] == ENGINE
    assert np.array_equal(draw(pipe), before)
    assert loaded(pipe) == []


def test_after_one_that_does_not_fit_others_draw_as_ever(wan, pipe, loras, tmp_path):
    good = mika(pipe, tmp_path)
    loras.use((good,))
    drawn = draw(pipe)
    wrong_size(pipe, tmp_path / "odd.safetensors")
    with pytest.raises(AdapterUnfit):
        loras.use((good, Adapter(name="odd", file="odd.safetensors")))
    assert np.array_equal(draw(pipe), drawn)
    loras.use((rin(pipe, tmp_path),))
    loras.use((good,))
    assert np.array_equal(draw(pipe), drawn)


def test_one_that_breaks_while_it_is_loaded_is_taken_off_again(pipe, loras, tmp_path, monkeypatch):
    before = draw(pipe)
    load = pipe.load_lora_weights

    def half(tensors, **more):
        load(dict(list(tensors.items())[:4]), **more)
        message = "out of luck"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(pipe, "load_lora_weights", half)
        with pytest.raises(AdapterUnfit, match="could not load it"):
            loras.use((mika(pipe, tmp_path),))
    assert loaded(pipe) == []
    assert np.array_equal(draw(pipe), before)
    loras.use((mika(pipe, tmp_path),))
    assert not np.array_equal(draw(pipe), before)


def test_when_memory_runs_out_it_is_no_fault_of_the_file(pipe, loras, tmp_path, monkeypatch):
    before = draw(pipe)
    load = pipe.load_lora_weights

    def half(tensors, **more):
        load(dict(list(tensors.items())[:4]), **more)
        raise torch.OutOfMemoryError

    monkeypatch.setattr(pipe, "load_lora_weights", half)
    with pytest.raises(torch.OutOfMemoryError):
        loras.use((mika(pipe, tmp_path),))
    assert loaded(pipe) == []
    assert np.array_equal(draw(pipe), before)


def test_one_that_is_loaded_in_part_is_taken_off_again(pipe, loras, tmp_path, monkeypatch):
    before = draw(pipe)
    load = pipe.load_lora_weights

    def some(tensors, **more):
        load(dict(list(tensors.items())[:4]), **more)

    monkeypatch.setattr(pipe, "load_lora_weights", some)
    with pytest.raises(AdapterUnfit, match="36 of its 40 tensors found no place"):
        loras.use((mika(pipe, tmp_path),))
    assert loaded(pipe) == []
    assert np.array_equal(draw(pipe), before)


# --- transformers that are not held plainly --------------------------------------------------------------------------


def test_on_8_bit_weights_loras_keep_their_precision(wan, tmp_path):
    folder = write("wan-t2v", tmp_path, "wan/t2v")
    plain, cast = opened(folder, torch.bfloat16), opened(folder, torch.bfloat16)
    hardware.cast(cast.transformer, torch.bfloat16)
    before = draw(cast)
    for pipe in (plain, cast):
        Loras(pipe, ENGINE, media=tmp_path, weights=tmp_path).use((mika(fresh(wan), tmp_path),))
    twin = dict(plain.transformer.named_parameters())
    own = {name: tensor for name, tensor in cast.transformer.named_parameters() if ".lora_" in name}
    assert {tensor.dtype for tensor in own.values()} == {torch.bfloat16}
    assert all(torch.equal(tensor, twin[name]) for name, tensor in own.items())
    assert not np.array_equal(draw(cast), before)


def test_on_offloaded_weights_loras_draw_as_ever(wan, tmp_path):
    plain, offloaded = fresh(wan), fresh(wan)
    hardware.offload({"transformer": offloaded.transformer}, torch.device("cpu"), pin=False)
    loras = Loras(offloaded, ENGINE, media=tmp_path, weights=tmp_path, keep=1)
    for adapter in (mika(plain, tmp_path), rin(plain, tmp_path)):
        loras.use((adapter,))
        Loras(plain, ENGINE, media=tmp_path, weights=tmp_path).use((adapter,))
        assert np.array_equal(draw(offloaded), draw(plain))
    loras.use(())
    assert np.array_equal(draw(offloaded), draw(fresh(wan)))


def test_compiled_blocks_take_any_number_of_loras(wan, tmp_path):
    plain, compiled = fresh(wan), fresh(wan)
    compiled.transformer.compile_repeated_blocks(fullgraph=True, backend="eager")
    loras = Loras(compiled, ENGINE, media=tmp_path, weights=tmp_path, keep=1)
    variants = []
    with torch._dynamo.config.patch(recompile_limit=2):  # with fullgraph, the third would raise
        before = draw(compiled)
        for seed in range(7):
            layers = made.trained(plain.transformer, seed=seed, rank=2 + seed % 3, layers=("to_q",))
            adapter = weighing(keep(tmp_path, f"nr{seed}", made.diffusers(layers)), 1 - seed / 20)
            loras.use((adapter,))
            last = draw(compiled)
            variants.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
        loras.use(())
        assert np.array_equal(draw(compiled), before)
    Loras(plain, ENGINE, media=tmp_path, weights=tmp_path).use((adapter,))
    assert np.allclose(last, draw(plain), atol=1e-5)
    assert variants[-1] == variants[-3], "another file in a slot that was seen is nothing new"


def test_a_transformer_that_is_compiled_as_a_whole_is_seen_through(wan, tmp_path):
    pipe = fresh(wan)
    before = draw(pipe)
    pipe.transformer = torch.compile(pipe.transformer, backend="eager")
    loras = Loras(pipe, ENGINE, media=tmp_path, weights=tmp_path)
    loras.use((mika(fresh(wan), tmp_path),))
    assert not np.allclose(draw(pipe), before, atol=1e-3)
    loras.use(())
    assert np.allclose(draw(pipe), before, atol=1e-5)
