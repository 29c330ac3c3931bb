"""The rows that lie on the pages of a SQLite file, found without the pages that lead to them.

A table is a tree of pages (https://www.sqlite.org/fileformat.html, 1.6): where one that leads to others is
ruined, SQLite reads nothing below it, though the rows are there. Separate from `recovery`, which tells whose
they are, because this knows pages, cells and records only, and nothing of what they mean. Pages that SQLite
has freed hold no rows of ours, for it overwrites what is deleted (`secure_delete`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TypeAlias

Value: TypeAlias = "int | float | str | bytes | None"

_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_SMALLEST_PAGE = 512
_MOST_BYTES = 16 * 2**20
"""Of one row; the longest line that an import takes."""
_INTEGERS = (0, 1, 2, 3, 4, 6, 8)
"""Bytes by serial type (section 2.1)."""


@dataclass(frozen=True, slots=True)
class Row:
    """`rowid` is None in an index, and in a table without row ids."""

    rowid: int | None
    values: tuple[Value, ...]


def rows(file: Path) -> Iterator[Row]:
    """Every row that can be read, page by page; what cannot is left out.

    Parameters
    ----------
    file
        A copy that nobody has open, without a log beside it.
    """
    if file.stat().st_size < _SMALLEST_PAGE:
        return
    with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as data:
        size = int.from_bytes(data[16:18], "big")
        size = 65536 if size == 1 else size
        if size < _SMALLEST_PAGE or size & (size - 1):
            return
        usable = size - data[20]
        for start in range(0, len(data) - size + 1, size):
            yield from _on_page(data, start, size, usable)


def _on_page(data: mmap, start: int, size: int, usable: int) -> Iterator[Row]:
    at = start + (100 if start == 0 else 0)
    kind = data[at]
    if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
        return
    pointers = at + (12 if kind == _INDEX_INTERIOR else 8)
    count = int.from_bytes(data[at + 3 : at + 5], "big")
    if pointers + 2 * count > start + usable:
        return
    for pointer in range(pointers, pointers + 2 * count, 2):
        cell = start + int.from_bytes(data[pointer : pointer + 2], "big")
        try:
            if not pointers + 2 * count <= cell < start + usable:
                continue
            yield _in_cell(data, cell, kind, size, usable)
        except (ValueError, IndexError, struct.error):
            continue


def _in_cell(data: mmap, at: int, kind: int, size: int, usable: int) -> Row:
    if kind == _INDEX_INTERIOR:
        at += 4
    length, at = _number(data, at)
    rowid = None
    if kind == _TABLE_LEAF:
        rowid, at = _number(data, at)
    if not 0 < length <= _MOST_BYTES:
        raise ValueError("no row is as long as that")
    return Row(rowid, _record(_payload(data, at, length, kind, size, usable)))


def _payload(data: mmap, at: int, length: int, kind: int, size: int, usable: int) -> bytes:
    """What lies in the cell, and on the pages that it goes on (section 1.6)."""
    most = usable - 35 if kind == _TABLE_LEAF else (usable - 12) * 64 // 255 - 23
    if length <= most:
        return bytes(data[at : at + length])
    least = (usable - 12) * 32 // 255 - 23
    local = least + (length - least) % (usable - 4)
    local = local if local <= most else least
    found = bytearray(data[at : at + local])
    page = int.from_bytes(data[at + local : at + local + 4], "big")
    while len(found) < length:
        start = (page - 1) * size
        if page < 2 or start + size > len(data):
            raise ValueError("it goes on nowhere")
        found += data[start + 4 : start + 4 + min(usable - 4, length - len(found))]
        page = int.from_bytes(data[start : start + 4], "big")
    return bytes(found)


def _record(payload: bytes) -> tuple[Value, ...]:
    head, at = _number(payload, 0)
    kinds = []
    while at < head:
        kind, at = _number(payload, at)
        kinds.append(kind)
    if at != head:
        raise ValueError("its header has another length")
    values: list[Value] = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    if at != len(payload):
        raise ValueError("it has another length")
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind < len(_INTEGERS):
        end = at + _INTEGERS[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind == 7:
        return struct.unpack(">d", payload[at : at + 8])[0], at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise ValueError("there is no such kind of value")
    end = at + (kind - 12) // 2
    content = payload[at:end]
    return (content.decode() if kind % 2 else content), end


def _number(data: mmap | bytes, at: int) -> tuple[int, int]:
    """A whole number of one to nine bytes, and where it ends."""
    number = 0
    for byte in range(9):
        more = data[at + byte]
        if byte == 8:
            number = number << 8 | more
        else:
            number = number << 7 | more & 0x7F
            if more < 0x80:
                break
    return (number - 2**64 if number >= 2**63 else number), at + byte + 1
