"""Nodes with LORA_STACK sockets as other packs declare them, and one that gives the branches of a plan LoRAs.

Each takes what it gives as JSON, so that a test says every shape that such a socket may carry.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import folder_paths

from nodes import LoraLoader


class GivesStack:
    """A stacker: lists stay lists, or become tuples as most packs give them."""

    RETURN_TYPES = ("LORA_STACK",)
    FUNCTION = "give"
    CATEGORY = "other pack"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        return {"required": {"stack": ("STRING",), "tuples": ("BOOLEAN", {"default": True})}}

    def give(self, stack: str, tuples: bool) -> tuple[Any]:
        entries = json.loads(stack)
        return ([tuple(entry) for entry in entries] if tuples and entries is not None else entries,)


class AppliesStack:
    """A loader for stacks, as other packs have them: it fails on what it cannot read."""

    RETURN_TYPES = ("MODEL", "CLIP")
    FUNCTION = "apply"
    CATEGORY = "other pack"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {"model": ("MODEL",), "clip": ("CLIP",), "lora_stack": ("LORA_STACK",)}}

    def apply(self, model: Any, clip: Any, lora_stack: Any) -> tuple[Any, Any]:
        for name, on_model, on_clip in lora_stack:
            model, clip = LoraLoader().load_lora(model, clip, name, on_model, on_clip)
        return model, clip


class GivesPlanLoras:
    """LoRAs in a plan: a list for each branch, which has its checkpoint's number."""

    RETURN_TYPES = ("CC_PLAN",)
    FUNCTION = "give"
    CATEGORY = "other pack"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {"plan": ("CC_PLAN",), "branches": ("STRING",)}}

    def give(self, plan: Any, branches: str) -> tuple[Any]:
        given = [
            replace(plan.all_branches[number], loras=tuple(map(tuple, loras))) for number, loras in json.loads(branches)
        ]
        return (replace(plan, branches=tuple(given)),)


class DeletesLora:
    """Passes a text encoder on after a LoRA's file has gone."""

    RETURN_TYPES = ("CLIP",)
    FUNCTION = "delete"
    CATEGORY = "other pack"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802
        return {"required": {"clip": ("CLIP",), "name": ("STRING",)}}

    def delete(self, clip: Any, name: str) -> tuple[Any]:
        Path(folder_paths.get_full_path_or_raise("loras", name)).unlink()
        return (clip,)


NODE_CLASS_MAPPINGS = {cls.__name__: cls for cls in (AppliesStack, GivesStack, GivesPlanLoras, DeletesLora)}
