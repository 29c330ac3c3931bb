"""What a person writes about a generation: kept, found, exported, and forgotten with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import InvalidRequest, UnknownGeneration
from context_checkpoint.learning.service.generation_log import LONGEST_NOTE

NAMES = ("a.safetensors", "b.safetensors")


async def log(service: PreferenceService, prompt: str, note: str = "") -> str:
    plan = await service.recommend(prompt, NAMES)
    generation = await service.log_generation(plan, dict.fromkeys(NAMES, 1))
    if note:
        await service.set_note(generation, note)
    return generation


async def lines(service: PreferenceService, *, anonymous: bool = False) -> list[str]:
    return [line async for line in service.export(anonymous=anonymous)]


async def test_a_note_is_kept_replaced_and_taken_away(service: PreferenceService) -> None:
    """A verdict leaves it alone, and it teaches nothing."""
    generation = await log(service, "castle")
    before = await service.learned_version()

    assert (await service.set_note(generation, "  first try ")).note == "first try"
    judged = await service.record_feedback(generation, selected_images=[0])
    replaced = await service.set_note(generation, "second")
    assert (judged.note, replaced.note, replaced.images[0].verdict) == ("first try", "second", "selected")
    assert (await service.generation(generation)).note == "second"
    assert (await service.set_note(generation, " ")).note == ""
    await service.record_feedback(generation)
    assert (await service.rebuild()).corrected == 0
    assert before is not None


async def test_a_note_is_refused_where_it_is_too_long_or_of_nothing(service: PreferenceService) -> None:
    """With a message that says how long it may be."""
    generation = await log(service, "castle")
    await service.set_note(generation, "x" * LONGEST_NOTE)

    with pytest.raises(InvalidRequest, match="at most 2000 characters"):
        await service.set_note(generation, "x" * (LONGEST_NOTE + 1))
    with pytest.raises(UnknownGeneration):
        await service.set_note("nothing", "a")


async def test_generations_are_found_by_their_keyword_or_by_a_part_of_their_note(service: PreferenceService) -> None:
    """Newest first and page by page; every character means itself, and a generation comes once."""
    ids = [
        await log(service, "castle"),
        await log(service, "harbour", "like the Castle of 100% stone"),
        await log(service, "harbour", "1000 stones"),
        await log(service, "castle", "castle again"),
        await log(service, "harbour"),
    ]

    async def found(search: str, **options: object) -> list[int]:
        page = await service.generations(search=search, **options)  # type: ignore[arg-type]
        return [ids.index(generation.id) for generation in page]

    assert await found("castle") == [3, 1, 0]
    assert await found("castle", limit=2) == [3, 1]
    assert await found("castle", limit=2, before=ids[1]) == [0]
    assert await found("100%") == [1]
    assert await found("100_") == []
    assert await found("nothing") == []


async def test_a_note_is_exported_and_imported_but_not_anonymously(service: PreferenceService, tmp_path: Path) -> None:
    """The same file again changes nothing, and a note that is there already stays."""
    generation = await log(service, "castle", "mine: café")
    other = await PreferenceService.open(tmp_path / "other.db")
    try:
        await other.import_lines(await lines(service, anonymous=True))
        assert (await other.generation(generation)).note == ""
        await other.import_lines(await lines(service))
        assert (await other.generation(generation)).note == "mine: café"
        await other.set_note(generation, "theirs")
        await other.import_lines(await lines(service))
        assert (await other.generation(generation)).note == "theirs"
    finally:
        await other.close()


async def test_a_note_is_forgotten_with_its_generation_and_with_a_keyword_that_it_names(
    service: PreferenceService, database_file: Path
) -> None:
    """Not a trace of it is left in the file; what says nothing of the keyword stays."""
    gone = await log(service, "harbour", "unforgettable zeppelin")
    named = await log(service, "castle of anna", "Anna as she was")
    other = await log(service, "castle of anna", "good light")

    await service.forget_generation(gone)
    await service.forget_keyword("anna")

    assert (await service.generation(named)).note == ""
    assert (await service.generation(other)).note == "good light"
    await service.close()
    assert left_in(database_file) == []


def left_in(file: Path) -> list[bytes]:
    """What can still be read in a file of what was forgotten."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = file.read_bytes()
    return [text for text in (b"zeppelin", b"as she was") if text in content]
