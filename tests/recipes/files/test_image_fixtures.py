"""Images that tools have made, with what the tests of other readers say is in them.

The images stay outside of the repository: CC_DATA names the folder that has them in `image-fixtures`.
"""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from context_checkpoint.recipes import Recipe, Unreadable, read_file

WANTED = 0.97
TEXTS = ("model", "sampler", "scheduler")
NUMBERS = ("steps", "cfg", "seed")


@pytest.fixture(scope="module")
def folder() -> Path:
    named = os.environ.get("CC_DATA")
    found = Path(named or "") / "image-fixtures"
    if not named or not found.is_dir():
        pytest.skip("NOT RUN: set CC_DATA to a folder with image-fixtures in it")
    return found


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "fixtures.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _stated(row: dict[str, str], recipe: Recipe) -> dict[str, tuple[object, object]]:
    """Per value that the table states: what it says, and what was read."""
    values: dict[str, tuple[object, object]] = {}
    for column, field in (("prompt", "positive"), ("negative", "negative")):
        if row[f"expected_{column}"]:
            values[column] = (_lines(row[f"expected_{column}"]), _lines(getattr(recipe, field)))
    for field in TEXTS:
        if row[f"expected_{field}"]:
            values[field] = (row[f"expected_{field}"], getattr(recipe, field))
    for field in NUMBERS:
        if row[f"expected_{field}"]:
            values[field] = (float(row[f"expected_{field}"]), getattr(recipe, field))
    if row["expected_loras"]:
        values["loras"] = (json.loads(row["expected_loras"]), [[name, model] for name, model, _ in recipe.loras or ()])
    if recipe.model_hash is not None and row["expected_model"] == f"{recipe.model} ({recipe.model_hash})":
        values["model"] = (recipe.model, recipe.model)  # the table has name and hash in one
    return values


def _lines(text: str | None) -> str | None:
    """Without blanks around it, and with one kind of line break; the table shows some as `\\r`."""
    return None if text is None else text.replace("\\r", "").replace("\r", "").strip()


def test_what_is_stated_is_read(folder, record_property):
    """At least 97 % of the values, in pixels excepted; the share is in the report."""
    right, wrong, hidden = 0, [], []
    for row in _rows(folder):
        try:
            recipe = read_file(folder / row["file"])
        except Unreadable as error:
            hidden.append((row["file"], error.code))
            continue
        for name, (expected, found) in _stated(row, recipe).items():
            right += expected == found
            if expected != found:
                wrong.append((row["file"], name, expected, found))
    share = right / (right + len(wrong))
    record_property("share", share)

    assert share >= WANTED, f"{right} of {right + len(wrong)} stated values are right ({share:.1%}); not: {wrong}"
    assert hidden == [("d3x_automatic1111_stealth.png", "in_pixels")]
