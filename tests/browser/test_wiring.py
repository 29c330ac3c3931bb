"""*Recommend a checkpoint for this loader* in workflows that people have: what is drawn is what is learned, and nothing
that was connected is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import expect

from context_checkpoint.demo.comfyui.browser import ComfyPage

from .conftest import one_canvas

pytestmark = [pytest.mark.asyncio(loop_scope="session"), one_canvas]

RECOMMENDER = "ContextCheckpointRecommender"
ENTRY = "Recommend a checkpoint for this loader"
WIRED = "A recommender now chooses for this loader"
INPUTS = ("ckpt_name", "text")


def graph(text: str = "a quiet harbour") -> dict[str, dict[str, Any]]:
    """A stock graph, small enough for the tiny checkpoints."""
    return {
        "loader": {"type": "CheckpointLoaderSimple", "pos": [0, 0], "widgets": {"ckpt_name": "red.safetensors"}},
        "positive": {
            "type": "CLIPTextEncode",
            "pos": [400, 0],
            "widgets": {"text": text},
            "inputs": {"clip": "loader.CLIP"},
        },
        "negative": {"type": "CLIPTextEncode", "pos": [400, 300], "inputs": {"clip": "loader.CLIP"}},
        "latent": {
            "type": "EmptyLatentImage",
            "pos": [400, 600],
            "widgets": {"width": 64, "height": 64},
        },
        "sampler": {
            "type": "KSampler",
            "pos": [900, 0],
            "widgets": {"steps": 1, "control_after_generate": "fixed"},
            "inputs": {
                "model": "loader.MODEL",
                "positive": "positive.CONDITIONING",
                "negative": "negative.CONDITIONING",
                "latent_image": "latent.LATENT",
            },
        },
        "decoder": {
            "type": "VAEDecode",
            "pos": [1300, 0],
            "inputs": {"samples": "sampler.LATENT", "vae": "loader.VAE"},
        },
        "preview": {"type": "PreviewImage", "pos": [1600, 0], "inputs": {"images": "decoder.IMAGE"}},
    }


async def recommend(comfyui: ComfyPage) -> None:
    """Press the entry in the menu of the loader, wherever it is."""
    await comfyui.page.evaluate(
        """(content) => {
          const root = window.app.rootGraph;
          const graphs = [root, ...(root.subgraphs?.values() ?? [])];
          const nodes = graphs.flatMap((graph) => graph.nodes);
          const loader = nodes.find((candidate) => candidate.type === "CheckpointLoaderSimple");
          const item = window.app.collectNodeMenuItems(loader).find((candidate) => candidate?.content === content);
          if (!item) throw new Error(`not offered: ${content}`);
          return item.callback();
        }""",
        ENTRY,
    )
    await comfyui.settle()


async def queued(comfyui: ComfyPage) -> dict[str, Any]:
    """What a run would send, by class; the last of a class."""
    prompt = await comfyui.page.evaluate("window.app.graphToPrompt().then(({ output }) => output)")
    return {node["class_type"]: node["inputs"] | {"id": key} for key, node in prompt.items()}


async def texts(comfyui: ComfyPage) -> set[str]:
    """What the text encoders of a run would get."""
    prompt = await comfyui.page.evaluate("window.app.graphToPrompt().then(({ output }) => output)")
    return {node["inputs"]["text"] for node in prompt.values() if node["class_type"] == "CLIPTextEncode"}


async def test_a_dynamic_prompt_is_drawn_once_and_is_what_is_learned(comfyui: ComfyPage) -> None:
    """The encoder takes the recommender's own words; a comment is read by neither."""
    await comfyui.build(graph("a {red|blue|green} harbour /* mine */"))
    await recommend(comfyui)

    entry = await comfyui.run()

    assert entry["status"]["status_str"] == "success", entry["status"]
    _, _, prompt, *_ = entry["prompt"]
    (recommender,) = [key for key, node in prompt.items() if node["class_type"] == RECOMMENDER]
    assert re.fullmatch(r"a (red|blue|green) harbour\s*", prompt[recommender]["inputs"]["prompt"])
    texts = [node["inputs"]["text"] for node in prompt.values() if node["class_type"] == "CLIPTextEncode"]
    assert [recommender, 5] in texts


async def test_a_settled_loader_is_not_read_again(comfyui: ComfyPage) -> None:
    """The recommender's seed stays, so that ComfyUI has all of the second run in its cache."""
    await comfyui.build(graph())
    await recommend(comfyui)
    await comfyui.run()

    entry = await comfyui.run()

    cached = [message for name, message in entry["status"]["messages"] if name == "execution_cached"]
    loader = next(key for key, node in entry["prompt"][2].items() if node["class_type"] == "CheckpointLoaderSimple")
    assert loader in cached[0]["nodes"]


