"""What goes in and out over HTTP, as pydantic models: the only description of the JSON that clients see.

Separate from `routes.py` so that the OpenAPI description, the checks and the documentation are made from one
place. Requests refuse unknown fields and bound every size before anything else looks at them; answers are
built from the values of `learning` and hold no more than what is declared here. No rule of learning lives
here: whether a verdict fits its generation is the service's to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator

from .learning import explanation
from .learning.explanation import Finding, Opening
from .learning.message import parts_of
from .learning.strategy import divide_images
from .learning.values import MOST_BRANCHES, Recommendation, Stage, Strategy
from .nodes.pool import Pool
from .settings import MOST_BACKUPS, MOST_DAYS, MOST_HALF_LIFE, MOST_KEPT_LOADERS, MOST_NAMES

LONGEST_PROMPT = 400_000
"""Characters. People paste whole documents; a prompt of 100 kB is served, a novel is refused."""
MOST_CANDIDATES = 1_000
MOST_IMAGES = 10_000  # of one generation; a copy of the bound in `learning.service`
MOST_ROWS = 500
LARGEST_SEED = 2**64 - 1  # ComfyUI's own bound


def _printable(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("must not contain control characters")
    return text


Prompt = Annotated[str, Field(max_length=LONGEST_PROMPT)]
Name = Annotated[str, Field(min_length=1, max_length=1_024), AfterValidator(_printable)]
Identifier = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Globs = Annotated[str, Field(max_length=10_000)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{8,128}$", max_length=128)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, le=MOST_IMAGES)]
Position = Annotated[int, Field(ge=0, lt=1_000_000)]
Candidates = Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_CANDIDATES)]


class Asked(BaseModel):
    """What a client sends: a body, or a query string read as one."""

    # Built with the first request: ComfyUI's start should not pay for it.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Answer(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, defer_build=True)


class Nothing(Asked):
    """No fields: an empty query, or the body `{}`."""


class PartAnswer(Answer):
    """Part of an English text, and by what to say it in another language (`message_<key>` in `locales/`)."""

    text: str
    key: str = Field(default="", description="Stable; empty where the text is no language, such as a name.")
    values: dict[str, Any] = Field(
        default_factory=dict, description="What goes into the text; a value that is a list is parts again."
    )


def parts_answer(text: str) -> tuple[PartAnswer, ...]:
    return tuple(PartAnswer.model_validate(part) for part in parts_of(text))


class ErrorBody(Answer):
    code: str = Field(description="Stable; programs decide by it.")
    message: str = Field(description="For people, in English; says what to do next.")
    parts: tuple[PartAnswer, ...] = Field(description="What `message` says, to say it in another language.")
    details: list[dict[str, Any]] = Field(description="One entry per refused field: `field` and `problem`.")


class ErrorAnswer(Answer):
    """Every answer that is not a success."""

    error: ErrorBody


# --- recommend


class PoolAsked(Asked):
    """Rules that choose candidates among this ComfyUI's checkpoints, as the recommender node has them."""

    family: Annotated[str, Field(max_length=100)] = "auto"
    include: Globs = ""
    exclude: Globs = ""
    fallback: Annotated[str, Field(max_length=1_024)] = ""


