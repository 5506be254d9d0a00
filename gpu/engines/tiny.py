"""The tiny engine: a real Wan pipeline whose weights are dice, thrown here, for demos and tests without a download."""

import hashlib
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gpu.engines import Place
from gpu.engines.wan import Wan
from sakuga.engine import EngineSpec, Recipe, Source, Variant
from sakuga.errors import RenderFailed

REPOSITORY = "sakuga/tiny"
REVISION = hashlib.sha1(b"tiny 1", usedforsecurity=False).hexdigest()
"""The commit that nobody made. A change to what is built below takes the next number."""

DICE = 15
"""Gives teal and plum on salmon for as long as a clip is; many numbers give a single colour."""

CHANNELS, TEXT_CHANNELS = 16, 32
WORDS, NOISE = 30.0, 2.0
"""By how much random weights are raised, so that words and steps show in the picture."""

SPECS = {
    "tiny": EngineSpec(
        name="tiny",
        summary="Moving paint by a real Wan pipeline with random weights. Runs on any CPU; for trying things out.",
        sizes=((256, 144),),
        fps=16.0,
        shortest_s=1.0,
        longest_s=3.0,
        default_s=2.0,
        frame_step=4,
        typical_s=3.0,
        source=Source(repository=REPOSITORY, revision=REVISION),
        presets={
            "draft": Recipe(num_inference_steps=2, guidance_scale=1.0, typical_s=3.0),
            "live": Recipe(num_inference_steps=4, guidance_scale=1.0, typical_s=3.0),
            "quality": Recipe(num_inference_steps=8, guidance_scale=5.0, typical_s=4.0),
        },
        variants=(Variant(name="bf16", vram_gb=1.0),),
        takes_loras=True,
    )
}


def engine(spec: EngineSpec, place: Place) -> "Tiny":
    """Return the engine of a spec."""
    return Tiny(spec, place)


class Tiny(Wan):
    """Wan as ever, but for where its weights come from."""

    def load(self) -> None:
        """Write the weights below `place.weights`, unless they lie there, and load them. Raises RenderFailed."""
        import torch

        # Two threads on two idle cores take 1.3 s for a clip and one takes 2; where others work as well, two wait
        # for each other and take 8 to 28 s, and one 5.
        torch.set_num_threads(1)
        write_tiny_wan(self.place.weights)
        super().load()


def write_tiny_wan(weights: Path) -> Path:
    """Write the weights below a folder, unless they lie there, and return where. Raises RenderFailed."""
    return keep(tiny_wan, weights, REPOSITORY, REVISION)


def keep(build: Callable[[], Any], weights: Path, repository: str, revision: str) -> Path:
    """Save the pipeline that `build` returns where the Hub's client looks for that commit, and return the folder.

    It appears there complete; of two who write at once, the second takes what the first wrote. Raises RenderFailed.
    """
    from huggingface_hub.file_download import repo_folder_name

    home = weights / repo_folder_name(repo_id=repository, repo_type="model")
    folder = home / "snapshots" / revision
    if folder.is_dir():
        return folder
    pipe = build()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home) as desk:
            files, head = Path(desk, "files"), Path(desk, "main")
            pipe.save_pretrained(files)
            try:
                files.rename(folder)
            except OSError:
                if not folder.is_dir():
                    raise
            head.write_text(revision)
            (home / "refs").mkdir(exist_ok=True)
            head.replace(home / "refs" / "main")
    except OSError as error:
        raise RenderFailed(reason=f"its weights can't be written ({error.strerror})") from error
    return folder


def tiny_wan() -> Any:
    """Build the pipeline: a Wan 2.1 that is as real as the large one, with 0.1 million random numbers."""
    import torch
    from diffusers import UniPCMultistepScheduler, WanPipeline

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(DICE)
        words = tokenizer()
        return WanPipeline(
            tokenizer=words,
            text_encoder=text_encoder(words),
            vae=painter(),
            transformer=transformer(),
            scheduler=UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0, num_train_timesteps=1000
            ),
        )


def tokenizer() -> Any:
    """Build T5's own tokenizer on a vocabulary of single characters."""
    from transformers import T5TokenizerFast

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
    characters = [(each, -8.0) for each in string.ascii_letters + string.digits + string.punctuation]
    return T5TokenizerFast(vocab=special + characters, extra_ids=0, model_max_length=512)


def text_encoder(words: Any) -> Any:
    """Build a UMT5 for the tokens of a tokenizer."""
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(
        vocab_size=len(words),
        d_model=TEXT_CHANNELS,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    return UMT5EncoderModel(config).eval()


def transformer() -> Any:
    """Build the model that foresees noise: random, but it speaks up, so that steps and words show in the picture."""
    from diffusers import WanTransformer3DModel

    model = WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=24,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        text_dim=TEXT_CHANNELS,
        freq_dim=64,
        ffn_dim=96,
        num_layers=2,
        rope_max_seq_len=64,
    ).eval()
    model.proj_out.weight.mul_(NOISE)
    for block in model.blocks:
        block.attn2.to_out[0].weight.mul_(WORDS)
    return model


def painter() -> Any:
    """Build the VAE: a random encoder, and a decoder that blurs and mixes, so that noise comes out as moving paint."""
    import torch
    from diffusers import AutoencoderKLWan

    vae = AutoencoderKLWan(
        base_dim=6,
        z_dim=CHANNELS,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=0,
        latents_mean=[0.0] * CHANNELS,
        latents_std=[1.0] * CHANNELS,
    ).eval()
    for name, layer in vae.decoder.named_modules():
        if not isinstance(layer, torch.nn.Conv2d | torch.nn.Conv3d):
            continue
        outputs, inputs, *kernel = layer.weight.shape
        layer.bias.zero_()
        if name.endswith(".proj"):  # attention adds nothing
            layer.weight.zero_()
        elif name.endswith("time_conv"):  # two frames of one: half way from the last to this, and this
            same = torch.eye(inputs)
            layer.weight.zero_()
            layer.weight[:inputs, :, 1:, 0, 0] = same[..., None] / 2
            layer.weight[inputs:, :, 2, 0, 0] = same
        else:
            mix = torch.linalg.qr(torch.randn((max(outputs, inputs),) * 2))[0][:outputs, :inputs]
            mix = mix - mix.mean(dim=1, keepdim=True)  # what all channels share would be one colour everywhere
            layer.weight.copy_(mix.reshape(outputs, inputs, *[1] * len(kernel)) * _blur(kernel))
    # Latents of pictures spread as those of the loop do: the map of the previews is fitted on the former.
    corners = torch.rand(8, 3, 4, 4, generator=torch.Generator().manual_seed(DICE)) * 2 - 1
    patches = torch.nn.functional.interpolate(corners, size=(64, 64), mode="bilinear")
    latents = vae.encode(patches.unsqueeze(2)).latent_dist.mode()
    spread, middle = torch.std_mean(latents, dim=(0, 2, 3, 4))
    vae.quant_conv.weight[:CHANNELS] /= spread.view(-1, 1, 1, 1, 1)
    vae.quant_conv.bias[:CHANNELS] = (vae.quant_conv.bias[:CHANNELS] - middle) / spread
    return vae


def _blur(kernel: list[int]) -> Any:
    """Return weights that fall off from the middle as 1 2 1 along each axis and sum to one."""
    import torch

    weights = torch.ones(())
    for length in kernel:
        weights = weights[..., None] * torch.tensor({1: [1.0], 3: [0.25, 0.5, 0.25]}[length])
    return weights
