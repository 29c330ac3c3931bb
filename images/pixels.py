"""A digest that tells an image from all others, and stays when a program writes a rating into its file or copies it.

It is of the stored pixels and not of the texts: a PNG has a checksum of each part of its pixels, of JPEG and WebP the
beginning of the pixels is read, and of other files their end. Nothing is decoded, and little is read.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import BinaryIO

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_CHUNKS, _MOST_SEGMENTS = 200_000, 2_000
_SAMPLE_BYTES = 65_536
_WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")


def pixels_digest(path: Path) -> str:
    """32 hexadecimal digits of a file's pixels.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        head = file.read(12)
        if head.startswith(_PNG):
            _png(file, digest)
        elif head[:4] == b"RIFF" and head[8:] == b"WEBP":
            _webp(file, digest)
        elif head.startswith(b"\xff\xd8\xff"):
            _jpeg(file, digest)
        else:
            size = file.seek(0, 2)
            file.seek(max(0, size - _SAMPLE_BYTES))
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:32]


def _png(file: BinaryIO, digest: hashlib._Hash) -> None:
    """Length and checksum of each part of the pixels, and the size of the picture."""
    at = len(_PNG)
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind in (b"IHDR", b"IDAT", b"fdAT"):
            file.seek(at + 8 + length)
            digest.update(head + file.read(4))
        at += 12 + length


def _jpeg(file: BinaryIO, digest: hashlib._Hash) -> None:
    """From the scan on, before which all texts are."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == 0xDA:
            break
        at += 2 + int.from_bytes(head[2:], "big")
    file.seek(at)
    digest.update(file.read(_SAMPLE_BYTES))


def _webp(file: BinaryIO, digest: hashlib._Hash) -> None:
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        if kind in _WEBP_PIXELS:
            digest.update(head + file.read(min(length, _SAMPLE_BYTES)))
        at += 8 + length + (length & 1)
