"""The pack's nodes copied, cloned, dragged with Alt and put into a subgraph, in the classic canvas and in Nodes 2.0.

Frontends from 1.53 on make a copy that has no graph yet, and tell its widgets their values while it is configured.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from playwright.async_api import expect

from context_checkpoint.demo.comfyui.browser import ComfyPage

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEXT, RECOMMENDER, SAMPLER = "PrimitiveStringMultiline", "ContextCheckpointRecommender", "MultiCheckpointSampler"
LOADER, RECORDER = "RecommendedCheckpointLoader", "FeedbackRecorder"
OURS = (RECOMMENDER, SAMPLER, LOADER, RECORDER)
ALL_FOUR = {
    "text": {"type": TEXT, "pos": [0, 0], "widgets": {"value": "a quiet harbour"}},
    "plan": {"type": RECOMMENDER, "pos": [500, 0], "inputs": {"prompt": "text.STRING"}, "widgets": {"include": "red*"}},
    "sampler": {"type": SAMPLER, "pos": [1000, 0], "inputs": {"plan": "plan.plan"}, "widgets": {"steps": 7}},
    "loader": {"type": LOADER, "pos": [1000, 900], "inputs": {"plan": "plan.plan"}},
    "recorder": {
        "type": RECORDER,
        "pos": [1500, 0],
        "inputs": {"images": "sampler.images", "generation": "sampler.generation"},
        "widgets": {"timeout_s": 77},
    },
}
SELECT = """(types) => {
  const { canvas, rootGraph } = window.app;
  canvas.selectItems(rootGraph.nodes.filter((node) => types.includes(node.type)));
  canvas.canvas.focus();
}"""
VALUES = """() => {
  const nodes = [...window.app.rootGraph.nodes];
  for (const { subgraph } of window.app.rootGraph.nodes) nodes.push(...(subgraph?.nodes ?? []));
  return nodes.map((node) => {
    const all = (node.widgets ?? []).filter(({ serialize }) => serialize !== false);
    const kept = all.filter(({ name }) => !/seed|control/.test(name));
    return [node.type, Object.fromEntries(kept.map(({ name, value }) => [name, value]))];
  });
}"""


async def build(comfyui: ComfyPage) -> None:
    await comfyui.build(ALL_FOUR)
    await comfyui.show_all()


async def values(comfyui: ComfyPage) -> dict[str, list[dict[str, Any]]]:
    """Return the widgets' values of each node, by its type; also of those in a subgraph."""
    found: dict[str, list[dict[str, Any]]] = {}
    for node_type, held in await comfyui.page.evaluate(VALUES):
        found.setdefault(node_type, []).append(held)
    return found


async def test_they_are_copied_and_pasted(comfyui: ComfyPage) -> None:
    """By keys, all at once and linked as they were; the copy asks for a plan by its own prompt."""
    await build(comfyui)
    before = await values(comfyui)
    await comfyui.page.evaluate(SELECT, [*OURS, TEXT])

    await comfyui.page.keyboard.press("Control+c")
    await comfyui.page.keyboard.press("Control+v")
    await comfyui.settle()

    assert await values(comfyui) == {node_type: held * 2 for node_type, held in before.items()}
    prompt = await comfyui.page.evaluate("window.app.graphToPrompt().then(({ output }) => output)")
    recommenders = [node["inputs"] for node in prompt.values() if node["class_type"] == RECOMMENDER]
    assert [prompt[inputs["prompt"][0]]["class_type"] for inputs in recommenders] == [TEXT, TEXT]
    assert recommenders[0]["prompt"] != recommenders[1]["prompt"]
    await expect(comfyui.page.locator(".cc-plan")).to_have_count(2)


async def test_each_is_cloned(comfyui: ComfyPage) -> None:
    """As the menu does it: the clone has the values, and no graph before it is added."""
    await build(comfyui)
    before = await values(comfyui)

    await comfyui.page.evaluate(
        """(types) => {
          const { rootGraph } = window.app;
          for (const type of types) {
            const clone = rootGraph.nodes.find((node) => node.type === type).clone();
            clone.pos = [0, 1500];
            rootGraph.add(clone);
          }
        }""",
        OURS,
    )
    await comfyui.settle()

    assert await values(comfyui) == {kind: held * (2 if kind in OURS else 1) for kind, held in before.items()}


@pytest.mark.parametrize("opened", ["classic canvas"], indirect=True)
async def test_each_is_dragged_off_with_alt(comfyui: ComfyPage) -> None:
    """By the mouse, at its title: the copy follows the pointer, and the node stays."""
    await build(comfyui)
    before = await values(comfyui)
    titles = await comfyui.page.evaluate(
        """(types) => {
          const { rootGraph, canvas } = window.app;
          const { ds } = canvas;
          const corner = canvas.canvas.getBoundingClientRect();
          return types.map((type) => {
            const [node] = rootGraph.nodes.filter((candidate) => candidate.type === type);
            const [left, top] = [node.pos[0] + 60, node.pos[1] - 12];
            return [corner.left + (left + ds.offset[0]) * ds.scale, corner.top + (top + ds.offset[1]) * ds.scale];
          });
        }""",
        OURS,
    )
    keyboard, mouse = comfyui.page.keyboard, comfyui.page.mouse

    for x, y in titles:
        await keyboard.down("Alt")
        await mouse.move(x, y)
        await mouse.down()
        await mouse.move(x + 40, y + 60, steps=8)
        await mouse.up()
        await keyboard.up("Alt")
        await comfyui.settle()

    assert await values(comfyui) == {kind: held * (2 if kind in OURS else 1) for kind, held in before.items()}


@pytest.mark.parametrize("inside", [(RECOMMENDER,), OURS], ids=lambda inside: "+".join(inside))
async def test_they_are_put_into_a_subgraph(comfyui: ComfyPage, inside: tuple[str, ...]) -> None:
    """By ComfyUI's command; their values and links are kept, and the prompt that is sent is the same."""
    await build(comfyui)
    before = await values(comfyui)
    sent = "window.app.graphToPrompt().then(({ output }) => Object.values(output).map((node) => node.class_type))"
    types = await comfyui.page.evaluate(sent)
    await comfyui.page.evaluate(SELECT, list(inside))

    await comfyui.page.evaluate("window.app.extensionManager.command.execute('Comfy.Graph.ConvertToSubgraph')")
    await comfyui.settle()

    outside = await comfyui.page.evaluate("window.app.rootGraph.nodes.map((node) => node.type)")
    assert not set(outside) & set(inside)
    after = await values(comfyui)
    assert {node_type: after[node_type] for node_type in before} == before
    assert Counter(await comfyui.page.evaluate(sent)) == Counter(types)


async def test_a_copy_asks_for_no_plan(comfyui: ComfyPage) -> None:
    """Its prompt is set, and nobody typed it; the clone keeps the text."""
    typed = {"type": RECOMMENDER, "pos": [0, 0], "widgets": {"prompt": "a quiet harbour"}}
    await comfyui.build({"plan": typed})
    await comfyui.page.wait_for_timeout(1_000)
    asked: list[Any] = []
    comfyui.page.on("request", lambda request: asked.append(request) if request.url.endswith("/recommend") else None)
    await comfyui.page.evaluate(SELECT, [RECOMMENDER])

    await comfyui.page.keyboard.press("Control+c")
    await comfyui.page.keyboard.press("Control+v")
    await comfyui.page.wait_for_timeout(1_500)

    assert [held["prompt"] for held in (await values(comfyui))[RECOMMENDER]] == ["a quiet harbour"] * 2
    assert asked == []
