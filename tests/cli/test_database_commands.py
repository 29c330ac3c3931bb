"""Commands on a database as a whole: copy, join, forget."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import NAMES, Done

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


def test_what_cannot_be_copied_is_reported(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """A missing source is never created, and nothing is copied onto itself."""
    missing = database.with_name("none.db")
    logged()

    absent = call("copy", str(missing), str(database))
    itself = call("copy", str(database), str(database.parent / "." / database.name))
    twice = call("copy", "a.db", "b.db", "--database", "c.db")

    assert (absent.status, itself.status, twice.status) == (1, 2, 2)
    assert "does not exist" in absent.err
    assert "the same database" in itself.err
    assert not missing.exists()


def test_what_is_forgotten_is_gone(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """A generation, a keyword, the prompts, what is old, everything."""
    at = ("--database", str(database))
    first, _ = logged(selected=(0,)), logged("anime girl", selected=(1,))

    done = [
        call("forget", *what, *at)
        for what in (
            ["--older-than", "1"],
            ["--generation", first],
            ["--keyword", "girl"],
            ["--prompts"],
            ["--everything", "--yes"],
        )
    ]

    assert [each.status for each in done] == [0] * 5
    assert [each.out.split()[2] for each in done] == ["0", "1", "1", "0", "1"]
    assert call("stats", "--json", *at).json["overview"]["generations"] == 0


def test_everything_needs_a_yes(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """And an unknown generation is a failure."""
    logged(selected=(0,))
    at = ("--database", str(database))

    unsure = call("forget", "--everything", *at)
    unknown = call("forget", "--generation", "0" * 32, *at)

    assert (unsure.status, unknown.status) == (2, 1)
    assert call("stats", "--json", *at).json["overview"]["judged"] == 1


def test_names_are_joined(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """What was learned of the one is the other's; an unknown name is a failure."""
    logged(selected=(0,))
    at = ("--database", str(database))
    former = call("stats", "--json", *at).json["checkpoints"][0]["checkpoint"]

    joined = call("join", former, "sdxl/new.safetensors", *at)
    unknown = call("join", former, "other", *at)

    assert (joined.status, unknown.status) == (0, 1)
    names = {row["checkpoint"] for row in call("stats", "--json", *at).json["checkpoints"]}
    assert "sdxl/new.safetensors" in names
    assert former not in names


@pytest.mark.parametrize("on", ["file", pytest.param("server", marks=pytest.mark.postgres)])
def test_doctor_lists_names_without_a_file_and_offers_to_join_them(
    call: Call,
    database: Path,
    logged: Callable[..., str],
    tmp_path: Path,
    on: str,
    request: pytest.FixtureRequest,
) -> None:
    """With a file of the same last name where there is one."""
    logged(selected=(0,))
    there = tmp_path / "models" / "sub" / NAMES[0]
    there.parent.mkdir(parents=True)
    there.touch()
    data = Path(os.environ["XDG_DATA_HOME"]) / "context_checkpoint"
    data.mkdir(parents=True)
    entry = {"size": 0, "mtime_ns": 0, "family": "sdxl", "broken": ""}
    known = {"detector": "none", "files": {str(there): entry, str(tmp_path / NAMES[1]): entry}}
    (data / "checkpoint_files.json").write_text(json.dumps(known))

    place = str(database)
    if on == "server":
        place = request.getfixturevalue("postgres_url")
        assert call("copy", str(database), place).status == 0

    checks = call("doctor", "--json", "--database", place).json["checks"]

    remedies = {check["found"].split(":")[0]: check["mend"] for check in checks if check["name"] == "no file"}
    assert set(remedies) == {NAMES[1], NAMES[2]}
    assert f'join "{NAMES[1]}" NAME' in remedies[NAMES[1]]


def test_every_copy_is_listed_with_what_it_holds(call: Call, database: Path, logged: Callable[..., str]) -> None:
    """In the order in which they would be restored; also where the database itself is ruined."""
    logged(selected=(0,))
    for name in ("backups/preferences-20260131-120000.db", "preferences.before-20260201-120000.db"):
        (database.parent / name).parent.mkdir(exist_ok=True)
        (database.parent / name).write_bytes(database.read_bytes())
    logged()
    (database.parent / "preferences.damaged-20260202-120000.db").write_bytes(database.read_bytes()[:9000])
    database.write_bytes(b"no database" * 500)

    done = call("backups", "--database", str(database))
    listed = call("backups", "--json", "--database", str(database)).json["backups"]

    assert [(each["kind"], each["generations"], each["verdicts"], each["problem"] == "") for each in listed][:2] == [
        ("replaced", 1, 1, True),
        ("daily", 1, 1, True),
    ]
    assert (listed[2]["kind"], listed[2]["problem"] != "") == ("damaged", True)
    assert done.out.splitlines()[1] == (
        "2026-01-31 12:00 UTC, daily, 1 generations, 1 verdicts, sound: backups/preferences-20260131-120000.db"
    )
