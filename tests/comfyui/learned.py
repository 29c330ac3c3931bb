"""Teaches a running server by its own database, as another process may, and reads what the nodes show.

Separate from the tests because several need a server that has learned something, and forty real prompts take
a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.learning.service.service import PreferenceService

from .conftest import preferences_file


async def teach(server: ComfyServer, prompt: str, winner: str, others: Sequence[str], rounds: int) -> None:
    """Log this many rounds in which `winner` was selected over `others`, one image each."""
    service = await PreferenceService.open(preferences_file(server))
    try:
        for _ in range(rounds):
            shown = await service.recommend(prompt, [winner, *others], stage="draft")
            generation = await service.log_generation(shown, dict.fromkeys((winner, *others), 1))
            await service.record_feedback(generation, {winner: 1}, dict.fromkeys(others, 1))
    finally:
        await service.close()


def plan_of(entry: Mapping[str, Any], node: str = "recommender") -> dict[str, Any]:
    """The plan that the recommender shows in the browser."""
    (plan,) = entry["outputs"][node]["context_checkpoint_plan"]
    return dict(plan)


def cached_nodes(entry: Mapping[str, Any]) -> set[str]:
    """The nodes that ComfyUI did not run again for a prompt."""
    cached: set[str] = set()
    for kind, message in entry["status"]["messages"]:
        if kind == "execution_cached":
            cached |= set(message["nodes"])
    return cached