class RecommendAsked(Asked):
    """A prompt, and the checkpoints to choose from: named as `candidates`, or by the rules of a `pool`.

    Without either, all checkpoints of the family that `auto` finds are meant; only ComfyUI can answer that.
    """

    prompt: Prompt
    negative: Prompt = Field(default="", description="The negative prompt, a context of its own.")
    candidates: Candidates | None = None
    pool: PoolAsked | None = None
    stage: Stage = "final"
    explore: bool = True
    policy: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="null: as in settings"
    )
    max_branches: Annotated[int, Field(ge=1, le=MOST_BRANCHES)] = MOST_BRANCHES
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] | None = Field(
        default=None, description="Makes an exploring policy repeatable."
    )
    exploit_threshold: Share | None = Field(default=None, description="null: as in settings")
    explore_threshold: Share | None = Field(default=None, description="null: as in settings")
    images: Annotated[int, Field(ge=1, le=MOST_IMAGES)] | None = Field(
        default=None, description="Images in all; the answer says how many each checkpoint should make."
    )
    fingerprints: Annotated[dict[Name, Fingerprint], Field(max_length=MOST_NAMES)] | None = Field(
        default=None,
        description="What tells the content of each checkpoint file there is, by name, so that a renamed "
        "one is still known. ComfyUI looks at its files itself and takes none.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> RecommendAsked:
        if self.candidates is not None and self.pool is not None:
            raise ValueError("give candidates or pool, not both")
        return self


class KeywordAnswer(Answer):
    text: str
    weight: float


class PoolAnswer(Answer):
    """What the rules made of this ComfyUI's checkpoints."""

    candidates: tuple[str, ...]
    family: str
    excluded: dict[str, tuple[str, ...]] = Field(description="Reason, and the checkpoints it excluded.")
    fallback_used: bool


class ReasonAnswer(Answer):
    keyword: str
    effect: float = Field(description="In the policy's unit of score.")
    selected: int
    total: int


class GroundsAnswer(Answer):
    """What the finding rests on."""

    finding: Finding
    leader: str = Field(description="The candidate that what was learned puts first.")
    leader_judged: bool
    any_prompt: bool = Field(description="Where nothing is known: of these checkpoints for no prompt at all.")
    surprised: bool = Field(description="Of late verdicts on such prompts came out otherwise than foretold.")
    kept: tuple[ReasonAnswer, ...] = Field(description="The keywords that speak most for the leader.")


class ExplanationPartsAnswer(Answer):
    """What `explanation` says, to say it in another language; it names `checkpoints`."""

    opening: Opening
    grounds: GroundsAnswer | None = Field(description="null: what was learned was not asked.")
    pinned: tuple[str, ...] = Field(description="Shown because they are pinned.")
    problem: str = Field(description="Why what was learned could not be asked; in English.")
    problem_parts: tuple[PartAnswer, ...] = Field(description="The same, to say it in another language.")


class RecommendAnswer(Answer):
    checkpoints: tuple[str, ...] = Field(description="One to three, best first.")
    confidence: Share
    evidence: Share = Field(description="How much data there is.")
    clarity: Share = Field(description="How clear a winner it shows.")
    strategy: Strategy
    scores: dict[str, float] = Field(description="Of every candidate, in the policy's own unit.")
    policy: str
    stage: Stage
    keywords: tuple[KeywordAnswer, ...]
    explanation: str
    explanation_parts: ExplanationPartsAnswer
    seed: int | None
    family: str
    fallback: bool = Field(description="True where learning was bypassed; the explanation says why.")
    images: dict[str, int] | None = Field(description="Per checkpoint, where `images` was asked.")
    pool: PoolAnswer | None = Field(description="Where the candidates came from rules.")


def recommend_answer(
    recommendation: Recommendation, *, images: int | None = None, pool: Pool | None = None
) -> RecommendAnswer:
    """Shape a recommendation, with its division of `images` and the pool it came from."""
    names = recommendation.checkpoints
    division = (
        dict(zip(names, divide_images(recommendation.strategy, names, images), strict=True))
        if images
        else None
    )
    return RecommendAnswer(
        checkpoints=names,
        confidence=recommendation.confidence,
        evidence=recommendation.evidence,
        clarity=recommendation.clarity,
        strategy=recommendation.strategy,
        scores=dict(recommendation.scores),
        policy=recommendation.policy,
        stage=recommendation.stage,
        keywords=tuple(KeywordAnswer.model_validate(keyword) for keyword in recommendation.keywords),
        explanation=recommendation.explanation,
        explanation_parts=ExplanationPartsAnswer.model_validate(explanation.parts(recommendation)),
        seed=recommendation.seed,
        family=recommendation.family,
        fallback=recommendation.fallback,
        images=division,
        pool=PoolAnswer.model_validate(pool) if pool is not None else None,
    )


# --- feedback, generations


class FeedbackAsked(Asked):
    """A verdict: counts per checkpoint (`selected`, `rejected`), or image positions (`..._images`).

    It replaces the generation's former verdict. Both empty withdraws it; images that are not mentioned have
    no verdict and teach nothing.
    """

    generation_id: Identifier
    selected: Annotated[dict[Name, Count], Field(max_length=MOST_IMAGES)] | None = None
    rejected: Annotated[dict[Name, Count], Field(max_length=MOST_IMAGES)] | None = None
    selected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] | None = None
    rejected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> FeedbackAsked:
        counts = self.selected is not None or self.rejected is not None
        positions = self.selected_images is not None or self.rejected_images is not None
        if counts and positions:
            raise ValueError(
                "give counts per checkpoint (selected, rejected) or image positions (selected_images, "
                "rejected_images), not both"
            )
        if not counts and not positions:
            raise ValueError(
                "says nothing: give selected, rejected, selected_images or rejected_images; an empty one "
                "withdraws the verdict"
            )
        return self


class ImageFileAnswer(Answer):
    """Where `GET /view` of ComfyUI finds the image, and which checkpoint made it."""

    checkpoint: str
    filename: str
    subfolder: str
    type: str


class ImageAnswer(Answer):
    position: int
    verdict: Literal["selected", "rejected"] | None
    file: ImageFileAnswer


class PickRoundAnswer(Answer):
    """The images of one generation; a pick counts them on from `first`."""

    generation_id: str
    first: int
    images: tuple[ImageFileAnswer, ...]


