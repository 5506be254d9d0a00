"""Models and pipelines at full size whose weights are dice: for measuring speed, which does not depend on them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpu.bench.fullsize import FULL, SIGLIP, Config, Full, Part
from gpu.engines import Frame, Report, Sound
from gpu.pipeline.hardware import Hardware, choose
from sakuga.engine import Adapter, RenderRequest, Source
from sakuga.errors import WeightsMissing

WORDS = 256
"""Size of the vocabulary that these tokenizers have. The encoders keep their own, which is memory but no work."""

USUAL_RANK = 64  # of a LoRA whose name does not say

WORDLESS = "Qwen2_5_VLTextModel"
"""The text encoder that is left out: HunyuanVideo's asks for a chat, and it is given random numbers instead."""


def build(part: Part) -> Any:
    """Return a model of diffusers or transformers with random weights, on torch's default device and dtype.

    Layers that diffusers would keep in fp32 when loading are in fp32 here, too.
    """
    import diffusers
    import torch
    import transformers
    from diffusers.pipelines import ltx2

    if hasattr(transformers, part.kind):
        return _transformers_model(part)
    kind = getattr(diffusers, part.kind, None) or getattr(ltx2, part.kind)
    model = kind(**part.config).eval().requires_grad_(requires_grad=False)
    exact = getattr(model, "_keep_in_fp32_modules", None) or ()
    for name, weight in model.named_parameters():
        weight.nan_to_num_(0.0, 0.0, 0.0).clamp_(-10, 10)  # some are left as the memory was found
        if set(name.split(".")) & set(exact):
            weight.data = weight.data.to(torch.float32)
    return model


def pipeline(full: Full, device: str, dtype: Any) -> Any:
    """Return a whole pipeline with random weights, built where it is to run: nothing is downloaded.

    HunyuanVideo's two text encoders are left out: it is given random numbers for the words that they would have read.
    """
    import diffusers
    import torch

    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            parts = {"transformer": build(full.transformer), "vae": build(full.vae)} | _rest(full)
    finally:
        torch.set_default_dtype(usual)
    scheduler = getattr(diffusers, full.scheduler.kind)(**full.scheduler.config)
    kind = getattr(diffusers, full.pipeline)
    pipe = kind(**parts, scheduler=scheduler, **full.more)
    pipe.set_progress_bar_config(disable=True)
    if full.text.kind == WORDLESS:
        pipe.encode_prompt = _wordless(full, device, dtype)
    return pipe


def thrown(engine: Any) -> Any:
    """Return an engine like this one, which needs no weights: it throws them when it is loaded.

    What needs a further repository, such as an upscaler, can't be drawn and raises WeightsMissing. Presets with a
    distilled transformer draw with the engine's own, which is as large; those with a LoRA put on one of that rank.
    """
    kind: Any = type(engine)
    lora = {preset: rank for preset, recipe in engine.spec.presets.items() if (rank := _rank(recipe.source))}
    presets = engine.spec.presets | {
        preset: engine.spec.presets[preset].model_copy(update={"source": None}) for preset in lora
    }

    class Thrown(kind):
        def found(self, source: Source) -> Path:
            if source in self.spec.extras:
                raise WeightsMissing(engine=self.spec.name)
            return Path("dice")

        def open(self, _: Path, dtype: Any) -> Any:
            card = Hardware.found(self.place.device)
            variant = choose(self.spec.variants, card)
            offloading = variant and "offload" in variant.name
            return pipeline(FULL[self.spec.name], "cpu" if offloading else card.device, dtype)

        def distilled_transformer(self, _: Any) -> Any:
            return self.pipe.transformer

        def render(self, request: RenderRequest, report: Report) -> Iterator[Frame | Sound]:
            if rank := lora.get(request.preset):
                file = _lora(self.pipe.transformer, rank, self.place.media / f"dice-{self.spec.name}.safetensors")
                adapters = (*request.adapters, Adapter(name="preset", file=file.name))
                request = request.model_copy(update={"adapters": adapters})
            yield from super().render(request, report)

    return Thrown(engine.spec.model_copy(update={"presets": presets}), engine.place)


def _rank(source: Source | None) -> int | None:
    """Return the rank of a LoRA by its file's name; None for a source that is none."""
    if source is None or source.file is None or "lora" not in source.file.lower():
        return None
    named = re.search(r"(?:rank|lora-)(\d+)", source.file)
    return int(named[1]) if named else USUAL_RANK


