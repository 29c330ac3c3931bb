"""`GET` and `POST /explain`: why a prompt would get the checkpoints it would get.

Separate from `recommend.py` because no decision is made here: these responses may grow without changing what
programs build on.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...checkpoints.pool import ALL_PARTS
from ...learning.recommendation.explanation import Finding
from ...learning.values import MOST_BRANCHES, Stage, Strategy
from .base import LARGEST_SEED, Candidates, Globs, Prompt, RequestModel, ResponseModel, Share
from .recommend import GroundsResponse, KeywordResponse, Needs, PoolFolder, ProgressResponse, ReasonResponse


class ExplainRequest(RequestModel):
    """As `recommend`, flat, so that a query string can hold it: `candidates` may be repeated."""

    prompt: Prompt
    negative: Prompt = Field(default="", description="The negative prompt, a context of its own.")
    candidates: Candidates | None = None
    family: Annotated[str, Field(max_length=100)] = "auto"
    include: Globs = ""
    exclude: Globs = ""
    fallback: Annotated[str, Field(max_length=1_024)] = ""
    folder: PoolFolder = "checkpoints"
    needs: Needs = ALL_PARTS
    stage: Stage = "final"
    explore: bool = True
    policy: Annotated[str, Field(max_length=100)] | None = None
    max_branches: Annotated[int, Field(ge=1, le=MOST_BRANCHES)] = MOST_BRANCHES
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] | None = None
    exploit_threshold: Share | None = Field(default=None, description="null: as in settings")
    explore_threshold: Share | None = Field(default=None, description="null: as in settings")


class KeywordExplainedResponse(KeywordResponse):
    rounds: float = Field(description="Comparable judged generations that had it.")


class CheckpointExplainedResponse(ResponseModel):
    checkpoint: str
    score: float
    selected: int = Field(description="Images kept, over all prompts.")
    total: int = Field(description="Images judged, over all prompts.")
    overall_effect: float = Field(description="Its effect without any keyword.")
    speak_for: tuple[ReasonResponse, ...]
    speak_against: tuple[ReasonResponse, ...]


class WordLeftOutResponse(ResponseModel):
    """Without this word `checkpoint` would be first."""

    keyword: str
    checkpoint: str


class ChangeResponse(ResponseModel):
    """What would put another checkpoint first; found by running the policy again, not estimated."""

    sentence: str = Field(description="All of it as one sentence.")
    runner_up: str = Field(description="The second best; empty where there is one candidate.")
    behind: float = Field(description="How far its score is below the first's.")
    picks: int | None = Field(
        description="How many more such comparisons it must win against the first; null: more than `most_picks`."
    )
    most_picks: int = Field(description="How many were tried.")
    without: tuple[WordLeftOutResponse, ...]


class ProgressExplainedResponse(ProgressResponse):
    sentence: str


class ExplainResponse(ResponseModel):
    """All that went into a recommendation; the candidates best first."""

    policy: str
    strategy: Strategy
    finding: Finding
    summary: str
    grounds: GroundsResponse | None
    confidence: Share
    evidence: Share
    clarity: Share
    rounds: float = Field(description="Comparable judged generations in all.")
    progress: ProgressExplainedResponse | None = Field(
        description="How far it is to one checkpoint alone; null where verdicts do not decide that."
    )
    keywords: tuple[KeywordExplainedResponse, ...]
    checkpoints: tuple[CheckpointExplainedResponse, ...]
    would_change: ChangeResponse
