"""What made each image that is saved, from all that reaches the node: pure, and never a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

from ...recipes import Recipe, read_images
from ..generation_reference import GenerationReference
from .places import Place
from .texts import generations_text, own_text


@dataclass(frozen=True, slots=True)
class Origins:
    """What is known of the images.

    Parameters
    ----------
    references
        The generations that they are of.
    places, names
        Parallel to the images, or empty where not known: their places in these generations, and the names of their
        checkpoints as they were connected.
    graph
        What the queued prompt says of them all.
    """

    references: Sequence[GenerationReference] = ()
    places: Sequence[Place] = ()
    names: Sequence[str] = ()
    graph: Recipe = Recipe()  # noqa: RUF009 - immutable

    def recipe(self, index: int) -> Recipe:
        """What made an image: as the sampler said, else as the graph says, with the checkpoint that is known."""
        place = self.places[index] if self.places else None
        if place is not None and place.recipe is not None:
            return place.recipe
        said = [recipe for reference in self.references for recipe in reference.recipes]
        recipe = _agreed(said) if said else self.graph
        name = place.checkpoint if place else self.names[index] if self.names else ""
        return replace(recipe, model=name) if name else recipe

    def own_text(self, index: int, fingerprints: Mapping[str, str]) -> str:
        """The pack's own text for an image; empty where no generation is known."""
        if not self.places:
            return generations_text(self.references)
        place = self.places[index]
        return own_text(place, fingerprints.get(place.checkpoint, ""))


def graph_recipe(prompt: Mapping[str, object], node: str) -> Recipe:
    """What the queued prompt says of the images that arrive at a node."""
    reading = read_images(prompt).get(node)
    return reading.recipe if reading else Recipe()


def _agreed(recipes: Sequence[Recipe]) -> Recipe:
    """What all of them say."""
    agreed = recipes[0]
    for entry in fields(Recipe):
        if any(getattr(other, entry.name) != getattr(agreed, entry.name) for other in recipes):
            agreed = replace(agreed, **{entry.name: None})
    return agreed
