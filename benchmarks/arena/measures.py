"""What the cells of matches say: regret as a share of three at random, images per prompt, calibration, recovery.

Everything is a mean over seeds with its standard error. Regret is divided by what three at random would have
had in the same rounds, computed exactly, so that an easy seed and a hard one count alike and 1 means "no
better than chance".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy

from .match import BIN, Cell
from .wishes import Numbers


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds and its standard error (0 for a single seed, where it is not known)."""

    mean: float
    error: float = 0.0

    def __str__(self) -> str:
        return f"{self.mean:.3f}±{self.error:.3f}" if self.error else f"{self.mean:.3f}"


@dataclass(frozen=True, slots=True)
class Window:
    """How one player did in one span of prompts.

    `share` is its regret divided by that of three at random, `regret` in units of utility, `first` the mean
    utility of its first recommendation.
    """

    share: Estimate
    regret: Estimate
    images: Estimate
    branches: Estimate
    first: Estimate


@dataclass(frozen=True, slots=True)
class Exploited:
    """Rounds that showed one checkpoint alone: how many, how sure, how often it was a favourite."""

    rounds: int
    confidence: float
    hits: float


def window(cells: Sequence[Cell], first: int, last: int) -> Window:
    """Prompts `first` to `last - 1` of one player in one world, over all its seeds."""
    span = slice(first // BIN, -(-last // BIN))
    prompts = numpy.array([min(cell.prompts, last) - first for cell in cells], dtype=float)

    def means(sums: Sequence[Sequence[float]]) -> Numbers:
        return numpy.array([sum(one[span]) for one in sums]) / prompts

    lost, chance = means([cell.regret for cell in cells]), means([cell.chance for cell in cells])
    return Window(
        share=_ratio(lost, chance),
        regret=_mean(lost),
        images=_mean(means([cell.images for cell in cells])),
        branches=_mean(means([cell.branches for cell in cells])),
        first=_mean(means([cell.first for cell in cells])),
    )


def advantage(one: Sequence[Cell], other: Sequence[Cell], first: int, last: int) -> Estimate:
    """How much lower the first one's share of regret is, over the seeds that both played, in pairs."""
    pairs = _pairs(one, other)
    if not pairs:
        return Estimate(0.0)
    span = slice(first // BIN, -(-last // BIN))
    less = numpy.array([sum(b.regret[span]) - sum(a.regret[span]) for a, b in pairs])
    return _ratio(less, numpy.array([sum(b.chance[span]) for _, b in pairs]))


def lead(one: Sequence[Cell], other: Sequence[Cell], first: int, last: int) -> Estimate:
    """How much more the first recommendation of the first is worth, over the seeds that both played."""
    pairs = _pairs(one, other)
    if not pairs:
        return Estimate(0.0)
    span = slice(first // BIN, -(-last // BIN))
    prompts = numpy.array([min(cell.prompts, last) - first for cell, _ in pairs], dtype=float)
    return _mean(numpy.array([sum(a.first[span]) - sum(b.first[span]) for a, b in pairs]) / prompts)


def _pairs(one: Sequence[Cell], other: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    theirs = {cell.seed: cell for cell in other}
    return [(cell, theirs[cell.seed]) for cell in one if cell.seed in theirs]


def calibration(cells: Sequence[Cell]) -> list[Exploited]:
    """Per tenth of stated confidence, the rounds that showed one checkpoint alone; empty tenths left out."""
    sums = numpy.array([cell.calibration for cell in cells]).sum(axis=0)
    return [Exploited(int(n), stated / n, hit / n) for n, stated, hit in sums if n]


def exploited(cells: Sequence[Cell]) -> Exploited:
    """The same over all tenths."""
    rounds, stated, hit = numpy.array([cell.calibration for cell in cells]).sum(axis=(0, 1))
    return Exploited(int(rounds), stated / max(1.0, rounds), hit / max(1.0, rounds))


def curve(cells: Sequence[Cell], width: int = 9) -> tuple[Numbers, Numbers, Numbers]:
    """Prompt numbers, regret as a share of three at random, and branches, smoothed over `width` bins."""
    bins = min(len(cell.regret) for cell in cells)
    sizes = numpy.minimum(BIN, min(cell.prompts for cell in cells) - BIN * numpy.arange(bins))
    lost = numpy.array([cell.regret[:bins] for cell in cells]).sum(axis=0)
    chance = numpy.array([cell.chance[:bins] for cell in cells]).sum(axis=0)
    branches = numpy.array([cell.branches[:bins] for cell in cells]).sum(axis=0)
    near = [slice(max(0, place - width // 2), place + width // 2 + 1) for place in range(bins)]
    share = numpy.array([lost[span].sum() / max(chance[span].sum(), 1e-12) for span in near])
    shown = numpy.array([branches[span].sum() / (len(cells) * sizes[span].sum()) for span in near])
    return BIN * numpy.arange(bins) + sizes / 2, share, shown


def recovery(
    cells: Sequence[Cell],
    flip: int,
    *,
    within: float = 1.2,
    before: int = 150,
    of: Sequence[Cell] | None = None,
) -> int | None:
    """Prompts after a flip until regret is back within 20 % of what it was before; None if it never is.

    What it was before is that of the same player, or of the cells `of` another. Regret is averaged over all
    seeds and four bins in a row, so that one lucky prompt is no recovery; what is counted are the prompts up
    to the middle of those four.
    """
    lost = numpy.array([cell.regret for cell in cells]).mean(axis=0) / BIN
    start, wide = flip // BIN, 4
    compared = numpy.array([cell.regret for cell in of or cells]).mean(axis=0) / BIN
    aim = within * compared[start - before // BIN : start].mean()
    for place in range(start, len(lost) - wide + 1):
        if lost[place : place + wide].mean() <= aim:
            return (place - start + wide // 2) * BIN
    return None


def _mean(values: Numbers) -> Estimate:
    if len(values) < 2:
        return Estimate(float(values.mean()))
    return Estimate(float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5))


def _ratio(over: Numbers, under: Numbers) -> Estimate:
    """A ratio of means, its error by linearisation (the delta method): seeds are drawn, not prompts."""
    below = float(under.mean())
    if below <= 0.0:
        return Estimate(0.0)
    share = float(over.mean()) / below
    return Estimate(share, _mean(over - share * under).error / below)
