"""What Wan 2.1 and Wan 2.2 5B are: weights, sizes, presets, memory.

Memory in these specs is counted, not measured: all weights in bf16 but one transformer alone, and what the largest of
encoding, denoising and decoding the longest film holds at once, as followed on torch's meta device; and a little more.
"""

from typing import Any

from sakuga.engine import EngineSpec, Licence, Recipe, Source, Variant

APACHE = Licence(name="Apache-2.0", url="https://www.apache.org/licenses/LICENSE-2.0")
WIDE, TALL = (832, 480), (480, 832)
LIGHTX2V = {
    "repository": "lightx2v/Wan2.1-Distill-Loras",
    "revision": "27ae38da91014b947dd39cc3fa78b97cd7b386dd",
}
FASTWAN = Source(
    repository="FastVideo/FastWan2.1-T2V-1.3B-Diffusers", revision="25e7ed7f41fd8ce2fdd108688c65e8caf0ce3aef"
)
"""Trained with sparse attention, whose 60 gate tensors diffusers leaves out: drawn here with full attention."""

FASTWAN_5B = Source(
    repository="FastVideo/FastWan2.2-TI2V-5B-FullAttn-Diffusers", revision="3e187042a324f6f5fb68fd22110a78725253de8f"
)

LIVE_14B = Recipe(
    num_inference_steps=4,
    guidance_scale=1.0,
    typical_s=30.0,
    source=Source(**LIGHTX2V, file="wan2.1_t2v_14b_lora_rank64_lightx2v_4step.safetensors"),
)
LIVE_I2V = Recipe(
    num_inference_steps=4,
    guidance_scale=1.0,
    typical_s=32.0,
    source=Source(**LIGHTX2V, file="wan2.1_i2v_lora_rank64_lightx2v_4step.safetensors"),
)


def _variants(bf16: float, fp8: float) -> tuple[Variant, ...]:
    """Return the ways to hold one of the large ones, by the GB of card memory for the first two."""
    return (
        Variant(name="bf16", vram_gb=bf16),
        Variant(name="fp8", vram_gb=fp8),
        Variant(name="offload", vram_gb=15),
        Variant(name="offload-fp8", vram_gb=11),
    )


def _spec(name: str, summary: str, weights: tuple[str, str], **more: Any) -> EngineSpec:
    """Return a spec with what all of Wan 2.1 has in common."""
    common = {
        "sizes": (WIDE, TALL),
        "fps": 16.0,
        "shortest_s": 1.0,
        "longest_s": 5.0,
        "default_s": 5.0,
        "frame_step": 4,
        "size_step": 16,
        "licence": APACHE,
        "takes_loras": True,
    }
    repository, revision = weights
    source = Source(repository=repository, revision=revision)
    return EngineSpec(name=name, summary=summary, source=source, **(common | more))


SPECS: dict[str, EngineSpec] = {
    spec.name: spec
    for spec in (
        _spec(
            "wan2.1-t2v-1.3b",
            "Wan 2.1, the small one: a clip in seconds, on any card with 8 GB or more.",
            ("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "0fad780a534b6463e45facd96134c9f345acfa5b"),
            modes=("text-to-video", "video-to-video"),
            typical_s=8.0,
            presets={
                "draft": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=5.0,
                    size=(576, 320),
                    source=FASTWAN,
                ),
                "live": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=8.0,
                    size=(832, 448),  # what it was distilled at
                    source=FASTWAN,
                ),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=90.0),
            },
            variants=(
                Variant(name="bf16", vram_gb=20),
                Variant(name="offload", vram_gb=10),
                Variant(name="offload-fp8", vram_gb=7.5),
            ),
            gpus=("H100", "L40S"),
        ),
        _spec(
            "wan2.1-t2v-14b",
            "Wan 2.1, the large one: more motion, more of what was asked.",
            ("Wan-AI/Wan2.1-T2V-14B-Diffusers", "38ec498cb3208fb688890f8cc7e94ede2cbd7f68"),
            typical_s=30.0,
            presets={
                "draft": LIVE_14B.model_copy(update={"size": (576, 320), "typical_s": 15.0}),
                "live": LIVE_14B,
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=500.0),
            },
            variants=_variants(44, 30),
            gpus=("H100", "A100-80GB"),
        ),
        _spec(
            "wan2.1-i2v-14b-480p",
            "Wan 2.1 from a picture: a character's reference becomes the first frame.",
            ("Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", "b184e23a8a16b20f108f727c902e769e873ffc73"),
            modes=("image-to-video",),
            typical_s=32.0,
            presets={
                "draft": LIVE_I2V.model_copy(update={"size": (576, 320), "typical_s": 16.0}),
                "live": LIVE_I2V,
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=520.0),
            },
            variants=_variants(50, 34),
            gpus=("H100", "A100-80GB"),
        ),
        _spec(
            "wan2.1-i2v-14b-720p",
            "Wan 2.1 from a picture, at 1280x720.",
            ("Wan-AI/Wan2.1-I2V-14B-720P-Diffusers", "eb849f76dfa246545b65774a9e25943ee69b3fa3"),
            modes=("image-to-video",),
            sizes=((1280, 720), (720, 1280)),
            typical_s=90.0,
            presets={
                "draft": LIVE_I2V.model_copy(update={"size": WIDE, "typical_s": 32.0}),
                "live": LIVE_I2V.model_copy(update={"typical_s": 90.0}),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=1900.0),
            },
            variants=_variants(56, 38),
            gpus=("H100", "H200"),
        ),
        _spec(
            "wan2.1-vace-1.3b",
            "Wan 2.1, the small one, with a character's reference picture, or after the shapes and moves of a video.",
            ("Wan-AI/Wan2.1-VACE-1.3B-diffusers", "ec4d2cb062b548996b179d493fdd05340de702a1"),
            modes=("text-to-video", "image-to-video", "video-to-video"),
            typical_s=70.0,
            presets={
                "draft": Recipe(num_inference_steps=20, guidance_scale=5.0, typical_s=20.0, size=(576, 320)),
                "live": Recipe(num_inference_steps=25, guidance_scale=5.0, typical_s=70.0),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=140.0),
            },
            variants=(Variant(name="bf16", vram_gb=22), Variant(name="offload", vram_gb=11)),
            gpus=("H100", "L40S"),
        ),
        _spec(
            "wan2.2-ti2v-5b",
            "Wan 2.2 5B: 1280x704 at 24 frames a second, from words or from a picture.",
            ("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "b8fff7315c768468a5333511427288870b2e9635"),
            modes=("text-to-video", "image-to-video"),
            sizes=((1280, 704), (704, 1280)),
            size_step=32,
            fps=24.0,
            typical_s=16.0,
            presets={
                "draft": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=8.0,
                    size=(832, 480),
                    source=FASTWAN_5B,
                ),
                "live": Recipe(
                    num_inference_steps=3,
                    guidance_scale=1.0,
                    typical_s=16.0,
                    source=FASTWAN_5B,
                ),
                "quality": Recipe(num_inference_steps=50, guidance_scale=5.0, typical_s=150.0),
            },
            variants=(
                Variant(name="bf16", vram_gb=30),
                Variant(name="offload", vram_gb=15),
                Variant(name="offload-fp8", vram_gb=11),
            ),
            gpus=("H100", "L40S"),
        ),
    )
}
