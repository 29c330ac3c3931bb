"""The texts of a file under the names that tools look for, however a container or a saver named them.

PNG names its texts; JPEG, WebP and AVIF have only tags of cameras, so savers write `prompt:{...}` or one JSON with
everything into whichever is free. `Texts` finds out by content. Pure: strings in, strings and JSON out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from .limits import LONGEST_TEXT, MOST_JSON_PARTS

Json = object

_NAMED = re.compile(r"\s*(context_checkpoint|prompt|workflow|extra_pnginfo|parameters)\s*:\s*(?=[{\[]|[^\s{\[])", re.I)
_OWN_PLACE = frozenset(
    (
        "context_checkpoint",
        "dream",
        "generation_data",
        "invokeai_graph",
        "invokeai_metadata",
        "parameters",
        "parameters-json",
        "prompt",
        "sd-metadata",
        "smproj",
        "workflow",
    )
)
"""Names that PNG texts have by themselves. Others, such as `Comment`, are looked into."""
_ENVELOPE = (
    "context_checkpoint",
    "Comment",
    "Description",
    "generation_data",
    "invokeai_metadata",
    "parameters",
    "sd-metadata",
    "Software",
    "Source",
    "workflow",
)
"""Names by which a JSON object is known to hold several texts."""
SETTINGS = re.compile(r"(?:^|\n|\s)Steps:\s*\d{1,6}\s*,")
"""The line in which A1111 and those like it write their settings."""


class Texts:
    """Texts by name; names are compared without case, and the first of a name counts.

    Parameters
    ----------
    places
        (name of the chunk, tag or element; text), as the container has them.
    """

    def __init__(self, places: Iterable[tuple[str, str]]) -> None:
        self._texts: dict[str, str] = {}
        self._json: dict[str, Json] = {}
        self._parsed: dict[str, Json] = {}
        self.unparsed: set[str] = set()
        for name, text in places:
            self._file(name, text)

    def __bool__(self) -> bool:
        return bool(self._texts or self._json)

    def text(self, name: str) -> str | None:
        return self._texts.get(name.lower())

    def json(self, name: str) -> Json:
        """The JSON under a name; None where there is none, or none that can be parsed."""
        name = name.lower()
        if name in self._json:
            return self._json[name]
        if name not in self._texts:
            return None
        if name not in self._parsed:
            text = self._texts[name]
            self._parsed[name] = parse_json(text)
            if self._parsed[name] is None and text.lstrip()[:1] in ("{", "["):
                self.unparsed.add(name)
        return self._parsed[name]

    def mapping(self, name: str) -> Mapping[str, Json]:
        """The JSON object under a name; empty where there is none."""
        value = self.json(name)
        return value if isinstance(value, Mapping) else {}

    def names(self) -> list[str]:
        return [*self._texts, *(name for name in self._json if name not in self._texts)]

    def _file(self, name: str, text: str) -> None:
        name = name.lower()
        if name in self._texts:
            if name not in _OWN_PLACE:
                self._look_into(text)
            return
        self._texts[name] = text
        if name not in _OWN_PLACE:
            self._look_into(text)

    def _look_into(self, text: str) -> None:
        """Find out what a text is by its beginning."""
        named = _NAMED.match(text[:200])
        if named is not None:
            self._texts.setdefault(named[1].lower(), text[named.end() :])
        elif text.lstrip()[:1] == "{":
            found = parse_json(text)
            if isinstance(found, Mapping):
                self._open(found)
        elif SETTINGS.search(text):
            self._texts.setdefault("parameters", text)

    def _open(self, found: Mapping[str, Json]) -> None:
        """File what a JSON object holds: one graph, the settings of an image, or several texts by name."""
        if is_graph(found):
            self._json.setdefault("prompt", found)
        elif isinstance(found.get("nodes"), list):
            self._json.setdefault("workflow", found)
        elif is_provenance(found):
            self._json.setdefault("context_checkpoint", found)
        elif any(name in found for name in _ENVELOPE) or is_graph(found.get("prompt")):
            for name, value in found.items():
                if isinstance(value, str):
                    self._texts.setdefault(str(name).lower(), value)
                elif isinstance(value, (Mapping, list)):
                    self._json.setdefault(str(name).lower(), value)
        else:
            self._json.setdefault("parameters", found)


def parse_json(text: str) -> Json:
    """JSON as tools write it: NaN is null, and what follows the value is ignored. None where it is none.

    Text that is too long, has too many parts, or is nested too deeply for the parser, is none.
    """
    text = text.lstrip("\ufeff \t\r\n\0")
    if len(text) > LONGEST_TEXT or text[:1] not in ("{", "["):
        return None
    if sum(text.count(part) for part in ",[{") > MOST_JSON_PARTS:
        return None
    try:
        value: Json = _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
    return value


def is_graph(value: Json) -> bool:
    """Whether this is a ComfyUI prompt in API form."""
    return isinstance(value, Mapping) and any(
        isinstance(node, Mapping) and isinstance(node.get("class_type"), str) for node in value.values()
    )


def is_provenance(value: Mapping[str, Json]) -> bool:
    return "version" in value and ("generations" in value or ("generation" in value and "fingerprint" in value))


def _constant(_name: str) -> None:
    """NaN and Infinity, which ComfyUI writes for nodes that always run."""
    return


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= 40 else None


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_int=_whole)
