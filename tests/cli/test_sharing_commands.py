"""`context-checkpoint share` and `adopt`: give what verdicts say, and begin with what others gave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .conftest import Done

Call = Callable[..., Done]


def test_a_file_is_written_adopted_listed_weighed_and_removed(call: Call, database: Path, tmp_path: Path) -> None:
    """From one database to another, in the forms of the routes."""
    file, other = tmp_path / "anna.json", ("--database", str(tmp_path / "other.db"))

    shared = call("share", str(file), "--epsilon", "2", "--database", str(database))
    adopted = call("adopt", str(file), *other, "--json")
    weighed = call("adopt", "--name", "anna.json", "--weight", "0.5", *other)
    removed = call("adopt", "--remove", "anna.json", *other)
    again = call("adopt", "--remove", "anna.json", *other)

    assert (shared.status, shared.err) == (0, "")
    assert "epsilon 2" in shared.out
    assert json.loads(file.read_text("utf-8"))["epsilon"] == 2.0
    [listed] = adopted.json["adopted"]
    assert (listed["name"], listed["weight"], listed["epsilon"]) == ("anna.json", 1.0, 2.0)
    assert "weight 0.5" in weighed.out
    assert removed.out.strip() == "Nothing is adopted."
    assert (again.status, "Nothing is adopted as anna.json" in again.err) == (1, True)


def test_what_cannot_be_read_or_makes_no_sense_says_what_to_do(call: Call, database: Path, tmp_path: Path) -> None:
    """Exit status 1 for a bad file, 2 for wrong use; nothing is adopted."""
    place, bad = ("--database", str(database)), tmp_path / "bad.json"
    bad.write_text("{", "utf-8")

    assert call("adopt", str(tmp_path / "missing.json"), *place).status == 1
    refused = call("adopt", str(bad), *place)
    assert (refused.status, "This is no file that" in refused.err) == (1, True)
    assert call("adopt", *place).status == 2
    assert call("adopt", str(bad), str(bad), "--name", "x", *place).status == 2
    assert call("adopt", "--remove", "x", "--weight", "1", *place).status == 2
    assert call("share", str(tmp_path), *place).status == 1
    assert call("share", str(tmp_path / "f.json"), "--epsilon", "0", *place).status == 1
    assert call("adopt", "--list", *place, "--json").json == {"adopted": []}
