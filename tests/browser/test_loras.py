"""LoRAs as a person sees them: on the node after a run, in both canvases, and in the panel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import expect

from context_checkpoint.demo.comfyui.browser import ComfyPage
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.tiny_models.checkpoints import write_lora

from .conftest import EXAMPLES, one_canvas
from .test_on_the_nodes import SMALL, run
from .test_panel import close_panel, tab

pytestmark = pytest.mark.asyncio(loop_scope="session")

RECOMMENDER = "ContextCheckpointRecommender"
HOSTILE_LORA = "<img src=x onerror=window.hacked=1>.safetensors"


@pytest.fixture(autouse=True, scope="module")
def _loras(comfy: ComfyServer) -> Iterator[None]:
    """Two LoRAs with a trigger word each; the name of one would run a script, were it taken for markup."""
    folder = comfy.base_directory / "models" / "loras"
    words = {"styles/wash.safetensors": "wetpaper", HOSTILE_LORA: "grainy"}
    for name, word in words.items():
        write_lora(folder / name, "sd3", seed=len(name))
        beside = {"activation text": word, "preferred weight": 0.75}
        (folder / name).with_suffix(".json").write_text(json.dumps(beside), "utf-8")
    yield
    for name in words:
        (folder / name).unlink()
        (folder / name).with_suffix(".json").unlink()


@pytest.fixture
def with_loras() -> dict[str, Any]:
    """The example with the LoRA recommender."""
    workflow: dict[str, Any] = json.loads((EXAMPLES / "loras.json").read_text("utf-8"))
    return workflow


async def run_example(comfyui: ComfyPage, workflow: dict[str, Any], prompt: str) -> str:
    await comfyui.load(workflow)
    await comfyui.set_widgets(RECOMMENDER, prompt=prompt)
    await comfyui.set_widgets("MultiCheckpointSampler", **SMALL)
    await comfyui.show_all()
    return await run(comfyui)


async def test_the_node_shows_each_checkpoints_loras_with_the_reason(
    comfyui: ComfyPage, with_loras: dict[str, Any]
) -> None:
    """Each once for all three, with its strength and why; also after a reload, and nothing of a name is markup."""
    await comfyui.load(with_loras)
    await comfyui.show_all()
    await expect(comfyui.page.get_by_text("After a run, each checkpoint is shown here with its LoRAs")).to_be_visible()

    await run_example(comfyui, with_loras, "a lighthouse, wetpaper, grainy")

    for _ in range(2):
        rows = comfyui.page.get_by_role("list", name="LoRAs with their checkpoints").get_by_role("listitem")
        await expect(rows).to_have_text(
            [
                re.compile(r"^<img src=x onerror=win…w.hacked=1> 0.75\s*its trigger word grainy is in the prompt.$"),
                re.compile(r"^wash 0.75\s*its trigger word wetpaper is in the prompt.$"),
            ]
        )
        await expect(rows.get_by_title(HOSTILE_LORA)).to_be_visible()
        await comfyui.open()
    assert await comfyui.page.evaluate("window.hacked") is None


async def test_the_node_says_that_there_is_none_and_why(comfyui: ComfyPage, with_loras: dict[str, Any]) -> None:
    """Where nothing speaks for one."""
    await run_example(comfyui, with_loras, "a harbour")

    await expect(comfyui.page.get_by_text("No LoRA.")).to_be_visible()
    await expect(comfyui.page.get_by_text(re.compile("none is recommended.$"))).to_have_count(1)


@one_canvas
async def test_the_panel_recommends_loras_for_a_prompt_and_shows_what_is_known(
    comfyui: ComfyPage, with_loras: dict[str, Any]
) -> None:
    """Of those that fit the checkpoint; with strength, confidence and reason, and the images that used each."""
    shown = await tab(comfyui, "LoRAs")
    await expect(shown).to_contain_text("Nothing is known yet. Keep images that you made with LoRAs")
    generation = await run_example(comfyui, with_loras, "a lighthouse, wetpaper")
    comfyui.server.post(
        "/context_checkpoint/feedback", {"generation_id": generation, "selected_images": [0], "rejected_images": []}
    )

    shown = await tab(comfyui, "LoRAs")
    await shown.get_by_label("Prompt").fill("a castle, wetpaper")
    await shown.get_by_label("Checkpoint").select_option("red.safetensors")
    await shown.get_by_role("button", name="Which LoRAs?").click()

    recommended = shown.get_by_role("list", name="Recommended LoRAs, best first").get_by_role("listitem")
    await expect(recommended).to_have_count(1)
    await expect(recommended).to_contain_text("wash")
    await expect(recommended).to_contain_text("strength 0.75, ")
    await expect(recommended).to_contain_text("styles/wash.safetensors: its trigger word wetpaper is in the prompt.")
    row = shown.get_by_role("row", name="wash").first
    await row.get_by_role("button").click()
    await expect(shown.locator(".cc-details:visible")).to_contain_text("its trigger word wetpaper is in the prompt.")

    await shown.get_by_label("Prompt").fill("a castle, grainy")
    await shown.get_by_role("button", name="Which LoRAs?").click()
    await expect(recommended).to_contain_text(HOSTILE_LORA.removesuffix(".safetensors"))
    assert await comfyui.page.evaluate("window.hacked") is None
    await close_panel(comfyui)
