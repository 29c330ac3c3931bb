"""The blueprint: ComfyUI offers it as one node, and the three nodes in it work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from context_checkpoint.demo.comfyui.browser import ComfyPage

FILE = Path(__file__).parents[2] / "subgraphs" / "Pick the best checkpoint.json"


@pytest.mark.asyncio(loop_scope="session")
async def test_a_box_from_the_node_search_runs_and_is_judged_inside(comfyui: ComfyPage) -> None:
    """Added as a person does it; its widgets count, three checkpoints are compared, and a pick inside is saved."""
    await comfyui.page.evaluate("window.app.extensionManager.command.execute('Comfy.NewBlankWorkflow')")
    await comfyui.settle()
    search = comfyui.page.get_by_role("dialog").get_by_role("combobox")
    await comfyui.page.mouse.dblclick(700, 300)
    await expect(search).to_be_visible()
    await search.fill(FILE.stem)
    await comfyui.page.get_by_role("option").filter(has_text=FILE.stem).first.wait_for()
    await comfyui.page.keyboard.press("Enter")
    await comfyui.settle()
    await comfyui.page.mouse.click(700, 300)
    await comfyui.settle()

    [box] = await comfyui.page.evaluate("window.app.rootGraph.nodes.map(({ type, title }) => [type, title])")
    await comfyui.set_widgets(box[0], prompt="a lighthouse in a storm", width=128, height=128, steps=4)
    entry = await comfyui.run()

    assert box[1] == FILE.stem
    assert entry["status"]["status_str"] == "success", entry["status"]
    [made] = [each for output in entry["outputs"].values() for each in output.get("context_checkpoint", ())]
    assert len({image["checkpoint"] for image in made["images"]}) == 3
    assert all(comfyui.server.pixels(image).shape == (128, 128, 3) for image in made["images"])
    [logged] = comfyui.server.get(f"/context_checkpoint/generations?id={made['generation_id']}")["generations"]
    assert logged["prompt"] == "a lighthouse in a storm"

    await comfyui.page.evaluate(
        "() => { const { canvas, rootGraph } = window.app; canvas.setGraph(rootGraph.nodes[0].subgraph); }"
    )
    await comfyui.settle()
    images = comfyui.page.get_by_role("list", name="Images of this run").get_by_role("listitem")
    await images.first.get_by_role("button", name="Pick").click()
    await expect(comfyui.page.get_by_text("Saved:")).to_be_visible()


def test_it_names_no_checkpoint() -> None:
    """A file name of the machine that made it would be missing on every other."""
    text = FILE.read_text("utf-8")

    assert ".safetensors" not in text
    assert len(json.loads(text)["nodes"]) == 1
