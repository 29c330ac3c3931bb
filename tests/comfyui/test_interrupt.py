"""An interrupt in the middle of a round: nothing is logged, nobody blamed, and the next prompt is fine."""

from __future__ import annotations

import time

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, error_message

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft", "seed": 1}
STEPS = 400
BEGINNING = f" 0/{STEPS} "
"""How the progress bar of a branch begins in ComfyUI's log."""


def test_an_interrupt_in_the_middle_of_branch_two_leaves_the_next_prompt_fine(comfy: ComfyServer) -> None:
    """The round is not logged, and all three checkpoints are recommended again."""
    comfy.run(three_nodes(recommender=RED_GREEN_BLUE))  # all three are loaded
    before = len(comfy.log)
    prompt_id = comfy.post_prompt(three_nodes(seed=2, steps=STEPS, size=64, recommender=RED_GREEN_BLUE))
    wait_for_branch(comfy, 2, before)
    comfy.post("/interrupt", {})

    entry = comfy.wait(prompt_id)
    after = comfy.run(three_nodes(seed=3, recommender=RED_GREEN_BLUE))

    assert error_message(entry).startswith("interrupted in MultiCheckpointSampler")
    assert "recorder" not in entry["outputs"]
    assert comfy.get(f"/context_checkpoint/generations?prompt_id={prompt_id}")["generations"] == []
    assert len({image["checkpoint"] for image in generations(after)[0]["images"]}) == 3


def wait_for_branch(comfy: ComfyServer, number: int, log_before: int) -> None:
    """Wait until this branch samples: each branch begins its progress bar at nought."""
    deadline = time.monotonic() + 60
    while comfy.log[log_before:].count(BEGINNING) < number and time.monotonic() < deadline:
        time.sleep(0.01)
    assert comfy.log[log_before:].count(BEGINNING) == number, comfy.log[log_before:]
