"""Reads the texts of a JPEG: EXIF and XMP in APP1, and comments. Everything from the pixels on is skipped.

A segment has room for 64 kB. Longer EXIF goes on in the segments after it, and longer XMP in a second packet, whose
pieces say where they belong.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from ..limits import JPEG_TAIL, MOST_SEGMENTS, MOST_TEXT
from ..problem import Unreadable, problem
from ..source import Source, cut_short
from .contents import Contents
from .encodings import decoded
from .exif import read_exif
from .xmp import read_xmp

SIGNATURE = b"\xff\xd8\xff"
_EXIF, _XMP, _MORE_XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
_TIFF = (b"II*\0", b"MM\0*")
_HAS_MORE_XMP, _PIECE_HEAD = "other:HasExtendedXMP", 40
_APP1, _COMMENT, _PIXELS, _END = 0xE1, 0xFE, 0xDA, 0xD9
_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(slots=True)
class _Spread:
    """What several segments may hold together.

    Parameters
    ----------
    exif
        Blocks.
    xmp
        Pieces of packets: by the packet's id and length, and by where they begin.
    """

    exif: list[bytearray] = field(default_factory=list)
    xmp: dict[tuple[str, int], dict[int, bytes]] = field(default_factory=dict)


def read_jpeg(source: Source) -> Contents:
    """The texts of a JPEG (ITU-T T.81, annex B; Exif 2.32, section 4.7).

    Raises
    ------
    Unreadable
        If it is cut short, damaged before its pixels, or has more segments than any image.
    """
    contents, spread = Contents("JPEG"), _Spread()
    _read_segments(source, contents, spread)
    others, contents.texts = contents.texts, []
    for block in spread.exif:  # which stands before the others in the file, and may go on behind them
        read_exif(bytes(block), contents)
    contents.texts += others
    _read_more_xmp(contents, spread)
    return contents


def _read_segments(source: Source, contents: Contents, spread: _Spread) -> None:
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
            return
        (length,) = struct.unpack(">H", source.read(offset, 2))
        if length < 2:
            raise Unreadable(problem("damaged", "The JPEG is damaged before its pixels. Save it again."))
        if marker == _PIXELS:
            _find_end(source, offset)
            return
        if marker in (_APP1, _COMMENT) or marker in _FRAMES:
            _read_segment(marker, source.read(offset + 2, length - 2), contents, spread)
        offset += length
    raise Unreadable(
        problem("too_large", "The JPEG has more than {most} segments: it is not read.", most=MOST_SEGMENTS)
    )


def _read_segment(marker: int, data: bytes, contents: Contents, spread: _Spread) -> None:
    if marker == _COMMENT:
        if contents.takes("Comment", len(data)):
            contents.add("Comment", decoded(data))
    elif marker in _FRAMES:
        if len(data) >= 5:
            contents.height, contents.width = struct.unpack_from(">HH", data, 1)
    elif data.startswith(_EXIF):
        _keep_exif(data[len(_EXIF) :], contents, spread)
    elif data.startswith(_XMP):
        read_xmp(data[len(_XMP) :], contents)
    elif data.startswith(_MORE_XMP):
        _keep_xmp(data[len(_MORE_XMP) :], spread)


def _keep_exif(data: bytes, contents: Contents, spread: _Spread) -> None:
    """A segment without a head goes on with the block before it (XMP specification part 3, section 1.1.3)."""
    if sum(map(len, spread.exif)) + len(data) > MOST_TEXT:
        contents.skip_long("EXIF")
    elif not spread.exif or data.startswith(_TIFF):
        spread.exif.append(bytearray(data))
    else:
        spread.exif[-1] += data


def _keep_xmp(data: bytes, spread: _Spread) -> None:
    """A piece: its packet's id and length, where it begins in the packet, and its bytes (the same section)."""
    if len(data) > _PIECE_HEAD:
        length, begin = struct.unpack_from(">II", data, 32)
        spread.xmp.setdefault((data[:32].decode("latin-1"), length), {})[begin] = data[_PIECE_HEAD:]


def _read_more_xmp(contents: Contents, spread: _Spread) -> None:
    """The packet that the first one names; any other was left by an editor."""
    named = {text for name, text in contents.texts if name == _HAS_MORE_XMP}
    for (packet, length), pieces in spread.xmp.items():
        if packet not in named:
            continue
        end = 0
        for begin in sorted(pieces):
            end = begin + len(pieces[begin]) if begin == end else -1
        if end == length:
            read_xmp(b"".join(pieces[begin] for begin in sorted(pieces)), contents)
        else:
            contents.skip(problem("damaged", "A part of the second XMP packet is missing. Use the original file."))


def _find_end(source: Source, offset: int) -> None:
    start = max(offset, source.size - JPEG_TAIL)
    if b"\xff\xd9" not in source.read(start, source.size - start):
        raise cut_short()