class PickAnswer(Answer):
    """A run that waits, or waited, for a pick."""

    id: str
    node_id: str
    workflow_id: str = Field(description="The frontend's; empty for a prompt that a script queued.")
    prompt_id: str
    session_id: str
    waiting_since: datetime
    waits_until: datetime | None = Field(description="When it goes on by itself; null: never.")
    rounds: tuple[PickRoundAnswer, ...]


class PendingAnswer(Answer):
    pending: tuple[PickAnswer, ...] = Field(description="The longest waiting first.")


class AnswerPickAsked(Asked):
    """Numbers of images, counted from 0 over all rounds of the pick."""

    selected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] = ()
    rejected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] = ()
    send_all: bool = Field(default=False, description="All images go on, and none is judged.")

    @model_validator(mode="after")
    def _says_something(self) -> AnswerPickAsked:
        verdict = bool(self.selected_images or self.rejected_images)
        if verdict == self.send_all:
            raise ValueError(
                "give selected_images and rejected_images (one may be empty), or send_all, not both"
            )
        return self


class GenerationAnswer(Answer):
    id: str
    session_id: str
    prompt_id: str = Field(description="ComfyUI's, as `POST /prompt` gave it; may be empty.")
    prompt: str
    stage: Stage
    policy: str
    strategy: Strategy
    confidence: float
    created_at: datetime
    judged_at: datetime | None
    keywords: tuple[KeywordAnswer, ...]
    images: tuple[ImageAnswer, ...]


class GenerationsAsked(Asked):
    id: Identifier | None = None
    prompt_id: Identifier | None = None
    session_id: Identifier | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 50
    before: Identifier | None = Field(default=None, description="`next_before` of the page before this one.")
    judged: bool | None = Field(
        default=None, description="Only those with (true) or without (false) a verdict."
    )
    keyword: Annotated[str, Field(max_length=1_024)] | None = Field(
        default=None, description="Only those whose prompt had this keyword."
    )
    checkpoint: Name | None = Field(default=None, description="Only those with an image of this checkpoint.")


class GenerationsAnswer(Answer):
    """Newest first."""

    generations: tuple[GenerationAnswer, ...]
    next_before: str | None = Field(
        description="Ask again with `before` for older ones; null: there are none."
    )


# --- settings, loaders, health


class SettingsAsked(Asked):
    """The settings to change; those not named stay."""

    policy: Annotated[str, Field(max_length=100)] | None = None
    exploit_threshold: Share | None = None
    explore_threshold: Share | None = None
    kept_loaders: Annotated[int, Field(ge=0, le=MOST_KEPT_LOADERS)] | None = None
    kept_loaders_memory_share: Share | None = None
    half_life: Annotated[int, Field(ge=0, le=MOST_HALF_LIFE)] | None = None
    backups_kept: Annotated[int, Field(ge=0, le=MOST_BACKUPS)] | None = None
    keep_prompts: bool | None = None
    retention_days: Annotated[int, Field(ge=0, le=MOST_DAYS)] | None = None
    pinned: tuple[Name, ...] | None = Field(default=None, max_length=MOST_NAMES)
    banned: tuple[Name, ...] | None = Field(default=None, max_length=MOST_NAMES)

    def changes(self) -> Mapping[str, Any]:
        """Only what the client named; null is no value of any setting and counts as not named."""
        return self.model_dump(exclude_none=True)


class SettingsAnswer(Answer):
    policy: str
    exploit_threshold: float
    explore_threshold: float
    kept_loaders: int
    kept_loaders_memory_share: float
    half_life: int = Field(description="So many further verdicts of its kind halve a verdict; 0: never.")
    backups_kept: int
    keep_prompts: bool = Field(description="false: prompts' texts are not stored, only their keywords.")
    retention_days: int = Field(description="After so many days a generation is forgotten; 0: never.")
    pinned: tuple[str, ...] = Field(description="Checkpoints that are shown, whatever was learned.")
    banned: tuple[str, ...] = Field(description="Checkpoints that are never candidates.")


class HealthAnswer(Answer):
    """That the database answers; where it does not, this route says so like any other, with status 503."""

    status: Literal["ok"] = "ok"
    version: str
    database: str = Field(description="Its path, or its address without the password.")
    generations: int
    judged: int
    put_aside: list[str] = Field(
        default=[], description="Files beside it that were found damaged, so that a copy took their place."
    )
    away: bool = Field(
        default=False,
        description="Whether a server is away: only the newest generations are known, verdicts wait on disk.",
    )
    kept_back: int = Field(
        default=0,
        description="Generations that are kept although they are older than retention_days: nothing was "
        "logged for so long before that the clock may be wrong.",
    )
    host: dict[str, Any] | None = Field(description="What ComfyUI says of itself; null outside ComfyUI.")


class OpenApiAnswer(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class ReleaseAnswer(Answer):
    """What was let go."""

    released: dict[str, Any]
