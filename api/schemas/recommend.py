"""`POST /recommend`: the contract that programs build on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ...checkpoints.pool import ALL_PARTS, Part, Pool
from ...learning.recommendation import explanation
from ...learning.recommendation.explanation import Finding, Opening
from ...learning.recommendation.strategy import divide_images
from ...learning.values import MOST_BRANCHES, Branch, Recommendation, Stage, Strategy
from ...runtime.settings import MOST_NAMES
from .base import (
    LARGEST_SEED,
    MOST_IMAGES,
    Candidates,
    Fingerprint,
    Globs,
    Name,
    PartResponse,
    Prompt,
    RequestModel,
    ResponseModel,
    Share,
)
from .profiles import BranchResponse, branch_response

PoolFolder = Annotated[
    Literal["checkpoints", "diffusion_models", "unet_gguf", "checkpoints+diffusion_models"],
    Field(description="Which of ComfyUI's model folders to choose from."),
]
Needs = Annotated[
    tuple[Part, ...],
    Field(max_length=2, description="What a checkpoint must hold besides the diffusion model."),
]


class PoolRequest(RequestModel):
    """Rules that choose candidates among this ComfyUI's checkpoints, as the recommender node has them."""

    family: Annotated[str, Field(max_length=100)] = "auto"
    include: Globs = ""
    exclude: Globs = ""
    fallback: Annotated[str, Field(max_length=1_024)] = ""
    folder: PoolFolder = "checkpoints"
    needs: Needs = ALL_PARTS


class RecommendRequest(RequestModel):
    """A prompt, and the checkpoints to choose from: named as `candidates`, or by the rules of a `pool`.

    Without either, all checkpoints of the family that `auto` finds are meant; only ComfyUI can answer that.
    """

    prompt: Prompt
    negative: Prompt = Field(default="", description="The negative prompt; its keywords are learned apart.")
    candidates: Candidates | None = None
    pool: PoolRequest | None = None
    stage: Stage = "final"
    explore: bool = True
    policy: Annotated[str, Field(max_length=100)] | None = Field(default=None, description="null: as in settings")
    max_branches: Annotated[int, Field(ge=1, le=MOST_BRANCHES)] = MOST_BRANCHES
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] | None = Field(
        default=None, description="Makes an exploring policy repeatable."
    )
    exploit_threshold: Share | None = Field(default=None, description="null: as in settings")
    explore_threshold: Share | None = Field(default=None, description="null: as in settings")
    images: Annotated[int, Field(ge=1, le=MOST_IMAGES)] | None = Field(
        default=None, description="Images in all; the response says how many each checkpoint should make."
    )
    fingerprints: Annotated[dict[Name, Fingerprint], Field(max_length=MOST_NAMES)] | None = Field(
        default=None,
        description="A fingerprint of the content of each checkpoint file, by name, so that a renamed one is still "
        "known. ComfyUI looks at its files itself and refuses them.",
    )

    @model_validator(mode="after")
    def _candidates_or_pool(self) -> RecommendRequest:
        if self.candidates is not None and self.pool is not None:
            raise ValueError("give candidates or pool, not both")
        return self


class KeywordResponse(ResponseModel):
    text: str
    weight: float


class PoolResponse(ResponseModel):
    """Which of this ComfyUI's checkpoints the rules chose."""

    candidates: tuple[str, ...]
    family: str
    excluded: dict[str, tuple[str, ...]] = Field(description="The checkpoints that were excluded, by the reason.")
    fallback_used: bool


class ReasonResponse(ResponseModel):
    keyword: str
    effect: float = Field(description="In the policy's unit of score.")
    selected: int
    total: int


