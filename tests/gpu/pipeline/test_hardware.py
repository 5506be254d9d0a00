"""What prepare promises is shown on the CPU with the real hooks of diffusers; a card is only imagined here."""

import json
from dataclasses import replace

import pytest
import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from gpu.engines.tiny import tiny_wan
from gpu.pipeline import hardware, tuning
from gpu.pipeline.hardware import Hardware, choose, dtype_of, prepare
from sakuga.engine import Variant
from sakuga.errors import RenderFailed
from tests.fakes.weights import FAMILIES

CPU = Hardware("cpu")
CARD = Hardware("NVIDIA Imagined", vram_gb=23.6, capability=(8, 9), is_cuda=True, free_gb=22.9)
VARIANTS = tuple(
    Variant(name=name, vram_gb=gb) for name, gb in [("bf16", 48), ("fp8", 21), ("offload", 12), ("offload-fp8", 7.5)]
)


def variant(name: str) -> Variant:
    return Variant(name=name, vram_gb=1)


def built(family: str):
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        return FAMILIES[family]()


def fresh():
    pipe = tiny_wan()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def frames(pipe) -> torch.Tensor:
    dice = torch.Generator().manual_seed(7)
    film = pipe("a cat dances", height=32, width=48, num_frames=5, num_inference_steps=2, generator=dice)
    return torch.as_tensor(film.frames[0])


@pytest.fixture(scope="module")
def plain():
    return frames(fresh())


@pytest.fixture(scope="module")
def lora(tmp_path_factory):
    """A LoRA whose numbers are as small as those of real ones: most are 0 in eight bits."""
    folder, pipe = tmp_path_factory.mktemp("lora"), fresh()
    pipe.transformer.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_v", "to_out.0"], init_lora_weights=False))
    weights = get_peft_model_state_dict(pipe.transformer)
    pipe.save_lora_weights(folder, transformer_lora_layers={name: value / 100 for name, value in weights.items()})
    return folder


# --- what is here ----------------------------------------------------------------------------------------------------


def test_without_a_card_the_cpu_is_found():
    assert Hardware.found("cpu") == CPU
    assert dtype_of(CPU) == torch.float32


def test_a_card_that_is_not_here_is_said_not_to_be(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Hardware.found() == CPU
    with pytest.raises(RenderFailed, match="no CUDA card"):
        Hardware.found("cuda")


def test_a_card_is_told_with_its_memory_and_its_age(monkeypatch):
    gib = 1024**3
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda card: (20 * gib, 24 * gib))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda card: "NVIDIA Imagined")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda card: (8, 9))
    assert Hardware.found() == Hardware("NVIDIA Imagined", 24.0, (8, 9), is_cuda=True, free_gb=20.0)
    assert Hardware.found("cpu") == CPU


@pytest.mark.parametrize(
    ("capability", "dtype"),
    [
        ((10, 0), torch.bfloat16),
        ((9, 0), torch.bfloat16),
        ((8, 0), torch.bfloat16),
        ((7, 5), torch.float16),
        ((7, 0), torch.float16),
        ((6, 1), torch.float32),
    ],
)
def test_a_card_computes_in_what_it_is_fast_at(capability, dtype):
    assert dtype_of(replace(CARD, capability=capability)) == dtype


# --- what fits -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "free", "name"),
    [
        (139.8, 139.0, "bf16"),
        (79.2, 78.5, "bf16"),
        (44.4, 44.0, "fp8"),
        (23.6, 22.9, "fp8"),
        (23.6, 14.0, "offload"),  # a game is running
        (15.7, 15.0, "offload"),
        (11.9, 11.0, "offload-fp8"),
        (7.8, 6.9, "offload-fp8"),  # too little at the moment, but the last one makes do
    ],
)
def test_the_best_variant_that_fits_the_free_memory_is_taken(whole, free, name):
    assert choose(VARIANTS, replace(CARD, vram_gb=whole, free_gb=free)).name == name


