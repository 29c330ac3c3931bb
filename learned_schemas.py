"""What goes in and out where people look at what was learned: checkpoints, statistics, reasons.

Separate from `schemas` because no decision and no verdict passes through here: these answers may grow as
people want to see more, and what programs build on does not change with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, computed_field

from .learning.explanation import Finding
from .learning.overview import CheckpointRow, PairOrder
from .learning.pins import Curation
from .learning.spelling import stored_name
from .learning.values import MOST_BRANCHES, Stage, Strategy
from .nodes.pool import CheckpointFile, printable
from .schemas import (
    LARGEST_SEED,
    MOST_ROWS,
    Answer,
    Asked,
    Candidates,
    Globs,
    GroundsAnswer,
    KeywordAnswer,
    Name,
    PartAnswer,
    Prompt,
    ReasonAnswer,
    Share,
    parts_answer,
)

MOST_POINTS = 500

StatisticsPart = Literal["overview", "checkpoints", "pairs", "series", "sessions"]


class StatisticsAsked(Asked):
    """Which parts, and which rows of keyword and checkpoint; the overview and the checkpoints come whole."""

    parts: Annotated[tuple[StatisticsPart, ...], Field(min_length=1, max_length=5)] = (
        "overview",
        "checkpoints",
        "pairs",
    )
    points: Annotated[int, Field(ge=1, le=MOST_POINTS)] = Field(
        default=60, description="At most so many points in the series."
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


class ProgressAnswer(Answer):
    """In generations."""

    done: int
    of: int


class OverviewAnswer(Answer):
    """Counts over the whole log."""

    generations: int
    judged: int
    rejected_all: int = Field(description="Rounds of which nothing was kept.")
    images: int
    selected: int
    rejected: int
    keywords: int
    checkpoints: int
    pairs: int
    average_confidence: float | None
    first_at: datetime | None
    last_at: datetime | None
    recomputing: ProgressAnswer | None = Field(
        default=None, description="How far the statistics are recomputed after an update; null: they are not."
    )
    counting: ProgressAnswer | None = Field(
        default=None,
        description="How much of a long log has been counted; null: the counts are of all of it.",
    )


class CheckpointRowAnswer(Answer):
    checkpoint: str
    selected: float = Field(description="Images kept.")
    total: float = Field(description="Images judged.")
    rounds: float = Field(description="Judged rounds that compared it with another.")

    @computed_field(description="`selected / total`; null: nothing judged.")  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float | None:
        return self.selected / self.total if self.total else None


class PairRowAnswer(CheckpointRowAnswer):
    keyword: str


class SeriesPointAnswer(Answer):
    """Sums over neighbouring generations."""

    generations: int
    judged: int
    agreed: int = Field(description="Judged ones in which an image of the checkpoint shown first was kept.")
    exploited: int = Field(description="Those that used the best checkpoint alone.")
    images: int
    images_saved: int = Field(description="What always comparing three would have made in addition.")
    confidence: float = Field(description="A sum: divide by `generations`.")
    first_at: datetime
    last_at: datetime


class SessionAnswer(Answer):
    session_id: str = Field(description="The client that queued: a browser's tab, or a script's own id.")
    average_confidence: float
    generations: int


class StatisticsAnswer(Answer):
    """A part that was not asked for is null."""

    overview: OverviewAnswer | None = None
    checkpoints: tuple[CheckpointRowAnswer, ...] | None = None
    pairs: tuple[PairRowAnswer, ...] | None = Field(
        default=None, description="Keyword and checkpoint, in the order asked for."
    )
    sessions: tuple[SessionAnswer, ...] | None = Field(
        default=None, description="One page, the surest first; only if asked for."
    )
    pairs_found: int | None = Field(default=None, description="Rows that fit, over all pages.")
    series: tuple[SeriesPointAnswer, ...] | None = Field(
        default=None, description="How it went over time, oldest first; equally many generations a point."
    )


# --- checkpoints

Choice = Literal["pinned", "banned"]


class CheckpointAnswer(Answer):
    """One checkpoint: as the file that ComfyUI has, and as what was learned of it."""

    checkpoint: str
    state: Literal["here", "broken", "missing"] | None = Field(description="null outside ComfyUI.")
    problem: str = Field(description="Why it cannot be loaded, where it is broken; in English.")
    problem_parts: tuple[PartAnswer, ...] = Field(description="The same, to say it in another language.")
    family: str | None = Field(description="From the file's header; null where there is no file to read.")
    choice: Choice | None = Field(description="What a person wants of it in any case.")
    shown: int = Field(description="Images it has made, judged or not.")
    selected: float = Field(description="Images kept.")
    total: float = Field(description="Images judged.")
    rounds: float = Field(description="Judged rounds that compared it with another.")


class CheckpointsAnswer(Answer):
    checkpoints: tuple[CheckpointAnswer, ...] = Field(description="Most evidence first.")


def checkpoints_answer(
    judged: Sequence[CheckpointRow],
    shown: Mapping[str, int],
    files: Sequence[CheckpointFile] | None,
    curation: Curation,
) -> CheckpointsAnswer:
    """Join what was learned with the files there are; `files` is None where nobody knows them."""
    choices = _choices(curation)
    learned = {row.checkpoint: row for row in judged}
    here = {stored_name(file.name): file for file in files or ()}
    names = dict.fromkeys([*learned, *shown, *here, *choices])
    rows = [
        _checkpoint(name, learned.get(name), shown.get(name, 0), here.get(name), choices.get(name))
        for name in names
    ]
    if files is not None:
        rows = [row if row.state else row.model_copy(update={"state": "missing"}) for row in rows]
    return CheckpointsAnswer(checkpoints=tuple(rows))


def _choices(curation: Curation) -> dict[str, Choice]:
    pinned: dict[str, Choice] = {stored_name(name): "pinned" for name in curation.pinned}
    return {**pinned, **{stored_name(name): "banned" for name in curation.banned}}


def _checkpoint(
    name: str,
    learned: CheckpointRow | None,
    shown: int,
    file: CheckpointFile | None,
    choice: Choice | None,
) -> CheckpointAnswer:
    state: Literal["here", "broken"] = "broken" if file and file.broken else "here"
    return CheckpointAnswer(
        checkpoint=printable(file.name) if file else name,
        state=state if file else None,
        problem=file.broken if file else "",
        problem_parts=parts_answer(file.broken if file else ""),
        family=file.family if file else None,
        choice=choice,
        shown=shown,
        selected=learned.selected if learned else 0.0,
        total=learned.total if learned else 0.0,
        rounds=learned.rounds if learned else 0.0,
    )


# --- explain


class ExplainAsked(Asked):
    """As `recommend`, flat, so that a query string can hold it: `candidates` may be repeated."""

    prompt: Prompt
    negative: Prompt = Field(default="", description="The negative prompt, a context of its own.")
    candidates: Candidates | None = None
    family: Annotated[str, Field(max_length=100)] = "auto"
    include: Globs = ""
    exclude: Globs = ""
    fallback: Annotated[str, Field(max_length=1_024)] = ""
    stage: Stage = "final"
    explore: bool = True
    policy: Annotated[str, Field(max_length=100)] | None = None
    max_branches: Annotated[int, Field(ge=1, le=MOST_BRANCHES)] = MOST_BRANCHES
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] | None = None
    exploit_threshold: Share | None = Field(default=None, description="null: as in settings")
    explore_threshold: Share | None = Field(default=None, description="null: as in settings")


class KeywordExplainedAnswer(KeywordAnswer):
    rounds: float = Field(description="Comparable rounds in which it was judged.")


class CheckpointExplainedAnswer(Answer):
    checkpoint: str
    score: float
    selected: int = Field(description="Images kept, over all prompts.")
    total: int = Field(description="Images judged, over all prompts.")
    overall_effect: float = Field(description="What speaks for it whatever the prompt.")
    speak_for: tuple[ReasonAnswer, ...]
    speak_against: tuple[ReasonAnswer, ...]


class WordLeftOutAnswer(Answer):
    """Without this word `checkpoint` would be first."""

    keyword: str
    checkpoint: str


class ChangeAnswer(Answer):
    """What would put another checkpoint first; found by asking the policy again, not estimated."""

    sentence: str = Field(description="All of it in words.")
    runner_up: str = Field(description="Empty where there is one candidate.")
    behind: float = Field(description="How far its score is below the first's.")
    picks: int | None = Field(
        description="In so many more such rounds it must be picked over the first; null: beyond `most_picks`."
    )
    most_picks: int = Field(description="So many were tried out.")
    without: tuple[WordLeftOutAnswer, ...]


class ExplainAnswer(Answer):
    """All that went into a recommendation; the candidates best first."""

    policy: str
    strategy: Strategy
    finding: Finding
    summary: str
    grounds: GroundsAnswer | None
    confidence: Share
    evidence: Share
    clarity: Share
    rounds: float = Field(description="Comparable judged rounds in all.")
    keywords: tuple[KeywordExplainedAnswer, ...]
    checkpoints: tuple[CheckpointExplainedAnswer, ...]
    would_change: ChangeAnswer
