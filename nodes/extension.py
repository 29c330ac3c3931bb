"""The V3 extension: which nodes there are, and what is set up when ComfyUI loads them.

Separate from the root `__init__`, which must stay importable without ComfyUI. Whatever cannot be set up is
logged and left out: the nodes load in any case, and say themselves what they miss when they run.
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
        _try_to("keep people apart", _keep_people_apart)
        _try_to("serve its routes", _add_routes)
        _try_to("serve what the browser shows", _add_web_folder)
        _try_to("let kept checkpoints go with ComfyUI's own", _watch_free)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Name the nodes, those that only expansions use included."""
        from .branch_nodes import BRANCH_NODES
        from .loader import RecommendedCheckpointLoader
        from .recommender import ContextCheckpointRecommender
        from .recorder import FeedbackRecorder
        from .sampler import MultiCheckpointSampler

        return [
            ContextCheckpointRecommender,
            MultiCheckpointSampler,
            RecommendedCheckpointLoader,
            FeedbackRecorder,
            *BRANCH_NODES,
        ]


def _try_to(what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:  # the edge to ComfyUI's start: nothing of ours may keep the nodes from loading
        log.exception("Context Checkpoint could not %s; its nodes load without that", what)


def _configure_runtime() -> None:
    runtime.configure(data_directory=data_directory())


def _add_routes() -> None:
    from ..api.lazy_routes import add_to
    from .host import ComfyHost

    add_to(route_table(), runtime.current, ComfyHost())


def _keep_people_apart() -> None:
    from .comfy.users import keep_people_apart

    keep_people_apart()


def _add_web_folder() -> None:
    from .comfy.web_folder import add_web_folder

    add_web_folder(route_table(), Path(__file__).parent.parent)


def _watch_free() -> None:
    from .loading.loading import watch_free

    watch_free()
