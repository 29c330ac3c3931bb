"""A bound: a player that knows each prompt's style, and the prompt at which it changes, and infers exactly.

It reads no prompt. What it does not know is what the person likes. From the verdicts on as many pictures as
the default policy showed it draws the exact posterior: tastes as `worlds.contract.tastes` draws them, choices
by Luce's axiom with the person's bar, as `wishes.verdict` makes them from Gumbel noise. A taste that changed is
learned from nothing. No learner can know so much: where one is as good, reading and inference cost it nothing.

The posterior is drawn by Gibbs sampling: the overall utilities of checkpoints are normal given all styles;
each style's utilities are moved by elliptical slice sampling (Murray, Adams and MacKay, AISTATS 2010), in
many chains at once. The best on average is shown first, then what has the greatest expected improvement
(Mockus, 1975), then the greatest mean plus three standard deviations: of the few rules tried the one with the
least regret.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy

from context_checkpoint.learning.values import MOST_BRANCHES, Shown

from ..wishes import BAR, Numbers, Wish
from ..worlds.contract import GENERAL_DEVIATION, KIND_DEVIATION, World
from .contract import Entrant, Play
from .simple import evenly

_CHAINS = 96
_MOVES = 4  # of a style after each of its verdicts
_SHRINKING = 60  # steps after which a chain without a better place stays where it was
_BOLD = 3.0  # standard deviations


class Style:
    """What is known of one style: utilities `[chains, C]` that are draws from their posterior."""

    def __init__(self, general: Numbers, rng: numpy.random.Generator) -> None:
        self._rng = rng
        self.utilities: Numbers = general + KIND_DEVIATION * rng.standard_normal(general.shape)
        self._choices: Counter[tuple[tuple[int, ...], int]] = Counter()

    def learn(self, shown: Sequence[int], kept: int | None, general: Numbers) -> None:
        """Of the places shown one was kept, or none."""
        bar, nothing = general.shape[1], general.shape[1] + 1
        padded = (*sorted(shown), *[nothing] * (MOST_BRANCHES - len(shown)), bar)
        self._choices[padded, bar if kept is None else kept] += 1
        self._could_be_kept, self._kept = map(numpy.array, zip(*self._choices, strict=True))
        self._times = numpy.array(list(self._choices.values()), dtype=float)
        for _ in range(_MOVES):
            self._move(general)

    def _move(self, general: Numbers) -> None:
        """One step of elliptical slice sampling around the general utilities, in each chain."""
        rng, chains = self._rng, len(general)
        here = self.utilities - general
        aside = KIND_DEVIATION * rng.standard_normal(here.shape)
        least = self._log_likelihood(self.utilities) + numpy.log(rng.random(chains))
        angle = 2.0 * numpy.pi * rng.random(chains)
        low, high = angle - 2.0 * numpy.pi, angle.copy()
        moving = numpy.ones(chains, bool)
        for _ in range(_SHRINKING):
            there = general + here * numpy.cos(angle)[:, None] + aside * numpy.sin(angle)[:, None]
            good = moving & (self._log_likelihood(there) > least)
            self.utilities[good] = there[good]
            moving &= ~good
            if not moving.any():
                return
            low = numpy.where(angle < 0.0, angle, low)
            high = numpy.where(angle < 0.0, high, angle)
            angle = numpy.where(moving, low + rng.random(chains) * (high - low), angle)

    def _log_likelihood(self, utilities: Numbers) -> Numbers:
        """Of all choices, per chain. The bar is one of those that could have been kept."""
        fixed = numpy.broadcast_to([BAR, -numpy.inf], (len(utilities), 2))
        extended = numpy.concatenate([utilities, fixed], axis=1)
        together = numpy.log(numpy.exp(extended)[:, self._could_be_kept].sum(axis=2))
        likelihood: Numbers = (extended[:, self._kept] - together) @ self._times
        return likelihood


class Informed:
    """Knows which wishes are of one style, and what tastes are like; nothing else."""

    def __init__(self, wishes: Iterator[Wish], seed: int) -> None:
        self._wishes = wishes
        self._rng = numpy.random.default_rng([seed, 7])
        self._styles: dict[bytes, Style] = {}
        self._general: Numbers = numpy.zeros((0, 0))
        self._shown: tuple[Sequence[str], Style]

    def show(self, prompt: str, candidates: Sequence[str], images: int, branches: int) -> Play:
        # Utilities identify a style, and are used for nothing else. A style that changed is a new one.
        style_id = next(self._wishes).utilities.tobytes()
        if not self._styles:
            self._general = GENERAL_DEVIATION * self._rng.standard_normal((_CHAINS, len(candidates)))
        if style_id not in self._styles:
            self._styles[style_id] = Style(self._general, self._rng)
        style = self._styles[style_id]
        self._shown = candidates, style
        return evenly([candidates[place] for place in _best(style.utilities, branches)], images)

    def learn(self, shown: Sequence[Shown]) -> None:
        candidates, style = self._shown
        kept = [candidates.index(part.checkpoint) for part in shown if part.selected]
        style.learn([candidates.index(part.checkpoint) for part in shown], kept[0] if kept else None, self._general)
        self._general = self._drawn_general()

    def _drawn_general(self) -> Numbers:
        """Given the styles' utilities: a normal mean with a normal prior."""
        styles = numpy.array([style.utilities for style in self._styles.values()])
        precision = GENERAL_DEVIATION**-2 + len(styles) * KIND_DEVIATION**-2
        mean = styles.sum(axis=0) * KIND_DEVIATION**-2 / precision
        drawn: Numbers = mean + self._rng.standard_normal(mean.shape) / precision**0.5
        return drawn


def _best(utilities: Numbers, branches: int) -> list[int]:
    """The greatest mean, the greatest expected improvement, and the greatest upper bound."""
    means, deviations = utilities.mean(axis=0), utilities.std(axis=0)
    first = int(means.argmax())
    better = numpy.maximum(0.0, utilities - utilities[:, [first]]).mean(axis=0)
    chosen = [first]
    for appeal in (better, means + _BOLD * deviations):
        appeal[chosen] = -numpy.inf
        chosen.append(int(appeal.argmax()))
    return chosen[: min(branches, len(means))]


def _make(world: World, seed: int, data: Path | None) -> Informed:
    return Informed(world.wishes(seed, data), seed)


ENTRANTS = (
    Entrant(
        "informed",
        "knows the style and the flip, exact posterior",
        paced=True,
        peer=True,
        make=_make,
        foresight=True,
        worlds=("styles", "drift"),
    ),
)
