"""Reads the texts of a JPEG: EXIF and XMP in APP1, and comments. Everything from the pixels on is skipped."""

from __future__ import annotations

import struct

from ..limits import JPEG_TAIL, MOST_SEGMENTS
from ..problem import Unreadable, problem
from ..source import Source, cut_short
from .contents import Contents
from .encodings import decoded
from .exif import read_exif
from .xmp import read_xmp

SIGNATURE = b"\xff\xd8\xff"
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_APP1, _COMMENT, _PIXELS, _END = 0xE1, 0xFE, 0xDA, 0xD9
_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def read_jpeg(source: Source) -> Contents:
    """The texts of a JPEG (ITU-T T.81, annex B; Exif 2.32, section 4.7).

    Raises
    ------
    Unreadable
        If it is cut short, damaged before its pixels, or has more segments than any image.
    """
    contents = Contents("JPEG")
    offset = 2
    for _ in range(MOST_SEGMENTS):
        mark, marker = source.read(offset, 2)
        if mark != 0xFF:
            raise Unreadable(problem("damaged", "The JPEG is damaged before its pixels. Save it again."))
        if marker == 0xFF:  # padding
            offset += 1
            continue
        offset += 2
        if marker in _ALONE:
            continue
        if marker == _END:
            return contents
        (length,) = struct.unpack(">H", source.read(offset, 2))
        if length < 2:
            raise Unreadable(problem("damaged", "The JPEG is damaged before its pixels. Save it again."))
        if marker == _PIXELS:
            _find_end(source, offset)
            return contents
        if marker in (_APP1, _COMMENT) or marker in _FRAMES:
            _read_segment(marker, source.read(offset + 2, length - 2), contents)
        offset += length
    raise Unreadable(
        problem("too_large", "The JPEG has more than {most} segments: it is not read.", most=MOST_SEGMENTS)
    )


def _read_segment(marker: int, data: bytes, contents: Contents) -> None:
    if marker == _COMMENT:
        if contents.takes("Comment", len(data)):
            contents.add("Comment", decoded(data))
    elif marker in _FRAMES:
        if len(data) >= 5:
            contents.height, contents.width = struct.unpack_from(">HH", data, 1)
    elif data.startswith(_EXIF):
        read_exif(data, contents)
    elif data.startswith(_XMP):
        read_xmp(data[len(_XMP) :], contents)


def _find_end(source: Source, offset: int) -> None:
    start = max(offset, source.size - JPEG_TAIL)
    if b"\xff\xd9" not in source.read(start, source.size - start):
        raise cut_short()
