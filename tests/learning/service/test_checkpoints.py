"""What was learned belongs to a checkpoint's content, not to the name that its file has today."""

from __future__ import annotations

import logging

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import InvalidRequest

A, B, C = "a" * 32, "b" * 32, "c" * 32
FILES = {"one.safetensors": A, "two.safetensors": B}


async def teach(service: PreferenceService, files: dict[str, str], winner: str, rounds: int = 6) -> None:
    await service.meet_files(files)
    for _ in range(rounds):
        recommendation = await service.recommend("anime girl", list(files), stage="draft")
        generation_id = await service.log_generation(recommendation, dict.fromkeys(files, 1))
        await service.record_feedback(generation_id, {winner: 1}, {name: 1 for name in files if name != winner})


async def learned(service: PreferenceService) -> dict[str, tuple[float, float]]:
    return {row.checkpoint: (row.selected, row.total) for row in await service.checkpoints()}


@pytest.mark.parametrize("moved", ["first.safetensors", "sdxl/one.safetensors", "sdxl\\one.safetensors"])
async def test_a_file_that_was_moved_takes_along_what_was_learned(
    sqlite_service: PreferenceService, moved: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another name, another folder, another system's slashes: the same scores."""
    service = sqlite_service
    await teach(service, FILES, "one.safetensors")
    before = await service.recommend("anime girl", list(FILES), seed=1)

    now = {moved: A, "two.safetensors": B}
    [change] = await service.meet_files(now)
    after = await service.recommend("anime girl", list(now), seed=1)

    assert (change.kind, change.former) == ("moved", "one.safetensors")
    assert after.scores[moved] == before.scores["one.safetensors"]
    assert (await service.rebuild()).corrected == 0
    assert "with all that was learned of it" in caplog.text


async def test_another_file_under_the_same_name_starts_from_nothing_and_is_logged(
    sqlite_service: PreferenceService, caplog: pytest.LogCaptureFixture
) -> None:
    """What was learned of the former one is kept under a name that says so."""
    await teach(sqlite_service, FILES, "one.safetensors")

    [change] = await sqlite_service.meet_files({**FILES, "one.safetensors": C})

    assert change.kind == "replaced"
    assert change.former.startswith("one.safetensors (before 20")
    assert await learned(sqlite_service) == {change.former: (6.0, 6.0), "two.safetensors": (0.0, 6.0)}
    assert "starts from nothing" in caplog.text
    assert await sqlite_service.orphans(FILES) == [change.former]


async def test_two_files_that_swapped_their_names_keep_their_own_past(
    sqlite_service: PreferenceService,
) -> None:
    """Neither starts from nothing."""
    await teach(sqlite_service, FILES, "one.safetensors")

    await sqlite_service.meet_files({"one.safetensors": B, "two.safetensors": A})

    assert await learned(sqlite_service) == {"two.safetensors": (6.0, 6.0), "one.safetensors": (0.0, 6.0)}
    assert await sqlite_service.orphans(FILES) == []


async def test_a_copy_of_a_file_takes_nothing_away(sqlite_service: PreferenceService) -> None:
    """The first one is still there."""
    await teach(sqlite_service, FILES, "one.safetensors")

    changes = await sqlite_service.meet_files({**FILES, "copy.safetensors": A})

    assert changes == ()
    assert (await learned(sqlite_service))["one.safetensors"] == (6.0, 6.0)


async def test_files_that_come_and_go_change_nothing(
    sqlite_service: PreferenceService, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is not mounted today; files whose content cannot be looked at."""
    await teach(sqlite_service, FILES, "one.safetensors")
    before = await learned(sqlite_service)

    for files in ({}, {"one.safetensors": ""}, {"new.safetensors": ""}, FILES):
        assert await sqlite_service.meet_files(files) == ()

    assert await learned(sqlite_service) == before
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_checkpoint_known_before_fingerprints_is_given_one(sqlite_service: PreferenceService) -> None:
    """From then on it is recognised."""
    await teach(sqlite_service, dict.fromkeys(FILES, ""), "one.safetensors")
    await sqlite_service.meet_files(FILES)

    await sqlite_service.meet_files({"moved/one.safetensors": A, "two.safetensors": B})

    assert (await learned(sqlite_service))["moved/one.safetensors"] == (6.0, 6.0)


async def test_two_names_are_joined_as_if_they_had_been_one(service: PreferenceService) -> None:
    """Also where they were compared with each other; the sums are those of the log."""
    await teach(service, FILES, "one.safetensors")
    await teach(service, {"other.safetensors": C, "two.safetensors": B}, "other.safetensors", rounds=2)

    await service.join_checkpoints("one.safetensors", "other.safetensors")
    await service.join_checkpoints("two.safetensors", "new.safetensors")

    assert await learned(service) == {"other.safetensors": (8.0, 8.0), "new.safetensors": (0.0, 8.0)}
    assert (await service.rebuild()).corrected == 0
    await service.join_checkpoints("new.safetensors", "other.safetensors")
    assert await learned(service) == {"other.safetensors": (8.0, 16.0)}
    assert (await service.rebuild()).corrected == 0
    for former, name in (("none", "other.safetensors"), ("other.safetensors", "other.safetensors")):
        with pytest.raises(InvalidRequest):
            await service.join_checkpoints(former, name)


@pytest.mark.postgres
async def test_on_a_server_nothing_is_renamed(postgres_url: str) -> None:
    """Another machine may have the file under the former name."""
    service = await PreferenceService.open(postgres_url)
    await teach(service, FILES, "one.safetensors")
    before = await learned(service)

    assert await service.meet_files({"moved/one.safetensors": A, "two.safetensors": C}) == ()

    assert await learned(service) == before
    await service.close()
