"""ComfyUI's checkpoint files: their names, their folders, and the family that ComfyUI's model detection gives each; and
its LoRAs, of which ComfyUI detects no family.

Separate from `checkpoints.inventory`, which stores what was found in the files and works without ComfyUI.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import comfy.model_detection
import folder_paths
import torch
from comfyui_version import __version__ as comfyui_version

from ...checkpoints.families import family_of_class, family_of_gguf
from ...checkpoints.header import Header
from ...checkpoints.inventory import CheckpointFiles, Detected
from ...checkpoints.lora_files import LORAS, LoraFiles, detect_lora
from ...checkpoints.pool import CHECKPOINTS, Part
from ...checkpoints.profiles import FileProfiles

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def files() -> CheckpointFiles:
    """This process's checkpoint files, as ComfyUI lists them."""
    # Late: not everything that imports this module has a runtime.
    from ...runtime.process import shared

    return CheckpointFiles(ComfyCheckpoints(), shared().data_directory / "checkpoint_files.json")


@lru_cache(maxsize=1)
def file_profiles() -> FileProfiles:
    """What these files say of their checkpoints' settings."""
    return FileProfiles(files())


@lru_cache(maxsize=1)
def lora_files() -> LoraFiles:
    """This process's LoRAs, as ComfyUI lists them."""
    from ...runtime.process import shared

    return LoraFiles(CheckpointFiles(ComfyLoras(), shared().data_directory / "lora_files.json", (LORAS,)))


class ComfyCheckpoints:
    """A `CheckpointSource` of ComfyUI's own file lists and model detection."""

    detector = f"ComfyUI {comfyui_version}"

    def names(self, folder: str) -> list[str]:
        """List the files of one of ComfyUI's model folders as its loader's combo does; none where it is not known."""
        return folder_paths.get_filename_list(folder) if folder in folder_paths.folder_names_and_paths else []

    def path(self, folder: str, name: str) -> Path | None:
        """Find a file; None if it was deleted after it was listed."""
        return model_path(folder, name)

    def folders(self) -> list[str]:
        """List ComfyUI's checkpoint folders."""
        return list(folder_paths.get_folder_paths(CHECKPOINTS))

    def detect(self, header: Header) -> Detected:
        """Find out what ComfyUI's loader would: the family, `unknown` if it detects none, and what is not there."""
        if header.architecture:
            return Detected(family_of_gguf(header.architecture))
        weights = _Shapes(header.shapes)
        try:
            config = _detected_config(weights, dict(header.metadata))
            if config is None:
                return Detected()
            family = family_of_class(type(config).__name__, config.unet_config.get("in_channels"))
            return Detected(family, _lacking(config, weights))
        except Exception:  # ComfyUI's code on a file with any content: whatever it raises, the family is unknown
            log.warning("ComfyUI's model detection failed on a checkpoint's header", exc_info=True)
            return Detected()


class ComfyLoras(ComfyCheckpoints):
    """A `CheckpointSource` of ComfyUI's LoRAs."""

    detector = "LoRAs, rules 1"

    def folders(self) -> list[str]:
        return list(folder_paths.get_folder_paths(LORAS))

    def detect(self, header: Header) -> Detected:
        return detect_lora(header)


def model_path(folder: str, name: str) -> Path | None:
    """Find a file in one of ComfyUI's model folders; None if there is none of this name, or no such folder."""
    if folder not in folder_paths.folder_names_and_paths:
        return None
    path = folder_paths.get_full_path(folder, name)
    return Path(path) if path else None


def _detected_config(weights: _Shapes, metadata: dict[str, str]) -> Any:
    """Return ComfyUI's configuration of a model: a checkpoint's, or that of a diffusion model alone, without prefix."""
    prefix = comfy.model_detection.unet_prefix_from_state_dict(weights)
    for each in (prefix, ""):
        if each and not any(name.startswith(each) for name in weights):
            continue
        config = comfy.model_detection.detect_unet_config(weights, each, metadata=metadata)
        if config is not None:
            return comfy.model_detection.model_config_from_unet_config(config, weights, **_prefix_argument(each))
    converted = comfy.model_detection.convert_diffusers_mmdit(dict(weights), "")
    if converted is not None:
        return comfy.model_detection.model_config_from_unet(converted, "")
    return comfy.model_detection.model_config_from_diffusers_unet(dict(weights))


def _lacking(config: Any, weights: _Shapes) -> tuple[Part, ...]:
    """Which parts the stock loader would not find in a checkpoint."""
    prefixes = tuple(config.vae_key_prefix)
    has_vae = any(name.startswith(prefixes) for name in weights)
    has_clip = bool(config.process_clip_state_dict(dict(weights)))
    return (*(() if has_clip else ("clip",)), *(() if has_vae else ("vae",)))  # type: ignore[return-value]


def _prefix_argument(prefix: str) -> dict[str, str]:
    """Return the argument for the prefix of the keys, which ComfyUI has taken since after 0.26."""
    parameters = inspect.signature(comfy.model_detection.model_config_from_unet_config).parameters
    return {"unet_key_prefix": prefix} if "unet_key_prefix" in parameters else {}


class _Shapes(Mapping[str, torch.Tensor]):
    """A state dict of tensors that have a shape and take no memory: one zero, expanded.

    Not `device="meta"`: a few detection rules compute a statistic of the values, which fails there.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._shapes = shapes
        self._zero = torch.zeros(())

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._zero.expand(self._shapes[name])

    def __contains__(self, name: object) -> bool:
        return name in self._shapes

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)
