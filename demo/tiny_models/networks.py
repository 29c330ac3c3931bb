"""Randomly initialised networks in the layouts that ComfyUI recognises, as small as it accepts.

Each function returns the tensors of one part of a checkpoint under the names that ComfyUI looks for. None is missing:
ComfyUI would use uninitialised memory for it, and the image would be black without any error. Weights are zero where
they have no effect (a residual block with zero weights passes its input on), which saves time and memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Tensors = dict[str, Array]

Color = tuple[float, float, float]
Texture = Literal["block", "blur", "horizontal", "vertical"]

CHANNELS = 320  # of the one level that our U-Nets have
TIME_CHANNELS = 1280
CLIP_TOKENS = 49408
TOKEN_CHANNELS = 32  # token embeddings are random in these and zero beyond: enough to distinguish words


def zeros(*shape: int) -> Array:
    """Return a read-only array of zeros that takes no memory."""
    return np.broadcast_to(np.float32(0), shape)


class Weights:
    """Collects tensors under a prefix and samples the random ones from one generator."""

    def __init__(self, generator: np.random.Generator, prefix: str) -> None:
        self.tensors: Tensors = {}
        self._generator = generator
        self._prefix = prefix

    def draw(self, *shape: int, std: float = 1.0) -> Array:
        return self._generator.standard_normal(shape, dtype=np.float32) * np.float32(std)

    def put(self, name: str, tensor: Array) -> None:
        self.tensors[self._prefix + name] = tensor

    def linear(self, name: str, out: int, into: int, std: float = 0.0, *, bias: bool = True) -> None:
        self.put(f"{name}.weight", self.draw(out, into, std=std) if std else zeros(out, into))
        if bias:
            self.put(f"{name}.bias", zeros(out))

    def convolution(self, name: str, weight: Array, *, bias: bool = True) -> None:
        self.put(f"{name}.weight", weight)
        if bias:
            self.put(f"{name}.bias", zeros(weight.shape[0]))

    def norm(self, name: str, channels: int) -> None:
        self.put(f"{name}.weight", np.ones(channels, np.float32))
        self.put(f"{name}.bias", zeros(channels))


def centred(matrix: Array) -> Array:
    """Return a 3x3 convolution that applies the matrix to each pixel."""
    kernel = np.zeros((*matrix.shape, 3, 3), np.float32)
    kernel[:, :, 1, 1] = matrix
    return kernel


KERNELS: dict[Texture, Array] = {
    "block": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32),
    "blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / np.float32(16),
    "horizontal": np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], np.float32) / np.float32(3),
    "vertical": np.array([[0, 1, 0], [0, 1, 0], [0, 1, 0]], np.float32) / np.float32(3),
}


@dataclass(frozen=True, slots=True)
class TextureStyle:
    """The mean colour of a checkpoint's images, and the pattern and contrast of their texture."""

    color: Color
    texture: Texture
    contrast: float


def autoencoder(
    generator: np.random.Generator, latent_channels: int, style: TextureStyle, *, scale: float, prefix: str
) -> Tensors:
    """TAESD's layout. Its last bias is the mean colour of every image that it decodes.

    `scale` compensates the factor that ComfyUI applies to the family's latents.
    """
    weights = Weights(generator, prefix)
    _decoder(weights, latent_channels, style)
    _encoder(weights, latent_channels)
    weights.put("vae_scale", np.array(scale, np.float32))
    weights.put("vae_shift", np.array(0, np.float32))
    return weights.tensors


def _identity_blocks(weights: Weights, prefix: str, indices: Sequence[int]) -> None:
    for index in indices:
        for layer in (0, 2, 4):
            weights.convolution(f"{prefix}{index}.conv.{layer}", zeros(64, 64, 3, 3))


