"""Checkpoints that stay in memory, counted below every loader node, and what releases them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .conftest import ComfyFactory

RED_GREEN = {"include": "red.*, green.*", "stage": "draft", "seed": 1}
FILES = ["green.safetensors", "red.safetensors"]


class Counted:
    """A server that reports what was really loaded."""

    def __init__(self, server: ComfyServer) -> None:
        self.server = server

    def loads(self) -> list[str]:
        """The files loaded since this was last asked."""
        return sorted(call["file"] for call in self.report()["calls"])

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = self.server.get("/loader_calls")
        return report

    def settings(self, **changes: Any) -> None:
        self.server.post("/context_checkpoint/settings", changes)

    def release(self) -> dict[str, Any]:
        answer = self.free("/context_checkpoint/loaders/release", {})
        released: dict[str, Any] = answer["released"]
        return released

    def free(self, route: str, body: dict[str, Any]) -> Any:
        """Request that memory is freed, and wait until the models are.

        ComfyUI frees its own share in its worker thread, after it has responded. It misses a request that comes between
        its check for requests and its wait for the next prompt, and then waits until something else wakes it. So the
        request is repeated, as a person would press again.
        """
        answer = self.server.post(route, body)
        deadline, retry_at = time.monotonic() + 30, time.monotonic() + 2
        while (alive := self.report()["alive"]) and time.monotonic() < deadline:
            time.sleep(0.05)
            if time.monotonic() > retry_at:
                self.server.post(route, body)
                retry_at += 2
        assert alive == []
        return answer


def reset(server: ComfyServer) -> Counted:
    """The default settings, and nothing loaded."""
    counted = Counted(server)
    counted.settings(kept_loaders=3, kept_loaders_memory_share=0.4)
    counted.release()
    counted.report()
    return counted


@pytest.fixture
def counted(comfy: ComfyServer) -> Iterator[Counted]:
    """The default cache."""
    yield reset(comfy)
    comfy.post("/context_checkpoint/settings", {"kept_loaders": 3})


@pytest.fixture(scope="module")
def uncached(comfy_factory: ComfyFactory) -> ComfyServer:
    """A ComfyUI that keeps no output of a node."""
    return comfy_factory("--cache-none")


@pytest.mark.parametrize("cache", ["the default", "none"])
def test_another_seed_or_prompt_loads_nothing_that_is_still_in_memory(
    request: pytest.FixtureRequest, cache: str
) -> None:
    """Zero loader calls, with ComfyUI's default cache and with none; the other caches keep more than the default."""
    counted = reset(request.getfixturevalue("uncached" if cache == "none" else "comfy"))
    counted.server.run(three_nodes("a boat", seed=1, recommender=RED_GREEN))
    first = counted.loads()

    counted.server.run(three_nodes("a boat", seed=2, recommender=RED_GREEN))
    another_seed = counted.loads()
    counted.server.run(three_nodes("a castle", seed=2, recommender=RED_GREEN))
    another_prompt = counted.loads()

    assert first == FILES
    assert another_seed == []
    assert another_prompt == []


def test_the_loader_for_a_persons_own_graph_uses_the_cache_too(counted: Counted) -> None:
    """`RecommendedCheckpointLoader`: lists for the person's graph, no loads the second time."""
    entry = counted.server.run(own_graph(seed=1))
    first = counted.loads()
    counted.server.run(own_graph(seed=2))

    assert first == FILES
    assert counted.loads() == []
    pictures = counted.server.images(entry, "shown")
    colors = {name: tiny_checkpoints.NINE_COLORS[name] for name in ("red", "green")}
    drawn = [f"{tiny_checkpoints.made_by(picture.mean_color, colors)}.safetensors" for picture in pictures]
    assert drawn == [image["checkpoint"] for image in generations(entry)[0]["images"]]
    assert sorted(drawn) == FILES


def test_the_sampler_and_the_loader_share_the_cache(counted: Counted) -> None:
    """One cache for both nodes."""
    counted.server.run(three_nodes(seed=1, recommender=RED_GREEN))
    counted.loads()

    counted.server.run(own_graph(seed=9))

    assert counted.loads() == []


def test_a_cached_checkpoint_runs_first(counted: Counted) -> None:
    """With room for one, the cached one is used before another replaces it: one load, not two."""
    counted.settings(kept_loaders=1)
    counted.server.run(three_nodes("a boat", recommender=RED_GREEN))
    counted.loads()

    entry = counted.server.run(three_nodes("a castle", recommender=RED_GREEN))

    assert len(counted.loads()) == 1
    plan = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    assert sorted(plan) == FILES


def test_keeping_none_loads_each_time(counted: Counted) -> None:
    """The setting is obeyed down to zero."""
    counted.settings(kept_loaders=0)
    for prompt in ("a boat", "a castle"):
        counted.server.run(three_nodes(prompt, recommender=RED_GREEN))

        assert counted.loads() == FILES


def test_without_caches_one_model_at_a_time_is_in_memory(uncached: ComfyServer) -> None:
    """Each branch has ended, and released its model, before the next one loads."""
    counted = reset(uncached)
    counted.settings(kept_loaders=0)
    counted.server.run(three_nodes(seed=1, recommender=RED_GREEN))

    report = counted.report()

    assert [call["alive_before"] for call in report["calls"]] == [[], []]


