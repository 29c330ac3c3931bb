"""Taken out of `schemas.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ...checkpoints.pool import Pool
from ...learning.recommendation import explanation
from ...learning.recommendation.explanation import Finding, Opening
from ...learning.recommendation.strategy import divide_images
from ...learning.values import MOST_BRANCHES, Recommendation, Stage, Strategy
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

# --- recommend


class PoolRequest(RequestModel):
    """Rules that choose candidates among this ComfyUI's checkpoints, as the recommender node has them."""

    family: Annotated[str, Field(max_length=100)] = "auto"
    include: Globs = ""
    exclude: Globs = ""
    fallback: Annotated[str, Field(max_length=1_024)] = ""


class RecommendRequest(RequestModel):
    """A prompt, and the checkpoints to choose from: named as `candidates`, or by the rules of a `pool`.

    Without either, all checkpoints of the family that `auto` finds are meant; only ComfyUI can answer that.
    """

    prompt: Prompt
    negative: Prompt = Field(default="", description="The negative prompt, a context of its own.")
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
        default=None, description="Images in all; the answer says how many each checkpoint should make."
    )
    fingerprints: Annotated[dict[Name, Fingerprint], Field(max_length=MOST_NAMES)] | None = Field(
        default=None,
        description="What tells the content of each checkpoint file there is, by name, so that a renamed "
        "one is still known. ComfyUI looks at its files itself and takes none.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> RecommendRequest:
        if self.candidates is not None and self.pool is not None:
            raise ValueError("give candidates or pool, not both")
        return self


class KeywordResponse(ResponseModel):
    text: str
    weight: float


class PoolResponse(ResponseModel):
    """What the rules made of this ComfyUI's checkpoints."""

    candidates: tuple[str, ...]
    family: str
    excluded: dict[str, tuple[str, ...]] = Field(description="Reason, and the checkpoints it excluded.")
    fallback_used: bool


class ReasonResponse(ResponseModel):
    keyword: str
    effect: float = Field(description="In the policy's unit of score.")
    selected: int
    total: int


class GroundsResponse(ResponseModel):
    """What the finding rests on."""

    finding: Finding
    leader: str = Field(description="The candidate that what was learned puts first.")
    leader_judged: bool
    any_prompt: bool = Field(description="Where nothing is known: of these checkpoints for no prompt at all.")
    surprised: bool = Field(description="Of late verdicts on such prompts came out otherwise than foretold.")
    kept: tuple[ReasonResponse, ...] = Field(description="The keywords that speak most for the leader.")


class ExplanationPartsResponse(ResponseModel):
    """What `explanation` says, to say it in another language; it names `checkpoints`."""

    opening: Opening
    grounds: GroundsResponse | None = Field(description="null: what was learned was not asked.")
    pinned: tuple[str, ...] = Field(description="Shown because they are pinned.")
    problem: str = Field(description="Why what was learned could not be asked; in English.")
    problem_parts: tuple[PartResponse, ...] = Field(description="The same, to say it in another language.")


class RecommendResponse(ResponseModel):
    checkpoints: tuple[str, ...] = Field(description="One to three, best first.")
    confidence: Share
    evidence: Share = Field(description="How much data there is.")
    clarity: Share = Field(description="How clear a winner it shows.")
    strategy: Strategy
    scores: dict[str, float] = Field(description="Of every candidate, in the policy's own unit.")
    policy: str
    stage: Stage
    keywords: tuple[KeywordResponse, ...]
    explanation: str
    explanation_parts: ExplanationPartsResponse
    seed: int | None
    family: str
    fallback: bool = Field(description="True where learning was bypassed; the explanation says why.")
    images: dict[str, int] | None = Field(description="Per checkpoint, where `images` was asked.")
    pool: PoolResponse | None = Field(description="Where the candidates came from rules.")


def recommend_response(
    recommendation: Recommendation, *, images: int | None = None, pool: Pool | None = None
) -> RecommendResponse:
    """Shape a recommendation, with its division of `images` and the pool it came from."""
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
        seed=recommendation.seed,
        family=recommendation.family,
        fallback=recommendation.fallback,
        images=division,
        pool=PoolResponse.model_validate(pool) if pool is not None else None,
    )
