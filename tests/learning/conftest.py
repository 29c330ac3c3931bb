"""Real databases for the tests of `learning`: SQLite in a fresh folder, and PostgreSQL where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.service.settings import LearningSettings


class ChangingSettings:
    """Settings that a test changes while a service is open, as people do."""

    def __init__(self) -> None:
        self._now = LearningSettings()

    def change(self, **changes: Any) -> None:
        self._now = replace(self._now, **changes)

    def __call__(self) -> LearningSettings:
        return self._now


@pytest.fixture
def settings() -> ChangingSettings:
    """The settings of the services below."""
    return ChangingSettings()


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    """Where a database may be; there is none yet, unless one of the fixtures below has placed it."""
    return tmp_path / "preferences.db"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, database_file: Path, place_new_file: Callable[[Path], Path]) -> str:
    """A database of each kind that has learned nothing; the test that asks for it runs once per kind."""
    if request.param == "sqlite":
        return str(place_new_file(database_file))
    return str(request.getfixturevalue("new_postgres_url"))


@pytest.fixture
async def service(database: str, settings: ChangingSettings) -> AsyncIterator[PreferenceService]:
    opened = await PreferenceService.open(database, settings=settings)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_service(
    database_file: Path, place_new_file: Callable[[Path], Path], settings: ChangingSettings
) -> AsyncIterator[PreferenceService]:
    opened = await PreferenceService.open(place_new_file(database_file), settings=settings)
    yield opened
    await opened.close()
