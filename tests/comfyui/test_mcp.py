"""The server for AI agents beside a running ComfyUI, on the same database."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer

from .conftest import preferences_file
from .test_recommender import fresh_prompt

mcp = pytest.importorskip("mcp", reason="the extra [mcp] is not installed")

THREE = ["blue.safetensors", "green.safetensors", "red.safetensors"]
ROUNDS = 6


async def test_an_agent_judges_runs_of_comfyui_which_then_recommends_what_was_kept(comfy: ComfyServer) -> None:
    """It has only the id that `POST /prompt` returned; ComfyUI knows at once what it said, and goes on writing."""
    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "context_checkpoint", "mcp", "--database", str(preferences_file(comfy))],
        env={**os.environ, "HOME": str(comfy.base_directory)},
    )
    subject = fresh_prompt("a fox in the snow")
    pool = {"include": "red*, green*, blue*", "stage": "draft"}

    async with mcp.Client(server) as agent:
        for seed in range(ROUNDS):
            graph = three_nodes(subject, seed=seed, images=3, recommender=pool)
            prompt_id = await asyncio.to_thread(comfy.post_prompt, graph)
            entry = await asyncio.to_thread(comfy.wait, prompt_id)
            [generation] = generations(entry)
            drawn = [image["checkpoint"] for image in generation["images"]]
            kept = drawn.index("green.safetensors")
            verdict = {"selected_images": [kept], "rejected_images": [place for place in range(3) if place != kept]}
            told = await agent.call_tool("feedback", {"prompt_id": prompt_id, **verdict})
            assert told.structured_content["generation_id"] == generation["generation_id"], told.content
        asked = {"prompt": subject, "candidates": THREE}
        plan = (await agent.call_tool("recommend", asked)).structured_content
        of_comfyui = await asyncio.to_thread(comfy.post, "/context_checkpoint/recommend", asked)

    assert of_comfyui["checkpoints"][0] == "green.safetensors"
    assert plan == {name: of_comfyui[name] for name in plan}
