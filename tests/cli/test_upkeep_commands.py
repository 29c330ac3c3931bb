"""Commands that carry a database elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Done

Call = Callable[..., Done]


@pytest.mark.postgres
def test_a_database_is_copied_to_a_server_and_back(
    call: Call, database: Path, logged: Callable[..., str], postgres_url: str, tmp_path: Path
) -> None:
    """Twice changes nothing; the last one holds what the first one held."""
    logged(selected=(0,))
    logged()
    back = tmp_path / "back.db"

    there = [call("copy", str(database), postgres_url, "--json").json for _ in range(2)]
    call("copy", postgres_url, str(back))
    stats = [call("stats", "--json", "--database", str(place)).json for place in (database, back)]

    assert there == [
        {"generations": 2, "added": 2, "verdicts_replaced": 0},
        {"generations": 2, "added": 0, "verdicts_replaced": 0},
    ]
    assert stats[0] == stats[1]
    assert stats[0]["overview"]["judged"] == 1


def test_what_cannot_be_copied_is_told(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """A missing source is never made, and nothing is copied onto itself."""
    missing = database.with_name("none.db")
    logged()

    absent = call("copy", str(missing), str(database))
    itself = call("copy", str(database), str(database.parent / "." / database.name))
    twice = call("copy", "a.db", "b.db", "--database", "c.db")

    assert (absent.status, itself.status, twice.status) == (1, 2, 2)
    assert "is not there" in absent.err
    assert "the same database" in itself.err
    assert not missing.exists()