def _decoder(weights: Weights, latent_channels: int, style: TextureStyle) -> None:
    """Channels come in pairs of opposite sign: after the ReLUs their difference is linear, its mean zero."""
    prefix, kernel = "taesd_decoder.", KERNELS[style.texture]
    half = weights.draw(32, latent_channels, std=latent_channels**-0.5)
    mix = np.concatenate([half, -half])
    weights.convolution(prefix + "1", mix[:, :, None, None] * kernel / np.sqrt((kernel**2).sum()))
    _identity_blocks(weights, prefix, (3, 4, 5, 8, 9, 10, 13, 14, 15, 18))
    filters = np.eye(64, dtype=np.float32)[:, :, None, None] * kernel
    for index in (7, 12, 17):
        weights.convolution(f"{prefix}{index}", filters, bias=False)
    last = weights.draw(3, 32, std=style.contrast * 32**-0.5)
    weights.put(prefix + "19.weight", centred(np.concatenate([last, -last], axis=1)))
    weights.put(prefix + "19.bias", np.array(style.color, np.float32))


def _encoder(weights: Weights, latent_channels: int) -> None:
    """Averages RGB over 8x8 pixels, then mixes the three into the latent channels."""
    prefix = "taesd_encoder."
    rgb = np.eye(64, 3, dtype=np.float32)
    weights.convolution(prefix + "0", centred(rgb))
    _identity_blocks(weights, prefix, (1, 3, 4, 5, 7, 8, 9, 11, 12, 13))
    averaging = (rgb @ rgb.T)[:, :, None, None] * np.full((3, 3), 1 / 9, np.float32)
    for index in (2, 6, 10):
        weights.convolution(f"{prefix}{index}", averaging, bias=False)
    mix = weights.draw(latent_channels, 3)
    weights.put(prefix + "14.weight", centred(mix @ rgb.T))
    weights.put(prefix + "14.bias", -mix.sum(axis=1) / 2)


def _token_embedding(weights: Weights, channels: int) -> Array:
    """Random for every word; zero for the tokens that begin, end and pad a prompt."""
    embedding = np.zeros((CLIP_TOKENS, channels), np.float32)
    words = CLIP_TOKENS - 2
    embedding[:words, :TOKEN_CHANNELS] = weights.draw(words, TOKEN_CHANNELS)
    return embedding


def clip_l(generator: np.random.Generator, prefix: str) -> Tensors:
    """CLIP-L in full size (ComfyUI accepts no other): 12 layers that pass their input on; the last one adds to it, so
    that it matters at which layer a text encoder stops."""
    weights = Weights(generator, prefix)
    weights.put("embeddings.token_embedding.weight", _token_embedding(weights, 768))
    weights.put("embeddings.position_embedding.weight", zeros(77, 768))
    for index in range(12):
        layer = f"encoder.layers.{index}."
        weights.norm(layer + "layer_norm1", 768)
        weights.norm(layer + "layer_norm2", 768)
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            weights.linear(f"{layer}self_attn.{part}", 768, 768)
        weights.linear(layer + "mlp.fc1", 3072, 768)
        weights.linear(layer + "mlp.fc2", 768, 3072)
    weights.put("encoder.layers.11.mlp.fc2.bias", np.sin(np.arange(768, dtype=np.float32)))
    weights.norm("final_layer_norm", 768)
    return weights.tensors


def clip_g(generator: np.random.Generator, prefix: str) -> Tensors:
    """CLIP-G in OpenCLIP's layout and full size: 32 layers that pass their input on."""
    weights = Weights(generator, prefix)
    weights.put("token_embedding.weight", _token_embedding(weights, 1280))
    weights.put("positional_embedding", zeros(77, 1280))
    for index in range(32):
        layer = f"transformer.resblocks.{index}."
        weights.norm(layer + "ln_1", 1280)
        weights.norm(layer + "ln_2", 1280)
        weights.put(layer + "attn.in_proj_weight", zeros(3840, 1280))
        weights.put(layer + "attn.in_proj_bias", zeros(3840))
        weights.linear(layer + "attn.out_proj", 1280, 1280)
        weights.linear(layer + "mlp.c_fc", 5120, 1280)
        weights.linear(layer + "mlp.c_proj", 1280, 5120)
    weights.norm("ln_final", 1280)
    weights.put("text_projection", zeros(1280, 1280))
    weights.put("logit_scale", np.array(4.6, np.float32))
    return weights.tensors