async def test_a_text_node_is_shared_as_it_is(comfyui: ComfyPage) -> None:
    """Its link to the encoder stays."""
    placed = graph()
    placed["words"] = {"type": "PrimitiveString", "pos": [0, 300], "widgets": {"value": "a fox"}}
    placed["positive"]["inputs"]["text"] = "words.STRING"
    await comfyui.build(placed)

    await recommend(comfyui)

    sent = await queued(comfyui)
    assert sent[RECOMMENDER]["prompt"] == [sent["PrimitiveString"]["id"], 0]


def in_subgraph(workflow: dict[str, Any]) -> dict[str, Any]:
    """The same workflow inside a subgraph whose inputs are the loader's file and the prompt."""
    nodes = {node["type"] + str(node["id"]): node for node in workflow["nodes"]}
    loader = next(node for node in nodes.values() if node["type"] == "CheckpointLoaderSimple")
    encoder = next(node for node in nodes.values() if node.get("widgets_values") == ["a quiet harbour"])
    links = [
        dict(zip(("id", "origin_id", "origin_slot", "target_id", "target_slot", "type"), link, strict=True))
        for link in workflow["links"]
    ]
    inputs = []
    for slot, (node, name) in enumerate(zip((loader, encoder), INPUTS, strict=True)):
        link = 900 + slot
        place = next(index for index, one in enumerate(node["inputs"]) if one["name"] == name)
        kind = node["inputs"][place]["type"]
        node["inputs"][place]["link"] = link
        links.append(
            {"id": link, "origin_id": -10, "origin_slot": slot, "target_id": node["id"], "target_slot": place}
            | {"type": kind}
        )
        inputs.append(
            {"id": f"6c7e0c00-0000-4000-8000-00000000000{slot}", "name": name, "type": kind, "linkIds": [link]}
        )
    definition = {
        "id": "6c7e0c00-0000-4000-8000-0000000000aa",
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": 100, "lastLinkId": 1000, "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": "Text to image",
        "inputNode": {"id": -10, "bounding": [-300, 0, 120, 100]},
        "outputNode": {"id": -20, "bounding": [2000, 0, 120, 60]},
        "inputs": inputs,
        "outputs": [],
        "widgets": [],
        "nodes": workflow["nodes"],
        "groups": [],
        "links": links,
        "extra": {},
    }
    use = {
        "id": 5,
        "type": definition["id"],
        "pos": [0, 0],
        "size": [300, 200],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [
            {"name": one["name"], "type": one["type"], "widget": {"name": one["name"]}, "link": None} for one in inputs
        ],
        "outputs": [],
        "properties": {},
        "widgets_values": ["red.safetensors", "a promoted harbour"],
    }
    return {
        **{key: value for key, value in workflow.items() if value is not None},
        "last_node_id": 5,
        "last_link_id": 0,
        "nodes": [use],
        "links": [],
        "definitions": {"subgraphs": [definition]},
    }


async def test_a_loader_that_is_set_outside_its_subgraph_gets_its_recommender_there(comfyui: ComfyPage) -> None:
    """Both inputs of the subgraph lead to the same nodes as before, and the run succeeds."""
    await comfyui.load(in_subgraph(dict(await comfyui.build(graph()))))
    before = await queued(comfyui)
    # Frontends before 1.49 give the text inside the subgraph where this workflow has one on its node.
    drawn = await texts(comfyui) & {"a quiet harbour", "a promoted harbour"}

    await recommend(comfyui)

    await expect(comfyui.toast(WIRED)).to_be_visible()
    sent = await queued(comfyui)
    recommender = sent[RECOMMENDER]
    assert ":" not in recommender["id"]
    assert {recommender["prompt"]} == drawn
    assert recommender["fallback"] == before["CheckpointLoaderSimple"]["ckpt_name"]
    assert sent["CheckpointLoaderSimple"]["ckpt_name"] == [recommender["id"], 1]
    entry = await comfyui.run()
    assert entry["status"]["status_str"] == "success", entry["status"]
    encoders = [node for node in entry["prompt"][2].values() if node["class_type"] == "CLIPTextEncode"]
    assert [recommender["id"], 5] in [encoder["inputs"]["text"] for encoder in encoders]


async def test_a_prompt_that_is_computed_is_said_to_be(comfyui: ComfyPage) -> None:
    """The toast names the node that stopped the search; the graph is wired without it."""
    placed = graph()
    placed["words"] = {"type": "RegexExtract", "pos": [0, 300], "widgets": {"string": "a fox"}}
    placed["positive"]["inputs"]["text"] = "words.STRING"
    await comfyui.build(placed)

    await recommend(comfyui)

    await expect(comfyui.page.get_by_text(re.compile("makes the text when the workflow runs")).first).to_be_visible()
    sent = await queued(comfyui)
    assert sent[RECOMMENDER]["prompt"] == ""
