"""Reads the texts of a PNG: tEXt, zTXt, iTXt, eXIf, and ComfyUI's `comf` of animated PNGs. Pixels are skipped.

Chunks are found by going from header to header (PNG specification, third edition, section 5.3), before and after the
pixels. Checksums are not compared: a text that reads well is a better test.
"""

from __future__ import annotations

import struct
import zlib

from ..limits import LONGEST_TEXT, LONGEST_XMP, MOST_CHUNKS
from ..problem import Unreadable, problem
from ..source import Source, cut_short
from .contents import Contents
from .encodings import decoded
from .exif import read_exif
from .xmp import read_xmp

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = "XML:com.adobe.xmp"
_READ = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"comf", b"IHDR", b"tRNS")
_HAS_ALPHA = (4, 6)


def read_png(source: Source) -> Contents:
    """The texts of a PNG.

    Raises
    ------
    Unreadable
        If it is cut short, or has more chunks than any image.
    """
    contents = Contents("PNG")
    offset = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", source.read(offset, 8))
        body = offset + 8
        offset = body + length + 4
        if offset > source.size:
            raise cut_short()
        if kind == b"IEND":
            return contents
        if kind in _READ:
            _read_chunk(kind, length, source, body, contents)
        elif not kind.isalpha():
            raise Unreadable(problem("damaged", "The PNG is damaged: what follows a chunk is none. Save it again."))
    raise Unreadable(problem("too_large", "The PNG has more than {most} chunks: it is not read.", most=MOST_CHUNKS))


def _read_chunk(kind: bytes, length: int, source: Source, body: int, contents: Contents) -> None:
    if length > LONGEST_TEXT:
        contents.skip_long(kind.decode("ascii"))
        return
    data = source.read(body, length)
    if kind == b"IHDR" and length >= 10:
        contents.width, contents.height = struct.unpack_from(">II", data)
        contents.has_alpha = data[9] in _HAS_ALPHA
    elif kind == b"eXIf":
        read_exif(data, contents)
    elif kind in (b"tEXt", b"zTXt", b"iTXt", b"comf"):
        keyword, _, rest = data.partition(b"\0")
        name = keyword.decode("latin-1")[:79]  # as long as the specification allows
        text = {b"zTXt": _compressed, b"iTXt": _international}.get(kind, _plain)(name, rest, contents)
        if text is None:
            return
        if name == _XMP:
            read_xmp(text, contents)
        elif name.startswith("Raw profile type "):
            _read_raw_profile(name, text, contents)
        else:
            contents.add(name, decoded(text))


def _plain(name: str, rest: bytes, contents: Contents) -> bytes | None:
    return rest if contents.takes(name, len(rest)) else None


def _compressed(name: str, rest: bytes, contents: Contents) -> bytes | None:
    return _unpacked(name, rest[1:], contents)


def _international(name: str, rest: bytes, contents: Contents) -> bytes | None:
    """After the keyword: a flag, a method, a language and a translated keyword, each of which ends with a zero."""
    is_packed = rest[:1] == b"\1"
    _language, _, rest = rest[2:].partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    return _unpacked(name, text, contents) if is_packed else _plain(name, text, contents)


def _unpacked(name: str, data: bytes, contents: Contents) -> bytes | None:
    if not contents.takes(name, len(data)):
        return None
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(data, LONGEST_TEXT)
        if unpacker.unconsumed_tail and unpacker.decompress(unpacker.unconsumed_tail, 1):
            contents.skip_long(name)
            return None
    except zlib.error:
        contents.skip(problem("damaged", "The packed text {name} is damaged and was skipped.", name=repr(name)))
        return None
    return text if contents.takes(name, len(text)) else None


def _read_raw_profile(name: str, text: bytes, contents: Contents) -> None:
    """ImageMagick's form of EXIF and XMP: a name, a length, and hexadecimal digits."""
    kind = name.removeprefix("Raw profile type ")
    if kind not in ("exif", "APP1", "xmp") or len(text) > 2 * LONGEST_XMP:
        return
    try:
        data = bytes.fromhex("".join(text.decode("ascii").split()[2:]))
    except ValueError:
        return
    if kind == "xmp":
        read_xmp(data, contents)
    elif data.startswith((b"Exif\0\0", b"II", b"MM")):
        read_exif(data, contents)
