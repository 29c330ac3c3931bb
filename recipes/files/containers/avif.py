"""Reads the texts of an AVIF: the EXIF and XMP items of its `meta` box. HEIC has the same boxes and is read alike."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..limits import LONGEST_TEXT, LONGEST_XMP, MOST_BOXES
from ..problem import Unreadable, problem
from ..source import Source, cut_short
from .contents import Contents
from .exif import read_exif
from .xmp import read_xmp

_BRANDS = (b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix")
_XMP_TYPE = b"application/rdf+xml"
_LONGEST_META = 2**20


def is_avif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS


def read_avif(source: Source) -> Contents:
    """The texts of an AVIF (ISO/IEC 14496-12, sections 4.2 and 8.11: boxes, `iinf`, `iloc`).

    Raises
    ------
    Unreadable
        If it is cut short or damaged.
    """
    contents = Contents("AVIF")
    offset = 0
    has_items = False
    try:
        for _ in range(MOST_BOXES):
            if offset == source.size:
                if not has_items:
                    raise cut_short()
                return contents
            kind, body, offset = _box_at(source, offset)
            if kind == b"meta":
                has_items = True
                if offset - body > _LONGEST_META:
                    contents.skip_long("meta")
                else:
                    _read_meta(source, body, source.read(body, offset - body), contents)
    except struct.error:
        raise Unreadable(problem("damaged", "The AVIF is damaged: a box ends too early. Save it again.")) from None
    raise Unreadable(problem("too_large", "The AVIF has more than {most} boxes: it is not read.", most=MOST_BOXES))


def _box_at(source: Source, offset: int) -> tuple[bytes, int, int]:
    """Kind, first byte of the body, and end of a box of the file."""
    size, kind = struct.unpack(">I4s", source.read(offset, 8))
    body = offset + 8
    if size == 1:
        (size,) = struct.unpack(">Q", source.read(body, 8))
        body += 8
    end = source.size if size == 0 else offset + size
    if end < body:
        raise struct.error
    if end > source.size:
        raise cut_short()
    return kind, body, end


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, first byte of the body, and end of each box within a box."""
    offset = 0
    for _ in range(MOST_BOXES):
        if offset + 8 > len(data):
            return
        size, kind = struct.unpack_from(">I4s", data, offset)
        if size < 8 or offset + size > len(data):
            return
        yield kind, offset + 8, offset + size
        offset += size


def _read_meta(source: Source, start: int, meta: bytes, contents: Contents) -> None:
    wanted: dict[int, bytes] = {}
    places: dict[int, list[tuple[int, int, int]]] = {}
    own_data = 0
    for kind, body, end in _boxes(meta[4:]):
        data = meta[4 + body : 4 + end]
        if kind == b"iinf":
            wanted = dict(_item_kinds(data))
        elif kind == b"iloc":
            places = dict(_item_places(data))
        elif kind == b"idat":
            own_data = start + 4 + body
        elif kind == b"iprp":
            _read_size(data, contents)
    ends = (offset + length for parts in places.values() for method, offset, length in parts if method == 0)
    if max(ends, default=0) > source.size:
        raise cut_short()
    for item, kind in wanted.items():
        data = b""
        for method, offset, length in places.get(item, []):
            if length + len(data) > (LONGEST_XMP if kind == b"mime" else LONGEST_TEXT):
                contents.skip_long("XMP" if kind == b"mime" else "EXIF")
                data = b""
                break
            if method <= 1:
                data += source.read(offset + (own_data if method == 1 else 0), length)
        if kind == b"mime" and data:
            read_xmp(data, contents)
        elif len(data) > 4:
            (skipped,) = struct.unpack_from(">I", data)  # to the TIFF header (ISO/IEC 23008-12, annex A.2.1)
            read_exif(data[4 + skipped :], contents)


def _item_kinds(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The items that hold EXIF (`Exif`) or XMP (`mime`)."""
    begin = 6 if data[0:1] == b"\0" else 8
    for kind, body, end in _boxes(data[begin:]):
        entry = data[begin + body : begin + end]
        if kind != b"infe" or entry[:1] not in (b"\2", b"\3"):
            continue
        wide = entry[:1] == b"\3"
        item, _protection, item_kind = struct.unpack_from(">IH4s" if wide else ">HH4s", entry, 4)
        rest = entry[14 if wide else 12 :].split(b"\0")
        if item_kind == b"Exif" or (item_kind == b"mime" and _XMP_TYPE in rest[1:2]):
            yield item, item_kind


def _item_places(data: bytes) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """Of each item, (method, offset, length) of its parts; method 0 counts from the file, 1 from `idat`."""
    version, sizes, more = struct.unpack_from(">BxxxBB", data)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version in (1, 2) else 0
    at = 6

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(data):
            raise struct.error
        at += size
        return int.from_bytes(data[at - size : at], "big")

    count = number(4 if version == 2 else 2)
    left = MOST_BOXES  # parts of all items: sizes of zero make them cost nothing in the file
    for _ in range(min(count, MOST_BOXES)):
        item = number(4 if version == 2 else 2)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)  # the file that the data is in: this one
        base = number(base_size)
        parts: list[tuple[int, int, int]] = []
        for _part in range(min(number(2), left)):
            number(index_size)
            offset, length = number(offset_size), number(length_size)
            parts.append((method, base + offset, length))
        left -= len(parts)
        yield item, parts


def _read_size(data: bytes, contents: Contents) -> None:
    """From `ispe`, the sizes of the items: the largest is the picture's."""
    for kind, body, end in _boxes(data):
        if kind != b"ipco":
            continue
        properties = data[body:end]
        for name, first, last in _boxes(properties):
            if name == b"ispe" and last - first >= 12:
                width, height = struct.unpack_from(">II", properties, first + 4)
                if width * height > (contents.width or 0) * (contents.height or 0):
                    contents.width, contents.height = width, height
