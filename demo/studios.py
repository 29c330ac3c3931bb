"""Where the rounds of the demonstration happen: a real ComfyUI, or the learning core alone.

Both draw, take verdicts and tell what was learned, so that the rest of the demonstration does not care.
They differ in one thing that is always said: the core alone draws no pictures.
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
from .comfyui.pack_graph import rounds, three_nodes
from .comfyui.server import ComfyServer
from .person import Verdict, Wish
from .tiny_models.checkpoints import NINE_COLORS, drawn_by
from .tiny_models.networks import Color

SIX = ("red", "yellow", "green", "blue", "violet", "grey")
COLORS: Mapping[str, Color] = {f"{name}.safetensors": NINE_COLORS[name] for name in SIX}
"""Six, so that some ten prompts of a kind are enough to be sure of one."""

PREFIX = "/context_checkpoint"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one prompt led to; `drawn_by` and `pictures` (`[H, W, 3]`) are parallel, confidence is in 0..1."""

    generation_id: str
    drawn_by: tuple[str, ...]
    strategy: str
    confidence: float
    pictures: tuple[NDArray[np.uint8], ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """One keyword and checkpoint: images selected, and images judged."""

    keyword: str
    checkpoint: str
    selected: float
    total: float


class Studio(Protocol):
    """Draws what is wished, takes verdicts, tells what it has learned."""

    draws_pictures: bool

    def draw(self, wish: Wish) -> Drawn: ...

    def judge(self, generation_id: str, verdict: Verdict) -> None: ...

    def learned(self, keyword: str) -> Sequence[Learned]: ...


class ComfyStudio:
    """The three nodes in a real ComfyUI, spoken to as a batch script would: queue, wait, fetch, judge."""

    draws_pictures = True

    def __init__(self, server: ComfyServer) -> None:
        self._server = server
        # The checkpoints are tiny: all of them may stay in memory, and each is loaded once.
        server.post(f"{PREFIX}/settings", {"kept_loaders": len(COLORS)})

    def draw(self, wish: Wish) -> Drawn:
        """Queue the wish and wait for its pictures.

        Raises
        ------
        ValueError
            If a picture's colour is not that of the checkpoint that is said to have drawn it.
        """
        chosen = {"family": "sd3", "seed": wish.seed}
        entry = self._server.run(three_nodes(wish.prompt, seed=wish.seed, recommender=chosen))
        (shown,) = rounds(entry)
        plan = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]
        pictures = tuple(self._server.pixels(image) for image in shown["images"])
        names = tuple(str(image["checkpoint"]) for image in shown["images"])
        for name, picture in zip(names, pictures, strict=True):
            red, green, blue = picture.reshape(-1, 3).mean(axis=0) / 255
            if drawn_by((red, green, blue), COLORS) != name:
                raise ValueError(f"{name} is said to have drawn a picture that has not its colour.")
        return Drawn(shown["generation_id"], names, plan["strategy"], float(plan["confidence"]), pictures)

    def judge(self, generation_id: str, verdict: Verdict) -> None:
        body: dict[str, Any] = {
            "generation_id": generation_id,
            "selected_images": verdict.selected,
            "rejected_images": verdict.rejected,
        }
        self._server.post(f"{PREFIX}/feedback", body)

    def learned(self, keyword: str) -> list[Learned]:
        answer = self._server.get(f"{PREFIX}/statistics?keyword={keyword}")
        return [Learned(row["keyword"], row["checkpoint"], row["selected"], row["total"]) for row in answer["pairs"]]


class CoreStudio:
    """The learning core alone: the same decisions and the same database, but nobody draws."""

    draws_pictures = False

    def __init__(self, folder: Path) -> None:
        self.runtime = Runtime(folder)

    def draw(self, wish: Wish) -> Drawn:
        async def decide(service: Any) -> Drawn:
            made = await service.recommend(wish.prompt, list(COLORS), seed=wish.seed)
            counts = divide_images(made.strategy, made.checkpoints, 1)
            images = dict(zip(made.checkpoints, counts, strict=True))
            generation_id = await service.log_generation(made, images, session_id="demo")
            names = tuple(name for name, count in images.items() for _ in range(count))
            return Drawn(generation_id, names, made.strategy, made.confidence, ())

        return self.runtime.run_blocking(decide)

    def judge(self, generation_id: str, verdict: Verdict) -> None:
        self.runtime.run_blocking(
            lambda service: service.record_feedback(
                generation_id, selected_images=verdict.selected, rejected_images=verdict.rejected
            )
        )

    def learned(self, keyword: str) -> list[Learned]:
        found = self.runtime.run_blocking(lambda service: service.statistics(keyword=keyword))
        return [Learned(row.keyword, row.checkpoint, row.selected, row.total) for row in found.pairs]
