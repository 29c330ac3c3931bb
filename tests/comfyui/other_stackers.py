"""Nodes with LORA_STACK sockets as other packs declare them, and one that gives the branches of a plan LoRAs.

Each takes what it gives as JSON, so that a test says every shape that such a socket may carry.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any


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


NODE_CLASS_MAPPINGS = {cls.__name__: cls for cls in (GivesStack, GivesPlanLoras)}