def unet(
    generator: np.random.Generator,
    context: int,
    depths: Sequence[int],
    *,
    linear_projections: bool,
    label_channels: int = 0,
) -> Tensors:
    """A U-Net with one level of 320 channels, whose first transformer depends on the prompt.

    Parameters
    ----------
    context
        Channels of the text encoder's output.
    depths
        Transformer blocks after each input block, by which ComfyUI distinguishes families.
    """
    weights = Weights(generator, "model.diffusion_model.")
    weights.linear("time_embed.0", TIME_CHANNELS, CHANNELS)
    weights.linear("time_embed.2", TIME_CHANNELS, TIME_CHANNELS)
    if label_channels:
        weights.linear("label_emb.0.0", TIME_CHANNELS, label_channels)
        weights.linear("label_emb.0.2", TIME_CHANNELS, TIME_CHANNELS)
    weights.convolution("input_blocks.0.0", weights.draw(CHANNELS, 4, 3, 3, std=1 / 6))
    uses_prompt = next(index for index, depth in enumerate(depths) if depth)
    for index, depth in enumerate(depths):
        _residual(weights, f"input_blocks.{index + 1}.0.", CHANNELS)
        if depth:
            name = f"input_blocks.{index + 1}.1."
            _transformer(weights, name, context, depth, linear_projections, uses_prompt=index == uses_prompt)
    for index in range(len(depths) + 1):
        _residual(weights, f"output_blocks.{index}.0.", 2 * CHANNELS)
    weights.norm("out.0", CHANNELS)
    weights.convolution("out.2", weights.draw(4, CHANNELS, 3, 3, std=(9 * CHANNELS) ** -0.5))
    return weights.tensors


def _residual(weights: Weights, name: str, into: int) -> None:
    weights.norm(name + "in_layers.0", into)
    weights.convolution(name + "in_layers.2", zeros(CHANNELS, into, 3, 3))
    weights.linear(name + "emb_layers.1", CHANNELS, TIME_CHANNELS)
    weights.norm(name + "out_layers.0", CHANNELS)
    weights.convolution(name + "out_layers.3", zeros(CHANNELS, CHANNELS, 3, 3))
    if into != CHANNELS:
        passing = np.eye(CHANNELS, into, dtype=np.float32)[:, :, None, None]
        weights.convolution(name + "skip_connection", passing)


def _transformer(
    weights: Weights, name: str, context: int, depth: int, linear_projections: bool, *, uses_prompt: bool
) -> None:
    weights.norm(name + "norm", CHANNELS)
    for projection, std in (("proj_in", CHANNELS**-0.5), ("proj_out", uses_prompt * CHANNELS**-0.5)):
        weights.linear(name + projection, CHANNELS, CHANNELS, std)
        if not linear_projections:
            weight = weights.tensors["model.diffusion_model." + name + projection + ".weight"]
            empty = zeros(CHANNELS, CHANNELS, 1, 1)
            weights.put(f"{name}{projection}.weight", weight[:, :, None, None] if std else empty)
    for index in range(depth):
        block = f"{name}transformer_blocks.{index}."
        for attention, channels in (("attn1", CHANNELS), ("attn2", context)):
            active = uses_prompt and index == 0 and attention == "attn2"
            weights.linear(f"{block}{attention}.to_q", CHANNELS, CHANNELS, 0.02 * active, bias=False)
            weights.linear(f"{block}{attention}.to_k", CHANNELS, channels, 0.02 * active, bias=False)
            weights.linear(f"{block}{attention}.to_v", CHANNELS, channels, 0.1 * active, bias=False)
            weights.linear(f"{block}{attention}.to_out.0", CHANNELS, CHANNELS, 0.5 * active)
        weights.linear(block + "ff.net.0.proj", 8 * CHANNELS, CHANNELS)
        weights.linear(block + "ff.net.2", CHANNELS, 4 * CHANNELS)
        for norm in ("norm1", "norm2", "norm3"):
            weights.norm(block + norm, CHANNELS)


