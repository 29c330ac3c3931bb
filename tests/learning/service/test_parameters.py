"""Settings are learned from the log: from verdicts on images that differ in one of them, and from use."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import InvalidRequest
from context_checkpoint.learning.parameters import ParameterRecommendation
from context_checkpoint.learning.recommendation.parameter_choice import most_open
from context_checkpoint.recipes import Recipe

SLOW, FAST = Recipe(steps=30, cfg=7.0, width=512, height=768), Recipe(steps=12, cfg=7.0, width=512, height=768)


async def log(
    service: PreferenceService, prompt: str, *recipes: Recipe, checkpoint: str = "a", keep: int | None = 0
) -> str:
    """A generation of one checkpoint whose image `keep` was kept; None: nothing was judged."""
    recommendation = await service.recommend(prompt, [checkpoint], seed=1)
    generation = await service.log_generation(recommendation, {checkpoint: len(recipes)}, recipes=recipes)
    if keep is not None:
        others = [place for place in range(len(recipes)) if place != keep]
        await service.record_feedback(generation, selected_images=[keep], rejected_images=others)
    return generation


async def test_the_default_comes_back_where_nothing_is_known(service: PreferenceService) -> None:
    """As it was given, without confidence, and the reason says so."""
    for name, default in (("steps", 30), ("cfg", 7), ("size", (512, 768)), ("size", "512x768"), ("sampler", "euler")):
        answer = await service.recommend_parameter("a cat", name, default=default)
        assert (answer.value, answer.confidence, answer.source) == (default, 0.0, "default")
        assert answer.reason.startswith(f"Nothing is known of {name} yet")
        assert len(answer.values) == 1


async def test_verdicts_teach_the_value_for_each_kind_of_prompt(service: PreferenceService) -> None:
    """A person who wants thirty steps for portraits and twelve for sketches, with one checkpoint."""
    for _ in range(12):
        await log(service, "portrait of a woman", SLOW, FAST, keep=0)
        await log(service, "pencil sketch", SLOW, FAST, keep=1)

    portrait = await service.recommend_parameter("portrait of a man", "steps", 20, "a")
    sketch = await service.recommend_parameter("sketch of a dog", "steps", 20, "a")

    assert (portrait.value, sketch.value) == (30, 12)
    assert portrait.source == sketch.source == "verdicts"
    assert min(portrait.confidence, sketch.confidence) > 0.4
    assert portrait.reason == (
        "steps 30: for prompts with portrait you kept 12 of 12 images with it, compared with other values."
    )
    assert {(known.value, known.selected, known.total) for known in portrait.values} == {
        (30, 12, 24),
        (12, 12, 24),
        (20, 0, 0),
    }


async def test_images_of_several_checkpoints_teach_nothing_of_their_settings(service: PreferenceService) -> None:
    """The choice may have been one between checkpoints; what was kept is what was used."""
    recommendation = await service.recommend("a cat", ["a", "b"], seed=1)
    generation = await service.log_generation(recommendation, {"a": 1, "b": 1}, recipes=[SLOW, FAST])
    await service.record_feedback(generation, {"a": 1}, {"b": 1})

    answer = await service.recommend_parameter("a cat", "steps", 20, "a")

    assert (answer.value, answer.source) == (30, "checkpoint")
    assert {known.total for known in answer.values} == {0}
    assert answer.reason == "steps 30: 1 of your 1 images with a have it."


async def test_what_was_used_with_other_checkpoints_is_said_to_be_that(service: PreferenceService) -> None:
    """With less confidence than their own."""
    await log(service, "a cat", SLOW)

    own, other, size = [
        await service.recommend_parameter("a cat", name, default, checkpoint)
        for name, default, checkpoint in (("steps", 20, "a"), ("steps", 20, "b"), ("size", [512, 512], "a"))
    ]

    assert (own.value, own.source) == (30, "checkpoint")
    assert (other.value, other.source) == (30, "person")
    assert 0.0 < other.confidence < own.confidence
    assert size.value == (512, 768)


async def test_the_family_that_the_caller_knows_counts(service: PreferenceService) -> None:
    """Names are spelled as the caller does."""
    await log(service, "a cat", SLOW, checkpoint="old/b")
    await log(service, "a cat", SLOW, checkpoint="old/b")
    await log(service, "a cat", FAST, checkpoint="c")

    families = {"old\\b": "sd15", "c": "sdxl", "a": "sdxl"}
    assert (await service.recommend_parameter("a cat", "steps", 20, "a")).value == 30
    assert (await service.recommend_parameter("a cat", "steps", 20, "a", families=families)).value == 12


async def test_a_changed_mind_and_a_forgotten_generation_are_gone(service: PreferenceService) -> None:
    """The answer is computed from the log."""
    generations = [await log(service, "a cat", SLOW, FAST) for _ in range(5)]
    before = await service.recommend_parameter("a cat", "steps", 20, "a")
    for generation in generations:
        await service.record_feedback(generation, selected_images=[1], rejected_images=[0])
    turned = await service.recommend_parameter("a cat", "steps", 20, "a")
    for generation in generations:
        await service.forget_generation(generation)

    assert (before.value, turned.value) == (30, 12)
    assert turned.confidence == pytest.approx(before.confidence)
    assert (await service.recommend_parameter("a cat", "steps", 20, "a")).source == "default"


async def test_nothing_is_read_again_until_something_is_learned(sqlite_service: PreferenceService) -> None:
    """Neither for the same question nor for another parameter of the same prompt."""
    read: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        read.append(statement)

    async def ask(name: str) -> ParameterRecommendation:
        read.clear()
        return await sqlite_service.recommend_parameter("a cat", name, 5, "a")

    engines = sqlite_service._database._engines
    for engine in {engines.reading, engines.at_once}:
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    await log(sqlite_service, "a cat", SLOW, FAST)
    first = await ask("steps")
    assert any("image_settings" in statement for statement in read)
    assert (await ask("steps"), read) == (first, [])
    assert ((await ask("cfg")).value, read) == (7.0, [])

    await log(sqlite_service, "a cat", SLOW, FAST)

    assert (await ask("steps")).confidence > first.confidence
    assert any("image_settings" in statement for statement in read)


async def test_a_bad_question_says_what_to_ask(service: PreferenceService) -> None:
    """An unknown parameter, and a default of the wrong kind."""
    with pytest.raises(InvalidRequest, match="no parameter 'seed'"):
        await service.recommend_parameter("a cat", "seed", 1)
    with pytest.raises(InvalidRequest, match="steps cannot be 'many'"):
        await service.recommend_parameter("a cat", "steps", "many")


async def test_there_are_a_dozen_values_at_most_and_the_default_is_one(service: PreferenceService) -> None:
    """The others are those used most."""
    for steps in range(20, 40):
        for _ in range(1 + (steps % 2)):
            await log(service, "a cat", Recipe(steps=steps))

    answer = await service.recommend_parameter("a cat", "steps", 7, "a")

    assert len(answer.values) == 12
    assert {known.value for known in answer.values} > {7, 21, 39}


async def test_the_parameter_that_is_known_least_is_the_one_to_ask_about(service: PreferenceService) -> None:
    """One that has no other value is not, and one that is settled neither."""
    for _ in range(4):
        await log(service, "a cat", SLOW, FAST)
    await log(service, "a cat", Recipe(cfg=5.0))

    defaults = {"steps": 30, "cfg": 7.0, "sampler": "euler", "size": (512, 768)}
    answers = await service.recommend_parameters("a cat", defaults, "a")
    asked = most_open(answers.values(), settled=1.0)

    assert answers["size"].worth_trying is answers["sampler"].worth_trying is None
    assert asked is not None
    assert asked.confidence == min(answers["steps"].confidence, answers["cfg"].confidence)
    assert asked.worth_trying in ({"steps": 12, "cfg": 5.0}[asked.name], 7.0)
    assert most_open(answers.values(), settled=0.1) is None
