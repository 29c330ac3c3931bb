"""Decodes texts of image files, whose encoding is often not the one that the format asks for."""

from __future__ import annotations

_UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def decoded(data: bytes) -> str:
    """A text without a stated encoding: UTF-8, else UTF-16 where it looks like it, else Latin-1."""
    if data[:2] in _UTF16_MARKS:
        return decoded_utf16(data)
    body = data.rstrip(b"\0")
    if data.count(0) > len(data) // 4 and body.count(0) > len(body) // 4:
        return decoded_utf16(data)
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def decoded_utf16(data: bytes, *, little: bool | None = None) -> str:
    """UTF-16, whose byte order is found by its mark, else by which order gives the more ordinary text.

    Parameters
    ----------
    little
        The order of the numbers around it, where both give the same.
    """
    mark = _UTF16_MARKS.get(data[:2])
    if mark is not None:
        return _utf16(data[2:], mark)
    sample = data[: 4096 & ~1]
    # The high byte of Latin letters, digits and most punctuation is zero.
    high_last, high_first = sample[1::2].count(0), sample[0::2].count(0)
    if high_last == high_first:
        high_last, high_first = _ordinary(_utf16(sample, "utf-16-le")), _ordinary(_utf16(sample, "utf-16-be"))
    if high_last == high_first:
        return _utf16(data, "utf-16-be" if little is False else "utf-16-le")
    return _utf16(data, "utf-16-le" if high_last > high_first else "utf-16-be")


def decoded_user_comment(data: bytes, *, little: bool) -> str:
    """EXIF's UserComment: eight bytes name the encoding, which is not always kept (Exif 2.32, section 4.6.5)."""
    code, body = data[:8], data[8:]
    if code == b"UNICODE\0":
        return decoded_utf16(body, little=little) if 0 in body[:4096] or _no_utf8(body) else decoded(body)
    if code == b"ASCII\0\0\0":
        return decoded(body)
    if code == b"JIS\0\0\0\0\0":
        for encoding in ("iso2022_jp", "euc_jp", "shift_jis"):
            try:
                return body.decode(encoding).rstrip("\0")
            except UnicodeDecodeError:
                continue
        return decoded(body)
    return decoded(body if code == bytes(8) else data)


def _no_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _utf16(data: bytes, encoding: str) -> str:
    return data[: len(data) & ~1].decode(encoding, "replace").rstrip("\0")


def _ordinary(text: str) -> int:
    """How many characters are of the scripts that prompts are written in."""
    return sum(1 for c in text if c < "\u0250" or "\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff")
