"""What was learned of each keyword and checkpoint as CSV, for spreadsheets.

Pure, and separate from the exported log (`line_format`), because nothing reads this file again: it may have other
columns in the next version. The text begins with a byte order mark, without which Excel takes UTF-8 for the encoding of
its own country. Numbers have a point.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from ..reports import PairRow

COLUMNS = ("keyword", "checkpoint", "selected", "total", "rate", "rounds")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula, and a keyword may come from anybody's prompt."""


def heading() -> str:
    """The first line."""
    return "\ufeff" + _lines([COLUMNS])


def pair_lines(rows: Iterable[PairRow]) -> str:
    """The lines of some rows; the rate is empty where nothing was judged.

    >>> pair_lines([PairRow("-blurry", "a, b.safetensors", 2.0, 3.0, 1.5)])
    '\\'-blurry,"a, b.safetensors",2,3,0.6667,1.5\\r\\n'
    """
    return _lines(
        (
            _text(row.keyword),
            _text(row.checkpoint),
            _number(row.selected),
            _number(row.total),
            f"{row.selected / row.total:.4f}" if row.total else "",
            _number(row.rounds),
        )
        for row in rows
    )


def _text(text: str) -> str:
    """A text that a spreadsheet shows and does not compute: it hides an apostrophe in front."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _number(number: float) -> str:
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _lines(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
