"""The pack's workflow against the same thing wired by hand, in one ComfyUI, in turn."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from context_checkpoint.demo import tiny_checkpoints
from context_checkpoint.demo.comfy_installation import ComfyInstallation
from context_checkpoint.demo.comfy_server import ComfyServer, duration_s
from context_checkpoint.demo.pack_graph import rounds, three_nodes
from context_checkpoint.demo.stock_graph import ApiGraph, by_hand

from .results import Result

PAIRS = 7
SIZE = 256
STEPS = 10
FEW_STEPS = 4  # drawing then takes about as long as loading, as with real checkpoints of several GB
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


def _ours(seed: int, steps: int) -> ApiGraph:
    chosen = {"family": "sd15", "seed": seed}
    return three_nodes(PROMPT, seed=seed, steps=steps, cfg=7.0, size=SIZE, recommender=chosen)


def _hand(checkpoint: str, seed: int, steps: int) -> ApiGraph:
    return by_hand(checkpoint, prompt=PROMPT, seed=seed, steps=steps, cfg=7.0, size=SIZE)


def _three_branches(server: ComfyServer) -> Result:
    """Nothing is learned yet: every prompt explores three. Ours keeps the loaders, the stock ones cannot."""
    ours, by_hands = [], []
    for seed in range(PAIRS + 1):
        prompts = [_hand(name, seed, FEW_STEPS) for name in NAMES]
        by_hands.append(sum(duration_s(server.run(prompt, timeout_s=300)) for prompt in prompts))
        entry = server.run(_ours(seed, FEW_STEPS), timeout_s=300)
        if len({image["checkpoint"] for image in rounds(entry)[0]["images"]}) != len(NAMES):
            raise RuntimeError("The prompt did not explore three checkpoints.")
        ours.append(duration_s(entry))
    how = f"{_workload(FEW_STEPS)}; one prompt with three branches / three prompts, each with one checkpoint"
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


def _quick(seed: int) -> ApiGraph:
    chosen = {"family": "sd15", "seed": seed}
    return three_nodes(PROMPT, seed=seed, steps=1, size=64, recommender=chosen)


def _exploit(server: ComfyServer, favourite: str) -> Result:
    """Each runs twice and the second time counts, since the other's turn lets a stock loader's output go."""
    ours, by_hands = [], []
    for seed in range(0, 2 * PAIRS, 2):
        server.run(_hand(favourite, seed, STEPS), timeout_s=300)
        by_hands.append(duration_s(server.run(_hand(favourite, seed + 1, STEPS), timeout_s=300)))
        server.run(_ours(seed, STEPS), timeout_s=300)
        entry = server.run(_ours(seed + 1, STEPS), timeout_s=300)
        plan = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]
        if plan["strategy"] != "exploit" or list(plan["checkpoints"]) != [favourite]:
            raise RuntimeError(f"The plan does not exploit: {plan}")
        ours.append(duration_s(entry))
    how = f"{_workload(STEPS)}; the three nodes / loader, prompts, sampler, decoder, preview; both warm"
    return _ratio("exploit workflow / the same by hand", ours, by_hands, 1.05, how)


def _workload(steps: int) -> str:
    return f"SD 1.5, {SIZE}x{SIZE}, {steps} steps, {PAIRS} pairs in turn"


def _ratio(name: str, ours: list[float], by_hands: list[float], most: float, how: str) -> Result:
    first, second = statistics.median(ours), statistics.median(by_hands)
    return Result(name, first / second, "", most, f"{how}: {first:.2f} s / {second:.2f} s")
