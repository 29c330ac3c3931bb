"""Tiny but real checkpoints: ComfyUI's stock loader opens them as MODEL, CLIP and VAE, and they draw.

A file's colour tells who drew a picture: the mean of all that a checkpoint draws is about its colour,
whatever the prompt, the seed and the sampler. Separate from the networks, because which parts make a family
is one question and what a part looks like is another. Needs numpy alone: the demonstration needs no torch.

| family | size | on disk | the prompt's text |
|---|---|---|---|
| `sd3` | 3 MB | 1 MB | is ignored (the file has an empty text encoder) |
| `sd3_text` | 130 MB | 40 MB | changes the picture |
| `sd15` | 140 MB | 40 MB | changes the picture |
| `sdxl` | 870 MB | 110 MB | changes the picture |
| `flux` | 3 MB | 2 MB | the file has no text encoder, as Flux checkpoints often have none |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from .networks import (
    Color,
    Texture,
    TextureStyle,
    Weights,
    autoencoder,
    clip_g,
    clip_l,
    flux_transformer,
    sd3_transformer,
    unet,
)
from .safetensors_file import Tensors, write_tensors

Family = Literal["sd15", "sdxl", "sd3", "sd3_text", "flux"]
FAMILIES: tuple[Family, ...] = get_args(Family)

NINE_COLORS: Mapping[str, Color] = {
    "red": (0.80, 0.20, 0.20),
    "orange": (0.80, 0.50, 0.20),
    "yellow": (0.80, 0.80, 0.25),
    "green": (0.25, 0.70, 0.25),
    "teal": (0.20, 0.70, 0.70),
    "blue": (0.20, 0.35, 0.80),
    "violet": (0.50, 0.25, 0.75),
    "pink": (0.80, 0.45, 0.70),
    "grey": (0.50, 0.50, 0.50),
}
"""Far enough apart that a mean colour, after eight bits and a PNG file, names its checkpoint."""


Builder = Callable[[np.random.Generator, TextureStyle], Tensors]


def _decodes(generator: np.random.Generator, look: TextureStyle, channels: int, scale: float) -> Tensors:
    return autoencoder(generator, channels, look, scale=scale, prefix="first_stage_model.")


def _sd15(generator: np.random.Generator, look: TextureStyle) -> Tensors:
    return {
        **unet(generator, 768, [1], linear_projections=False),
        **clip_l(generator, "cond_stage_model.transformer.text_model."),
        **_decodes(generator, look, 4, 0.18215 / 12),
    }


def _sdxl(generator: np.random.Generator, look: TextureStyle) -> Tensors:
    """The transformer depths of KOALA-700M, squeezed into one level: the smallest SDXL that is recognised."""
    return {
        **unet(generator, 2048, [0, 2, 5], linear_projections=True, label_channels=2816),
        **clip_l(generator, "conditioner.embedders.0.transformer.text_model."),
        **clip_g(generator, "conditioner.embedders.1.model."),
        **_decodes(generator, look, 4, 0.13025 / 12),
    }


def _sd3(generator: np.random.Generator, look: TextureStyle) -> Tensors:
    """Any name under `text_encoders.` makes ComfyUI build an SD3 text encoder, here without a single part."""
    return {
        **sd3_transformer(generator, text_gain=1.0),
        "text_encoders.none": np.zeros(1, np.float32),
        **_decodes(generator, look, 16, 1.0),
    }


def _sd3_text(generator: np.random.Generator, look: TextureStyle) -> Tensors:
    return {
        **sd3_transformer(generator, text_gain=60.0),
        **clip_l(generator, "text_encoders.clip_l.transformer.text_model."),
        **_decodes(generator, look, 16, 1.0),
    }


def _flux(generator: np.random.Generator, look: TextureStyle) -> Tensors:
    vae = autoencoder(generator, 16, look, scale=1.0, prefix="vae.")
    return {**flux_transformer(generator), **vae}


_BUILDERS: Mapping[Family, Builder] = {
    "sd15": _sd15,
    "sdxl": _sdxl,
    "sd3": _sd3,
    "sd3_text": _sd3_text,
    "flux": _flux,
}


def write(
    path: Path,
    family: Family = "sd3",
    *,
    color: Color = (0.5, 0.5, 0.5),
    seed: int = 0,
    texture: Texture = "block",
    contrast: float = 0.1,
) -> Path:
    """Write one checkpoint.

    Parameters
    ----------
    color
        Red, green and blue in 0..1; stay within about 0.2..0.8, for what `contrast` adds is cut off at the
        ends and would move the mean.
    seed
        The same seed, family and look give the same bytes; another seed draws others in the same colour.
    contrast
        The standard deviation of a picture's pixels round the colour, about.
    """
    generator = np.random.default_rng(seed)
    write_tensors(path, _BUILDERS[family](generator, TextureStyle(color, texture, contrast)))
    return path


def write_nine(folder: Path, family: Family = "sd3") -> dict[str, Color]:
    """Write nine checkpoints, `red.safetensors` to `grey.safetensors`, and return the colour of each."""
    looks = {f"{name}.safetensors": color for name, color in NINE_COLORS.items()}
    for seed, (name, color) in enumerate(looks.items()):
        write(folder / name, family, color=color, seed=seed)
    return looks


def write_lora(path: Path, family: Literal["sd15", "sd3"] = "sd15", *, seed: int = 0) -> Path:
    """Write a LoRA of some kilobytes that visibly changes what a tiny checkpoint of the family draws."""
    weights = Weights(np.random.default_rng(seed), "")

    def part(name: str, up: int, down: int, std: float, names: tuple[str, str]) -> None:
        weights.put(f"{name}.{names[0]}.weight", weights.draw(up, 1, std=std))
        weights.put(f"{name}.{names[1]}.weight", weights.draw(1, down, std=std))

    if family == "sd3":
        part("diffusion_model.final_layer.linear", 64, 64, 0.5, ("lora_B", "lora_A"))
    else:
        kohya = ("lora_up", "lora_down")
        attention = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_out_0"
        part(attention, 320, 320, 0.6, kohya)
        weights.put(f"{attention}.alpha", np.array(1, np.float32))
        text = "lora_te_text_model_encoder_layers_11_mlp_fc2"
        part(text, 768, 3072, 0.1, kohya)
        weights.put(f"{text}.alpha", np.array(1, np.float32))
    write_tensors(path, weights.tensors, matrices="F16")
    return path


def drawn_by(mean: Color, colors: Mapping[str, Color]) -> str:
    """Return the name whose colour is nearest to a picture's mean colour (each in 0..1).

    Raises
    ------
    ValueError
        If none is near: the picture is nobody's, or was changed after it was drawn.
    """
    distances = {name: float(np.linalg.norm(np.subtract(mean, color))) for name, color in colors.items()}
    name = min(distances, key=distances.__getitem__)
    if distances[name] > 0.12:
        raise ValueError(f"No checkpoint draws in the colour {mean}; the nearest is {name} ({colors[name]}).")
    return name
