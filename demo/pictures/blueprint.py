"""Makes the blueprint: a box with the three nodes in it, which ComfyUI's node library offers as one node.

ComfyUI takes the files of a pack's folder `subgraphs/`, and their names are what people see. Separate from `examples`,
whose workflows are lists of nodes: a box is made by ComfyUI's page alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..comfyui.browser import ComfyPage
from ..comfyui.installation import PACK

NAME = "Pick the best checkpoint"
FILE = PACK / "subgraphs" / f"{NAME}.json"
DESCRIPTION = (
    "Draws a prompt with the checkpoints that may fit it best, and learns from what you pick. Enter the subgraph to "
    "pick, or open the panel's History."
)
SHOWN = {
    "ContextCheckpointRecommender": ("prompt",),
    "MultiCheckpointSampler": ("negative", "width", "height", "seed", "steps", "cfg", "images_per_prompt"),
    "FeedbackRecorder": ("mode",),
}
"""The widgets of the inner nodes that the box shows."""

OUTPUTS = ("selected_images", "generation")
"""The recorder's outputs that the box has."""


async def made(page: ComfyPage, nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Put the nodes into a box, and return the file's content: a workflow with the box alone."""
    await page.build(nodes)
    await page.page.evaluate(_INTO_A_BOX, {"name": NAME, "shown": list(SHOWN.items()), "outputs": OUTPUTS})
    await page.settle()
    workflow = await page.page.evaluate("window.app.rootGraph.serialize()")
    (box,), (inside,) = workflow["nodes"], workflow["definitions"]["subgraphs"]
    inside |= {"category": "Context Checkpoint", "description": DESCRIPTION}
    return {
        "revision": 0,
        "last_node_id": workflow["last_node_id"],
        "last_link_id": 0,
        "nodes": [box],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [inside]},
    }


_INTO_A_BOX = """({ name, shown, outputs }) => {
  const graph = window.app.rootGraph;
  const { subgraph, node } = graph.convertToSubgraph(new Set(graph.nodes));
  for (const input of [...subgraph.inputs]) subgraph.removeInput(input);
  const find = (type) => subgraph.nodes.find((inner) => inner.type === type);
  for (const [type, widgets] of shown) {
    const inner = find(type);
    for (const widget of widgets) {
      const slot = inner.inputs.find((input) => input.name === widget);
      subgraph.addInput(widget, String(slot.type)).connect(slot, inner);
    }
  }
  const recorder = find("FeedbackRecorder");
  for (const output of outputs) {
    const slot = recorder.outputs.find((candidate) => candidate.name === output);
    subgraph.addOutput(output, String(slot.type)).connect(slot, recorder);
  }
  node.title = subgraph.name = name;
  node.setSize([420, node.computeSize()[1]]);
}"""
