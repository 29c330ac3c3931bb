"""Context Checkpoint: learns which checkpoint to use for the prompt at hand.

This module is what ComfyUI imports from `custom_nodes`, under whatever name the folder has, so it must stay
cheap and must not need ComfyUI: everything else is imported when ComfyUI asks for the nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfy_api.latest import ComfyExtension

__version__ = "0.1.0"

WEB_DIRECTORY = "./web"


async def comfy_entrypoint() -> ComfyExtension:
    """Build the extension ComfyUI registers; called once, after ComfyUI itself has been imported."""
    from .nodes.extension import ContextCheckpointExtension

    return ContextCheckpointExtension()


__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]
