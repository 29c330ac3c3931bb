"""Reads the texts of a WebP: its chunks EXIF and XMP. Pixels are skipped."""

from __future__ import annotations

import struct

from ..limits import LONGEST_TEXT, LONGEST_XMP, MOST_CHUNKS
from ..problem import Unreadable, problem
from ..source import Source, cut_short
from .contents import Contents
from .exif import read_exif
from .xmp import read_xmp

_ALPHA = 0x10


def is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def read_webp(source: Source) -> Contents:
    """The texts of a WebP (WebP container specification, RIFF chunks).

    Raises
    ------
    Unreadable
        If it is cut short, or has more chunks than any image.
    """
    contents = Contents("WebP")
    (length,) = struct.unpack("<I", source.read(4, 4))
    end = length + 8
    if end > source.size + 1:  # the last chunk's padding is sometimes left out
        raise cut_short()
    offset = 12
    for _ in range(MOST_CHUNKS):
        if offset + 8 > min(end, source.size):
            return contents
        kind, length = struct.unpack("<4sI", source.read(offset, 8))
        body = offset + 8
        if body + length > source.size:
            raise cut_short()
        _read_chunk(kind, length, source, body, contents)
        offset = body + length + (length & 1)
    raise Unreadable(problem("too_large", "The WebP has more than {most} chunks: it is not read.", most=MOST_CHUNKS))


def _read_chunk(kind: bytes, length: int, source: Source, body: int, contents: Contents) -> None:
    if kind == b"VP8X" and length >= 10:
        data = source.read(body, 10)
        contents.has_alpha = bool(data[0] & _ALPHA)
        contents.width = int.from_bytes(data[4:7], "little") + 1
        contents.height = int.from_bytes(data[7:10], "little") + 1
    elif kind == b"EXIF":
        if length > LONGEST_TEXT:
            contents.skip_long("EXIF")
        else:
            read_exif(source.read(body, length), contents)
    elif kind == b"XMP ":
        if length > LONGEST_XMP:
            contents.skip_long("XMP")
        else:
            read_xmp(source.read(body, length), contents)
