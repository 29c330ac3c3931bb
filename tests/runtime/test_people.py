"""Several people on one ComfyUI: what those who said yes have taught is the start of everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.service.sharing import PEOPLE
from context_checkpoint.runtime import people, runtime
from context_checkpoint.runtime.runtime import Runtime
from context_checkpoint.runtime.users import Users

NAMES = ["a", "b", "c"]


async def teach(service: PreferenceService) -> None:
    for _ in range(6):
        recommendation = await service.recommend("anime castle, aunt mildred", NAMES, max_branches=3)
        generation = await service.log_generation(recommendation, dict.fromkeys(NAMES, 1))
        await service.record_feedback(generation, selected={"b": 1}, rejected={"a": 1, "c": 1})


async def taught_by(service: PreferenceService) -> tuple[str, ...]:
    return (await service.recommend("anime castle", NAMES)).taught_by


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Users]:
    """Every use counts again."""
    monkeypatch.setattr(people.People.__init__, "__defaults__", (0.0,))
    monkeypatch.setattr(runtime, "COUNT_AGAIN_S", 0.0)
    base = Runtime(tmp_path)
    users = Users(tmp_path, base.sibling)
    yield users
    users.close()
    base.close()


def test_three_who_share_are_the_start_of_everybody_and_leaving_takes_it_back(server: Users) -> None:
    """Also of those who do not share; nobody counts for themselves, and off is the default."""
    for name in ("anna", "ben", "cleo"):
        server.of(name).run_blocking(teach)
    assert server.of("dora").run_blocking(taught_by) == ()

    for name in ("anna", "ben", "cleo"):
        server.of(name).change_settings(share=True)
    assert server.of("dora").run_blocking(taught_by) == (PEOPLE,)
    assert server.of("anna").run_blocking(taught_by) == ()  # the others are two
    content = server.of("dora").run_blocking(lambda service: service.adopted())
    assert [each.name for each in content] == [PEOPLE]

    server.of("ben").change_settings(share=False)
    assert server.of("dora").run_blocking(taught_by) == ()
    assert server.of("dora").run_blocking(lambda service: service.adopted()) == ()


def test_what_somebody_forgets_is_not_in_the_next_count(server: Users) -> None:
    """There is no copy of it that the one who taught it cannot reach."""
    for name in ("anna", "ben", "cleo"):
        server.of(name).change_settings(share=True)
        server.of(name).run_blocking(teach)
    assert server.of("dora").run_blocking(taught_by) == (PEOPLE,)

    server.of("cleo").run_blocking(lambda service: service.forget_everything())

    assert server.of("dora").run_blocking(taught_by) == ()


def test_a_database_that_cannot_be_read_keeps_nobody_from_anything(server: Users, tmp_path: Path) -> None:
    """The others count, and the prompt is answered."""
    for name in ("anna", "ben", "cleo"):
        server.of(name).change_settings(share=True)
        server.of(name).run_blocking(teach)
    broken = tmp_path / "people" / "emil"
    broken.mkdir()
    (broken / "settings.json").write_text('{"share": true}', "utf-8")
    (broken / "preferences.db").write_bytes(b"no database" * 1_000)

    assert server.of("dora").run_blocking(taught_by) == (PEOPLE,)
