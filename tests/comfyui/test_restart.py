"""What was taught is still known after ComfyUI has ended, in order or as by a power cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from context_checkpoint.demo.comfy_server import ComfyServer
from context_checkpoint.demo.pack_graph import rounds, three_nodes

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft"}


@pytest.mark.parametrize("end", [ComfyServer.stop, ComfyServer.kill], ids=["stopped", "killed"])
def test_a_verdict_is_remembered_after_a_restart(
    comfy_factory: Callable[..., ComfyServer], end: Callable[[ComfyServer], None]
) -> None:
    """The generation, its verdict and what it taught."""
    server = comfy_factory()
    [shown] = rounds(
        server.run(three_nodes("a red barn", selected="1", rejected="0,2", recommender=RED_GREEN_BLUE))
    )

    end(server)
    server.start()

    [stored] = server.get("/context_checkpoint/generations")["generations"]
    assert stored["id"] == shown["generation_id"]
    assert [image["verdict"] for image in stored["images"]] == ["rejected", "selected", "rejected"]
    next_one = server.run(
        three_nodes("a red barn", seed=2, recommender={**RED_GREEN_BLUE, "explore": False, "stage": "final"})
    )
    server.stop()
    assert rounds(next_one)[0]["images"][0]["checkpoint"] == shown["images"][1]["checkpoint"]
