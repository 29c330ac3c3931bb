"""What a container (PNG, JPEG, WebP, AVIF) holds beside pixels: the value that its reader gives to the tools."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..limits import LONGEST_TEXT, MOST_TEXT
from ..problem import Problem, problem


@dataclass(slots=True)
class Contents:
    """Texts with the names of their places, in the order of the file.

    Parameters
    ----------
    format
        `PNG`, `JPEG`, `WebP` or `AVIF`.
    texts
        (name of the chunk, tag or element; text).
    width, height
        Of the picture, in pixels.
    has_alpha
        Whether its pixels can hide something: they have transparency.
    rating
        As XMP defines it: -1 rejected, 0 none, 1 to 5 stars; None where none is written.
    problems
        What was skipped, and why.
    room
        Bytes of texts that may still be read.
    """

    format: str
    texts: list[tuple[str, str]] = field(default_factory=list)
    width: int | None = None
    height: int | None = None
    has_alpha: bool = False
    rating: int | None = None
    problems: list[Problem] = field(default_factory=list)
    room: int = MOST_TEXT

    def takes(self, name: str, length: int) -> bool:
        """Whether a text of this many bytes may be read; if so, there is less room for others, kept or not."""
        if length > min(LONGEST_TEXT, self.room):
            self.skip_long(name)
            return False
        self.room -= length
        return True

    def add(self, name: str, text: str) -> None:
        if text:
            self.texts.append((name, text))

    def skip_long(self, name: str) -> None:
        most, of_all = LONGEST_TEXT // 2**20, MOST_TEXT // 2**20
        self.skip(
            problem(
                "too_large",
                "{name} was skipped: at most {most} MB of one text are read, and {of_all} MB of all.",
                name=shown(name),
                most=most,
                of_all=of_all,
            )
        )

    def skip(self, found: Problem) -> None:
        if len(self.problems) < 20:  # the first ones tell enough
            self.problems.append(found)


def shown(name: str) -> str:
    """A name out of a file as it can be printed."""
    return "".join(c if c.isprintable() else "?" for c in name[:80])
