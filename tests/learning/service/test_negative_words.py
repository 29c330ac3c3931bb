"""Which words a negative prompt lacks is learned from the log: what kept images of such prompts had."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.recipes import Recipe


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[PreferenceService]:
    service = await PreferenceService.open(path)
    try:
        yield service
    finally:
        await service.close()


PORTRAIT, SKETCH = "portrait photo of a woman", "pencil sketch of a fox"


async def log(
    service: PreferenceService, prompt: str, negative: str, *, kept: int, rejected: int = 0, checkpoint: str = "a"
) -> str:
    """A generation with this negative prompt, judged."""
    recommendation = await service.recommend(prompt, [checkpoint], seed=1, negative=negative)
    images = kept + rejected
    generation = await service.log_generation(recommendation, {checkpoint: images}, recipes=[Recipe(steps=20)] * images)
    await service.record_feedback(
        generation, selected_images=list(range(kept)), rejected_images=list(range(kept, kept + rejected))
    )
    return generation


async def words(
    service: PreferenceService, prompt: str, negative: str = "", checkpoint: str | None = None
) -> list[str]:
    return [each.word for each in await service.suggest_negative_prompt(prompt, checkpoint, negative=negative)]


async def test_nothing_is_suggested_where_nothing_is_known(service: PreferenceService) -> None:
    """Neither of an empty log nor of images without a verdict."""
    assert await words(service, PORTRAIT) == []
    recommendation = await service.recommend(PORTRAIT, ["a"], negative="blurry")
    await service.log_generation(recommendation, {"a": 4}, recipes=[Recipe(steps=20)] * 4)
    assert await words(service, PORTRAIT) == []


async def test_each_kind_of_prompt_has_its_own_words(service: PreferenceService) -> None:
    """Whole tags, as keywords are normalised."""
    for _ in range(4):
        await log(service, PORTRAIT, "worst quality, bad hands", kept=2)
        await log(service, SKETCH, "worst quality, color", kept=2)

    assert set(await words(service, "portrait photo of a man")) == {"worst quality", "bad hand"}
    assert set(await words(service, "pencil sketch of a dog")) == {"worst quality", "color"}


async def test_an_embedding_is_no_word(service: PreferenceService) -> None:
    """Its file's name is not known as it is written."""
    for _ in range(4):
        await log(service, PORTRAIT, "embedding:EasyNegative, blurry", kept=2)

    assert await words(service, PORTRAIT) == ["blurry"]


async def test_no_word_is_suggested_that_is_there_or_that_the_prompt_wants(service: PreferenceService) -> None:
    """However they are spelled, and however long the negative prompt is."""
    for _ in range(4):
        await log(service, PORTRAIT, "bad hands, hat, blurry", kept=2)

    assert await words(service, "portrait photo of a woman with hats", "Blurry, (bad_hand:1.2)") == []
    long = ", ".join(f"flaw{number}" for number in range(200))
    assert await words(service, PORTRAIT, f"{long}, blurry, hats") == ["bad hand"]
    assert "bad hand" not in await words(service, PORTRAIT, "bad hands")


async def test_what_is_kept_with_a_word_and_not_without_speaks_for_it(service: PreferenceService) -> None:
    """Also where it was seldom written; the reason counts both."""
    for _ in range(8):
        await log(service, PORTRAIT, "lowres", kept=1, rejected=3)
    for _ in range(3):
        await log(service, PORTRAIT, "bad hands, lowres", kept=4)

    (word,) = await service.suggest_negative_prompt(PORTRAIT, negative="lowres")

    assert word.word == "bad hand"
    assert word.gain > 0.3
    assert word.score == pytest.approx(word.share + 2.0 * word.gain)
    assert word.reason == "You kept 12 of 12 images of such prompts with it, 8 of 32 without."


async def test_what_is_kept_without_a_word_speaks_against_it(service: PreferenceService) -> None:
    """Though most of what was kept had it: that is habit."""
    for _ in range(12):
        await log(service, PORTRAIT, "blurry, lowres", kept=1, rejected=3)
    for _ in range(2):
        await log(service, PORTRAIT, "lowres", kept=4)

    assert await words(service, PORTRAIT) == ["lowres"]


async def test_what_was_used_with_the_checkpoint_counts_more(service: PreferenceService) -> None:
    """Than what was used with others for the same prompts."""
    for _ in range(3):
        await log(service, PORTRAIT, "film grain", kept=2, checkpoint="a")
        await log(service, PORTRAIT, "plastic skin", kept=2, checkpoint="b")

    assert await words(service, PORTRAIT, checkpoint="a") == ["film grain"]
    assert await words(service, PORTRAIT, checkpoint="b") == ["plastic skin"]


async def test_imported_images_without_a_rating_are_what_the_person_uses(service: PreferenceService) -> None:
    """And are gone with the import."""
    made_at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    recipes = [
        (Recipe(model="a", positive=PORTRAIT, negative="bad hands", steps=20, seed=seed, made_at=made_at), None)
        for seed in range(4)
    ]
    await service.import_recipes(recipes, batch="old")
    (word,) = await service.suggest_negative_prompt(PORTRAIT)
    await service.undo_import("old")

    assert (word.word, word.reason) == ("bad hands", "4 of 4 images that you kept of such prompts have it.")
    assert await words(service, PORTRAIT) == []


