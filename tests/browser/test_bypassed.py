"""Our nodes bypassed and muted by ComfyUI's own frontend, in the examples, with previews behind the recorder."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import expect

from context_checkpoint.demo.comfyui.browser import ComfyPage

from .conftest import EXAMPLES, one_canvas

pytestmark = [pytest.mark.asyncio(loop_scope="session"), one_canvas]

MODES = {"bypassed": 4, "muted": 2}
PREPARE = """([type, mode, values]) => {
  const { rootGraph } = window.app;
  const find = (type) => rootGraph.nodes.find((node) => node.type === type);
  const add = (type) => {
    const node = window.LiteGraph.createNode(type);
    rootGraph.add(node);
    return node;
  };
  const previews = [add("PreviewImage"), add("PreviewImage"), add("PreviewImage")];
  find("FeedbackRecorder").connect(0, previews[0], 0);
  find("FeedbackRecorder").connect(1, previews[1], 0);
  add("EmptyImage").connect(0, previews[2], 0);
  for (const widget of rootGraph.nodes.flatMap((node) => node.widgets ?? [])) {
    if (widget.name in values) widget.value = values[widget.name];
  }
  find(type).mode = mode;
  return [find(type).title, ...previews.map((node) => String(node.id))];
}"""
VALUES = {"width": 128, "height": 128, "steps": 2, "ckpt_name": "red.safetensors"}


@pytest.mark.parametrize("how", MODES)
@pytest.mark.parametrize(
    ("example", "node"),
    [
        ("three_nodes", "ContextCheckpointRecommender"),
        ("three_nodes", "MultiCheckpointSampler"),
        ("three_nodes", "FeedbackRecorder"),
        ("your_own_graph", "ContextCheckpointRecommender"),
        ("your_own_graph", "FeedbackRecorder"),
        ("warm_loader", "ContextCheckpointRecommender"),
        ("warm_loader", "RecommendedCheckpointLoader"),
    ],
)
async def test_a_node_that_is_left_out_fails_no_run(comfyui: ComfyPage, example: str, node: str, how: str) -> None:
    """A notification names it; what does not need it runs, and images pass on where something makes them."""
    await comfyui.load(json.loads((EXAMPLES / f"{example}.json").read_text("utf-8")))
    title, picked, rejected, beside = await comfyui.page.evaluate(PREPARE, [node, MODES[how], VALUES])
    running = asyncio.create_task(comfyui.run())
    await expect(comfyui.toast(f"Bypassed or muted: {title}")).to_be_visible()
    entry = await running

    assert entry["status"]["status_str"] == "success"
    shown = {name: len(output.get("images", ())) for name, output in entry["outputs"].items()}
    assert shown[beside] == 1
    if (node, how) == ("FeedbackRecorder", "bypassed"):
        assert (shown[picked], shown[rejected]) == (3, 3)
    if (example, node) == ("your_own_graph", "ContextCheckpointRecommender"):
        assert shown[picked] == 1
        assert rejected not in shown
