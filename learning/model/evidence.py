"""What verdicts add up to: the values that the model reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..values import HALF_LIFE, Keyword, Shown, Stage

if TYPE_CHECKING:
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
        the prior variances `basis.WIDTHS` learned it.
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
    """How a keyword's prompts went of late, whatever the checkpoint; or what one verdict adds to that.

    Attributes
    ----------
    surprise
        A fading mean of how much worse verdicts were foretold than a model that is right foretells them, in
        nats: about 0 while all goes as expected.
    alone
        Rounds in a row that showed one checkpoint alone, since the last that compared some.
    growth
        How much more a verdict counts by now than one before anything was doubted, as a natural logarithm
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
    """What one round adds to one pair; keyword `""` is the checkpoint's overall effect."""

    keyword: str
    checkpoint: str
    change: PairStatistics


@dataclass(frozen=True, slots=True)
class Comparison:
    """One judged generation: everything that a verdict teaches is a function of this."""

    keywords: tuple[Keyword, ...]
    shown: tuple[Shown, ...]
    stage: Stage = "standard"
    basis: PriorSnapshot | None = field(default=None, compare=False)
    """What was known when it was first judged; without it the additive models learn nothing from it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a policy may know for one decision, as the store holds it.

    `pairs` has the prompt's keywords times the candidates, `overall` the candidates; absent means all zero.
    `keyword_rounds` counts the judged rounds whose prompt had the keyword, `rounds` all judged rounds. `fits`
    has the log likelihood of all verdicts under each of `basis.MODELS`, or nothing. `keyword_trends` is what the
    keywords themselves, and `""` for all prompts, have been through. `half_life` is no evidence, but how fast
    the person lets it fade.
    """

    pairs: Mapping[tuple[str, str], PairStatistics] = field(default_factory=dict)
    overall: Mapping[str, PairStatistics] = field(default_factory=dict)
    keyword_rounds: Mapping[str, float] = field(default_factory=dict)
    rounds: float = 0.0
    fits: tuple[float, ...] = ()
    keyword_trends: Mapping[str, KeywordTrend] = field(default_factory=dict)
    half_life: float = HALF_LIFE