class GroundsResponse(ResponseModel):
    """The evidence for the finding."""

    finding: Finding
    leader: str = Field(description="The candidate with the best score.")
    leader_judged: bool
    any_prompt: bool = Field(description="Nothing is known of these checkpoints for any prompt.")
    no_words: bool = Field(description="The prompt has no word that could be read, only numbers or symbols.")
    surprised: bool = Field(description="Recent verdicts on such prompts went against what was predicted.")
    follows_images: bool = Field(description="What is compared follows images that the person had and did not rate.")
    imported_verdicts: int = Field(description="How many images of the leader the person had, with a rating.")
    taught_by: tuple[str, ...] = Field(description="What was adopted from other people and says much here.")
    kept: tuple[ReasonResponse, ...] = Field(description="The keywords that speak most for the leader.")


class PrecedenceResponse(ResponseModel):
    """Of equally good checkpoints one goes first because it costs less."""

    checkpoint: str
    best: str = Field(description="The candidate with the best score.")
    because: Literal["loaded", "quicker"]


class ExplanationPartsResponse(ResponseModel):
    """The explanation in parts, to translate it; it names `checkpoints`."""

    opening: Opening
    grounds: GroundsResponse | None = Field(description="null: the decision did not use what was learned.")
    pinned: tuple[str, ...] = Field(description="Shown because they are pinned.")
    precedence: PrecedenceResponse | None = Field(description="null: the best one goes first, or a pinned one.")
    problem: str = Field(description="Why what was learned could not be used; in English.")
    problem_parts: tuple[PartResponse, ...] = Field(description="The problem in parts, to translate it.")


class ProgressResponse(ResponseModel):
    """How far it is to one checkpoint alone, for prompts like this one."""

    pictures: int = Field(description="Judged for such prompts, one per checkpoint and comparison.")
    of_about: int | None = Field(
        description="About how many it takes in all if verdicts go on as they do; null: that cannot be foreseen."
    )
    alone: bool = Field(description="Whether it decides alone already.")


class RecommendResponse(ResponseModel):
    checkpoints: tuple[str, ...] = Field(description="One to three, best first.")
    confidence: Share
    evidence: Share = Field(description="How much data there is.")
    clarity: Share = Field(description="How clear a winner it shows.")
    strategy: Strategy
    scores: dict[str, float] = Field(description="The score of every candidate, in the policy's own unit.")
    policy: str
    stage: Stage
    keywords: tuple[KeywordResponse, ...]
    explanation: str
    explanation_parts: ExplanationPartsResponse
    progress: ProgressResponse | None = Field(
        description="null where verdicts do not decide how many are shown: a draft, pins, a policy that counts."
    )
    seed: int | None
    family: str
    fallback: bool = Field(description="Whether learning was bypassed; the explanation says why.")
    images: dict[str, int] | None = Field(description="Images per checkpoint; null where the request has no `images`.")
    pool: PoolResponse | None = Field(description="null where the request names its candidates.")
    branches: tuple[BranchResponse, ...] = Field(
        description="What each of the checkpoints is drawn with, as far as its own settings are known."
    )


def recommend_response(
    recommendation: Recommendation,
    *,
    images: int | None = None,
    pool: Pool | None = None,
    branches: Sequence[Branch] = (),
) -> RecommendResponse:
    """Shape a recommendation, with its division of `images`, the pool it came from and its checkpoints' settings."""
    names = recommendation.checkpoints
    division = dict(zip(names, divide_images(recommendation.strategy, names, images), strict=True)) if images else None
    return RecommendResponse(
        checkpoints=names,
        confidence=recommendation.confidence,
        evidence=recommendation.evidence,
        clarity=recommendation.clarity,
        strategy=recommendation.strategy,
        scores=dict(recommendation.scores),
        policy=recommendation.policy,
        stage=recommendation.stage,
        keywords=tuple(KeywordResponse.model_validate(keyword) for keyword in recommendation.keywords),
        explanation=recommendation.explanation,
        explanation_parts=ExplanationPartsResponse.model_validate(explanation.parts(recommendation)),
        progress=None if recommendation.progress is None else ProgressResponse.model_validate(recommendation.progress),
        seed=recommendation.seed,
        family=recommendation.family,
        fallback=recommendation.fallback,
        images=division,
        pool=PoolResponse.model_validate(pool) if pool is not None else None,
        branches=tuple(map(branch_response, branches)),
    )
