"""Negative words of a real ComfyUI: those that stand only in a person's own graph, or in the sampler, are learned."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph

from .test_loras import RED, one, own_graph


def with_negative(graph: ApiGraph, negative: str) -> ApiGraph:
    """In the sampler, or in the stock text encoder that is wired to the stock sampler."""
    sampler = graph["sampler"]["inputs"]
    if graph["sampler"]["class_type"] == "KSampler":
        graph[sampler["negative"][0]]["inputs"]["text"] = negative
    else:
        sampler["negative"] = negative
    return graph


@pytest.mark.parametrize("make", [own_graph, one])
def test_words_that_stand_in_the_graph_alone_are_suggested(comfy: ComfyServer, make: Callable[[str], ApiGraph]) -> None:
    """As they were typed, once their images were kept."""
    for seed in (1, 2, 3):
        graph = with_negative(make(RED), "(bad hands:1.2), worst quality")
        graph["recommender"]["inputs"]["seed"] = seed
        (generation,) = generations(comfy.run(graph))
        body = {"generation_id": generation["generation_id"], "selected_images": [0], "rejected_images": []}
        comfy.post("/context_checkpoint/feedback", body)

    answer = comfy.post("/context_checkpoint/suggest/negative", {"prompt": "an owl"})

    assert {each["word"] for each in answer["words"]} == {"bad hands", "worst quality"}
    (logged, *_) = comfy.get("/context_checkpoint/generations")["generations"]
    assert [word["text"] for word in logged["keywords"]] == ["owl"]
