"""What runs the demonstration's prompts: a real ComfyUI, or the learning core alone.

Both recommend, take verdicts and return what was learned, so that the rest of the demonstration is the same for both.
The core alone makes no images, and the demonstration always says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..learning.recommendation.strategy import divide_images
from ..runtime.runtime import Runtime
from .comfyui.pack_graph import generations, three_nodes
from .comfyui.server import ComfyServer
from .person import DemoPrompt, Verdict
from .tiny_models.checkpoints import NINE_COLORS, made_by
from .tiny_models.networks import Color

SIX = ("red", "yellow", "green", "blue", "violet", "grey")
COLORS: Mapping[str, Color] = {f"{name}.safetensors": NINE_COLORS[name] for name in SIX}
"""Six, so that about ten prompts of a kind are enough to be sure."""

PREFIX = "/context_checkpoint"


@dataclass(frozen=True, slots=True)
class Generated:
    """The images of one prompt: `made_by` and `images` (`[H, W, 3]`) are parallel; confidence is in 0..1."""

    generation_id: str
    made_by: tuple[str, ...]
    strategy: str
    confidence: float
    images: tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True, slots=True)
class PairCount:
    """One keyword and checkpoint: the number of selected and of judged images."""

    keyword: str
    checkpoint: str
    selected: float
    total: float


class Backend(Protocol):
    """Generates a prompt's images, takes verdicts, and returns what was learned."""

    has_images: bool

    def generate(self, prompt: DemoPrompt) -> Generated: ...

    def judge(self, generation_id: str, verdict: Verdict) -> None: ...

    def statistics(self, keyword: str) -> Sequence[PairCount]: ...


class ComfyBackend:
    """The three nodes in a real ComfyUI, used as by a batch script: queue, wait, fetch, judge."""

    has_images = True

    def __init__(self, server: ComfyServer) -> None:
        self._server = server
        # The checkpoints are tiny: all of them may stay in memory, and each is loaded once.
        server.post(f"{PREFIX}/settings", {"kept_loaders": len(COLORS)})

    def generate(self, prompt: DemoPrompt) -> Generated:
        """Queue the prompt and wait for its images.

        Raises
        ------
        ValueError
            If an image's colour is not that of the checkpoint that should have made it.
        """
        recommender = {"family": "sd3", "seed": prompt.seed}
        entry = self._server.run(three_nodes(prompt.text, seed=prompt.seed, recommender=recommender))
        (record,) = generations(entry)
        plan = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]
        images = tuple(self._server.pixels(image) for image in record["images"])
        names = tuple(str(image["checkpoint"]) for image in record["images"])
        for name, pixels in zip(names, images, strict=True):
            red, green, blue = pixels.reshape(-1, 3).mean(axis=0) / 255
            if made_by((red, green, blue), COLORS) != name:
                raise ValueError(f"{name} should have made an image of another colour.")
        return Generated(record["generation_id"], names, plan["strategy"], float(plan["confidence"]), images)

    def judge(self, generation_id: str, verdict: Verdict) -> None:
        body: dict[str, Any] = {
            "generation_id": generation_id,
            "selected_images": verdict.selected,
            "rejected_images": verdict.rejected,
        }
        self._server.post(f"{PREFIX}/feedback", body)

    def statistics(self, keyword: str) -> list[PairCount]:
        answer = self._server.get(f"{PREFIX}/statistics?keyword={keyword}")
        return [PairCount(row["keyword"], row["checkpoint"], row["selected"], row["total"]) for row in answer["pairs"]]


class CoreBackend:
    """The learning core alone: the same decisions and the same database, but no images."""

    has_images = False

    def __init__(self, folder: Path) -> None:
        self.runtime = Runtime(folder)

    def generate(self, prompt: DemoPrompt) -> Generated:
        async def recommend(service: Any) -> Generated:
            recommendation = await service.recommend(prompt.text, list(COLORS), seed=prompt.seed)
            counts = divide_images(recommendation.strategy, recommendation.checkpoints, 1)
            images = dict(zip(recommendation.checkpoints, counts, strict=True))
            generation_id = await service.log_generation(recommendation, images, session_id="demo")
            names = tuple(name for name, count in images.items() for _ in range(count))
            return Generated(generation_id, names, recommendation.strategy, recommendation.confidence, ())

        return self.runtime.run_blocking(recommend)

    def judge(self, generation_id: str, verdict: Verdict) -> None:
        self.runtime.run_blocking(
            lambda service: service.record_feedback(
                generation_id, selected_images=verdict.selected, rejected_images=verdict.rejected
            )
        )

    def statistics(self, keyword: str) -> list[PairCount]:
        statistics = self.runtime.run_blocking(lambda service: service.statistics(keyword=keyword))
        return [PairCount(row.keyword, row.checkpoint, row.selected, row.total) for row in statistics.pairs]
