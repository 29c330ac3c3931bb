"""A history as years of use would leave it, drawn by a seeded generator.

To recommend and judge a million times would take days, so what a verdict teaches is looked up and not computed:
every generation has the same basis (of words that are half known), so that it depends only on how many words
and checkpoints there were and on which was kept. The statistics are then exactly what `doctor --rebuild` makes
of the log, and their number, and how unevenly words are spread, are real. It knows no database: `tables` writes
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from context_checkpoint.learning.model import sufficient_statistics as statistics
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.model.pair_table import FIELDS, numbers_of
from context_checkpoint.learning.model.snapshot import MODELS, PriorSnapshot, rounded
from context_checkpoint.learning.values import Keyword, Shown

CHECKPOINTS = [f"style/checkpoint_{number:03}.safetensors" for number in range(200)]
CANDIDATES = CHECKPOINTS[:12]
WORDS_PER_PROMPT = 10
_CHUNK = 20_000
_BEGIN = datetime(2024, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Generated:
    """One generation before it is stored: words and checkpoints by number, the one kept (None: unjudged)."""

    number: int
    words: tuple[int, ...]
    shown: tuple[int, ...]
    kept: int | None

    @property
    def prompt(self) -> str:
        return ", ".join(word(number) for number in self.words)

    @property
    def moment(self) -> datetime:
        return _BEGIN + timedelta(minutes=self.number)

    @property
    def marks(self) -> str:
        return "".join("+" if place == self.kept else "-" for place in range(len(self.shown)))


@dataclass(slots=True)
class Sums:
    """All that the verdicts taught: `pairs` `[keywords + 1, checkpoints, fields]`, the first row for all of
    them; `rounds` `[keywords + 1]`; and the models' log likelihoods."""

    pairs: NDArray[np.float64]
    rounds: NDArray[np.float64]
    log_likelihoods: NDArray[np.float64] = field(default_factory=lambda: np.zeros(MODELS))

    @classmethod
    def of(cls, keywords: int) -> Sums:
        return cls(np.zeros((keywords + 1, len(CHECKPOINTS), len(FIELDS))), np.zeros(keywords + 1))

    def add(self, chunk: list[Generated]) -> None:
        kinds: dict[tuple[int, int, int], list[Generated]] = {}
        for generation in chunk:
            if generation.kept is not None:
                kinds.setdefault((len(generation.words), len(generation.shown), generation.kept), []).append(generation)
        for (words, shown, kept), alike in kinds.items():
            taught, share, log_likelihoods = _sums_of_verdict(words, shown, kept)
            rows = np.array([(-1, *generation.words) for generation in alike]) + 1
            columns = np.array([generation.shown for generation in alike])
            where = (rows[:, :, None], columns[:, None, :])
            np.add.at(self.pairs, where, np.broadcast_to(taught, (len(alike), *taught.shape)))
            np.add.at(self.rounds, rows, share)
            self.log_likelihoods += len(alike) * log_likelihoods


def keyword_count(generations: int) -> int:
    """As many words as people come up with: a tenth of their prompts, 1,000 at least."""
    return max(1_000, generations // 10)


def word(number: int) -> str:
    return f"word{number}"


def prompts(generations: int, count: int, seed: int) -> list[str]:
    """New prompts out of the same words, common ones more often."""
    generator = np.random.default_rng(seed)
    spread = _spread(generations)
    drawn = generator.choice(len(spread), (count, WORDS_PER_PROMPT), p=spread)
    return [", ".join(word(number) for number in dict.fromkeys(row.tolist())) for row in drawn]


def history(generations: int, seed: int) -> Iterator[list[Generated]]:
    """The generations, oldest first, some thousands at a time."""
    generator = np.random.default_rng(seed)
    spread = _spread(generations)
    for start in range(0, generations, _CHUNK):
        size = min(_CHUNK, generations - start)
        words = generator.choice(len(spread), (size, WORDS_PER_PROMPT), p=spread).tolist()
        kept = generator.integers(0, 4, size).tolist()  # three of four are judged
        others = generator.integers(0, len(CHECKPOINTS), (size, 2)).tolist()
        yield [_made(start + place + 1, words[place], others[place], kept[place]) for place in range(size)]


def _made(number: int, words: list[int], others: list[int], kept: int) -> Generated:
    mine = tuple(dict.fromkeys(words))
    favourite = (min(mine) * 7) % len(CHECKPOINTS)  # a common word's checkpoint is shown again and again
    shown = tuple(dict.fromkeys([favourite, *others]))
    return Generated(number, mine, shown, kept % len(shown) if kept < 3 else None)


def _spread(generations: int) -> NDArray[np.float64]:
    weights = 1.0 / (np.arange(keyword_count(generations)) + 5.0)
    spread: NDArray[np.float64] = weights / weights.sum()
    return spread


@lru_cache
def basis(words: int, shown: int) -> PriorSnapshot:
    """What was known before each verdict on so many words and checkpoints."""
    features = np.full(words, words**-0.5)
    precisions = np.concatenate([np.full((1, shown), 20.0), np.full((words, shown), 1.0)])
    means = np.tile(np.linspace(0.3, -0.3, shown)[:, None], MODELS)
    variances, trust = np.full((shown, MODELS), 0.4), np.full(MODELS, 1 / MODELS)
    calm = np.zeros(1 + words)
    return rounded(PriorSnapshot(features, precisions, means, variances, trust, calm, np.zeros(words), calm, calm, 6.0))


@lru_cache
def _sums_of_verdict(words: int, shown: int, kept: int) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """What such a verdict teaches `[1 + words, shown, fields]`, its share of a round, and the log likelihoods."""
    judged = Comparison(
        tuple(Keyword(str(place)) for place in range(words)),
        tuple(Shown(str(place), 1, int(place == kept), int(place != kept), UTILITY) for place in range(shown)),
        "final",
        basis(words, shown),
    )
    taught = np.array([numbers_of(each.change) for each in statistics.increments(judged)])
    log_likelihoods = np.array(statistics.log_likelihoods(judged))
    return taught.reshape(words + 1, shown, len(FIELDS)), statistics.round_share(shown), log_likelihoods


UTILITY = 0.25
"""The policy's utility of every checkpoint that was shown."""
