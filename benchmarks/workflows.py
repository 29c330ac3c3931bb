"""The pack's workflow against the same thing wired by hand, in one ComfyUI, in turn.

Seconds by the clock are what a person waits; seconds of computing (Linux only) are what is compared where
other programs keep the machine busy meanwhile.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from context_checkpoint.demo.comfyui.installation import ComfyInstallation
from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, HistoryEntry, duration_s
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .results import Result

PAIRS = 7
SIZE = 256
STEPS = 10
FEW_STEPS = 4  # drawing then takes about as long as loading, as with real checkpoints of several GB
PROMPT = "photorealistic portrait of a fisherman, weathered face, window light"
NAMES = tuple(f"{name}.safetensors" for name in ("amber", "birch", "cedar"))


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock, and seconds of computing (0 where the system does not tell)."""

    clock_s: float
    computing_s: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.clock_s + other.clock_s, self.computing_s + other.computing_s)


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
    return [*one, *three]


def _run(server: ComfyServer, graph: ApiGraph) -> tuple[Cost, HistoryEntry]:
    before = _computed_s(server.pid)
    entry = server.run(graph, timeout_s=300)
    return Cost(duration_s(entry), _computed_s(server.pid) - before), entry


def _computed_s(process_id: int) -> float:
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ours(seed: int, steps: int) -> ApiGraph:
    chosen = {"family": "sd15", "seed": seed}
    return three_nodes(PROMPT, seed=seed, steps=steps, cfg=7.0, size=SIZE, recommender=chosen)


def _hand(checkpoint: str, seed: int, steps: int) -> ApiGraph:
    return by_hand(checkpoint, prompt=PROMPT, seed=seed, steps=steps, cfg=7.0, size=SIZE)


def _three_branches(server: ComfyServer) -> list[Result]:
    """Nothing is learned yet: every prompt explores three. Ours keeps the loaders, the stock ones cannot."""
    ours, by_hands = [], []
    for seed in range(PAIRS + 1):
        costs = [_run(server, _hand(name, seed, FEW_STEPS))[0] for name in NAMES]
        by_hands.append(sum(costs, Cost(0, 0)))
        cost, entry = _run(server, _ours(seed, FEW_STEPS))
        if len({image["checkpoint"] for image in generations(entry)[0]["images"]}) != len(NAMES):
            raise RuntimeError("The prompt did not explore three checkpoints.")
        ours.append(cost)
    how = f"{_workload(FEW_STEPS)}; one prompt with three branches / three prompts, each with one checkpoint"
    return _ratios("three branches / three prompts by hand", ours[1:], by_hands[1:], 0.95, how)


def _teach(server: ComfyServer) -> str:
    """Select the first checkpoint's image until a plan exploits it; returns its name."""
    for seed in range(1000, 1100):
        entry = server.run(_quick(seed))
        (shown,) = generations(entry)
        drawn_by = [image["checkpoint"] for image in shown["images"]]
        if drawn_by == [NAMES[0]]:
            return NAMES[0]
        selected = [position for position, name in enumerate(drawn_by) if name == NAMES[0]]
        rejected = [position for position in range(len(drawn_by)) if position not in selected]
        marks = {"selected_images": selected, "rejected_images": rejected}
        server.post("/context_checkpoint/feedback", {"generation_id": shown["generation_id"], **marks})
    raise RuntimeError("A hundred verdicts for one checkpoint did not make the plan exploit it.")


def _quick(seed: int) -> ApiGraph:
    chosen = {"family": "sd15", "seed": seed}
    return three_nodes(PROMPT, seed=seed, steps=1, size=64, recommender=chosen)


def _exploit(server: ComfyServer, favourite: str) -> list[Result]:
    """Each runs twice and the second time counts, since the other's turn lets a stock loader's output go."""
    ours, by_hands = [], []
    for seed in range(0, 2 * PAIRS, 2):
        _run(server, _hand(favourite, seed, STEPS))
        by_hands.append(_run(server, _hand(favourite, seed + 1, STEPS))[0])
        _run(server, _ours(seed, STEPS))
        cost, entry = _run(server, _ours(seed + 1, STEPS))
        plan = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]
        if plan["strategy"] != "exploit" or list(plan["checkpoints"]) != [favourite]:
            raise RuntimeError(f"The plan does not exploit: {plan}")
        ours.append(cost)
    how = f"{_workload(STEPS)}; the three nodes / loader, prompts, sampler, decoder, preview; both warm"
    return _ratios("exploit workflow / the same by hand", ours, by_hands, 1.05, how)


def _workload(steps: int) -> str:
    return f"SD 1.5, {SIZE}x{SIZE}, {steps} steps, {PAIRS} pairs in turn"


def _ratios(name: str, ours: Sequence[Cost], by_hands: Sequence[Cost], most: float, how: str) -> list[Result]:
    clock = [statistics.median(cost.clock_s for cost in costs) for costs in (ours, by_hands)]
    computing = [statistics.median(cost.computing_s for cost in costs) for costs in (ours, by_hands)]
    results = [Result(name, clock[0] / clock[1], "", most, f"{how}: {clock[0]:.2f} s / {clock[1]:.2f} s")]
    if computing[1]:
        shown = f"the same runs, in seconds of computing: {computing[0]:.2f} s / {computing[1]:.2f} s"
        results.append(Result(f"{name}, computing", computing[0] / computing[1], "", most, shown))
    return results
