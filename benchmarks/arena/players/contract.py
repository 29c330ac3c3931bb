"""What a player is: it sees a prompt and names, shows one to three checkpoints, learns from the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from context_checkpoint.learning.values import Shown

from ..worlds.contract import World


@dataclass(frozen=True, slots=True)
class Play:
    """What a player shows, best first.

    `images` is parallel to `checkpoints`. `confidence` is None where a player states none. `same_settings` is True
    where all pictures are drawn with the same settings instead of each checkpoint's own.
    """

    checkpoints: tuple[str, ...]
    images: tuple[int, ...]
    confidence: float | None = None
    same_settings: bool = False


class Player(Protocol):
    """One contestant in one world with one seed."""

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        """Choose checkpoints for a prompt.

        Parameters
        ----------
        images
            Images per prompt, to be divided; each branch gets at least one.
        branches
            How many checkpoints the default policy showed for this prompt in this world with this seed. A
            player without a notion of its own uncertainty shows as many.
        """
        ...

    def learn(self, shown: Sequence[Shown]) -> None:
        """The verdict on what was shown last."""
        ...


@dataclass(frozen=True, slots=True)
class Entrant:
    """A player by name, and how to make a new one.

    Attributes
    ----------
    label
        Its name in the tables.
    paced
        True where it shows as many checkpoints as the default policy did.
    peer
        False for our own policies.
    make
        Gets the world, the seed and the data folder. Only a player that knows everything looks into the
        world; the others take the seed for their own chance.
    missing
        The package that it needs and that is not installed, or nothing.
    foresight
        True where it knows what nobody can know: a bound, not an opponent.
    worlds
        The only worlds that it can play, by name; all if there are none.
    """

    name: str
    label: str
    paced: bool
    peer: bool
    make: Callable[[World, int, Path | None], Player]
    missing: str = ""
    foresight: bool = False
    worlds: tuple[str, ...] = ()