async def log_own_graph(
    service: PreferenceService, prompt: str, negatives: Sequence[str | None], *, checkpoint: str = "a"
) -> str:
    """A generation whose negative prompts stand in the images' recipes alone; all are kept."""
    recommendation = await service.recommend(prompt, [checkpoint], seed=1)
    generation = await service.log_generation(
        recommendation,
        {checkpoint: len(negatives)},
        recipes=[Recipe(steps=20, negative=negative) for negative in negatives],
    )
    await service.record_feedback(generation, selected_images=range(len(negatives)))
    return generation


async def test_words_that_stand_in_ones_own_graph_alone_are_learned(service: PreferenceService) -> None:
    """As the person writes them most; none of the prompt, and none that is there in another spelling."""
    for negative in ("(bad hands:1.2), Blurry, woman", "blurry, bad hands", "bad hand, blurry", "bad hands"):
        await log_own_graph(service, PORTRAIT, [negative] * 2)

    assert set(await words(service, PORTRAIT)) == {"bad hands", "blurry"}
    assert await words(service, PORTRAIT, "bad_hand") == ["blurry"]


async def test_only_what_all_images_have_is_learned(service: PreferenceService) -> None:
    """Checkpoints have words of their own; and where one negative prompt is not known, none is."""
    for _ in range(3):
        await log_own_graph(service, PORTRAIT, ["bad hands, blurry", "low quality, blurry"])
        await log_own_graph(service, SKETCH, ["color", None])

    assert await words(service, PORTRAIT) == ["blurry"]
    assert "color" not in await words(service, SKETCH)


async def test_a_recommenders_negative_prompt_is_spelled_as_the_graph_has_it(service: PreferenceService) -> None:
    """Scored as before: both say the same words."""
    recommendation = await service.recommend(PORTRAIT, ["a"], seed=1, negative="bad hands")
    generation = await service.log_generation(
        recommendation, {"a": 2}, recipes=[Recipe(steps=20, negative="bad hands")] * 2
    )
    await service.record_feedback(generation, selected_images=[0, 1])

    (word,) = await service.suggest_negative_prompt(PORTRAIT)

    assert word.word == "bad hands"
    assert word.share == pytest.approx(2**0.5 / (2**0.5 + 0.5))  # of the two images of one day, once


async def test_a_checkpoints_numbers_do_not_change_by_them(tmp_path: Path) -> None:
    """They are a note beside the keywords: sums, rebuild and the next decision are the same to the bit."""
    pairs, plans = [], []
    for place, negative in (("with", "bad hands, blurry"), ("without", None)):
        async with opened(tmp_path / f"{place}.db") as service:
            for winner in (0, 1, 0):
                recommendation = await service.recommend(PORTRAIT, ["a", "b"], seed=1)
                generation = await service.log_generation(
                    recommendation, {"a": 1, "b": 1}, recipes=[Recipe(steps=20, negative=negative)] * 2
                )
                await service.record_feedback(generation, selected_images=[winner], rejected_images=[1 - winner])
            assert (await service.rebuild()).corrected == 0
            pairs.append((await service.pairs(""))[0])
            plan = await service.recommend(PORTRAIT, ["a", "b"], seed=2)
            plans.append((plan.checkpoints, plan.confidence, plan.utilities))

    assert pairs[0] == pairs[1]
    assert plans[0] == plans[1]


@pytest.mark.parametrize("word", ["hand", "hands", "bad hands"])
async def test_a_forgotten_word_is_in_no_note(service: PreferenceService, word: str) -> None:
    """Also where it was written in another form."""
    await log_own_graph(service, PORTRAIT, ["bad hands, blurry"] * 2)

    await service.forget_keyword(word)

    left = {each.text for generation in await service.generations() for each in generation.keywords}
    assert not any("hand" in text for text in left)
    assert (await service.rebuild()).corrected == 0


@pytest.mark.parametrize("anonymous", [False, True])
async def test_an_export_has_them(service: PreferenceService, tmp_path: Path, anonymous: bool) -> None:
    """Another database that reads it suggests the same words."""
    for _ in range(3):
        await log_own_graph(service, PORTRAIT, ["bad hands, blurry"] * 2)
    lines = [line async for line in service.export(anonymous=anonymous)]

    async with opened(tmp_path / "other.db") as other:
        await other.import_lines(lines)

        assert await words(other, PORTRAIT) == await words(service, PORTRAIT) == ["bad hands", "blurry"]
        assert (await other.rebuild()).corrected == 0


async def test_a_changed_mind_and_a_forgotten_generation_are_gone(service: PreferenceService) -> None:
    """Also where the number of a forgotten generation is given to another one."""
    generation = await log(service, PORTRAIT, "bad hands", kept=4)
    assert await words(service, PORTRAIT) == ["bad hand"]
    await service.record_feedback(generation, rejected_images=[0, 1, 2, 3])
    assert await words(service, PORTRAIT) == []
    await service.forget_generation(generation)
    await log(service, PORTRAIT, "blurry", kept=4)
    assert await words(service, PORTRAIT) == ["blurry"]


async def test_another_prompt_gets_what_stands_everywhere(service: PreferenceService) -> None:
    """And the reason does not speak of such prompts."""
    for _ in range(4):
        await log(service, PORTRAIT, "worst quality", kept=2)

    (word,) = await service.suggest_negative_prompt("castle")

    assert (word.word, word.reason) == ("worst quality", "8 of 8 images that you kept have it.")
