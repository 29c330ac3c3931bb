"""Globs over checkpoint names, and how names that are no text are shown.

Separate from `pool`, so that the rules for one name can be read without the rules for a pool.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from functools import lru_cache

from ..learning.names import comparable, last_part


@dataclass(frozen=True, slots=True)
class Patterns:
    """Globs over checkpoint names: `*` any characters, `?` one; everything else, brackets too, means itself.

    A pattern matches the whole relative name or its last part, in any case; `/` and `\\` are the same. One that ends in
    a slash matches everything in that folder. Brackets are plain because they are common in checkpoint names.
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
        """Tell whether any of the patterns matches this checkpoint."""
        plain = comparable(name)
        last = last_part(plain)
        return any(pattern.match(plain) or pattern.match(last) for pattern in self.expressions)

    def __bool__(self) -> bool:
        return bool(self.expressions)


def _expression(glob: str) -> re.Pattern[str]:
    plain = comparable(glob)
    if plain.endswith("/"):
        plain += "*"
    return re.compile(fnmatch.translate(plain.replace("[", "[[]")))  # its stars do not backtrack; a plain .* does


def printable(name: str) -> str:
    """Escape a name that is not valid text (Linux allows any bytes), so that it can be shown and sent."""
    return name.encode(errors="backslashreplace").decode()
