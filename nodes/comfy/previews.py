"""Saves images where the browser finds them, as ComfyUI's own previews are saved."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from comfy_api.latest import io, ui

from ...learning.values import ImageFile


def save_previews(
    images: Sequence[torch.Tensor], checkpoints: Sequence[str], prefix: str, node: type[io.ComfyNode]
) -> list[ImageFile]:
    """Save images, each `[1, H, W, C]` in 0..1, in ComfyUI's temporary folder, with the workflow in them.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written.
    """
    files = []
    for image, checkpoint in zip(images, checkpoints, strict=True):
        [saved] = ui.ImageSaveHelper.save_images(
            image, filename_prefix=prefix, folder_type=io.FolderType.temp, cls=node, compress_level=1
        )
        files.append(ImageFile(checkpoint, saved["filename"], saved["subfolder"], saved["type"]))
    return files
