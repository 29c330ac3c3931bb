"""Real databases for the tests of `learning`: SQLite in a fresh folder, and PostgreSQL where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "preferences.db"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind; the test that asks for it runs once per kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("database_file"))
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def service(database: str) -> AsyncIterator[PreferenceService]:
    opened = await PreferenceService.open(database)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_service(database_file: Path) -> AsyncIterator[PreferenceService]:
    opened = await PreferenceService.open(database_file)
    yield opened
    await opened.close()
