"""Nodes of ours that are bypassed or muted: the prompt that ComfyUI's frontend sends then, and what it still gives.

The frontend leaves such a node out; its outputs lead on from the first input of the same type, if it is bypassed and
there is one. `tests/browser/test_bypassed.py` lets the frontend itself do that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node


def with_outputs(graph: ApiGraph) -> ApiGraph:
    """A preview of what the recorder passes on, and another image that has nothing to do with it."""
    graph["kept"] = node("PreviewImage", images=["recorder", 0])
    graph["other"] = node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    graph["beside"] = node("PreviewImage", images=["other", 0])
    return graph


def without(graph: ApiGraph, name: str) -> ApiGraph:
    """The graph without a node and the links from it."""
    del graph[name]
    for rest in graph.values():
        rest["inputs"] = {
            key: value
            for key, value in rest["inputs"].items()
            if not (isinstance(value, list) and value and value[0] == name)
        }
    return graph


def own_graph(seed: int = 1) -> ApiGraph:
    """A graph wired by hand, with a recorder at its end."""
    graph = by_hand("red.safetensors", seed=seed)
    graph["recommender"] = node("ContextCheckpointRecommender", prompt="a lighthouse", include="red.*, green.*")
    graph["recorder"] = node(
        "FeedbackRecorder",
        images=["decoded", 0],
        mode="record",
        selected="",
        rejected="",
        plan=["recommender", 0],
        ckpt_names=["recommender", 1],
    )
    return with_outputs(graph)


def message_of(entry: Mapping[str, Any], name: str) -> str:
    return str(entry["outputs"][name]["context_checkpoint_message"][0]["message"])


class TestWithoutTheRecommender:
    """Its plan is missing."""

    def test_the_sampler_makes_no_image_and_the_rest_runs(self, comfy: ComfyServer) -> None:
        """No checkpoint is known; the message says what to do."""
        entry = comfy.run(without(with_outputs(three_nodes()), "recommender"))

        assert "turn it on or connect it" in message_of(entry, "sampler")
        assert len(comfy.images(entry, "beside")) == 1
        assert "recorder" not in entry["outputs"]

    def test_the_warm_loader_loads_nothing_and_the_rest_runs(self, comfy: ComfyServer) -> None:
        """As the sampler."""
        graph = own_graph()
        graph["loader"] = node("RecommendedCheckpointLoader", plan=["recommender", 0])
        entry = comfy.run(without(graph, "recommender"))

        assert "turn it on or connect it" in message_of(entry, "loader")
        assert len(comfy.images(entry, "beside")) == 1

    def test_a_graph_of_ones_own_passes_its_images_on_and_learns_nothing(self, comfy: ComfyServer) -> None:
        """The loader has the checkpoint in its own widget; bypassed, the names are the prompt's text."""
        for names in ({}, {"ckpt_names": ["text", 0]}):
            graph = without(own_graph(), "recommender")
            graph["text"] = node("PrimitiveString", value="a lighthouse")
            graph["recorder"]["inputs"] |= names
            entry = comfy.run(graph)

            [shown] = generations(entry)
            assert shown["generation_id"] == ""
            assert "nothing is learned" in shown["message"]
            assert len(comfy.images(entry, "recorder")) == len(comfy.images(entry, "kept")) == 1
            prompt_id = entry["prompt"][1]
            assert comfy.get(f"/context_checkpoint/generations?prompt_id={prompt_id}")["generations"] == []

    def test_a_verdict_by_inputs_still_divides_the_images(self, comfy: ComfyServer) -> None:
        """It is not recorded, and the recorder says so."""
        graph = without(own_graph(), "recommender")
        graph["recorder"]["inputs"] |= {"rejected": "all"}
        entry = comfy.run(graph)

        assert "kept" not in entry["outputs"]
        assert "The verdict was not recorded" in generations(entry)[0]["message"]

    def test_a_recorder_that_pauses_passes_its_images_on(self, comfy: ComfyServer) -> None:
        """After its time, as always."""
        graph = without(own_graph(), "recommender")
        graph["recorder"]["inputs"] |= {"mode": "pause", "timeout_s": 0.5, "wait_without_browser": True}
        entry = comfy.run(graph)

        assert len(comfy.images(entry, "kept")) == 1


def test_without_the_sampler_the_recorder_has_no_images_and_says_so(comfy: ComfyServer) -> None:
    """Also in mode pause, with a verdict, and where the names still lead to a text."""
    for mode, selected in (("record", ""), ("pause", ""), ("record", "0")):
        graph = without(with_outputs(three_nodes(selected=selected)), "sampler")
        graph["recorder"]["inputs"] |= {"mode": mode, "wait_without_browser": True}
        entry = comfy.run(graph)

        [shown] = generations(entry)
        assert shown["message"].startswith("No images arrive")
        assert shown["images"] == []
        assert len(comfy.images(entry, "beside")) == 1
        assert "kept" not in entry["outputs"]


def test_without_the_recorder_its_images_go_on(comfy: ComfyServer) -> None:
    """To both of its outputs, as far as something follows."""
    graph = with_outputs(three_nodes(recommender={"include": "red.*, green.*", "stage": "draft"}))
    graph = without(graph, "recorder")
    graph["kept"]["inputs"]["images"] = ["sampler", 0]
    entry = comfy.run(graph)

    assert len(comfy.images(entry, "kept")) == 2
