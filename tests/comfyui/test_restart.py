"""What was taught is still known after ComfyUI has ended, in order or as by a power cut."""

from __future__ import annotations

from collections.abc import Callable

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft"}


def test_a_verdict_is_remembered_after_a_restart_and_after_a_crash(
    comfy_factory: Callable[..., ComfyServer],
) -> None:
    """The generation, its verdict and what it taught: stopped in order, then as by a power cut."""
    server = comfy_factory()
    taught = three_nodes("a red barn", selected="1", rejected="0,2", recommender=RED_GREEN_BLUE)
    [shown] = generations(server.run(taught))
    preferred = shown["images"][1]["checkpoint"]
    best_only = {"include": RED_GREEN_BLUE["include"], "explore": False}

    server.restart()
    [stored] = server.get("/context_checkpoint/generations")["generations"]
    after_restart = server.run(three_nodes("a red barn", seed=2, selected="0", recommender=best_only))
    server.kill()
    server.start()
    newest, oldest = server.get("/context_checkpoint/generations")["generations"]

    server.stop()
    assert stored["id"] == oldest["id"] == shown["generation_id"]
    assert [image["verdict"] for image in stored["images"]] == ["rejected", "selected", "rejected"]
    assert generations(after_restart)[0]["images"][0]["checkpoint"] == preferred
    assert newest["id"] == generations(after_restart)[0]["generation_id"]
    assert [image["verdict"] for image in newest["images"]] == ["selected"]
