import pytest

from gpu.bench.counted import COUNTED
from gpu.bench.floors import PEAK_TFLOPS, TUNED, UNTUNED, Work, peak_of, rows, work_of
from gpu.bench.flops import count
from gpu.bench.fullsize import FULL
from gpu.engines import ENGINES, find_spec
from gpu.price import GPU_USD_PER_S


def test_every_engine_with_weights_is_known_at_full_size():
    assert set(FULL) == {name for name in ENGINES if find_spec(name).source} - {"tiny"}


def test_the_usual_clip_of_every_engine_and_preset_has_been_counted():
    assert set(rows()) == set(COUNTED), "run `python -m gpu.bench.floors` and put its rows into gpu/bench/counted.py"


@pytest.mark.parametrize(
    "row", [row for row in COUNTED if row[1] == "ltx-video-2b" and row[2] in {0, 512}], ids=lambda row: row[0]
)
def test_what_was_counted_is_what_is_counted(row):
    part, name, *size = row
    assert count(part, name, tuple(size)) == pytest.approx(COUNTED[row], rel=1e-3)


def test_a_step_with_guidance_is_two_steps_and_few_steps_are_few():
    spec = find_spec("wan2.1-t2v-14b")
    live, quality = work_of(spec, "live"), work_of(spec, "quality")
    assert quality.denoise / live.denoise == pytest.approx(50 * 2 / 4)
    assert quality.decode == live.decode


def test_what_begins_with_a_picture_encodes_a_film_first():
    assert work_of(find_spec("wan2.1-i2v-14b-480p"), "live").begin > 100
    assert work_of(find_spec("wan2.1-t2v-14b"), "live").begin == 0


def test_an_engine_without_a_model_has_no_floor():
    assert work_of(find_spec("rehearsal"), "live") is None
    assert work_of(find_spec("tiny"), "live") is None


@pytest.mark.parametrize(
    ("card", "tflops"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("H100!", 989),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("A100-40GB", 312),
        ("NVIDIA A10G", 125),
        ("NVIDIA L4", 121),
        ("NVIDIA L40S", 362),
        ("NVIDIA GeForce RTX 4090", 165),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 504),
        ("RTX-PRO-6000", 504),
        ("NVIDIA GeForce GTX 1080", None),
        ("cpu", None),
    ],
)
def test_a_card_is_known_by_its_name(card, tflops):
    assert peak_of(card) == tflops


def test_every_card_that_is_rented_is_known():
    assert all(peak_of(gpu) for gpu in GPU_USD_PER_S)


@pytest.mark.parametrize("card", PEAK_TFLOPS)
def test_no_pace_is_faster_than_the_floor(card):
    work = Work(text=5, begin=0, denoise=1000, decode=275)
    assert work.floor_s(card) < work.expected_s(card, TUNED) < work.expected_s(card, UNTUNED)


def test_the_pace_of_diffusers_is_the_one_that_was_published():
    """9.77 s on an H100 for a step of Wan 2.1 I2V 14B at 832x480 with guidance: README of LightX2V."""
    step = Work(text=0, begin=0, denoise=2 * COUNTED["forward", "wan2.1-i2v-14b-480p", 832, 480, 81], decode=0)
    assert step.expected_s("H100", UNTUNED) - UNTUNED.besides_s == pytest.approx(9.77, rel=0.02)
