"""The two socket types of this pack, and the values that they carry; and the one for LoRAs that many packs share.

Separate from the nodes so that a node at either end of a link needs to know only this module. The type names are
written into people's workflows and never change.
"""

from __future__ import annotations

from comfy_api.latest import io

from .generation_reference import GenerationReference

PlanType = io.Custom("CC_PLAN")
"""Carries a `learning.values.Recommendation`, its checkpoints spelled as in ComfyUI's file lists."""

GenerationType = io.Custom("CC_GENERATION")
"""Carries a `GenerationReference`."""

LoraStackType = io.Custom("LORA_STACK")
"""Carries what `checkpoints.lora_stacks.read_stack` reads."""


__all__ = ["GenerationReference", "GenerationType", "LoraStackType", "PlanType"]
