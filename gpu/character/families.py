"""The model families in numbers: how wide each transformer is and how many blocks it has, to tell LoRAs apart."""

from dataclasses import dataclass

from gpu.character.lora_file import LoraFile


@dataclass(frozen=True, slots=True)
class Model:
    """The shape of a transformer, as the keys and shapes of a LoRA show it."""

    title: str
    family: str
    width: int
    blocks: int


# Numbers of Wan from the conversion script of diffusers (scripts/convert_wan_to_diffusers.py) and, for 5B, from
# wan/configs/wan_ti2v_5B.py of https://github.com/Wan-Video/Wan2.2; of LTX-Video 13B from the configuration in
# https://github.com/AI-Hypercomputer/maxdiffusion; of the others from the defaults of their classes in diffusers 0.42.
WAN_SMALL = Model("Wan 2.1 1.3B", "wan", 1536, 30)
WAN_LARGE = Model("Wan 14B", "wan", 5120, 40)  # 2.1, and each half of 2.2 A14B
WAN_MEDIUM = Model("Wan 2.2 5B", "wan", 3072, 30)
LTX_SMALL = Model("LTX-Video 2B", "ltx", 2048, 28)
LTX_LARGE = Model("LTX-Video 13B", "ltx", 4096, 48)
LTX2 = Model("LTX-2", "ltx2", 4096, 48)
MOCHI = Model("Mochi 1", "mochi", 3072, 48)
HUNYUAN = Model("HunyuanVideo 1.5", "hunyuan", 2048, 54)
MODELS = (WAN_SMALL, WAN_MEDIUM, WAN_LARGE, LTX_SMALL, LTX_LARGE, LTX2, MOCHI, HUNYUAN)

DRAWN_BY: dict[str, Model] = {
    "wan2.1-t2v-1.3b": WAN_SMALL,
    "wan2.1-vace-1.3b": WAN_SMALL,
    "wan2.1-t2v-14b": WAN_LARGE,
    "wan2.1-i2v-14b-480p": WAN_LARGE,
    "wan2.1-i2v-14b-720p": WAN_LARGE,
    "wan2.2-ti2v-5b": WAN_MEDIUM,
    "ltx-video-2b": LTX_SMALL,
    "ltx-video-13b": LTX_LARGE,
    "ltx-2": LTX2,
    "mochi-1": MOCHI,
}
"""Engines that take LoRAs, and their models. One that is not here can be checked against its weights only."""


def likely_model(file: LoraFile) -> str:
    """Return the name of the model that a LoRA seems to be made for; of its family, or nothing, if none is known."""
    for model in MODELS:
        if _alike(file, model):
            return model.title
    if file.family is None:
        return ""
    known = {model.family: model.title.split(" ")[0] for model in MODELS} | {"flux": "Flux or HunyuanVideo"}
    return f"{known.get(file.family, 'Stable Diffusion')} of {file.width} numbers width"


def misfit(file: LoraFile, engine: str) -> str:
    """Return in plain words why a LoRA can't be one for an engine, going by its header; nothing if it may be."""
    model = DRAWN_BY.get(engine)
    if model is None or _alike(file, model):
        return ""
    made_for = likely_model(file)
    if file.family == model.family and file.width == model.width:
        return f"it changes {file.blocks} blocks, and {model.title} has {model.blocks}"
    return f"it is made for {made_for}, not for {model.title}" if made_for else f"its layers are not {model.title}'s"


def _alike(file: LoraFile, model: Model) -> bool:
    # The layers of LTX-2 that make the picture have the names and sizes of LTX-Video 13B's.
    families = {model.family, "ltx"} if model.family == "ltx2" else {model.family}
    return file.family in families and file.width == model.width and file.blocks <= model.blocks
