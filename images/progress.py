"""How far work on many files is, and how it is ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Phase = Literal["looking", "reading", "hashing", "learning"]
"""Listing the folder, reading the images, hashing checkpoints (in bytes), adding to the database."""


class Stopped(Exception):
    """A person has asked for the work to end. What was learned so far stays, and the same again goes on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done, how much of it is done, and of how much; 0 where that is not known yet."""

    phase: Phase
    done: int
    of: int


OnProgress = Callable[[Progress], None]
"""Called often; it may raise `Stopped`."""


def silent(progress: Progress) -> None:
    """Tell nobody."""
