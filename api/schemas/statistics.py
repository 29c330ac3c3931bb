"""`GET /statistics`: what was learned, as counts.

Separate from `recommend.py` because no decision and no verdict passes through here: these responses may grow
without changing what programs build on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, RootModel, computed_field

from ...learning.reports import PairOrder
from .base import MOST_ROWS, Name, RequestModel, ResponseModel

MOST_POINTS = 500

StatisticsPart = Literal["overview", "checkpoints", "pairs", "series", "sessions"]


class StatisticsRequest(RequestModel):
    """Which parts, and which page of the pairs; the overview and the checkpoints come whole."""

    parts: Annotated[tuple[StatisticsPart, ...], Field(min_length=1, max_length=5)] = (
        "overview",
        "checkpoints",
        "pairs",
    )
    points: Annotated[int, Field(ge=1, le=MOST_POINTS)] = Field(
        default=60, description="The largest number of points in the series."
    )
    search: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Only pairs with this in the keyword or in the checkpoint's name."
    )
    sort: PairOrder = "total"
    descending: bool = True
    keyword: Annotated[str, Field(max_length=1_024)] | None = None
    checkpoint: Name | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 50
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0


class CsvRequest(RequestModel):
    """Which pairs; all that match come, by keyword and checkpoint."""

    search: Annotated[str, Field(max_length=200)] | None = Field(
        default=None, description="Only pairs with this in the keyword or in the checkpoint's name."
    )
    keyword: Annotated[str, Field(max_length=1_024)] | None = None
    checkpoint: Name | None = None


class CsvText(RootModel[str]):
    """CSV with a heading: keyword, checkpoint, selected, total, rate, rounds."""


class ProgressResponse(ResponseModel):
    """How far a task in the background is, in generations."""

    done: int
    of: int


class OverviewResponse(ResponseModel):
    """Counts over the whole log."""

    generations: int
    judged: int
    rejected_all: int = Field(description="Generations of which nothing was kept.")
    images: int
    selected: int
    rejected: int
    keywords: int
    checkpoints: int
    pairs: int
    average_confidence: float | None
    first_at: datetime | None
    last_at: datetime | None
    recomputing: ProgressResponse | None = Field(
        default=None, description="How far the statistics are recomputed after an update; null: they are up to date."
    )
    counting: ProgressResponse | None = Field(
        default=None,
        description="How much of a long log has been counted; null: all of it.",
    )


class CheckpointRowResponse(ResponseModel):
    checkpoint: str
    selected: float = Field(description="Images kept.")
    total: float = Field(description="Images judged.")
    rounds: float = Field(description="Judged comparisons with another checkpoint.")

    @computed_field(description="`selected / total`; null: nothing judged.")  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float | None:
        return self.selected / self.total if self.total else None


class PairRowResponse(CheckpointRowResponse):
    keyword: str


class SeriesPointResponse(ResponseModel):
    """Sums over consecutive generations."""

    generations: int
    judged: int
    agreed: int = Field(description="Judged ones in which an image of the best checkpoint was kept.")
    exploited: int = Field(description="Those that used the best checkpoint alone.")
    images: int
    images_saved: int = Field(description="Images that always comparing three would have made in addition.")
    confidence: float = Field(description="The sum of their confidence: divide by `generations`.")
    first_at: datetime
    last_at: datetime


class SessionResponse(ResponseModel):
    session_id: str = Field(description="The client that queued: a browser's tab, or a script's own id.")
    average_confidence: float
    generations: int


class StatisticsResponse(ResponseModel):
    """A part that the request does not name is null."""

    overview: OverviewResponse | None = None
    checkpoints: tuple[CheckpointRowResponse, ...] | None = None
    pairs: tuple[PairRowResponse, ...] | None = Field(
        default=None, description="One page of keyword and checkpoint, in the order of `sort`."
    )
    sessions: tuple[SessionResponse, ...] | None = Field(
        default=None, description="One page, the most confident first."
    )
    pairs_found: int | None = Field(default=None, description="Matching pairs, over all pages.")
    series: tuple[SeriesPointResponse, ...] | None = Field(
        default=None, description="The course over time, oldest first; each point has the same number of generations."
    )
