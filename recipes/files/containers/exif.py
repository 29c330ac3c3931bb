"""Reads the texts of EXIF (a TIFF directory) that tools write into JPEG, WebP, AVIF and PNG.

Only directories and texts are read; numbers other than a rating, and previews, are not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..limits import MOST_DIRECTORIES, MOST_TAGS
from ..problem import problem
from .contents import Contents
from .encodings import decoded, decoded_user_comment, decoded_utf16

_NAMES = {
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x927C: "MakerNote",
    0x9286: "UserComment",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
}
_USER_COMMENT, _EXIF_DIRECTORY, _RATING, _MAKER_NOTE = 0x9286, 0x8769, 0x4746, 0x927C
_WINDOWS = range(0x9C9B, 0x9CA0)  # UTF-16, little-endian
_BYTE, _ASCII, _SHORT, _LONG, _UNDEFINED, _UTF8 = 1, 2, 3, 4, 7, 129
_TEXTS = (_BYTE, _ASCII, _UNDEFINED, _UTF8)


def read_exif(data: bytes, contents: Contents) -> None:
    """Add the texts and the rating of an EXIF block to `contents`; what is damaged is skipped and reported."""
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    try:
        if order is None or struct.unpack_from(order + "H", data, 2) != (42,):
            raise struct.error
        (first,) = struct.unpack_from(order + "I", data, 4)
        _read_directories(data, order, first, contents)
    except struct.error:
        contents.skip(problem("damaged", "The EXIF block is damaged; its texts were read as far as they go."))


def _read_directories(data: bytes, order: str, first: int, contents: Contents) -> None:
    waiting, seen = [first], {0}
    while waiting and len(seen) <= MOST_DIRECTORIES:
        offset = waiting.pop(0)
        if offset in seen:
            continue
        seen.add(offset)
        for tag, kind, count, value in _entries(data, order, offset):
            if tag == _EXIF_DIRECTORY and kind == _LONG:
                waiting += struct.unpack(order + "I", value)
            elif tag == _RATING and kind == _SHORT:
                (stars,) = struct.unpack(order + "H", value[:2])
                if contents.rating is None and stars <= 5:
                    contents.rating = stars
            elif kind in _TEXTS and (kind == _ASCII or tag in _NAMES):
                _read_text(data, order, tag, count, value, contents)


def _entries(data: bytes, order: str, offset: int) -> Iterator[tuple[int, int, int, bytes]]:
    (count,) = struct.unpack_from(order + "H", data, offset)
    for number in range(min(count, MOST_TAGS)):
        tag, kind, length, value = struct.unpack_from(order + "HHI4s", data, offset + 2 + 12 * number)
        yield tag, kind, length, value


def _read_text(data: bytes, order: str, tag: int, count: int, value: bytes, contents: Contents) -> None:
    name = _NAMES.get(tag, f"EXIF 0x{tag:04X}")
    if (tag == _MAKER_NOTE and count > 100) or not contents.takes(name, count):
        return  # a camera's own note, in no known form; Fooocus writes one word
    if count > 4:
        (start,) = struct.unpack(order + "I", value)
        value = data[start : start + count]
        if len(value) < count:
            contents.skip(problem("damaged", "{name} of the EXIF block is cut short.", name=name))
    else:
        value = value[:count]
    little = order == "<"
    if tag == _USER_COMMENT:
        text = decoded_user_comment(value, little=little)
    elif tag in _WINDOWS:
        text = decoded_utf16(value, little=True)
    else:
        text = decoded(value)
    contents.add(name, text.rstrip("\0"))
