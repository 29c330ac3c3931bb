"""LoRAs are learned from the log: from verdicts on images that differ in them, from use, and from words of files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import InvalidRequest
from context_checkpoint.learning.loras import LoraCandidate, LoraRecommendation
from context_checkpoint.learning.values import ImageFile
from context_checkpoint.recipes import Recipe

ANIMALS = ("cat", "dog", "fox", "cow")
NAMES = ["ink.safetensors", "photo.safetensors"]
BORN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def drawn(*loras: str, strength: float = 0.8) -> Recipe:
    return Recipe(steps=20, loras=tuple((name, strength, strength) for name in loras))


async def log(
    service: PreferenceService, prompt: str, images: Sequence[tuple[str, Recipe]], keep: Sequence[int] = (0,)
) -> str:
    """A generation of images by checkpoints; those not kept are rejected."""
    recommendation = await service.recommend(prompt, sorted({name for name, _ in images}), seed=1)
    files = [ImageFile(name) for name, _ in images]
    generation = await service.log_generation(recommendation, files, recipes=[recipe for _, recipe in images])
    others = [place for place in range(len(images)) if place not in keep]
    await service.record_feedback(generation, selected_images=list(keep), rejected_images=others)
    return generation


async def compare(service: PreferenceService, prompt: str, *, keep: Sequence[int], rounds: int = 8) -> list[str]:
    """The same image with `ink` and without."""
    images = [("a", drawn("ink.safetensors")), ("a", drawn())]
    return [await log(service, f"{prompt} of a {ANIMALS[place % 4]}", images, keep) for place in range(rounds)]


async def ask(service: PreferenceService, prompt: str = "ink sketch of a hen") -> LoraRecommendation:
    return await service.recommend_loras(prompt, "a", NAMES)


async def test_nothing_is_recommended_where_nothing_is_known(service: PreferenceService) -> None:
    """And the reason says so."""
    loras, confidence = answer = await service.recommend_loras("a red barn", "a", NAMES)

    assert (loras, confidence) == ((), 0.0)
    assert answer.reasons[0].startswith("Nothing is known of these LoRAs yet")
    assert (answer.ranking, answer.worth_trying) == ((), None)
    assert (await service.recommend_loras("a red barn", None, [])).loras == ()


async def test_a_trigger_word_is_enough_before_the_first_image(service: PreferenceService) -> None:
    """With little confidence, at the strength that its author recommends, and spelled as it was given."""
    files = ["photo.safetensors", LoraCandidate("style\\x.safetensors", ("inkskt",), strength=0.7)]
    answer = await service.recommend_loras("inkskt, a fox", "a", files)

    assert answer.loras == (("style\\x.safetensors", 0.7),)
    assert 0.0 < answer.confidence < 0.2
    assert answer.reasons == ("style\\x.safetensors: its trigger word inkskt is in the prompt.",)
    assert answer.worth_trying == "style\\x.safetensors"


async def test_the_words_of_a_name_are_not_enough_but_worth_trying(service: PreferenceService) -> None:
    """A name may be that of anything."""
    answer = await ask(service)
    assert (answer.loras, answer.worth_trying) == ((), "ink.safetensors")


async def test_verdicts_decide_for_each_kind_of_prompt(service: PreferenceService) -> None:
    """A person who wants it for sketches, and not for portraits."""
    await compare(service, "pencil sketch", keep=[0], rounds=12)
    await compare(service, "portrait photo", keep=[1], rounds=12)

    sketch, portrait = await ask(service, "pencil sketch of a hen"), await ask(service, "portrait photo of a hen")

    assert sketch.loras == (("ink.safetensors", 0.8),)
    assert sketch.confidence > 0.5
    assert sketch.worth_trying is None
    assert sketch.reasons[0].endswith("12 of 12 images with it, compared with other LoRAs or none.")
    assert portrait.loras == ()
    assert portrait.ranking[0].score < 0.0


async def test_what_is_used_for_such_prompts_is_recommended_at_its_usual_strength(service: PreferenceService) -> None:
    """Also if the images were made by a program that writes no folders and no extensions."""
    recipes = [
        Recipe(positive=prompt, model="a", loras=((name, strength, strength),), made_at=BORN + timedelta(days=day))
        for day, (prompt, name, strength) in enumerate(
            [("pencil sketch of a cat", "ink", 0.6), ("photo of a car", "grain", 1.0)] * 4
            + [("pencil sketch of a cat", "ink", 1.0)]
        )
    ]
    await service.import_recipes([(recipe, None) for recipe in recipes], batch="mine")

    asked = ["style/ink.safetensors", "film/grain.safetensors"]
    sketch = await service.recommend_loras("pencil sketch of a hen", "a", asked)
    photo = await service.recommend_loras("photo of a bus", "a", asked)
    ambiguous = await service.recommend_loras("pencil sketch of a hen", "a", ["x/ink.safetensors", "y/ink.safetensors"])
    await service.undo_import("mine")

    assert sketch.loras == (("style/ink.safetensors", 0.6),)
    assert photo.loras == (("film/grain.safetensors", 1.0),)
    assert ambiguous.loras == ()
    assert "you used it in 5 images" in sketch.reasons[0]
    assert (await service.recommend_loras("pencil sketch of a hen", "a", asked)).ranking == ()


async def test_a_checkpoint_that_was_known_to_be_better_takes_the_credit(service: PreferenceService) -> None:
    """A LoRA that always comes with it gets none."""
    for place in range(12):
        await log(service, f"a {ANIMALS[place % 4]} in the rain", [("a", drawn()), ("b", drawn())])
    for place in range(12):
        await log(service, f"a {ANIMALS[place % 4]} in the rain", [("a", drawn("ink.safetensors")), ("b", drawn())])

    answer = await ask(service, "a hen in the rain")

    assert answer.loras == ()
    assert answer.ranking[0].score < 0.1


async def test_several_have_the_sum_of_their_utilities(service: PreferenceService) -> None:
    """Both are recommended where both together won; `most` limits them."""
    both, none = drawn("ink.safetensors", "photo.safetensors"), drawn()
    for place in range(12):
        await log(service, f"pencil sketch of a {ANIMALS[place % 4]}", [("a", both), ("a", none)])

    two = await ask(service, "pencil sketch of a hen")
    one = await service.recommend_loras("pencil sketch of a hen", "a", NAMES, most=1)
    no = await service.recommend_loras("pencil sketch of a hen", "a", NAMES, most=0)

    assert {name for name, _ in two.loras} == set(NAMES)
    assert len(one.loras) == 1
    assert no.loras == ()


async def test_what_all_images_have_is_not_taught(service: PreferenceService) -> None:
    """The other one is."""
    for place in range(12):
        images = [("a", drawn("ink.safetensors", "photo.safetensors")), ("a", drawn("ink.safetensors"))]
        await log(service, f"pencil sketch of a {ANIMALS[place % 4]}", images)

    known = {each.name: each for each in (await ask(service, "pencil sketch of a hen")).ranking}

    assert known["photo.safetensors"].total == 12
    assert "ink.safetensors" not in known or known["ink.safetensors"].total == 0


async def test_a_changed_mind_and_a_forgotten_generation_are_gone(service: PreferenceService) -> None:
    """The answer is computed from the log, and the same as that of a log where it never was otherwise."""
    before = await ask(service, "pencil sketch")
    generations = await compare(service, "pencil sketch", keep=[1])
    turned_down = await ask(service, "pencil sketch")
    for generation in generations:
        await service.record_feedback(generation, selected_images=[0], rejected_images=[1])
    turned = await ask(service, "pencil sketch")
    for generation in generations:
        await service.forget_generation(generation)

    assert (turned_down.loras, turned.loras) == ((), (("ink.safetensors", 0.8),))
    assert await ask(service, "pencil sketch") == before


async def test_a_rebuilt_and_a_merged_database_give_the_same_answer(service: PreferenceService, tmp_path: Path) -> None:
    """To the same bits; and so does one that was opened anew."""
    await compare(service, "pencil sketch", keep=[0], rounds=5)
    await compare(service, "portrait photo", keep=[1], rounds=5)
    answer = await ask(service, "pencil sketch")
    await service.rebuild()
    other = await PreferenceService.open(tmp_path / "other.sqlite3")
    try:
        await other.import_lines([line async for line in service.export()])
        merged = await ask(other, "pencil sketch")
    finally:
        await other.close()

    assert answer.ranking[0].total > 0
    assert await ask(service, "pencil sketch") == merged == answer


async def test_a_verdict_withdrawn_teaches_nothing(service: PreferenceService) -> None:
    """Images that nobody judged are no comparison, and no use."""
    for generation in await compare(service, "pencil sketch", keep=[0]):
        await service.record_feedback(generation, selected_images=[], rejected_images=[])
    assert (await ask(service, "pencil sketch of a hen")).ranking == ()


async def test_what_is_learned_of_loras_changes_no_number_of_a_checkpoint(service: PreferenceService) -> None:
    """A question stores nothing, and images without LoRAs teach a checkpoint what they taught before."""
    for place in range(6):
        await log(service, f"a {ANIMALS[place % 4]}", [("a", drawn()), ("b", drawn())])
    before = await service.statistics(), (await service.recommend("a cat", ["a", "b"], seed=1)).scores
    await service.recommend_loras("a cat", "a", NAMES)
    assert (await service.statistics(), (await service.recommend("a cat", ["a", "b"], seed=1)).scores) == before


async def test_one_file_is_one_lora_however_its_name_is_written(service: PreferenceService) -> None:
    """In any case, with any separator, with an extension or not: verdicts and use of all are those of the file."""
    for place, name in enumerate(["style/Ink", "Style\\ink.safetensors", "STYLE/INK.SAFETENSORS"] * 3):
        await log(service, f"pencil sketch of a {ANIMALS[place % 4]}", [("a", drawn(name)), ("a", drawn())])

    answer = await service.recommend_loras("pencil sketch of a hen", "a", ["style/Ink.safetensors"])

    assert answer.loras == (("style/Ink.safetensors", 0.8),)
    assert answer.ranking[0].total == 9


async def test_too_many_are_refused(service: PreferenceService) -> None:
    """With what to choose instead."""
    with pytest.raises(InvalidRequest, match="Choose 0 to 10"):
        await service.recommend_loras("a cat", "a", NAMES, most=11)


async def test_what_always_came_with_a_checkpoint_shares_its_credit(service: PreferenceService) -> None:
    """From the first image on, nothing can tell them apart; alone a LoRA gets all of it."""
    for place in range(8):
        prompt = f"a {ANIMALS[place % 4]} in the rain"
        await log(service, prompt, [("a", drawn("ink.safetensors")), ("b", drawn())])
        await log(service, prompt, [("a", drawn("photo.safetensors")), ("a", drawn())])

    scores = {each.name: each.score for each in (await ask(service, "a hen in the rain")).ranking}

    assert scores["ink.safetensors"] < 0.5 * scores["photo.safetensors"]


async def test_one_for_which_nothing_speaks_is_not_tried(service: PreferenceService) -> None:
    """Where it was compared for other prompts."""
    await compare(service, "pencil sketch", keep=[0], rounds=3)

    assert (await ask(service, "pencil sketch of a hen")).worth_trying == "ink.safetensors"
    assert (await ask(service, "portrait photo, studio")).worth_trying == "photo.safetensors"


async def test_the_newer_one_counts_more(service: PreferenceService) -> None:
    """Of two that were used as often for the same prompts."""
    recipes = [
        Recipe(positive="pencil sketch", model="a", loras=((name, 1.0, 1.0),), made_at=BORN + timedelta(days=day))
        for day, name in enumerate(["old"] * 4 + ["new"] * 4)
    ]
    await service.import_recipes([(recipe, None) for recipe in recipes], batch="mine")

    answer = await service.recommend_loras("pencil sketch", "a", ["old", "new"])

    assert [each.name for each in answer.ranking] == ["new", "old"]
    assert [name for name, _ in answer.loras] == ["new"]
