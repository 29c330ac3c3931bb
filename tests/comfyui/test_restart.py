"""What was learned is known after ComfyUI was killed and started again."""

from __future__ import annotations

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft"}


def test_a_verdict_is_known_after_a_crash(comfy: ComfyServer) -> None:
    """The generation, its verdict and what was learned from it. `learning` tests the other ways to end."""
    judged = three_nodes("a red barn", selected="1", rejected="0,2", recommender=RED_GREEN_BLUE)
    [shown] = generations(comfy.run(judged))
    preferred = shown["images"][1]["checkpoint"]

    comfy.kill()
    comfy.start()

    [stored] = comfy.get("/context_checkpoint/generations")["generations"]
    best_only = {"include": RED_GREEN_BLUE["include"], "explore": False}
    [after] = generations(comfy.run(three_nodes("a red barn", seed=2, recommender=best_only)))
    assert stored["id"] == shown["generation_id"]
    assert [image["verdict"] for image in stored["images"]] == ["rejected", "selected", "rejected"]
    assert after["images"][0]["checkpoint"] == preferred
