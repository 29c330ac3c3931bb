"""What was known of the LoRAs of images is an offset of their checkpoints: logged once, and the same wherever the log
goes."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database import database as database_module
from context_checkpoint.learning.outbox import delivery
from context_checkpoint.recipes import Recipe
from tests.learning.database.files.test_backups import Clock, opened
from tests.learning.database.files.test_integrity import root_page, spoil_page, used
from tests.learning.outbox.test_delivery import delivered, locked
from tests.learning.store.test_rebuild import assert_all_is_counted_once, stored

from .test_loras import ANIMALS, compare, drawn, log

INK, PHOTO = "ink.safetensors", "photo.safetensors"
SETS = ((), (INK,), (PHOTO,), (INK, PHOTO))
CHECKPOINTS = ("a", "b", "c")


async def lines_of(service: PreferenceService) -> list[str]:
    return [line async for line in service.export()]


def utilities_in(lines: Sequence[str]) -> list[list[float | None]]:
    """Those of the images of each generation."""
    return [[image.get("lora_utility") for image in json.loads(line)["images"]] for line in lines[1:]]


async def random_history(service: PreferenceService, rounds: int, seed: int) -> list[str]:
    """Images of several checkpoints and LoRAs; some verdicts are changed, some withdrawn, and some never given."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    generations = []
    for _ in range(rounds):
        images = [(rng.choice(CHECKPOINTS), drawn(*rng.choice(SETS))) for _ in range(rng.randint(2, 3))]
        generations.append(await log(service, f"sketch of a {rng.choice(ANIMALS)}", images, [0]))
        for _ in range(rng.randint(0, 2)):
            selected = [place for place in range(len(images)) if rng.random() < 0.4]
            others = [place for place in range(len(images)) if place not in selected and rng.random() < 0.7]
            await service.record_feedback(generations[-1], selected_images=selected, rejected_images=others)
    return generations


@example_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), rounds=st.integers(6, 14))
def test_the_sums_are_those_of_the_log_wherever_it_goes(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rounds: int
) -> None:
    """Verdicts replaced and withdrawn, rebuilt, exported and imported, and merged in two parts: to the same bits."""
    folder = tmp_path_factory.mktemp("offsets")

    async def play() -> None:
        services = [await PreferenceService.open(folder / f"{name}.db") for name in ("here", "there", "parts")]
        here, there, parts = services
        await compare(here, "sketch", keep=[0], rounds=3)  # so that something is known of a LoRA
        generations = await random_history(here, rounds, seed)
        await assert_all_is_counted_once(here)
        lines = await lines_of(here)
        assert any(utility for each in utilities_in(lines) for utility in each)

        await there.import_lines(lines)
        half = len(lines) // 2
        for some in (lines[half:], lines[1:half], lines[1:]):
            header = json.loads(lines[0]) | {"generations": len(some)}
            await parts.import_lines([json.dumps(header), *some])

        assert (await lines_of(there))[1:] == lines[1:]
        for service in services:
            assert (await service.rebuild()).corrected == 0
            assert await stored(service) == await stored(here)
        for generation in generations:
            await here.record_feedback(generation, selected_images=[1], rejected_images=[0])
            await here.record_feedback(generation)
        await there.import_lines(await lines_of(here))
        assert await stored(there) == await stored(here)
        await assert_all_is_counted_once(here)
        for service in services:
            await service.close()

    asyncio.run(play())


async def test_a_checkpoint_gets_no_credit_for_what_its_lora_was_known_to_do(service: PreferenceService) -> None:
    """And the numbers are those of a log that says so: without the utility it would get it."""
    await compare(service, "pencil sketch", keep=[0], rounds=10)
    for place in range(10):
        await log(service, f"pencil sketch of a {ANIMALS[place % 4]}", [("b", drawn(INK)), ("c", drawn())])
    lines = await lines_of(service)

    known = utilities_in(lines)[-1]

    assert known[0] is not None
    assert known[0] > 0.5
    assert known[1] is None
    question = ("pencil sketch of a hen", ["b", "c"])
    explained = (await service.recommend(*question, policy="bayesian", seed=1)).utilities
    await service.forget_everything()
    await service.import_lines([_without_utilities(line) for line in lines])
    credited = (await service.recommend(*question, policy="bayesian", seed=1)).utilities
    assert explained["b"] - explained["c"] < 0.8 * (credited["b"] - credited["c"])


def _without_utilities(line: str) -> str:
    fields = json.loads(line)
    for image in fields.get("images", ()):
        image.pop("lora_utility", None)
    return json.dumps(fields)


