"""ComfyUI's checkpoint files: their names, their folders, and the family that ComfyUI's model detection gives each.

Separate from `checkpoints.inventory`, which stores what was found in the files and works without ComfyUI.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import comfy.model_detection
import folder_paths
import torch
from comfyui_version import __version__ as comfyui_version

from ...checkpoints.families import UNKNOWN, family_of_class, family_of_gguf
from ...checkpoints.header import Header
from ...checkpoints.inventory import CheckpointFiles

log = logging.getLogger(__name__)

_FOLDER = "checkpoints"


@lru_cache(maxsize=1)
def files() -> CheckpointFiles:
    """This process's checkpoint files, as ComfyUI lists them."""
    # Late: not everything that imports this module has a runtime.
    from ...runtime.process import shared

    return CheckpointFiles(ComfyCheckpoints(), shared().data_directory / "checkpoint_files.json")


class ComfyCheckpoints:
    """A `CheckpointSource` of ComfyUI's own file lists and model detection."""

    detector = f"ComfyUI {comfyui_version}"

    def names(self) -> list[str]:
        """List the checkpoints as the stock loader's combo does."""
        return folder_paths.get_filename_list(_FOLDER)

    def path(self, name: str) -> Path | None:
        """Find a checkpoint's file; None if it was deleted after it was listed."""
        path = folder_paths.get_full_path(_FOLDER, name)
        return Path(path) if path else None

    def folders(self) -> list[str]:
        """List ComfyUI's checkpoint folders."""
        return list(folder_paths.get_folder_paths(_FOLDER))

    def family(self, header: Header) -> str:
        """Return the family that ComfyUI's loader would detect, `unknown` if it would detect none."""
        if header.architecture:
            return family_of_gguf(header.architecture)
        weights = _Shapes(header.shapes)
        prefix = comfy.model_detection.unet_prefix_from_state_dict(weights)
        try:
            config = comfy.model_detection.detect_unet_config(weights, prefix, metadata=dict(header.metadata))
            if config is None:
                return UNKNOWN
            model = comfy.model_detection.model_config_from_unet_config(config, weights, **_prefix_argument(prefix))
        except Exception:  # ComfyUI's code on a file with any content: whatever it raises, the family is unknown
            log.warning("ComfyUI's model detection failed on a checkpoint's header", exc_info=True)
            return UNKNOWN
        return UNKNOWN if model is None else family_of_class(type(model).__name__)


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
