"""The values that cross borders inside and around `learning`.

Frozen dataclasses, without behaviour beyond what follows from their own fields. Separate from the code that makes
them so that a node, a route, the store and a policy can exchange them without knowing each other.

Checkpoint names are ComfyUI's (`folder_paths.get_filename_list("checkpoints")`); inside `learning` their
separator is always `/`, and a `Recommendation` spells them as the caller did.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from math import isfinite
from typing import TYPE_CHECKING, Literal

from ..recipes.samplers import sampler_and_scheduler
from ..recipes.settings import Settings
from .message import message
from .names import stored_text

if TYPE_CHECKING:
    from ..recipes.recipe import Lora, Recipe

Stage = Literal["draft", "standard", "final"]
Strategy = Literal["exploit", "exploit_explore", "explore"]

STAGES: tuple[Stage, ...] = ("draft", "standard", "final")
MOST_BRANCHES = 3

HALF_LIFE = 6.0
"""A verdict counts half after this many later ones on its checkpoint, for prompts of the same kind; 0: never."""


@dataclass(frozen=True, slots=True)
class Keyword:
    """A normalised word, tag or phrase of a prompt, and its weight in ComfyUI's syntax."""

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
class Shown:
    """One checkpoint's part in a comparison: images shown, and how many of them were selected and rejected.

    `utility` is the policy's posterior mean when it recommended the checkpoint (None: it has none); the choice
    model is linearised around it. `offset` is what was known of all else in which the images differ: the choice model
    adds it, and teaches nothing of it.
    """

    checkpoint: str
    images: int
    selected: int = 0
    rejected: int = 0
    utility: float | None = None
    offset: float = 0.0

    @property
    def judged(self) -> int:
        return self.selected + self.rejected


