"""Which place an image has in its generation: certain, or not said."""

from __future__ import annotations

import pytest

from context_checkpoint.nodes.generation_reference import GenerationReference
from context_checkpoint.nodes.saving.places import places

Node = dict[str, object]


def node(kind: str, **inputs: object) -> Node:
    return {"class_type": kind, "inputs": inputs}


def graph(images: list[object], **more: Node) -> dict[str, Node]:
    """A sampler, a recorder, and a saver of these images."""
    return {
        "sampler": node("MultiCheckpointSampler", plan=["recommender", 0]),
        "recorder": node("FeedbackRecorder", images=["sampler", 0], generation=["sampler", 3]),
        "saver": node("SavePickedImages", images=images, generation=["recorder", 2]),
        **more,
    }


def reference(
    *checkpoints: str, selected: tuple[int, ...] | None = None, rejected: tuple[int, ...] | None = None
) -> GenerationReference:
    return GenerationReference("0" * 32, checkpoints, None, selected=selected, rejected=rejected)


def positions(references: list[GenerationReference], images: int, prompt: dict[str, Node]) -> list[int] | None:
    found = places(references, images, prompt, "saver")
    return None if found is None else [place.position for place in found]


@pytest.mark.parametrize(
    ("images", "expected"),
    [(["recorder", 0], [1, 3]), (["recorder", 1], [0])],
    ids=["selected", "rejected"],
)
def test_after_a_recorder_the_output_says_which_images_arrive(images: list[object], expected: list[int]) -> None:
    """The recorder's reference has the positions of those that it passed on at each output."""
    picked = reference("a", "a", "b", "c", selected=(1, 3), rejected=(0,))

    assert positions([picked], len(expected), graph(images)) == expected


@pytest.mark.parametrize(
    ("plan", "expected"), [(["recorder", 5], [1]), (["settings", 0], [1]), (["recommender", 0], None)]
)
def test_a_sampler_that_finishes_picked_images_is_in_between(plan: list[object], expected: list[int] | None) -> None:
    """Its plan is the recorder's; one with the recommender's plan makes images of its own."""
    picked = reference("a", "b", selected=(1,), rejected=())
    more = {
        "settings": node("ContextSettingsRecommender", plan=["recorder", 5]),
        "again": node("MultiCheckpointSampler", plan=plan, image=["recorder", 0]),
    }

    assert positions([picked], 1, graph(["again", 0], **more)) == expected


def test_what_changes_the_images_in_between_does_not_matter() -> None:
    """An upscaler, or a second pass through a sampler of the person's own."""
    picked = reference("a", "b", selected=(1,), rejected=())
    second_pass = {
        "encoded": node("VAEEncode", pixels=["recorder", 0], vae=["loader", 2]),
        "again": node(
            "KSampler",
            latent_image=["encoded", 0],
            model=["loader", 0],
            positive=["text", 0],
            negative=["text", 0],
            steps=4,
        ),
        "decoded": node("VAEDecode", samples=["again", 0], vae=["loader", 2]),
        "larger": node("ImageUpscaleWithModel", upscale_model=["model", 0], image=["decoded", 0]),
    }

    assert positions([picked], 1, graph(["larger", 0], **second_pass)) == [1]


def test_straight_from_the_sampler_all_images_arrive_in_their_order() -> None:
    """Also where a recorder hangs on the same sampler."""
    assert positions([reference("a", "b", "b")], 3, graph(["sampler", 0])) == [0, 1, 2]


def test_several_generations_follow_one_another() -> None:
    """Each with its own positions."""
    references = [reference("a", "b", selected=(1,), rejected=()), reference("a", "c", selected=(0, 1), rejected=())]

    assert positions(references, 3, graph(["recorder", 0])) == [1, 0, 1]


@pytest.mark.parametrize(
    ("references", "images", "prompt"),
    [
        ([reference("a", "b")], 3, graph(["sampler", 0])),
        ([reference("a", "b", selected=(0, 1), rejected=())], 1, graph(["recorder", 0])),
        ([reference("a", "b")], 2, graph(["recorder", 0])),
        (
            [reference("a", "b", selected=(0,), rejected=(1,))],
            2,
            graph(
                ["both", 0],
                both=node("ImageBatch", image1=["recorder", 0], image2=["recorder", 1]),
            ),
        ),
    ],
    ids=["more than there are", "fewer than picked", "picks not known", "selected and rejected mixed"],
)
def test_what_is_not_certain_is_not_said(
    references: list[GenerationReference], images: int, prompt: dict[str, Node]
) -> None:
    """Better none than a wrong place."""
    assert positions(references, images, prompt) is None
