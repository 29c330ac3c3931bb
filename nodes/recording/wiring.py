"""In a hand-wired graph: which checkpoint made which image, and which plan it belongs to.

ComfyUI runs such a graph once per recommended checkpoint and passes lists to the recorder. This module is the pure part
of reading them, so that each way to wire the graph is a line in a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...learning.message import message
from ...learning.values import Recommendation


class WiringError(ValueError):
    """The lists do not match one another; the message says how to connect them."""


@dataclass(frozen=True, slots=True)
class CheckpointImages:
    """Images that one checkpoint made: how many, and in which of the batches."""

    checkpoint: str
    images: int
    batch: int


def images_by_checkpoint(batch_sizes: Sequence[int], names: Sequence[str]) -> tuple[CheckpointImages, ...]:
    """Assign images to checkpoints, given the sizes of the image batches and the checkpoints' names.

    One name per batch (the usual case), or one name per image (batches that were joined).

    Raises
    ------
    WiringError
        If the names fit neither.
    """
    if len(names) == len(batch_sizes):
        return tuple(
            CheckpointImages(name, size, batch)
            for batch, (name, size) in enumerate(zip(names, batch_sizes, strict=True))
        )
    batch_of_image = [batch for batch, size in enumerate(batch_sizes) for _ in range(size)]
    if len(names) == len(batch_of_image):
        return tuple(CheckpointImages(name, 1, batch) for name, batch in zip(names, batch_of_image, strict=True))
    raise WiringError(
        message(
            "names_do_not_fit",
            "{names} checkpoint names arrived for {images} images in {batches} batches. Connect to "
            "`ckpt_names` the very list that your loader got (or that the Recommended Checkpoint Loader "
            "gives), and all of the images that follow from it, in their order.",
            names=len(names),
            images=len(batch_of_image),
            batches=len(batch_sizes),
        )
    )


def divide_by_plan(plans: Sequence[Recommendation], names: Sequence[str]) -> list[int]:
    """Count how many of the list's entries belong to each plan, given the checkpoint of each entry.

    A single plan has all of them. Of several plans, each has one entry per checkpoint, in its order, and some of these
    may have dropped out.

    Raises
    ------
    WiringError
        If an entry's checkpoint is in none of the remaining plans.
    """
    if len(plans) == 1:
        unknown = [position for position, name in enumerate(names) if name not in plans[0].checkpoints]
        if unknown:
            raise _not_in_plan(names, unknown[0])
        return [len(names)]
    counts, position = [], 0
    for plan in plans:
        start = position
        for branch in plan.all_branches:
            if position < len(names) and names[position] == branch.checkpoint:
                position += 1
        counts.append(position - start)
    if position < len(names):
        raise _not_in_plan(names, position)
    return counts


def _not_in_plan(names: Sequence[str], position: int) -> WiringError:
    return WiringError(
        message(
            "not_in_plan",
            "The images' entry {position} is by {name}, which the plan does not recommend there. "
            "Connect the plan and the `ckpt_name` list of the same recommender, in its order.",
            position=position,
            name=names[position],
        )
    )
