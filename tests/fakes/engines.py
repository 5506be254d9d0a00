"""Engines as data, for tests that offer more than one."""

from sakuga.engine import EngineSpec, Licence, Recipe
from tests.fakes.renderer import SPEC

WAN = SPEC.model_copy(
    update={
        "name": "wan",
        "presets": {
            "draft": Recipe(num_inference_steps=3, guidance_scale=1, typical_s=4, size=(32, 32)),
            "live": Recipe(num_inference_steps=4, guidance_scale=1, typical_s=9),
            "quality": Recipe(num_inference_steps=50, guidance_scale=5, typical_s=90),
        },
        "licence": Licence(name="Apache-2.0"),
        "takes_loras": True,
    }
)
LTX: EngineSpec = WAN.model_copy(
    update={"name": "ltx", "modes": ("text-to-video", "image-to-video"), "sound": True, "licence": None}
)
PICTURED: EngineSpec = WAN.model_copy(update={"name": "wan-i2v", "modes": ("image-to-video",)})
CAST = {
    "hana": {"title": "Hana", "summary": "A courier.", "prompt": "hana_v2", "engines": ["ltx", "wan-i2v"]},
    "ren": {"title": "Ren", "image": "ren.png"},
    "yuki": {"title": "Yuki"},
}
