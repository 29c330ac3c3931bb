"""Checkpoint loaders as other packs declare them.

Each hands its `ckpt_name` on as text, so that a test sees what arrived and how often.
"""

from __future__ import annotations

from typing import Any

import folder_paths


class _Loader:
    RETURN_TYPES = ("STRING",)
    FUNCTION = "load"
    CATEGORY = "other pack"

    def load(self, ckpt_name: str) -> tuple[str]:
        return (folder_paths.get_full_path_or_raise("checkpoints", ckpt_name),)


class PlainListLoader(_Loader):
    """The way of the stock loader and most packs: the type is the list of names."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        return {"required": {"ckpt_name": (folder_paths.get_filename_list("checkpoints"),)}}


class ComboLoader(_Loader):
    """The newer way, with the type COMBO."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        options = {"options": ["None", *folder_paths.get_filename_list("checkpoints")]}
        return {"required": {"ckpt_name": ("COMBO", options)}}


class TextLoader(_Loader):
    """A name typed as text."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {"ckpt_name": ("STRING", {"default": ""})}}


class OptionalLoader(_Loader):
    """An optional socket of any type, as selectors and switches have."""

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {}, "optional": {"ckpt_name": ("*", {"forceInput": True})}}


NODE_CLASS_MAPPINGS = {cls.__name__: cls for cls in (PlainListLoader, ComboLoader, TextLoader, OptionalLoader)}