def _lora(transformer: Any, rank: int, file: Path) -> Path:
    """Write a LoRA for every linear layer of the transformer's blocks, unless it is there, and return its path."""
    import torch
    from safetensors.torch import save_file

    if not file.exists():
        tensors = {}
        for name, module in transformer.named_modules():
            if isinstance(module, torch.nn.Linear) and "blocks." in name:
                for letter, shape in (("A", (rank, module.in_features)), ("B", (module.out_features, rank))):
                    tensors[f"transformer.{name}.lora_{letter}.weight"] = torch.randn(shape, dtype=torch.bfloat16) / 100
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, file)
    return file


def _rest(full: Full) -> Config:
    """Return what reads the words, and whatever else a kind of pipeline has."""
    from diffusers import ClassifierFreeGuidance
    from transformers import CLIPImageProcessorPil, SiglipImageProcessorPil

    parts: Config = {name: build(part) for name, part in full.others.items()}
    if full.text.kind == WORDLESS:
        nothing = ("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2")
        parts |= dict.fromkeys(nothing) | {"guider": ClassifierFreeGuidance()}
    else:
        parts |= {"text_encoder": build(full.text), "tokenizer": _tokenizer(full)}
    if eyes := full.others.get("image_encoder"):
        side = eyes.config["image_size"]
        if eyes.kind == "SiglipVisionModel":
            parts["feature_extractor"] = SiglipImageProcessorPil(size={"height": side, "width": side})
        else:
            parts["image_processor"] = CLIPImageProcessorPil(crop_size=side, size=side)
    return parts


def _tokenizer(full: Full) -> Any:
    """Return a tokenizer that knows characters only. It pads, so the encoder has its full work."""
    pieces = [chr(code) for code in range(33, WORDS)]
    if full.text.kind == "Gemma3ForConditionalGeneration":
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import PreTrainedTokenizerFast

        special = {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>", "unk_token": "<unk>"}
        vocabulary = {word: index for index, word in enumerate([*special.values(), *pieces])}
        plain = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106 - no password
        plain.pre_tokenizer = pre_tokenizers.Split("", "isolated")
        return PreTrainedTokenizerFast(
            tokenizer_object=plain, padding_side="left", model_max_length=full.tokens, **special
        )
    from transformers import T5TokenizerFast

    special_pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
    return T5TokenizerFast(
        vocab=special_pieces + [(piece, -8.0) for piece in pieces], extra_ids=0, model_max_length=full.tokens
    )


def _transformers_model(part: Part) -> Any:
    import transformers

    if part.kind == "Gemma3ForConditionalGeneration":
        text = transformers.Gemma3TextConfig(**part.config)
        last = text.vocab_size
        config = transformers.Gemma3Config(
            text_config=text,
            vision_config=transformers.SiglipVisionConfig(**SIGLIP),
            boi_token_index=last - 3,
            eoi_token_index=last - 2,
            image_token_index=last - 1,
        )
        return transformers.Gemma3ForConditionalGeneration(config).eval()
    if part.kind == WORDLESS:
        from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLTextConfig

        return transformers.Qwen2_5_VLTextModel(Qwen2_5_VLTextConfig(**part.config)).eval()
    config = getattr(transformers, part.kind.replace("EncoderModel", "Config").replace("VisionModel", "VisionConfig"))
    return getattr(transformers, part.kind)(config(**part.config)).eval()


def _wordless(full: Full, device: str, dtype: Any) -> Any:
    """Return a stand-in for HunyuanVideo's `encode_prompt`."""
    import torch

    config = full.transformer.config
    long, short = config.get("text_embed_dim", 3584), config.get("text_embed_2_dim", 1472)

    def encode_prompt(*_: Any, **__: Any) -> tuple[Any, ...]:
        words = torch.randn(1, 1000, long, device=device, dtype=dtype)
        glyphs = torch.zeros(1, 256, short, device=device, dtype=dtype)
        seen = torch.ones(words.shape[:2], device=device, dtype=torch.int64)
        return words, seen, glyphs, torch.zeros(glyphs.shape[:2], device=device, dtype=torch.int64)

    return encode_prompt
