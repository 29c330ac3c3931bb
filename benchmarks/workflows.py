"""The pack's workflow against the same thing wired by hand, in one ComfyUI, in turn."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from context_checkpoint.demo import tiny_checkpoints
from context_checkpoint.demo.comfy_installation import ComfyInstallation
from context_checkpoint.demo.comfy_server import ComfyServer, duration_s
from context_checkpoint.demo.pack_graph import rounds, three_nodes
from context_checkpoint.demo.stock_graph import by_hand

from .results import Result

PAIRS = 7
SIZE, STEPS = 256, 10
PROMPT = "photorealistic portrait of a fisherman, weathered face, window light"
NAMES = tuple(f"{name}.safetensors" for name in ("amber", "birch", "cedar"))


def measure(installation: ComfyInstallation) -> list[Result]:
    """Both comparisons, on SD 1.5 checkpoints with a text encoder of full size."""
    with tempfile.TemporaryDirectory() as folder:
        server = ComfyServer(Path(folder), installation=installation)
        for seed, name in enumerate(NAMES):
            tiny_checkpoints.write(server.checkpoints / name, "sd15", seed=seed)
        with server:
            three = _three_branches(server)
            favourite = _teach(server)
            one = _exploit(server, favourite)
    return [one, three]


def _ours(seed: int, **recommender: Any) -> dict[str, dict[str, Any]]:
    chosen = {"family": "sd15", "seed": seed, **recommender}
    return three_nodes(PROMPT, seed=seed, steps=STEPS, cfg=7.0, size=SIZE, recommender=chosen)


def _hand(checkpoint: str, seed: int) -> dict[str, dict[str, Any]]:
    return by_hand(checkpoint, prompt=PROMPT, seed=seed, steps=STEPS, cfg=7.0, size=SIZE)


def _three_branches(server: ComfyServer) -> Result:
    """Nothing is learned yet, so every prompt explores three."""
    ours, by_hands = [], []
    for seed in range(PAIRS + 1):
        by_hands.append(sum(duration_s(server.run(_hand(name, seed), timeout_s=300)) for name in NAMES))
        entry = server.run(_ours(seed), timeout_s=300)
        if len({image["checkpoint"] for image in rounds(entry)[0]["images"]}) != len(NAMES):
            raise RuntimeError("The prompt did not explore three checkpoints.")
        ours.append(duration_s(entry))
    how = f"{_workload()}; one prompt with three branches / three prompts, each with one checkpoint"
    return _ratio("three branches / three prompts by hand", ours[1:], by_hands[1:], 0.95, how)


def _teach(server: ComfyServer) -> str:
    """Select the first checkpoint's image until a plan exploits it; returns its name."""
    for seed in range(1000, 1100):
        entry = server.run(_quick(seed))
        (shown,) = rounds(entry)
        drawn_by = [image["checkpoint"] for image in shown["images"]]
        if drawn_by == [NAMES[0]]:
            return NAMES[0]
        selected = [position for position, name in enumerate(drawn_by) if name == NAMES[0]]
        rejected = [position for position in range(len(drawn_by)) if position not in selected]
        body = {
            "generation_id": shown["generation_id"],
            "selected_images": selected,
            "rejected_images": rejected,
        }
        server.post("/context_checkpoint/feedback", body)
    raise RuntimeError("A hundred verdicts for one checkpoint did not make the plan exploit it.")


def _quick(seed: int) -> dict[str, dict[str, Any]]:
    chosen = {"family": "sd15", "seed": seed}
    return three_nodes(PROMPT, seed=seed, steps=1, size=64, recommender=chosen)


def _exploit(server: ComfyServer, favourite: str) -> Result:
    """Both keep their loader warm; every pair has its own seed, so that each samples and decodes anew."""
    ours, by_hands = [], []
    for seed in range(PAIRS + 1):
        by_hands.append(duration_s(server.run(_hand(favourite, seed), timeout_s=300)))
        entry = server.run(_ours(seed), timeout_s=300)
        plan = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]
        if plan["strategy"] != "exploit" or list(plan["checkpoints"]) != [favourite]:
            raise RuntimeError(f"The plan does not exploit: {plan}")
        ours.append(duration_s(entry))
    how = f"{_workload()}; the three nodes / loader, prompts, sampler, decoder, preview; both warm"
    return _ratio("exploit workflow / the same by hand", ours[1:], by_hands[1:], 1.05, how)


def _workload() -> str:
    return f"SD 1.5, {SIZE}x{SIZE}, {STEPS} steps, {PAIRS} pairs in turn"


def _ratio(name: str, ours: list[float], by_hands: list[float], most: float, how: str) -> Result:
    first, second = statistics.median(ours), statistics.median(by_hands)
    return Result(name, first / second, "", most, f"{how}: {first:.2f} s / {second:.2f} s")