def test_a_card_that_is_too_small_is_told_so_with_the_numbers():
    with pytest.raises(RenderFailed, match=r"needs 7\.5 GB of GPU memory and NVIDIA Imagined has 5\.8 GB"):
        choose(VARIANTS, replace(CARD, vram_gb=5.8, free_gb=5.5))


def test_without_a_card_or_a_choice_there_is_nothing_to_fit():
    assert choose(VARIANTS, CPU).name == "bf16"
    assert choose((), CARD) is None
    assert choose((), CPU) is None


# --- made ready ------------------------------------------------------------------------------------------------------


def test_a_pipeline_that_fits_draws_as_before(plain, tmp_path):
    pipe = fresh()
    readiness = prepare(pipe, variant("bf16"), CPU, tmp_path)
    assert torch.equal(frames(pipe), plain)
    assert (readiness.variant, readiness.dtype, readiness.vae) == ("bf16", "float32", "float32")
    assert not readiness.compiled


def test_an_offloaded_pipeline_draws_bit_for_bit_the_same(plain, tmp_path):
    pipe = fresh()
    prepare(pipe, variant("offload"), CPU, tmp_path)
    assert torch.equal(frames(pipe), plain)


def test_small_cards_decode_in_tiles(tmp_path):
    for gb, tiled in ((7.8, True), (11.9, True), (15.7, False)):
        pipe = fresh()
        card = Hardware("cpu", vram_gb=gb)
        assert prepare(pipe, variant("offload"), card, tmp_path).tiled is tiled
        assert pipe.vae.use_tiling is tiled


@pytest.mark.parametrize("name", ["fp8", "offload-fp8"])
def test_eight_bits_hold_the_large_weights_and_draw_nearly_the_same(plain, tmp_path, name):
    pipe = fresh()
    large = pipe.transformer.blocks[0].ffn.net[0].proj.weight
    prepare(pipe, variant(name), CPU, tmp_path)
    assert large.dtype == torch.float8_e4m3fn
    assert pipe.transformer.condition_embedder.time_embedder.linear_1.weight.dtype == torch.float32
    difference = (frames(pipe) - plain).abs()
    assert 0 < difference.mean() < 0.02


@pytest.mark.parametrize("name", ["bf16", "fp8", "offload", "offload-fp8"])
def test_loras_come_and_go_in_every_variant_without_losing_digits(lora, tmp_path, name):
    pipe, reference = fresh(), fresh()
    prepare(pipe, variant(name), CPU, tmp_path)
    before = frames(pipe)
    for each in (pipe, reference):
        each.load_lora_weights(lora, adapter_name="style")
    mine, theirs = (
        {path: weight for path, weight in each.transformer.named_parameters() if "lora" in path}
        for each in (pipe, reference)
    )
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[path], theirs[path]) for path in mine)
    assert not torch.equal(frames(pipe), before)
    pipe.delete_adapters("style")
    assert torch.equal(frames(pipe), before)


@pytest.mark.parametrize("name", ["bf16", "fp8", "offload", "offload-fp8"])
def test_an_exchanged_transformer_is_made_ready_beside_what_is_ready(plain, tmp_path, name):
    pipe = fresh()
    prepare(pipe, variant(name), CPU, tmp_path)
    first, before = pipe.transformer, frames(pipe)
    pipe.transformer = fresh().transformer
    prepare(pipe, variant(name), CPU, tmp_path)
    assert torch.equal(frames(pipe), before)
    pipe.transformer = first
    assert torch.equal(frames(pipe), before)


@pytest.mark.filterwarnings("ignore:In CPU autocast")  # Mochi asks for fp32
@pytest.mark.parametrize("family", ["wan-i2v", "wan-5b", "ltx-conditioned", "ltx-2", "mochi", "hunyuan-t2v"])
def test_every_family_can_be_offloaded_and_held_in_eight_bits(family, tmp_path):
    pipe = built(family)
    prepare(pipe, variant("offload-fp8"), CPU, tmp_path)
    kinds = {weight.dtype for weight in pipe.transformer.parameters()}
    assert kinds == {torch.float8_e4m3fn, torch.float32}
    assert {weight.dtype for weight in pipe.vae.parameters()} == {torch.float32}


