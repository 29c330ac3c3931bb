"""The values that cross borders inside and around `learning`.

Frozen dataclasses, no behaviour beyond what follows from their own fields. They are separate from the code
that makes them so that a node, a route, the store and a policy can speak of a round without knowing one
another.

Checkpoint names are ComfyUI's (`folder_paths.get_filename_list("checkpoints")`); inside `learning` their
separator is always `/`, and `Recommendation` gives back the spelling that the caller used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from .message import message

if TYPE_CHECKING:
    from .basis import Basis

Stage = Literal["draft", "standard", "final"]
Strategy = Literal["exploit", "exploit_explore", "explore"]

STAGES: tuple[Stage, ...] = ("draft", "standard", "final")
MOST_BRANCHES = 3

HALF_LIFE = 6.0
"""So many further verdicts on its checkpoint, for prompts of the same kind, halve a verdict; 0 never."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """One telling part of a prompt: a normalised word, tag or phrase, and its weight in ComfyUI's syntax."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidence above `exploit` shows one checkpoint, above `explore` two, else three.

    Raises
    ------
    ValueError
        If they are not `0 <= explore <= exploit <= 1`.
    """

    exploit: float = 0.5
    explore: float = 0.3

    def __post_init__(self) -> None:
        if not 0.0 <= self.explore <= self.exploit <= 1.0:
            raise ValueError(
                message(
                    "thresholds",
                    "The thresholds are the wrong way round or out of range: exploit {exploit}, "
                    "explore {explore}. Choose 0 <= explore <= exploit <= 1, for example 0.5 and 0.3.",
                    exploit=f"{self.exploit:g}",
                    explore=f"{self.explore:g}",
                )
            )


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
class Hearing:
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
    alone: float = 0.0
    growth: float = 0.0

    def with_more(self, more: Hearing, sign: float = 1.0) -> Hearing:
        """As it is once a verdict is added, or with `sign` -1 taken out."""
        return Hearing(
            self.surprise + sign * more.surprise,
            self.alone + sign * more.alone,
            self.growth + sign * more.growth,
        )


@dataclass(frozen=True, slots=True)
class Increment:
    """What one round adds to one pair; keyword `""` is the checkpoint's overall effect."""

    keyword: str
    checkpoint: str
    change: PairStatistics


@dataclass(frozen=True, slots=True)
class Shown:
    """One checkpoint's part in a round: images shown, and how many of them were selected and rejected.

    `utility` is what the policy thought of the checkpoint when it recommended it (None: it did not say); a
    choice model linearises around it.
    """

    checkpoint: str
    images: int
    selected: int = 0
    rejected: int = 0
    utility: float | None = None

    @property
    def judged(self) -> int:
        return self.selected + self.rejected


@dataclass(frozen=True, slots=True)
class Round:
    """One judged generation: everything that a verdict teaches is a function of this."""

    keywords: tuple[Keyword, ...]
    shown: tuple[Shown, ...]
    stage: Stage = "standard"
    basis: Basis | None = field(default=None, compare=False)
    """What was known when it was first judged; without it the additive models learn nothing from it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a policy may know for one decision, as the store holds it.

    `pairs` has the prompt's keywords times the candidates, `overall` the candidates; absent means all zero.
    `keyword_rounds` counts the judged rounds whose prompt had the keyword, `rounds` all judged rounds. `fits`
    has the log likelihood of all verdicts under each of `basis.MODELS`, or nothing. `hearings` is what the
    keywords themselves, and `""` for all prompts, have been through. `half_life` is no evidence, but how fast
    the person lets it fade.
    """

    pairs: Mapping[tuple[str, str], PairStatistics] = field(default_factory=dict)
    overall: Mapping[str, PairStatistics] = field(default_factory=dict)
    keyword_rounds: Mapping[str, float] = field(default_factory=dict)
    rounds: float = 0.0
    fits: tuple[float, ...] = ()
    hearings: Mapping[str, Hearing] = field(default_factory=dict)
    half_life: float = HALF_LIFE


@dataclass(frozen=True, slots=True)
class Reason:
    """How much one keyword (or `""`, the checkpoint in general) speaks for a checkpoint, on how much
    evidence.

    `effect` is in the policy's own unit of score, positive for and negative against.
    """

    keyword: str
    checkpoint: str
    effect: float
    selected: float
    total: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """A policy's answer: all candidates best first, what it thinks of each, and how sure it is of the first.

    `evidence` (how much data) and `clarity` (how clear a winner) are in 0..1, as is their outcome
    `confidence`. `shown_order` is the order in which branches are filled: the first is the best, the others
    may be drawn. `doubt` is how far recent verdicts on such prompts went against what was foretold, 0 while
    they did not. `deviations` has the standard deviation of each score, in their order; only a policy that
    draws says it.
    """

    order: tuple[str, ...]
    shown_order: tuple[str, ...]
    scores: Mapping[str, float]
    utilities: Mapping[str, float]
    confidence: float
    evidence: float
    clarity: float
    reasons: tuple[Reason, ...] = ()
    doubt: float = 0.0
    deviations: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Which one to three checkpoints to use for a prompt, best first, and why.

    This is what travels along the `plan` socket. `scores` is in the policy's unit (for `counts` and
    `global` a selection rate in 0..1), `confidence`, `evidence` and `clarity` are in 0..1.
    """

    prompt: str
    checkpoints: tuple[str, ...]
    confidence: float
    strategy: Strategy
    scores: Mapping[str, float]
    policy: str
    keywords: tuple[Keyword, ...]
    explanation: str
    stage: Stage = "standard"
    evidence: float = 0.0
    clarity: float = 0.0
    utilities: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    doubt: float = 0.0
    seed: int | None = None
    family: str = ""
    fallback: bool = False
    """True where learning was bypassed: an empty pool, or a failure that the explanation tells."""
    problem: str = ""
    """That failure; empty where there was none."""
    pinned: tuple[str, ...] = ()
    """Those of the checkpoints that a person has pinned, where they would not be shown otherwise."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Where ComfyUI keeps one image of a generation (`/view?filename=...`), and whose it is."""

    checkpoint: str
    filename: str = ""
    subfolder: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """One image of a logged generation; `verdict` None means that nobody said anything of it."""

    position: int
    file: ImageFile
    verdict: Literal["selected", "rejected"] | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """A logged generation: the images one plan led to, in order, and what was said of them so far."""

    id: str
    session_id: str
    prompt: str
    stage: Stage
    policy: str
    strategy: Strategy
    confidence: float
    created_at: datetime
    keywords: tuple[Keyword, ...]
    images: tuple[JudgedImage, ...]
    prompt_id: str = ""
    judged_at: datetime | None = None
