"""Tiny but real checkpoints: ComfyUI's stock loader opens them as MODEL, CLIP and VAE, and they generate images.

The mean colour of an image identifies the checkpoint that made it, at any prompt, seed and sampler. Separate from the
networks: this module combines the parts into families, that one has the parts. It needs no torch.

| family | size | the prompt's text |
|---|---|---|
| `sd3` | 3 MB | is ignored (the file has an empty text encoder) |
| `sd3_text` | 130 MB | changes the image |
| `sd15` | 140 MB | changes the image |
| `sdxl` | 870 MB | changes the image |
| `flux` | 3 MB | the file has no text encoder, as Flux checkpoints often have none |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import ml_dtypes
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from .networks import (
    Array,
    Color,
    Tensors,
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
"""Different enough that the mean colour of a PNG file identifies its checkpoint."""

_FLOAT8 = np.dtype(ml_dtypes.float8_e4m3fn)
"""The smallest type that ComfyUI loads."""

Builder = Callable[[np.random.Generator, TextureStyle], Tensors]


def _vae(generator: np.random.Generator, style: TextureStyle, channels: int, scale: float) -> Tensors:
    return autoencoder(generator, channels, style, scale=scale, prefix="first_stage_model.")


def _sd15(generator: np.random.Generator, style: TextureStyle) -> Tensors:
    return {
        **unet(generator, 768, [1], linear_projections=False),
        **clip_l(generator, "cond_stage_model.transformer.text_model."),
        **_vae(generator, style, 4, 0.18215 / 12),
    }


def _sdxl(generator: np.random.Generator, style: TextureStyle) -> Tensors:
    """The transformer depths of KOALA-700M on one level: the smallest SDXL that ComfyUI recognises."""
    return {
        **unet(generator, 2048, [0, 2, 5], linear_projections=True, label_channels=2816),
        **clip_l(generator, "conditioner.embedders.0.transformer.text_model."),
        **clip_g(generator, "conditioner.embedders.1.model."),
        **_vae(generator, style, 4, 0.13025 / 12),
    }


def _sd3(generator: np.random.Generator, style: TextureStyle) -> Tensors:
    """Any name under `text_encoders.` makes ComfyUI build an SD3 text encoder, here without any part."""
    return {
        **sd3_transformer(generator, text_gain=1.0),
        "text_encoders.none": np.zeros(1, np.float32),
        **_vae(generator, style, 16, 1.0),
    }


def _sd3_text(generator: np.random.Generator, style: TextureStyle) -> Tensors:
    return {
        **sd3_transformer(generator, text_gain=60.0),
        **clip_l(generator, "text_encoders.clip_l.transformer.text_model."),
        **_vae(generator, style, 16, 1.0),
    }


def _flux(generator: np.random.Generator, style: TextureStyle) -> Tensors:
    vae = autoencoder(generator, 16, style, scale=1.0, prefix="vae.")
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
        Red, green and blue in 0..1; stay within about 0.2..0.8: values beyond 0..1 are clipped, which would
        move the mean.
    seed
        The same seed, family and style give the same bytes; another seed gives other images of the same colour.
    contrast
        The approximate standard deviation of an image's pixels.
    """
    generator = np.random.default_rng(seed)
    _save(path, _BUILDERS[family](generator, TextureStyle(color, texture, contrast)), _FLOAT8)
    return path


Part = Literal["diffusion_models", "text_encoders", "vae"]

_PREFIXES: Mapping[Part, str] = {
    "diffusion_models": "model.diffusion_model.",
    "text_encoders": "text_encoders.clip_l.transformer.",
    "vae": "first_stage_model.",
}


def write_parts(models: Path, name: str, *, color: Color = (0.5, 0.5, 0.5), seed: int = 0) -> dict[Part, Path]:
    """Write an SD3 checkpoint as three files, as UNETLoader, CLIPLoader (type `sd3`) and VAELoader read them.

    Parameters
    ----------
    models
        ComfyUI's folder of models; each part is in its own folder there.
    """
    tensors = _BUILDERS["sd3_text"](np.random.default_rng(seed), TextureStyle(color, "block", 0.1))
    files = {}
    for part, prefix in _PREFIXES.items():
        files[part] = models / part / name
        own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
        _save(files[part], own, _FLOAT8)
    return files


def write_nine(folder: Path, family: Family = "sd3") -> dict[str, Color]:
    """Write nine checkpoints, `red.safetensors` to `grey.safetensors`, and return the colour of each."""
    colors = {f"{name}.safetensors": color for name, color in NINE_COLORS.items()}
    for seed, (name, color) in enumerate(colors.items()):
        write(folder / name, family, color=color, seed=seed)
    return colors


LORA_BASES: Mapping[Literal["sd15", "sd3"], str] = {"sd15": "sd_v1", "sd3": "sd3_m"}
"""What kohya's trainers call the families."""


def write_lora(
    path: Path, family: Literal["sd15", "sd3"] = "sd15", *, seed: int = 0, tags: Mapping[str, int] | None = None
) -> Path:
    """Write a LoRA of some kilobytes that visibly changes the images of a tiny checkpoint of the family.

    Parameters
    ----------
    seed
        Another one changes them in another way.
    tags
        Words of the images that it says it was trained with, and how many of the images have each.
    """
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
    metadata = {
        "ss_base_model_version": LORA_BASES[family],
        "ss_tag_frequency": json.dumps({"1_tiny": dict(tags or {})}),
    }
    _save(path, weights.tensors, np.dtype(np.float16), metadata)
    return path


def _save(path: Path, tensors: Tensors, matrices: np.dtype[Any], metadata: Mapping[str, str] | None = None) -> None:
    """Write the whole file before it gets its name, so that a reader never sees a part of it.

    Matrices have the type `matrices`, vectors are float16, single numbers float32.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    encoded = {name: _encode(tensor, matrices) for name, tensor in tensors.items()}
    save_file(encoded, unfinished, dict(metadata) if metadata else None)
    unfinished.replace(path)


def _encode(tensor: Array, matrices: np.dtype[Any]) -> NDArray[Any]:
    if tensor.ndim == 0:
        return tensor
    dtype = matrices if tensor.ndim > 1 else np.dtype(np.float16)
    if not any(tensor.strides) and not tensor.flat[0]:
        return np.zeros(tensor.shape, dtype)  # the system allocates its pages when they are written, which is never
    return np.ascontiguousarray(tensor, dtype)


def made_by(mean: Color, colors: Mapping[str, Color]) -> str:
    """Return the name of the colour that is nearest to an image's mean colour (each in 0..1).

    Raises
    ------
    ValueError
        If none is near: the image is of no such checkpoint, or was changed afterwards.
    """
    distances = {name: float(np.linalg.norm(np.subtract(mean, color))) for name, color in colors.items()}
    name = min(distances, key=distances.__getitem__)
    if distances[name] > 0.12:
        raise ValueError(f"No checkpoint has the colour {mean}; the nearest is {name} ({colors[name]}).")
    return name
