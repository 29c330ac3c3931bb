"""Fills in the placeholders of a file name's prefix that ComfyUI's page fills in for its own nodes only.

`%date:yyyy-MM-dd%`, and `%Node.input%` for a value of another node. `%width%`, `%year%` and the like are ComfyUI's
server's and stay as they are. `%checkpoint%` is the pack's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath

CHECKPOINT = "checkpoint"

_PLACEHOLDER = re.compile(r"%([^%]+)%")
_DATE_PART = re.compile(r"yyyy|yy|MM|M|dd|d|hh|h|mm|m|ss|s")
_NOT_IN_NAMES = re.compile(r'[/?<>\\:*|"\x00-\x1F\x7F]')
_LONGEST_VALUE_BYTES = 150
"""A file's name has at most 255 bytes on most systems."""


def filled_in(prefix: str, prompt: Mapping[str, object], checkpoint: str, now: datetime) -> str:
    """Fill in a prefix; a placeholder that names nothing stays as it is.

    Parameters
    ----------
    prompt
        ComfyUI's prompt in API form. A node is named by its title or by its class.
    checkpoint
        Name of the checkpoint; its folder and ending are left out. Empty where it is not known.
    now
        Local time.
    """

    def value(match: re.Match[str]) -> str:
        text = match[1]
        if text.startswith("date:"):
            return _in_a_name(_date(text.removeprefix("date:"), now))
        if text == CHECKPOINT:
            return _in_a_name(PurePosixPath(checkpoint.replace("\\", "/")).stem) or "unknown"
        name, dot, key = text.partition(".")
        found = _value(prompt, name, key) if dot else None
        return match[0] if found is None else _in_a_name(found)

    return _PLACEHOLDER.sub(value, prefix)


def _value(prompt: Mapping[str, object], name: str, key: str) -> str | None:
    nodes = [node for node in prompt.values() if isinstance(node, Mapping)]
    by_class = [node for node in nodes if node.get("class_type") == name]
    by_title = [node for node in nodes if isinstance(meta := node.get("_meta"), Mapping) and meta.get("title") == name]
    for node in [*by_class, *by_title]:
        inputs = node.get("inputs")
        if isinstance(inputs, Mapping) and isinstance(inputs.get(key), (str, int, float)):
            return str(inputs[key])
    return None


def _date(pattern: str, now: datetime) -> str:
    parts = {
        "yyyy": f"{now.year:04}",
        "yy": f"{now.year % 100:02}",
        "M": str(now.month),
        "d": str(now.day),
        "h": str(now.hour),
        "m": str(now.minute),
        "s": str(now.second),
    }
    parts |= {key * 2: parts[key].zfill(2) for key in "Mdhms"}
    return _DATE_PART.sub(lambda match: parts[match[0]], pattern)


def _in_a_name(value: str) -> str:
    return _NOT_IN_NAMES.sub("_", value).encode("utf-8", "ignore")[:_LONGEST_VALUE_BYTES].decode("utf-8", "ignore")
