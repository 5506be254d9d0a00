import json

import pytest
import torch
from diffusers.models import attention_dispatch

from gpu.pipeline import tuning
from gpu.pipeline.tuning import Format, Notes, backends, fastest_attention, fastest_format, formats, use_attention
from tests.fakes.weights import FAMILIES

SMALL = (32, 48)
FP32, FP32_LAST = Format("float32"), Format("float32", channels_last=True)
BF16 = Format("bfloat16")


@pytest.fixture(scope="module")
def wan():
    return built("tiny")


def built(family: str):
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        return FAMILIES[family]()


def clocked(monkeypatch, **milliseconds):
    """Stand in for the clock: work takes as long as its attention backend or dtype is said to take."""
    given = iter(milliseconds.values())
    monkeypatch.setattr(tuning, "timed", lambda work, rounds=1: (work(), next(given) / 1000)[1])


# --- notes -----------------------------------------------------------------------------------------------------------


def test_notes_are_kept_beside_each_other(tmp_path):
    Notes(tmp_path / "cache" / "notes.json").keep("a", {"best": 1})
    Notes(tmp_path / "cache" / "notes.json").keep("b", {"best": 2})
    notes = Notes(tmp_path / "cache" / "notes.json")
    assert (notes.recall("a"), notes.recall("b"), notes.recall("c")) == ({"best": 1}, {"best": 2}, None)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["notes.json"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 3}', "\x00"])
def test_notes_that_can_not_be_read_are_as_good_as_none(tmp_path, text):
    path = tmp_path / "notes.json"
    path.write_text(text)
    assert Notes(path).recall("a") is None
    Notes(path).keep("a", {"best": 1})
    assert Notes(path).recall("a") == {"best": 1}


