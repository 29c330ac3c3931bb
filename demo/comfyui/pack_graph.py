"""The graph of the pack's own nodes: recommend, draw, record, in API form.

The demonstration, the tests and the benchmarks queue it; a batch script that wants to know how a prompt must
look finds it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .stock_graph import ApiGraph, NodeInputs, node


def three_nodes(
    prompt: str = "a lighthouse at dusk",
    *,
    negative: str = "",
    seed: int = 1,
    steps: int = 4,
    cfg: float = 2.0,
    size: int = 128,
    images: int = 1,
    selected: str = "",
    rejected: str = "",
    recommender: Mapping[str, Any] | None = None,
    sampler: Mapping[str, Any] | None = None,
) -> ApiGraph:
    """Recommender, multi-checkpoint sampler and recorder, under these names.

    Parameters
    ----------
    images
        Images per prompt, which the plan divides.
    selected, rejected
        The verdict by inputs, such as `"0,2"` or `"all"`.
    recommender, sampler
        Further inputs of these nodes, such as `{"stage": "draft"}` or `{"latent": ["encoded", 0]}`.
    """
    sampling: NodeInputs = {
        "positive": prompt,
        "negative": negative,
        "width": size,
        "height": size,
        "seed": seed,
        "steps": steps,
        "cfg": cfg,
        "sampler_name": "euler",
        "scheduler": "normal",
        "denoise": 1.0,
        "images_per_prompt": images,
        **(sampler or {}),
    }
    return {
        "recommender": node("ContextCheckpointRecommender", prompt=prompt, **(recommender or {})),
        "sampler": node("MultiCheckpointSampler", plan=["recommender", 0], **sampling),
        "recorder": node(
            "FeedbackRecorder",
            images=["sampler", 0],
            generation=["sampler", 3],
            mode="record",
            selected=selected,
            rejected=rejected,
        ),
    }


def rounds(history_entry: Mapping[str, Any], recorder: str = "recorder") -> list[dict[str, Any]]:
    """The rounds that the recorder shows: id of the generation, its images, explanation, message."""
    shown: list[dict[str, Any]] = history_entry["outputs"][recorder]["context_checkpoint"]
    return shown
