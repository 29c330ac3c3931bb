"""What ComfyUI lists of our nodes is what their help pages explain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.demo.comfy_server import ComfyServer

ROOT = Path(__file__).resolve().parents[2]
NODES = (
    "ContextCheckpointRecommender",
    "MultiCheckpointSampler",
    "RecommendedCheckpointLoader",
    "FeedbackRecorder",
)


@pytest.mark.parametrize("node", NODES)
def test_the_help_page_names_every_input_and_output(node: str, shared_comfy: ComfyServer) -> None:
    """A person finds each socket and widget in the help beside the node."""
    listed: dict[str, Any] = shared_comfy.get(f"/object_info/{node}")[node]
    page = (ROOT / "web" / "docs" / f"{node}.md").read_text("utf-8")

    names = [name for kind in ("required", "optional") for name in listed["input"].get(kind, {})]
    names += listed["output_name"]

    assert [name for name in names if f"`{name}`" not in page and f"**{name}**" not in page] == []
    assert listed["description"]
    assert listed["category"] == "Context Checkpoint"