def test_release_frees_the_models(counted: Counted) -> None:
    """By our own route: the names are returned, the memory is freed, and they are loaded again when needed."""
    counted.server.run(three_nodes(seed=1, recommender=RED_GREEN))
    counted.loads()

    answer = counted.release()

    assert sorted(answer["checkpoints"]) == FILES
    assert answer["bytes"] > 0
    counted.server.run(three_nodes(seed=2, recommender=RED_GREEN))
    assert counted.loads() == FILES


def test_comfyuis_own_free_button_releases_them_too(counted: Counted) -> None:
    """`POST /free` with free_memory; unload_models alone moves them off the GPU and keeps them."""
    counted.server.run(three_nodes(seed=1, recommender=RED_GREEN))
    counted.loads()

    counted.server.post("/api/free", {"unload_models": True})
    counted.server.run(three_nodes(seed=2, recommender=RED_GREEN))
    after_unload = counted.loads()

    assert after_unload == []
    counted.free("/api/free", {"free_memory": True})


def test_a_lora_on_a_cached_checkpoint_leaves_no_trace(counted: Counted) -> None:
    """The person's LoRA patches its own copy: without it the next images are as before."""
    tiny_checkpoints.write_lora(counted.server.base_directory / "models/loras/style.safetensors", "sd3")
    plain = own_graph(seed=4)
    styled = own_graph(seed=4)
    styled["lora"] = node("LoraLoaderModelOnly", model=["loader", 0], lora_name="style.safetensors", strength_model=1.0)
    styled["sampler"]["inputs"]["model"] = ["lora", 0]

    pictures = [
        counted.server.images(counted.server.run(graph), "shown") for graph in (plain, styled, own_graph(seed=4))
    ]
    sampled = counted.server.images(
        counted.server.run(three_nodes("a lighthouse at dusk", seed=4, recommender=RED_GREEN)),
        "recorder",
    )

    before, with_lora, after = pictures
    for one, other in zip(before, with_lora, strict=True):
        assert not np.array_equal(one.pixels, other.pixels)
    for one, two, three in zip(before, after, sampled, strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert np.array_equal(one.pixels, three.pixels)


def test_a_file_that_was_replaced_is_loaded_again(counted: Counted) -> None:
    """The same name with other weights is another checkpoint, cached or not."""
    path = counted.server.checkpoints / "replaced.safetensors"
    tiny_checkpoints.write(path, "sd3", color=(0.8, 0.2, 0.2), seed=1)
    only = {"include": "replaced.*"}
    counted.server.run(three_nodes(seed=1, recommender=only))
    tiny_checkpoints.write(path, "sd3", color=(0.2, 0.2, 0.8), seed=2)

    entry = counted.server.run(three_nodes(seed=2, recommender=only))

    path.unlink()
    [picture] = counted.server.images(entry, "recorder")
    assert picture.mean_color[2] > picture.mean_color[0]


def test_when_memory_is_full_the_cached_ones_are_released_and_it_is_loaded_again(counted: Counted) -> None:
    """Out of memory while loading is no fault of the file: it is loaded with all memory there is."""
    counted.server.run(three_nodes(seed=1, recommender={"include": "red.*"}))
    counted.report()
    counted.server.post("/loader_calls/out_of_memory", {"times": 1})

    entry = counted.server.run(three_nodes(seed=1, recommender={"include": "green.*"}))

    report = counted.report()
    assert [call["file"] for call in report["calls"]] == ["green.safetensors", "green.safetensors"]
    assert "red.safetensors" not in report["alive"]
    assert generations(entry)[0]["images"][0]["checkpoint"] == "green.safetensors"


def test_memory_that_stays_full_fails_the_prompt_and_marks_no_checkpoint_as_broken(counted: Counted) -> None:
    """The next prompt recommends and loads the same checkpoint."""
    only = {"include": "green.*"}
    counted.server.post("/loader_calls/out_of_memory", {"times": 2})

    with pytest.raises(PromptFailed, match="out of memory"):
        counted.server.run(three_nodes(seed=1, recommender=only))
    counted.server.post("/loader_calls/out_of_memory", {"times": 0})
    entry = counted.server.run(three_nodes(seed=2, recommender=only))

    assert generations(entry)[0]["images"][0]["checkpoint"] == "green.safetensors"


def own_graph(*, seed: int) -> ApiGraph:
    """Recommender, our loader, and otherwise stock nodes; the recorder gets plan and names."""
    graph = by_hand("red.safetensors", seed=seed)
    graph["recommender"] = node("ContextCheckpointRecommender", prompt="a lighthouse at dusk", **RED_GREEN)
    graph["loader"] = node("RecommendedCheckpointLoader", plan=["recommender", 0])
    graph["recorder"] = node(
        "FeedbackRecorder",
        images=["decoded", 0],
        mode="record",
        selected="",
        rejected="",
        plan=["recommender", 0],
        ckpt_names=["loader", 3],
    )
    return graph


def test_a_text_is_encoded_once_for_each_checkpoint(counted: Counted) -> None:
    """Another seed encodes nothing, another prompt only itself, and a release forgets the texts."""

    def encodings(prompt: str, seed: int) -> int:
        counted.report()
        counted.server.run(three_nodes(prompt, seed=seed, recommender=RED_GREEN))
        found: int = counted.report()["encodings"]
        return found

    assert encodings("a lighthouse", 1) == 4
    assert encodings("a lighthouse", 2) == 0
    assert encodings("a harbour", 3) == 2
    counted.release()
    assert encodings("a lighthouse", 4) == 4
