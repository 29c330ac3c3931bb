"""The graph of the pack's own nodes in API form: recommend, sample, record.

The demonstration, the tests and the benchmarks queue it. It is an example for batch scripts, too.
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
        Images per prompt, divided by the plan.
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


def generations(history_entry: Mapping[str, Any], recorder: str = "recorder") -> list[dict[str, Any]]:
    """Return the generations that the recorder shows: id, images, explanation, message."""
    records: list[dict[str, Any]] = history_entry["outputs"][recorder]["context_checkpoint"]
    return records
