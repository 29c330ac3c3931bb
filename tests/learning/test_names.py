"""How names are shown: no two look alike, in Python and in the browser by the same rule."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from itertools import chain
from pathlib import Path

import pytest

from context_checkpoint.learning import names
from context_checkpoint.learning.message import as_shown, joined, message
from context_checkpoint.learning.names import short_names, shown_name, shown_text

ROOT = Path(__file__).parents[2]
CASES: dict[str, str] = json.loads((ROOT / "tests" / "shown_names.json").read_text("utf-8"))
"""Those that `tests/web/lib/shown_name.test.mjs` has too."""


@pytest.mark.parametrize(("name", "shown"), CASES.items(), ids=[repr(name) for name in CASES])
def test_what_nobody_sees_is_spelled_out(name: str, shown: str) -> None:
    """Marks of direction, characters without width, spaces at the ends; the spelling itself is spelled out too."""
    assert shown_name(name) == shown


def test_no_two_names_look_alike() -> None:
    """Whatever each has in its middle: so the spelling can be read back."""
    points = [chr(point) for point in range(sys.maxunicode + 1)]
    shown = {shown_name(f"a{point}b") for point in points}

    assert len(shown) == len(points)
    assert len(set(CASES.values())) == len(CASES)


def test_each_character_that_unicode_calls_invisible_is_spelled_out() -> None:
    """Control, format, separators; but for those of category Cf that are drawn, as the Arabic sign for a year is."""
    drawn = {*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440)}
    unseen = [
        point
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
        and point not in (0x20, 0x3000, *drawn)
    ]

    assert [hex(point) for point in unseen if shown_name(f"a{chr(point)}b") != f"a[U+{point:04X}]b"] == []


def test_the_browser_has_the_same_table() -> None:
    """Number by number."""
    source = (ROOT / "web" / "lib" / "shown_name.mjs").read_text("utf-8")
    table = source[source.index("const UNSEEN") : source.index("];")]

    numbers = [int(number, 16) for number in re.findall(r"0x[0-9a-f]+", table)]

    assert numbers == list(chain.from_iterable(names._UNSEEN))


SHOWN_TOGETHER: list[dict[str, str]] = json.loads((ROOT / "tests" / "short_names.json").read_text("utf-8"))
"""Those that `tests/web/lib/checkpoint_name.test.mjs` has too."""


@pytest.mark.parametrize("shown", SHOWN_TOGETHER, ids=str)
def test_names_that_are_shown_together_are_told_apart(shown: dict[str, str]) -> None:
    """By as many folders as it takes; by the extension where folders are not enough."""
    assert short_names(shown) == shown
    assert len(set(shown.values())) == len(shown)


def test_a_text_keeps_its_own_spaces_and_lines() -> None:
    """Of a table, of an error in several lines."""
    assert shown_text("a\u202eb  c\n  d") == "a[U+202E]b  c\n  d"


def test_a_message_shows_the_names_in_it_once() -> None:
    """In its English and in the values for other languages; a message within a message is not spelled out again."""
    inner = message("inner", "{name} is broken", name="a\u202eb")
    outer = joined([message("outer", "Look: {problem}.", problem=inner), "c\u200bd"])

    assert outer == "Look: a[U+202E]b is broken. c[U+200B]d"
    assert as_shown(outer) == outer
    assert outer.parts[0]["values"]["problem"][0]["values"] == {"name": "a[U+202E]b"}