@pytest.mark.parametrize("recipe", [None, drawn(), drawn(INK), Recipe(steps=20)])
async def test_who_uses_no_loras_or_always_the_same_learns_the_same_bits_of_checkpoints(
    service: PreferenceService, tmp_path: Path, recipe: Recipe | None
) -> None:
    """Also where much is known of the LoRA that all images have."""
    other = await PreferenceService.open(tmp_path / "other.db")
    for each, made_with in ((service, recipe), (other, None)):
        for place in range(8):
            recommendation = await each.recommend(f"a {ANIMALS[place % 4]}", CHECKPOINTS, seed=place)
            recipes = None if made_with is None else [made_with] * len(recommendation.checkpoints)
            images = dict.fromkeys(recommendation.checkpoints, 1)
            generation = await each.log_generation(recommendation, images, recipes=recipes)
            await each.record_feedback(generation, selected_images=[place % len(images)])
    sums = [await stored(each) for each in (service, other)]
    found = utilities_in(await lines_of(service))
    await other.close()

    assert sums[0] == sums[1]
    assert all(utility is None for each in found for utility in each)


async def test_loras_that_all_images_have_are_no_offset(service: PreferenceService) -> None:
    """They explain no difference, and shift no image against the person's bar."""
    await compare(service, "pencil sketch", keep=[0], rounds=8)
    await log(service, "pencil sketch", [("a", drawn(INK)), ("b", drawn(INK))])
    await log(service, "pencil sketch", [("a", drawn(INK, PHOTO)), ("b", drawn(INK))])
    await compare(service, "pencil sketch", keep=[0], rounds=1)

    same, more, alone = utilities_in(await lines_of(service))[-3:]

    assert same == [None, None]
    assert more == [None, None]  # nothing is known of the other one
    assert alone[0] is not None


async def test_images_of_unknown_loras_are_no_offset_of_the_others(service: PreferenceService) -> None:
    """Nothing says that these have none."""
    await compare(service, "pencil sketch", keep=[0], rounds=8)
    await log(service, "pencil sketch", [("a", drawn(INK)), ("b", Recipe(steps=20))])
    await log(service, "pencil sketch", [("a", drawn(INK)), ("b", Recipe(steps=20)), ("c", drawn())])

    two, three = utilities_in(await lines_of(service))[-2:]

    assert two == [None, None]
    assert [utility is None for utility in three] == [False, True, True]


async def test_an_anonymous_export_teaches_the_same(service: PreferenceService, tmp_path: Path) -> None:
    """The utility of an image's LoRAs is no name."""
    await random_history(service, 12, seed=7)
    assert any(utility for each in utilities_in(await lines_of(service)) for utility in each)
    other = await PreferenceService.open(tmp_path / "other.db")
    await other.import_lines([line async for line in service.export(anonymous=True)])
    sums = await stored(other)
    await other.close()
    assert sums == await stored(service)


async def test_what_waits_in_the_outbox_has_it_too(
    database_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file can be read while another program holds it: the utility is that of the moment."""
    for module in (database_module, delivery):
        monkeypatch.setattr(module, "TRY_EVERY_S", 0.05)
    service = await PreferenceService.open(database_file, busy_timeout_s=0.1, outbox=tmp_path)
    await compare(service, "pencil sketch", keep=[0], rounds=6)
    with locked(database_file):
        generation = await log(service, "pencil sketch", [("b", drawn(INK)), ("c", drawn())])
        assert (await service.generation(generation)).waiting
    await delivered(service)
    known = utilities_in(await lines_of(service))[-1]
    await assert_all_is_counted_once(service)
    await service.close()
    assert known[0] is not None


@pytest.mark.parametrize("older", [False, True])
async def test_it_is_read_from_a_damaged_file_too(database_file: Path, older: bool) -> None:
    """And where a file of an older version has none, its images' settings are still read."""
    clock = Clock()
    await used(database_file, clock)
    async with opened(database_file, clock) as service:
        await compare(service, "pencil sketch", keep=[0], rounds=6)
        await log(service, "pencil sketch", [("b", drawn(INK)), ("c", drawn())])
        whole = await lines_of(service)
    if older:
        with closing(sqlite3.connect(database_file)) as file:
            file.execute("ALTER TABLE generation_images DROP COLUMN lora_utility")
            file.commit()
        whole = [_without_utilities(line) for line in whole]
    spoil_page(database_file, root_page(database_file, "pair_statistics"))

    async with opened(database_file, clock) as service:
        recovered = await lines_of(service)
        await assert_all_is_counted_once(service)

    assert _with_settings(recovered) == _with_settings(whole)
    assert len(_with_settings(recovered)) == 7


def _with_settings(lines: Sequence[str]) -> list[str]:
    found = (json.loads(line) for line in lines if "settings" in line)
    return sorted(json.dumps(fields, sort_keys=True) for fields in found)
