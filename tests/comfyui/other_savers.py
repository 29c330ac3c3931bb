"""Savers as other packs declare them, and images of several sizes in one list.

Each saver shows what arrived at its inputs, so that a test sees which name came with which image.
"""

from __future__ import annotations

from typing import Any

import folder_paths
import torch


class _Saver:
    RETURN_TYPES = ()
    FUNCTION = "save"
    OUTPUT_NODE = True
    CATEGORY = "other pack"

    def save(self, images: torch.Tensor, modelname: str) -> dict[str, Any]:
        color = [round(float(value), 2) for value in images.mean(dim=(0, 1, 2))]
        return {"ui": {"saved": [{"modelname": modelname, "color": color}]}}


class TextNameSaver(_Saver):
    """The model's name as text, as Image Saver has it."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        return {"required": {"images": ("IMAGE",)}, "optional": {"modelname": ("STRING", {"default": ""})}}


class ListNameSaver(_Saver):
    """The model's name as a list of the files, as Save Image with Generation Metadata has it."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {"images": ("IMAGE",), "modelname": (folder_paths.get_filename_list("checkpoints"),)}}


class SeveralSizes:
    """A list of a batch and an image of another size, of noise."""

    RETURN_TYPES = ("IMAGE",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "make"
    CATEGORY = "other pack"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {}}

    def make(self) -> tuple[list[torch.Tensor]]:
        noise = torch.Generator().manual_seed(1)
        return ([torch.rand((count, height, 40, 3), generator=noise) for count, height in ((2, 24), (1, 56))],)


NODE_CLASS_MAPPINGS = {cls.__name__: cls for cls in (TextNameSaver, ListNameSaver, SeveralSizes)}