def test_notes_that_can_not_be_written_stop_nobody(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    Notes(tmp_path / "file" / "notes.json").keep("a", {"best": 1})
    assert "tuning.not_kept" in caplog.text


# --- attention -------------------------------------------------------------------------------------------------------


def test_only_backends_that_need_no_download_are_tried(wan):
    names = backends(wan.transformer)
    assert names[0] == "native"
    assert not any("hub" in name for name in tuning.BACKENDS)
    assert set(names) == {"native", "_native_cudnn", "_native_flash"}  # no flash-attn here, and no sageattention


def test_a_transformer_that_masks_everywhere_is_given_no_backend_without_masks():
    assert backends(built("hunyuan-t2v").transformer) == ["native", "_native_cudnn"]


def test_a_backend_that_this_device_has_not_is_left_out(wan):
    best, spent = fastest_attention(wan.transformer, "cpu", torch.float32, ["native", "_native_cudnn"], tokens=64)
    assert (best, list(spent)) == ("native", ["native"])


def test_the_fastest_backend_is_taken(wan, monkeypatch):
    clocked(monkeypatch, native=3.0, math=2.0)
    best, spent = fastest_attention(wan.transformer, "cpu", torch.float32, ["native", "_native_math"], tokens=64)
    assert (best, spent) == ("_native_math", {"native": 3.0, "_native_math": 2.0})


def test_a_fast_backend_that_attends_to_something_else_is_left_out(wan, monkeypatch):
    honest = attention_dispatch.dispatch_attention_fn
    monkeypatch.setattr(
        attention_dispatch,
        "dispatch_attention_fn",
        lambda *qkv, backend, **more: honest(*qkv, backend=backend, **more) * (1.1 if backend != "native" else 1),
    )
    best, spent = fastest_attention(wan.transformer, "cpu", torch.float32, ["native", "_native_math"], tokens=64)
    assert (best, list(spent)) == ("native", ["native"])


@pytest.mark.parametrize("family", ["wan-i2v", "ltx-conditioned", "ltx-2", "hunyuan-t2v"])
def test_every_backend_that_is_set_can_be_drawn_with(family, monkeypatch):
    """LTX masks what looks at the words, which flash attention refuses; nothing else in the process is changed."""
    pipe = built(family)
    for name in (each for each in backends(pipe.transformer) if each != "_native_cudnn"):
        use_attention(pipe.transformer, name)
        used = {
            path: module.processor._attention_backend
            for path, module in pipe.transformer.named_modules()
            if hasattr(getattr(module, "processor", None), "_attention_backend")
        }
        assert name in used.values()
        assert all(backend == "native" for path, backend in used.items() if path.endswith("attn2")) or name == "native"
        assert attention_dispatch._AttentionBackendRegistry.get_active_backend()[0] == "native"


def test_masked_words_are_looked_at_while_flash_attention_looks_at_the_picture():
    transformer = built("ltx-conditioned").transformer
    inputs = {
        "hidden_states": torch.randn(1, 2 * 2 * 3, 16),
        "encoder_hidden_states": torch.randn(1, 8, 32),
        "encoder_attention_mask": torch.tensor([[1, 1, 1, 0, 0, 0, 0, 0]]),
        "timestep": torch.tensor([500.0]),
        "num_frames": 2,
        "height": 2,
        "width": 3,
    }
    with torch.no_grad():
        plain = transformer(**inputs).sample
        use_attention(transformer, "_native_flash")
        assert torch.allclose(transformer(**inputs).sample, plain, atol=1e-5)


# --- the VAE's format ------------------------------------------------------------------------------------------------


def test_the_most_exact_format_is_tried_first():
    assert formats(torch.bfloat16) == [FP32, FP32_LAST, BF16, Format("bfloat16", channels_last=True)]
    assert formats(torch.float32) == [FP32, FP32_LAST]


@pytest.mark.parametrize("family", ["tiny", "wan-5b", "ltx-conditioned", "ltx-2", "mochi", "hunyuan-t2v"])
def test_every_familys_vae_can_be_tried_and_stays_as_it_was(family):
    vae = built(family).vae
    before = {name: weight.clone() for name, weight in vae.state_dict().items()}
    best, trials = fastest_format(vae, formats(torch.bfloat16), SMALL, rounds=1)
    assert best in formats(torch.bfloat16)
    assert list(trials) == ["float32", "float32-last", "bfloat16", "bfloat16-last"]
    assert trials["float32"]["largest"] == 0
    assert trials["float32-last"]["largest"] < 0.001 < trials["bfloat16"]["largest"]
    after = vae.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_fast_format_is_taken_when_nobody_would_see_it(wan, monkeypatch):
    clocked(monkeypatch, fp32=4.0, bf16=1.0)
    assert fastest_format(wan.vae, [FP32, BF16], SMALL)[0] == BF16


def test_a_fast_format_that_shows_is_left_out(wan, monkeypatch):
    clocked(monkeypatch, fp32=4.0, bf16=1.0)
    monkeypatch.setattr(tuning, "TOLERATED_PIXEL", 1e-6)
    assert fastest_format(wan.vae, [FP32, BF16], SMALL)[0] == FP32


def test_a_format_that_overflows_is_left_out(monkeypatch):
    vae = built("tiny").vae
    with torch.no_grad():
        vae.decoder.conv_out.weight.mul_(1e6)  # fp16 ends at 65504
    clocked(monkeypatch, fp32=4.0, fp16=1.0)
    best, trials = fastest_format(vae, [FP32, Format("float16")], SMALL)
    assert best == FP32
    assert trials["float16"]["largest"] > tuning.TOLERATED_PIXEL


def test_a_format_without_room_is_left_out(wan, monkeypatch):
    whole = tuning._decode

    def decode(vae, latents):
        if vae.dtype == torch.float32:
            raise torch.OutOfMemoryError
        return whole(vae, latents)

    monkeypatch.setattr(tuning, "_decode", decode)
    best, trials = fastest_format(wan.vae, [FP32, BF16], SMALL, rounds=1)
    assert (best, list(trials)) == (BF16, ["bfloat16"])


def test_a_format_is_put_on_all_weights():
    vae = built("tiny").vae
    Format("bfloat16", channels_last=True).put_on(vae)
    assert {weight.dtype for weight in vae.parameters()} == {torch.bfloat16}
    assert vae.decoder.conv_in.weight.is_contiguous(memory_format=torch.channels_last_3d)
    FP32.put_on(vae)
    assert vae.decoder.conv_in.weight.is_contiguous()


def test_what_is_noted_can_be_written_as_json(wan):
    _, trials = fastest_format(wan.vae, [FP32, BF16], SMALL, rounds=1)
    assert json.loads(json.dumps(trials)) == trials
