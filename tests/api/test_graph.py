"""`POST /graph`: what a loader's first image is made from, by the rules of `recipes`."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Client


def prompt(**changes: Any) -> dict[str, Any]:
    """A stock prompt whose loader is inside the subgraph node 5."""
    nodes = {
        "5:2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "one.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a castle", "clip": ["5:2", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["5:2", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {"model": ["5:2", 0], "positive": ["6", 0], "negative": ["7", 0], "steps": 4},
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["5:2", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}},
    }
    return {**nodes, **changes}


async def test_the_texts_of_a_loaders_image_are_found_with_their_places(client: Client) -> None:
    """Where each is written, and where it enters its encoder."""
    status, answer = await client.post("/graph", {"prompt": prompt(), "loader": "5:2"})

    assert status == 200
    assert answer == {
        "model": "one.safetensors",
        "family": "",
        "sampler": "3",
        "positive": {"text": "a castle", "node": "6", "input": "text", "entries": [{"node": "6", "input": "text"}]},
        "negative": {"text": "blurry", "node": "7", "input": "text", "entries": [{"node": "7", "input": "text"}]},
        "unclear": [],
    }


async def test_a_text_that_is_computed_names_the_node_that_stopped_the_search(client: Client) -> None:
    """By its title and id, in words that the browser can translate."""
    writer = {"class_type": "OllamaGenerate", "inputs": {"prompt": "a castle"}, "_meta": {"title": "My writer"}}
    encoder = {"class_type": "CLIPTextEncode", "inputs": {"text": ["4", 0], "clip": ["5:2", 1]}}

    _, answer = await client.post("/graph", {"prompt": prompt(**{"4": writer, "6": encoder}), "loader": "5:2"})

    assert answer["positive"] is None
    (stopped,) = answer["unclear"]
    assert (stopped["field"], stopped["node"], stopped["reason"]) == ("positive", "4", "computed")
    assert stopped["message"] == "My writer (#4) makes the text when the workflow runs."
    assert stopped["parts"][0]["key"] == "graph_computed"


async def test_a_loader_without_an_image_is_said_to_have_none(client: Client) -> None:
    """Its file is known all the same."""
    idle = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "idle.safetensors"}}

    _, answer = await client.post("/graph", {"prompt": prompt(**{"1": idle}), "loader": "1"})

    assert (answer["model"], answer["positive"], answer["sampler"]) == ("idle.safetensors", None, None)
    assert [one["reason"] for one in answer["unclear"]] == ["no_sampler"]


async def test_an_unknown_node_is_refused(client: Client) -> None:
    """A client that sends a node's id of another workflow learns so."""
    status, answer = await client.post("/graph", {"prompt": prompt(), "loader": "99"})

    assert (status, answer["error"]["code"]) == (404, "unknown_node")


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"class_type": "KSampler"},
        {"class_type": "KSampler", "inputs": None},
        {"class_type": "KSampler", "inputs": {"model": ["1", 0], "positive": ["1", 1], "steps": [[]]}},
        {"class_type": 3, "inputs": []},
    ],
    ids=str,
)
async def test_whatever_a_prompt_holds_is_answered(client: Client, odd: dict[str, Any]) -> None:
    """It comes from graphs of any pack."""
    status, _ = await client.post("/graph", {"prompt": prompt(**{"1": odd, "3": odd}), "loader": "1"})

    assert status == 200
