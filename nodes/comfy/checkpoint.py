"""Loads a checkpoint through ComfyUI's own loader, and holds its MODEL, CLIP and VAE together.

Separate from `nodes.loading`, which decides what stays in memory: this module knows ComfyUI's model objects and
decides nothing. What is not public in them is guarded; where it is missing, a size counts as 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.sd
import comfy.utils
import folder_paths


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """MODEL, CLIP and VAE as the stock loader returns them; CLIP is None if the file has none, and of a diffusion
    model alone the VAE too."""

    model: Any
    clip: Any
    vae: Any

    def clone(self) -> Checkpoint:
        """Return a copy to hand out: changes made to it in place do not reach the cached one.

        Clones share the weights, and patches (LoRA) belong to the clone.
        """
        return Checkpoint(
            self.model if self.model is None else self.model.clone(),
            self.clip if self.clip is None else self.clip.clone(),
            self.vae,
        )

    @property
    def has_vae(self) -> bool:
        """Whether the file has a VAE; for a file without one ComfyUI returns a VAE that has no model."""
        return getattr(self.vae, "first_stage_model", None) is not None

    @property
    def memory_bytes(self) -> int:
        """The approximate size of its weights, on whatever device they are."""
        return sum(patcher.model_size() for patcher in self._patchers())

    @property
    def on_device(self) -> bool:
        """Whether its MODEL is on the device that samples, so that nothing has to be moved."""
        model = getattr(self.model, "model", None)
        return any(getattr(loaded, "model", None) is model for loaded in comfy.model_management.loaded_models())

    def _patchers(self) -> Iterator[Any]:
        for part in (self.model, getattr(self.clip, "patcher", None), getattr(self.vae, "patcher", None)):
            if hasattr(part, "model_size"):
                yield part


@dataclass(frozen=True, slots=True)
class LoadedLora:
    """A LoRA's tensors and the metadata of its header."""

    tensors: Any
    metadata: Any


def load_lora(path: Path) -> LoadedLora:
    """Read a LoRA as the stock loader does. Raises whatever ComfyUI raises."""
    return LoadedLora(*comfy.utils.load_torch_file(str(path), safe_load=True, return_metadata=True))


class FitsNoLayerError(Exception):
    """Not one tensor of a LoRA fits a layer of the checkpoint, so its images would be made without it."""


def with_lora(checkpoint: Checkpoint, lora: LoadedLora, on_model: float, on_clip: float) -> Checkpoint:
    """Return a checkpoint with a LoRA, as the stock loader applies it; the given one stays as it is.

    Raises
    ------
    FitsNoLayerError
    Exception
        Whatever ComfyUI raises.
    """
    model, clip = comfy.sd.load_lora_for_models(
        checkpoint.model, checkpoint.clip, lora.tensors, on_model, on_clip, lora_metadata=lora.metadata
    )
    parts = [(checkpoint.model, model)]
    if clip is not None:
        parts.append((checkpoint.clip.patcher, clip.patcher))
    if not any(_changes(former, patched) for former, patched in parts):
        raise FitsNoLayerError
    return Checkpoint(model, clip, checkpoint.vae)


def _changes(former: Any, patched: Any) -> bool:
    """Tell whether a LoRA changes a weight: of a tensor that does not fit ComfyUI only writes an error into the log."""
    new = [key for key, each in patched.patches.items() if len(each) > len(former.patches.get(key, ()))]
    return any(_fits(patched.patches[key][-1], comfy.utils.get_attr(patched.model, key)) for key in new)


def _fits(patch: tuple[Any, ...], weight: Any) -> bool:
    """Tell whether a patch can be added to a weight; True where that is not known: other kinds, quantized weights."""
    _, adapter, _, offset, _ = patch
    if getattr(adapter, "name", "") != "lora" or offset is not None or not weight.is_floating_point():
        return True
    up, down, _, *rest = adapter.weights
    if any(part is not None for part in rest):
        return True
    (out, rank), (rank_down, into) = (matrix.flatten(start_dim=1).shape for matrix in (up, down))
    return rank == rank_down and out * into == weight.numel()


def load_diffusion_model(path: Path) -> Checkpoint:
    """Load a diffusion model as UNETLoader does by default. Raises whatever ComfyUI raises."""
    return Checkpoint(comfy.sd.load_diffusion_model(str(path)), None, None)


def load_checkpoint(path: Path) -> Checkpoint:
    """Load a checkpoint as the stock loader does. Raises whatever ComfyUI raises."""
    model, clip, vae = comfy.sd.load_checkpoint_guess_config(
        str(path),
        output_vae=True,
        output_clip=True,
        embedding_directory=folder_paths.get_folder_paths("embeddings"),
    )[:3]
    return Checkpoint(model, clip, vae)
