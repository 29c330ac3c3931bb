"""Globs over checkpoint names."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# --- names and patterns


@dataclass(frozen=True, slots=True)
class Patterns:
    """Globs over checkpoint names: `*` any characters, `?` one; everything else, brackets too, means itself.

    A pattern matches the whole relative name or its last part, in any case, with `/` and `\\` alike; one
    that ends in a slash matches all that lies in that folder. Brackets are plain because they are common in
    checkpoint names.
    """

    expressions: tuple[re.Pattern[str], ...]

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, text: str) -> Patterns:
        """Read patterns, one per line or separated by commas; a name with a comma needs its own line."""
        lines = [line.strip() for line in text.splitlines()]
        parts = [part.strip() for line in lines if "," in line for part in line.split(",")]
        return cls(tuple(_expression(glob) for glob in dict.fromkeys(lines + parts) if glob.strip(",")))

    def match(self, name: str) -> bool:
        """Tell whether any of the patterns means this checkpoint."""
        plain = _plain(name)
        last = _last_part(plain)
        return any(one.match(plain) or one.match(last) for one in self.expressions)

    def __bool__(self) -> bool:
        return bool(self.expressions)


def _expression(glob: str) -> re.Pattern[str]:
    plain = _plain(glob)
    if plain.endswith("/"):
        plain += "*"
    return re.compile(fnmatch.translate(plain.replace("[", "[[]")))  # its stars do not backtrack, a plain .* does


def _plain(name: str) -> str:
    """Spell a name so that the same file compares equal: one Unicode form (macOS splits), slash, no case."""
    folded = unicodedata.normalize("NFC", name).replace("\\", "/").casefold()
    return unicodedata.normalize("NFC", folded).removeprefix("./")


def printable(name: str) -> str:
    """Spell a name that is no text (Linux allows any bytes) so that it can be shown and sent."""
    return name.encode(errors="backslashreplace").decode()


def _last_part(plain: str) -> str:
    return plain.rpartition("/")[2]
