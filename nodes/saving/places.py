"""Which place each image that arrives at a saver has in its generation.

Pure, and separate from the node, because it is the one decision there that must not be guessed: an image whose place is
not certain gets none. After a recorder only some images arrive, so the graph is asked from which of its outputs they
come, and the recorder's reference has the positions of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...recipes import Recipe, image_sources
from ..generation_reference import GenerationReference

RECORDER, SAMPLER = "FeedbackRecorder", "MultiCheckpointSampler"
SELECTED, REJECTED = 0, 1
"""The recorder's outputs of images."""


@dataclass(frozen=True, slots=True)
class Place:
    """An image's generation, and its position there, counted from 0."""

    reference: GenerationReference
    position: int

    @property
    def checkpoint(self) -> str:
        return self.reference.checkpoints[self.position]

    @property
    def recipe(self) -> Recipe | None:
        """What made it, where the sampler has said it."""
        recipes = self.reference.recipes
        return recipes[self.position] if self.position < len(recipes) else None


def places(
    references: Sequence[GenerationReference], images: int, prompt: Mapping[str, object], saver: str
) -> list[Place] | None:
    """The places of the images that arrive at the node `saver` of a prompt; None where they are not certain."""
    outputs = {slot for kind, slot in image_sources(prompt, saver, (RECORDER, SAMPLER)) if kind == RECORDER}
    found: list[Place] = []
    for reference in references:
        positions = _positions(reference, outputs)
        if positions is None:
            return None
        found += [Place(reference, position) for position in positions]
    return found if len(found) == images else None


def _positions(reference: GenerationReference, outputs: set[int]) -> Sequence[int] | None:
    if not outputs:
        return range(len(reference.checkpoints))
    if outputs == {SELECTED}:
        return reference.selected
    return reference.rejected if outputs == {REJECTED} else None