def sd3_transformer(generator: np.random.Generator, *, text_gain: float) -> Tensors:
    """SD3's layout at depth 1, 64 channels; without `pos_embed`, which ComfyUI then computes.

    `text_gain` multiplies the prompt's effect on the image.
    """
    hidden, latent_channels = 64, 16
    weights = Weights(generator, "model.diffusion_model.")

    def random_linear(name: str, out: int, into: int, gain: float = 1.0) -> None:
        weights.linear(name, out, into, gain * into**-0.5)

    patches = weights.draw(hidden, latent_channels, 2, 2, std=(4 * latent_channels) ** -0.5)
    weights.convolution("x_embedder.proj", patches)
    for name, into in (("t_embedder", 256), ("y_embedder", 2048)):
        random_linear(name + ".mlp.0", hidden, into)
        random_linear(name + ".mlp.2", hidden, hidden)
    random_linear("context_embedder", hidden, 4096)
    for side, is_last in (("x_block", False), ("context_block", True)):
        block = f"joint_blocks.0.{side}."
        random_linear(block + "attn.qkv", 3 * hidden, hidden)
        if side == "context_block":
            weights.tensors[f"model.diffusion_model.{block}attn.qkv.weight"][2 * hidden :] *= text_gain
        random_linear(block + "adaLN_modulation.1", (2 if is_last else 6) * hidden, hidden, 0.5)
        if not is_last:
            random_linear(block + "attn.proj", hidden, hidden)
            random_linear(block + "mlp.fc1", 4 * hidden, hidden)
            random_linear(block + "mlp.fc2", hidden, 4 * hidden)
    random_linear("final_layer.linear", 4 * latent_channels, hidden)
    random_linear("final_layer.adaLN_modulation.1", 2 * hidden, hidden, 0.5)
    return weights.tensors


def flux_transformer(generator: np.random.Generator) -> Tensors:
    """Flux's layout (schnell) with one double and one single block of one 128-channel head."""
    hidden = 128
    weights = Weights(generator, "model.diffusion_model.")

    def random_linear(name: str, out: int, into: int, gain: float = 1.0) -> None:
        weights.linear(name, out, into, gain * into**-0.5)

    random_linear("img_in", hidden, 64)
    random_linear("txt_in", hidden, 4096)
    for name, into in (("time_in", 256), ("vector_in", 2048)):
        random_linear(name + ".in_layer", hidden, into)
        random_linear(name + ".out_layer", hidden, hidden)
    for side in ("img", "txt"):
        block = f"double_blocks.0.{side}_"
        random_linear(block + "mod.lin", 6 * hidden, hidden, 0.5)
        random_linear(block + "attn.qkv", 3 * hidden, hidden)
        random_linear(block + "attn.proj", hidden, hidden)
        random_linear(block + "mlp.0", 4 * hidden, hidden)
        random_linear(block + "mlp.2", hidden, 4 * hidden)
        for norm in ("query_norm", "key_norm"):
            weights.put(f"{block}attn.norm.{norm}.scale", np.ones(hidden, np.float32))
    random_linear("single_blocks.0.linear1", 7 * hidden, hidden)
    random_linear("single_blocks.0.linear2", hidden, 5 * hidden)
    random_linear("single_blocks.0.modulation.lin", 3 * hidden, hidden, 0.5)
    for norm in ("query_norm", "key_norm"):
        weights.put(f"single_blocks.0.norm.{norm}.scale", np.ones(hidden, np.float32))
    random_linear("final_layer.linear", 64, hidden)
    random_linear("final_layer.adaLN_modulation.1", 2 * hidden, hidden, 0.5)
    return weights.tensors