@dataclass(frozen=True, slots=True)
class Reason:
    """One keyword's effect on a checkpoint's score (`""`: that of all prompts), and the images that show it.

    `effect` is in the policy's own unit of score, positive for and negative against.
    """

    keyword: str
    checkpoint: str
    effect: float
    selected: float
    total: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What an image of a checkpoint takes: whether it is loaded already, and its usual seconds; None: unknown."""

    loaded: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Precedence:
    """A checkpoint that goes first although another is the best: both are equally good, and this one costs less."""

    checkpoint: str
    best: str
    because: Literal["loaded", "quicker"]


@dataclass(frozen=True, slots=True)
class Posterior:
    """What a policy that averages models knows besides the scores; the tuples are in the order of the ranking.

    Attributes
    ----------
    deviations
        Of the utilities.
    in_play
        The probability that each candidate is one that the person would work with at all.
    rounds
        Judged rounds with the words that the evidence comes from.
    """

    deviations: tuple[float, ...]
    in_play: tuple[float, ...]
    rounds: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """A policy's answer: all candidates best first, their scores, and how sure it is of the first.

    Attributes
    ----------
    order, shown_order
        By score; and in the order in which branches are filled: the first is the best, the others may be drawn.
    scores, utilities
        In the policy's unit; and on the scale of the choice model, empty for a policy without one.
    deviations
        Standard deviations of the utilities; empty for a policy without them.
    confidence, evidence, clarity
        In 0..1: how sure, how much data, and how clear a winner.
    drift
        Surprise of recent verdicts on such prompts, in nats beyond what chance produces (`model.drift`).
    """

    order: tuple[str, ...]
    shown_order: tuple[str, ...]
    scores: Mapping[str, float]
    utilities: Mapping[str, float]
    confidence: float
    evidence: float
    clarity: float
    reasons: tuple[Reason, ...] = ()
    drift: float = 0.0
    posterior: Posterior | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is to one checkpoint alone, for prompts like this one.

    Attributes
    ----------
    pictures
        Those that were judged for such prompts, one per checkpoint and comparison.
    of_about
        About how many it takes in all, if verdicts go on as they do, rounded; None where that cannot be foreseen.
    alone
        Whether it decides alone already.
    """

    pictures: int
    of_about: int | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch of a plan: a checkpoint and what it is drawn with.

    Attributes
    ----------
    settings
        Those that the plan says; whoever draws uses its own values for the others.
    sources
        Where each of them comes from, by its name, for people to read: "its name".
    problems
        What could not be used, for people to read.
    loras
        Those that the plan says; whoever draws adds its own.
    """

    checkpoint: str
    settings: Settings = field(default_factory=Settings)
    sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    loras: tuple[Lora, ...] = ()


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
    drift: float = 0.0
    seed: int | None = None
    family: str = ""
    fallback: bool = False
    """True where learning was bypassed: an empty pool, or a failure that the explanation mentions."""
    problem: str = ""
    """That failure; empty where there was none."""
    pinned: tuple[str, ...] = ()
    """Those of the checkpoints that a person has pinned, where pins changed what is shown."""
    precedence: Precedence | None = None
    """The first of the checkpoints, where it goes first because of what it costs."""
    needs: tuple[str, ...] = ("clip", "vae")
    """The parts that the pool asked of its files besides the diffusion model."""
    branches: tuple[Branch, ...] = ()
    """What each branch is drawn with, in the order of `checkpoints`. Empty: nothing is said of settings."""
    follows_images: bool = False
    """Whether the images that the person had before, and did not rate, have a part in what is shown."""
    imported_verdicts: int = 0
    """How many images of the first of the ranking the person had before, with a rating."""
    taught_by: tuple[str, ...] = ()
    """What was adopted from other people, where it says much in comparison with the person's own verdicts."""
    picked: bool = False
    """Whether it names the checkpoint of one picked image, to finish that image: no comparison follows from it."""
    progress: Progress | None = None
    """How far it is to one checkpoint alone; None where verdicts do not decide that."""

    @property
    def all_branches(self) -> tuple[Branch, ...]:
        """The branches; one per checkpoint where nothing is said of settings. Two may have the same checkpoint."""
        return self.branches or tuple(map(Branch, self.checkpoints))


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """What made an image besides its checkpoint, prompt and seed; None where it is not known.

    The same settings are equal and have the same `text`, however the recipe wrote them: LoRAs are in the order of
    their names, and samplers and schedulers have ComfyUI's names where there are some. The fields are those of
    `Recipe`.
    """

    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    width: int | None = None
    height: int | None = None
    clip_skip: int | None = None
    denoise: float | None = None
    loras: tuple[Lora, ...] | None = None

    @classmethod
    def of(cls, recipe: Recipe) -> ImageSettings | None:
        """Those of a recipe; None where it says none of them."""
        sampler, scheduler = recipe.sampler, recipe.scheduler
        if sampler is not None:
            found = sampler_and_scheduler(sampler, scheduler or "")
            sampler, scheduler = found[0] or sampler, found[1] or scheduler
        settings = cls(
            recipe.steps,
            _finite(recipe.cfg),
            _stored(sampler),
            _stored(scheduler),
            recipe.width,
            recipe.height,
            recipe.clip_skip,
            _finite(recipe.denoise),
            None if recipe.loras is None else tuple(sorted(lora for each in recipe.loras for lora in _lora(*each))),
        )
        return None if settings == cls() else settings

    @property
    def text(self) -> str:
        """Canonical JSON: known fields only, in the order of the alphabet."""
        known = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) is not None}
        return json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that stand for the text."""
        return sha256(self.text.encode()).hexdigest()[:32]

    @classmethod
    def read(cls, text: str) -> ImageSettings:
        """The settings with that text. Raises `ValueError` or `TypeError` where there are none."""
        known = json.loads(text)
        if "loras" in known:
            known["loras"] = tuple((str(name), float(model), float(clip)) for name, model, clip in known["loras"])
        return cls(**known)


def _stored(text: str | None) -> str | None:
    return None if text is None else stored_text(text)


def _finite(number: float | None) -> float | None:
    return float(number) if number is not None and isfinite(number) else None


def _lora(name: str, on_model: float, on_clip: float) -> list[Lora]:
    return [(stored_text(name), float(on_model), float(on_clip))] if isfinite(on_model) and isfinite(on_clip) else []


IMPORTED = "imported"
"""The policy of a generation of images that were there before: a person chose its checkpoints."""

_IMPORT_SESSION = "import:"


def import_session(batch: str) -> str:
    """The session of the generations of one import batch."""
    return _IMPORT_SESSION + batch


def batch_of(session_id: str, policy: str) -> str | None:
    """The import batch that a generation belongs to; None: to none."""
    if policy != IMPORTED or not session_id.startswith(_IMPORT_SESSION):
        return None
    return session_id[len(_IMPORT_SESSION) :]


@dataclass(frozen=True, slots=True)
class ImageFile:
    """Where ComfyUI keeps one image of a generation (`/view?filename=...`), and what made it.

    `source_id` is an imported image's own id, 32 hexadecimal digits; "" for an image that a plan led to.
    `lora_utility` is what was known, when the image was shown, of those of its LoRAs that not all images of its
    generation have: the sum of their utilities. None: nothing.
    """

    checkpoint: str
    filename: str = ""
    subfolder: str = ""
    type: str = ""
    settings: ImageSettings | None = None
    source_id: str = ""
    lora_utility: float | None = None


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """One image of a logged generation; `verdict` None means that it was not judged."""

    position: int
    file: ImageFile
    verdict: Literal["selected", "rejected"] | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """A logged generation: the images of one plan, in order, with their verdicts so far."""

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
    note: str = ""
    """What the person wrote about it."""
    waiting: bool = False
    """Whether its newest verdict waits in the outbox, because the database cannot be written now."""
