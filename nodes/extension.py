"""The V3 extension: which nodes there are, and what is set up when ComfyUI loads them.

Separate from the root `__init__`, which must stay importable without ComfyUI. A step that fails is logged and skipped:
the nodes load in any case, and report what is missing when they run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from comfy_api.latest import ComfyExtension, io

from .. import runtime
from .comfy.start import data_directory, route_table

log = logging.getLogger(__name__)


class ContextCheckpointExtension(ComfyExtension):
    """Context Checkpoint, as ComfyUI sees it."""

    async def on_load(self) -> None:
        """Set up what the nodes share; called once, before the server starts."""
        _try_to("find its data", _configure_runtime)
        _try_to("separate its users", _separate_users)
        _try_to("serve its routes", _add_routes)
        _try_to("serve its web folder", _add_web_folder)
        _try_to("have other savers' files carry generations", _remember_png_info)
        _try_to("release its checkpoints with ComfyUI's own", _release_with_comfyui)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Return the nodes, including those that only expansions use."""
        from .branch_nodes import BRANCH_NODES
        from .loader import RecommendedCheckpointLoader
        from .lora_recommender import ContextLoraRecommender
        from .recommender import ContextCheckpointRecommender
        from .recorder import FeedbackRecorder
        from .sampler import MultiCheckpointSampler
        from .save_picked_images import SavePickedImages
        from .settings_recommender import ContextSettingsRecommender

        return [
            ContextCheckpointRecommender,
            ContextSettingsRecommender,
            ContextLoraRecommender,
            MultiCheckpointSampler,
            RecommendedCheckpointLoader,
            FeedbackRecorder,
            SavePickedImages,
            *BRANCH_NODES,
        ]


def _try_to(what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:  # the edge to ComfyUI's start: no failure of ours may keep the nodes from loading
        log.exception("Context Checkpoint could not %s; its nodes load without that", what)


def _configure_runtime() -> None:
    runtime.configure(data_directory=data_directory())


def _add_routes() -> None:
    from ..api.lazy_routes import add_to
    from .host import ComfyHost

    add_to(route_table(), runtime.current, ComfyHost())


def _separate_users() -> None:
    from .comfy.users import separate_users

    separate_users()


def _add_web_folder() -> None:
    from .comfy.web_folder import add_web_folder

    add_web_folder(route_table(), Path(__file__).parent.parent)


def _remember_png_info() -> None:
    from .comfy.png_info import remember_png_info
    from .recording.carried_generations import LOGGING_NODES
    from .saving.image_bytes import OWN_KEY

    remember_png_info(LOGGING_NODES, OWN_KEY)


def _release_with_comfyui() -> None:
    from .loading.checkpoint_loading import release_when_comfyui_frees_memory

    release_when_comfyui_frees_memory()