def test_blocks_are_compiled_where_they_repeat_and_kept_below_the_cache(plain, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "elsewhere")
    before = torch._dynamo.config.suppress_errors
    pipe = fresh()
    compiled = []

    def compile_block(block):
        compiled.append(block)

    monkeypatch.setattr(type(pipe.transformer.blocks[0]), "compile", compile_block)
    assert prepare(pipe, variant("bf16"), CPU, tmp_path, compile=True).compiled
    assert compiled == list(pipe.transformer.blocks)
    assert torch._inductor.runtime.cache_dir_utils.cache_dir() == str(tmp_path / "inductor")
    assert not prepare(built("mochi"), variant("bf16"), CPU, tmp_path, compile=True).compiled
    assert not prepare(fresh(), variant("fp8"), CPU, tmp_path, compile=True).compiled
    assert not prepare(fresh(), variant("offload"), CPU, tmp_path, compile=True).compiled
    torch._dynamo.config.suppress_errors = before  # monkeypatch would leave it hidden


# --- an imagined card: what is measured, remembered and set ----------------------------------------------------------


@pytest.fixture
def imagined(monkeypatch):
    """A card that is the CPU by another name, and torch's settings for cards as they were afterwards."""
    monkeypatch.setattr(Hardware, "device", property(lambda self: "cpu"))
    monkeypatch.setattr(tuning, "TOKENS", 64)
    monkeypatch.setattr(tuning, "PICTURE", (32, 48))
    monkeypatch.setattr(tuning, "ROUNDS", 1)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", torch.backends.cudnn.benchmark)
    precision = torch.get_float32_matmul_precision()
    yield replace(CARD, capability=(6, 1))  # computes in fp32
    torch.set_float32_matmul_precision(precision)


def test_what_is_fastest_is_measured_once_and_remembered(imagined, tmp_path, monkeypatch):
    first = prepare(fresh(), variant("bf16"), imagined, tmp_path)
    notes = json.loads((tmp_path / "tuning.json").read_text())
    assert len(notes) == 2
    assert all(key.startswith(f"NVIDIA Imagined | {torch.__version__} | ") for key in notes)
    monkeypatch.setattr(tuning, "fastest_attention", None)
    monkeypatch.setattr(tuning, "fastest_format", None)
    assert prepare(fresh(), variant("bf16"), imagined, tmp_path) == first
    assert torch.get_float32_matmul_precision() == "high"
    assert torch.backends.cudnn.benchmark


def test_what_was_remembered_is_what_is_set(imagined, tmp_path):
    prepare(fresh(), variant("bf16"), imagined, tmp_path)
    path = tmp_path / "tuning.json"
    notes = json.loads(path.read_text())
    for key, note in notes.items():
        note["best"] = "_native_flash" if " attention " in key else ["float32", True]
    path.write_text(json.dumps(notes))
    pipe = fresh()
    readiness = prepare(pipe, variant("bf16"), imagined, tmp_path)
    assert (readiness.attention, readiness.vae) == ("_native_flash", "float32 channels-last")
    assert pipe.transformer.blocks[0].attn1.processor._attention_backend == "_native_flash"
    assert pipe.vae.decoder.conv_in.weight.is_contiguous(memory_format=torch.channels_last_3d)


def test_another_release_of_torch_is_measured_anew(imagined, tmp_path, monkeypatch):
    prepare(fresh(), variant("bf16"), imagined, tmp_path)
    monkeypatch.setattr(torch, "__version__", "9.9.9")
    prepare(fresh(), variant("bf16"), imagined, tmp_path)
    assert len(json.loads((tmp_path / "tuning.json").read_text())) == 4


@pytest.mark.parametrize(("memory", "pinned"), [(1.0, False), (1e6, True)])
def test_offloaded_weights_are_pinned_only_where_memory_is_plenty(monkeypatch, memory, pinned):
    models = {"transformer": torch.nn.Linear(100, 100), "vae": torch.nn.Linear(9000, 900)}
    monkeypatch.setattr(hardware.os, "sysconf", lambda name: memory)
    assert hardware._affordable(models) is pinned
