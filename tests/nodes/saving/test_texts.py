"""The pack's own text in a file, and what made an image as far as it is known."""

from __future__ import annotations

import json

from context_checkpoint.nodes.generation_reference import GenerationReference
from context_checkpoint.nodes.saving.origins import Origins
from context_checkpoint.nodes.saving.places import Place
from context_checkpoint.recipes import Recipe

GENERATION = "0123456789abcdef" * 2
NAMES = ("sdxl\\写真.safetensors", "b.safetensors")
REFERENCE = GenerationReference(
    GENERATION,
    NAMES,
    None,
    recipes=tuple(Recipe(model=name, steps=4, seed=7) for name in NAMES),
)
FINGERPRINTS = {NAMES[0]: "f" * 32}


def test_an_image_with_a_place_names_it() -> None:
    """The form that is read again: names with `/` on every system, the fingerprint where it is known."""
    origins = Origins([REFERENCE], [Place(REFERENCE, 0), Place(REFERENCE, 1)])

    first, second = (json.loads(origins.own_text(index, FINGERPRINTS)) for index in (0, 1))

    assert first == {
        "version": 1,
        "generation": GENERATION,
        "position": 0,
        "checkpoint": "sdxl/写真.safetensors",
        "fingerprint": "f" * 32,
    }
    assert (second["position"], second["checkpoint"], second["fingerprint"]) == (1, "b.safetensors", "")


def test_an_image_without_a_place_names_the_generation() -> None:
    """With the checkpoint of each of its images."""
    assert json.loads(Origins([REFERENCE]).own_text(0, FINGERPRINTS)) == {
        "version": 1,
        "generations": [{"generation": GENERATION, "checkpoints": ["sdxl/写真.safetensors", "b.safetensors"]}],
    }


def test_a_generation_that_was_not_logged_is_not_named() -> None:
    """There is nothing to find under its id."""
    unlogged = GenerationReference("", NAMES, None)

    assert Origins([unlogged], [Place(unlogged, 0)]).own_text(0, FINGERPRINTS) == ""
    assert Origins([unlogged]).own_text(0, FINGERPRINTS) == ""


def test_the_sampler_knows_best_what_made_an_image() -> None:
    """More than the graph, which may hold a second pass."""
    origins = Origins([REFERENCE], [Place(REFERENCE, 1)], graph=Recipe(model="refiner", steps=99))

    assert origins.recipe(0) == Recipe(model="b.safetensors", steps=4, seed=7)


def test_without_a_place_only_what_all_images_share_is_known() -> None:
    """The checkpoint is not, unless its name is connected."""
    assert Origins([REFERENCE]).recipe(0) == Recipe(steps=4, seed=7)
    assert Origins([REFERENCE], names=["b.safetensors"]).recipe(0) == Recipe(model="b.safetensors", steps=4, seed=7)


def test_in_a_graph_of_ones_own_the_checkpoint_is_the_generations() -> None:
    """All else is read from the graph."""
    logged = GenerationReference(GENERATION, NAMES, None)

    assert Origins([logged], [Place(logged, 1)], graph=Recipe(steps=20)).recipe(0) == Recipe(
        model="b.safetensors", steps=20
    )
