"""The plan for one image of a generation: its checkpoint alone, as it was drawn."""

from __future__ import annotations

from typing import Any

from context_checkpoint.learning.values import Branch, Recommendation
from context_checkpoint.nodes.generation_reference import GenerationReference
from context_checkpoint.recipes import Recipe
from context_checkpoint.recipes.settings import Settings

GRAIN = ("grain.safetensors", 0.8, 0.8)


def plan(*checkpoints: str, branches: tuple[Branch, ...] = ()) -> Recommendation:
    more: dict[str, Any] = {"scores": {}, "policy": "bayesian", "keywords": (), "explanation": ""}
    return Recommendation("a barn", checkpoints, 0.2, "explore", pinned=("b",), branches=branches, **more)


def test_it_has_the_checkpoint_alone_and_the_loras_that_the_image_was_drawn_with() -> None:
    """Whoever draws adds the settings, as for any plan that says nothing of them."""
    made = (Recipe(model="a", loras=()), Recipe(model="b", loras=(GRAIN,)))
    reference = GenerationReference("0" * 32, ("a", "b"), plan("a", "b"), recipes=made)

    picked = reference.plan_of(1)

    assert picked is not None
    assert (picked.prompt, picked.checkpoints, picked.strategy, picked.picked) == ("a barn", ("b",), "exploit", True)
    assert picked.branches == (Branch("b", loras=(GRAIN,)),)
    assert picked.pinned == ()


def test_of_two_branches_of_one_checkpoint_it_has_the_one_that_drew_the_image() -> None:
    """They differ in a setting, or in a LoRA, to ask which is better."""
    by_setting = tuple(Branch("a", Settings(steps=20, cfg=cfg)) for cfg in (7.0, 4.0))
    by_lora = (Branch("a", Settings(steps=20)), Branch("a", Settings(steps=20), loras=(GRAIN,)))
    drawn = Recipe(model="a", steps=20, cfg=4.0, loras=(GRAIN,))

    for branches, expected in ((by_setting, Settings(steps=20, cfg=4.0)), (by_lora, Settings(steps=20))):
        reference = GenerationReference("", ("a", "a"), plan("a", branches=branches), recipes=(Recipe(), drawn))
        picked = reference.plan_of(1)
        assert picked is not None
        assert picked.branches == (Branch("a", expected, loras=(GRAIN,)),)


def test_without_a_plan_there_is_none_for_an_image() -> None:
    """A recorder to which only images are connected."""
    assert GenerationReference("", ("",), None).plan_of(0) is None
