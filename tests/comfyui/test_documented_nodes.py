"""What ComfyUI lists of our nodes is what their help pages explain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.demo.comfyui.server import ComfyServer

ROOT = Path(__file__).resolve().parents[2]
NODES = (
    "ContextCheckpointRecommender",
    "ContextSettingsRecommender",
    "ContextLoraRecommender",
    "MultiCheckpointSampler",
    "RecommendedCheckpointLoader",
    "FeedbackRecorder",
    "SavePickedImages",
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


@pytest.mark.parametrize("node", NODES)
def test_the_texts_to_translate_are_those_of_the_node(node: str, shared_comfy: ComfyServer) -> None:
    """`locales/en/nodeDefs.json` is what translators work from; it must not fall behind the node."""
    listed: dict[str, Any] = shared_comfy.get(f"/object_info/{node}")[node]
    stated = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text("utf-8"))[node]
    given = {**listed["input"].get("required", {}), **listed["input"].get("optional", {})}
    tips = listed.get("output_tooltips") or [None] * len(listed["output_name"])

    assert stated["display_name"] == listed["display_name"]
    assert stated["description"] == listed["description"]
    assert stated["inputs"] == {
        name: _text(name, (spec[1] if len(spec) > 1 else {}).get("tooltip")) for name, spec in given.items()
    }
    assert stated["outputs"] == {
        str(slot): _text(name, tip) for slot, (name, tip) in enumerate(zip(listed["output_name"], tips, strict=True))
    }


def _text(name: str, tooltip: str | None) -> dict[str, str]:
    return {"name": name, "tooltip": tooltip} if tooltip else {"name": name}
