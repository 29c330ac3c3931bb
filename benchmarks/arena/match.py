"""One player in one world with one seed: a cell, as sums over bins of prompts.

A cell is all that is kept of a match. It is small, plain and mergeable, so that results can be kept in a file
and every table is a function of cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy

from .players.contract import Entrant, Play, Player
from .wishes import Wish, regret, regret_of_chance, verdict
from .worlds.contract import World

BIN = 10
"""Prompts per bin."""

CONFIDENCE_BINS = 10
HIT_WITHIN = 0.25
"""A hit is within so many standard deviations, of the candidates' utilities for the prompt, of the best."""


@dataclass(slots=True)
class Cell:
    """Sums per bin of prompts: `regret` of the best image shown, `chance` the expected regret of three at
    random, `images`, `branches`, `first` the utility of the first recommendation.

    `calibration` has, per tenth of stated confidence, how many rounds showed one checkpoint, the sum of
    their confidences, and how many hit a favourite. `counts` has one digit per prompt: checkpoints shown.
    """

    world: str
    player: str
    seed: int
    prompts: int = 0
    regret: list[float] = field(default_factory=list)
    chance: list[float] = field(default_factory=list)
    images: list[int] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    calibration: list[list[float]] = field(default_factory=lambda: [[0.0] * 3 for _ in range(CONFIDENCE_BINS)])
    counts: str = ""

    def record(self, wish: Wish, play: Play) -> None:
        if self.prompts % BIN == 0:
            for sums in (self.regret, self.chance, self.images, self.branches, self.first):
                sums.append(0)
        self.prompts += 1
        lost = regret(wish, play.checkpoints, same_settings=play.same_settings)
        self.regret[-1] += lost
        self.chance[-1] += regret_of_chance(wish)
        self.images[-1] += sum(play.images)
        self.branches[-1] += len(play.checkpoints)
        self.first[-1] += wish.utility(play.checkpoints[0])
        self.counts += str(len(play.checkpoints))
        if len(play.checkpoints) == 1 and play.confidence is not None and len(wish.candidates) > 1:
            place = min(CONFIDENCE_BINS - 1, int(play.confidence * CONFIDENCE_BINS))
            hit = lost <= HIT_WITHIN * float(numpy.std(wish.utilities))
            for column, number in enumerate((1.0, play.confidence, float(hit))):
                self.calibration[place][column] += number


def play(
    world: World,
    entrant: Entrant,
    seed: int,
    *,
    data: Path | None = None,
    pace: Sequence[int] = (),
    prompts: int | None = None,
) -> Cell:
    """Let an entrant play a world's first `prompts` prompts (all of them if None).

    Parameters
    ----------
    pace
        How many checkpoints the default policy showed for each prompt; three where that is not known.

    Raises
    ------
    RuntimeError
        If the player shows what is not there, or more than it may.
    """
    player: Player = entrant.make(world, seed, data)
    cell = Cell(world.name, entrant.name, seed)
    for number, wish in enumerate(world.wishes(seed, data)):
        if number == prompts:
            break
        branches = pace[number] if number < len(pace) else 3
        played = player.show(wish.prompt, wish.candidates, wish.images, branches)
        _check(entrant, wish, played, branches)
        cell.record(wish, played)
        drawn = wish.with_same_settings() if played.same_settings else wish
        player.learn(verdict(drawn, list(zip(played.checkpoints, played.images, strict=True))))
    return cell


def _check(entrant: Entrant, wish: Wish, played: Play, branches: int) -> None:
    """Nobody wins by showing more than the rules allow."""
    shown = played.checkpoints
    allowed = min(branches, len(wish.candidates)) if entrant.paced else 3
    fair = 1 <= len(shown) <= allowed and len(set(shown)) == len(shown) and set(shown) <= set(wish.candidates)
    if not fair:
        raise RuntimeError(f"{entrant.name} shows {shown}, and may show {allowed} of {wish.candidates}.")
