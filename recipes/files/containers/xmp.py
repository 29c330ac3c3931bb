"""Reads XMP: the rating, and texts that tools write into it. Packets in images and `.xmp` sidecars are the same XML.

Documents that declare a type or entities are refused: XMP needs neither, and expanding entities is how small XML
becomes large.
"""

from __future__ import annotations

import re
from xml.parsers import expat

from ..limits import DEEPEST_XMP, LONGEST_XMP, MOST_XMP_VALUES
from ..problem import problem
from .contents import Contents

_PREFIXES = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
}
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_HEAD = re.compile(rb"^(\xef\xbb\xbf)?\s*(<\?xml|<\?xpacket|<x:xmpmeta|<rdf:RDF)")


class _Refused(Exception):
    pass


def read_xmp(data: bytes, contents: Contents) -> None:
    """Add the texts and the rating of an XMP packet to `contents`."""
    if len(data) > LONGEST_XMP:
        contents.skip(
            problem("too_large", "The XMP packet has more than {most} bytes and was skipped.", most=LONGEST_XMP)
        )
        return
    if not contents.takes("XMP", len(data)):
        return
    packet = _Packet()
    try:
        packet.parser.Parse(data.strip(b"\0 \r\n\t"), True)
    except (expat.ExpatError, _Refused, ValueError, LookupError) as error:  # LookupError: an encoding that is unknown
        reason = str(error)[:200]
        contents.skip(problem("damaged", "The XMP packet could not be read: {reason}.", reason=reason))
    stars = _rating(packet.values.get("xmp:Rating"))
    if stars is not None:
        contents.rating = stars
    for name, text in packet.values.items():
        if name not in ("xmp:Rating", "MicrosoftPhoto:Rating"):
            contents.add(name, text)


def is_xmp(data: bytes) -> bool:
    return _HEAD.match(data[:200]) is not None


def _rating(text: str | None) -> int | None:
    """XMP specification part 1, section 8.4: -1 is rejected, 0 is none, up to 5; programs also write `3.0`."""
    if text is None or not re.fullmatch(r"\s*-?\d(\.0*)?\s*", text):
        return None
    stars = int(float(text))
    return stars if -1 <= stars <= 5 else None


class _Packet:
    """The texts of properties, whether they are written as attributes, elements or lists."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self._open: list[tuple[str | None, list[str]]] = []

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST_XMP:
            raise _Refused("its elements are nested too deeply")
        for key, value in attributes.items():
            self._keep(_name(key), value)
        self._open.append((_name(name), []))

    def _end(self, _name: str) -> None:
        name, parts = self._open.pop()
        text = "".join(parts)
        if name is not None:
            self._keep(name, text)
        elif self._open and text.strip():
            self._open[-1][1].append(text)  # a list's entry belongs to the property around it

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1][1].append(text)

    def _keep(self, name: str | None, text: str) -> None:
        if name is not None and text.strip() and len(self.values) < MOST_XMP_VALUES:
            self.values.setdefault(name, text.strip())

    def _refuse(self, *_parts: object) -> None:
        raise _Refused("it declares entities")


def _name(written: str) -> str | None:
    """`xmp:Rating`; None for RDF's own elements, whose text belongs to the property around them."""
    namespace, _, local = written.rpartition(" ")
    if namespace in (_RDF, "adobe:ns:meta/", "http://www.w3.org/XML/1998/namespace"):
        return None
    return f"{_PREFIXES.get(namespace, 'other')}:{local}"
