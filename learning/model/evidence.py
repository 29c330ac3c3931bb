"""What verdicts add up to: the values that the models read.

Separate from the code that computes with them so that the store can fill them without importing NumPy's models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..values import HALF_LIFE, Keyword, Shown, Stage

if TYPE_CHECKING:
    from .habit import Habit
    from .shared_prior import SharedPrior
    from .snapshot import PriorSnapshot


@dataclass(frozen=True, slots=True)
class PairStatistics:
    """What the verdicts say of one checkpoint, for prompts with one keyword or (overall) for all of them.

    Every field is a sum over judged rounds, so that verdicts can be added, replaced and merged in any order.

    Attributes
    ----------
    selected, total
        Images selected, and images judged (selected or rejected).
    rounds
        Judged rounds that compared this checkpoint with at least one other, weighted by the keyword's weight.
    score, information
        First and second derivative (negated) of the round's choice likelihood in this checkpoint's utility;
        `score / information` estimates the utility, `information` is its precision.
    narrow, middle, wide
        The keyword's effect on this checkpoint's utility (or its overall effect) as the additive models with
        the prior variances `snapshot.WIDTHS` learned it.
    precision
        How much is known of these effects.
    """

    selected: float = 0.0
    total: float = 0.0
    rounds: float = 0.0
    score: float = 0.0
    information: float = 0.0
    narrow: float = 0.0
    middle: float = 0.0
    wide: float = 0.0
    precision: float = 0.0


@dataclass(frozen=True, slots=True)
class KeywordTrend:
    """How verdicts on a keyword's prompts went recently, whatever the checkpoint; or what one verdict adds to it.

    Attributes
    ----------
    surprise
        An exponentially weighted mean of how much worse verdicts were predicted than a correct model predicts
        them, in nats: about 0 while they come as expected.
    exploit_streak
        Generations in a row that showed one checkpoint alone, since the last that compared several.
    log_decay_weight
        Natural logarithm of how much more a verdict counts now than one from before any drift
        (`forward_decay`).
    """

    surprise: float = 0.0
    exploit_streak: float = 0.0
    log_decay_weight: float = 0.0

    def with_more(self, more: KeywordTrend, sign: float = 1.0) -> KeywordTrend:
        """As it is once a verdict is added, or with `sign` -1 taken out."""
        return KeywordTrend(
            self.surprise + sign * more.surprise,
            self.exploit_streak + sign * more.exploit_streak,
            self.log_decay_weight + sign * more.log_decay_weight,
        )


@dataclass(frozen=True, slots=True)
class Increment:
    """What one comparison adds to one pair; keyword `""` is the checkpoint's overall effect."""

    keyword: str
    checkpoint: str
    change: PairStatistics


@dataclass(frozen=True, slots=True)
class Comparison:
    """One judged generation: everything that a verdict teaches is a function of this."""

    keywords: tuple[Keyword, ...]
    shown: tuple[Shown, ...]
    stage: Stage = "standard"
    snapshot: PriorSnapshot | None = field(default=None, compare=False)
    """What was known when it was first judged; without it the additive models learn nothing from it."""
    members: tuple[tuple[str, ...], ...] = ()
    """The arms that each part of `shown` has. Empty: the part is one arm, its checkpoint (`arms`)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a policy may know for one decision, as the store holds it; what is missing counts as zero.

    Attributes
    ----------
    pairs, overall
        The prompt's keywords times the candidates, by (keyword, checkpoint); the candidates over all prompts.
    keyword_rounds, rounds
        Judged rounds whose prompt had the keyword, and all judged rounds, as parts of a full comparison
        (`sufficient_statistics.round_share`).
    log_likelihoods
        Of all verdicts, under each of the `snapshot.MODELS`; empty before the first.
    keyword_trends
        By keyword, and by `""` for all prompts.
    half_life
        No evidence, but how fast the person lets it fade (`values.HALF_LIFE`).
    habit
        Which checkpoints the person works with; None where no images were imported.
    shared
        What other people's verdicts say; None where nothing of them is known.
    """

    pairs: Mapping[tuple[str, str], PairStatistics] = field(default_factory=dict)
    overall: Mapping[str, PairStatistics] = field(default_factory=dict)
    keyword_rounds: Mapping[str, float] = field(default_factory=dict)
    rounds: float = 0.0
    log_likelihoods: tuple[float, ...] = ()
    keyword_trends: Mapping[str, KeywordTrend] = field(default_factory=dict)
    half_life: float = HALF_LIFE
    habit: Habit | None = None
    shared: SharedPrior | None = None
