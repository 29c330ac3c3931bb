"""The values that show people what has been learned.

Separate from `values` because no decision depends on them: the statistics route, the command line and `doctor`
read them, and they may grow as people want to see more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PairOrder = Literal["total", "selected", "rate", "rounds", "keyword", "checkpoint"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task in the background has come: `done` of `of` generations."""

    done: int
    of: int

    def __str__(self) -> str:
        return f"{self.done:,} of {self.of:,} generations"


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts over the whole log. `rejected_all` counts the judged generations of which nothing was kept.

    `recomputing` is None unless the statistics are being recomputed. `counting` is None unless the log is still
    being counted; until then the counts are those of a part of it.
    """

    generations: int
    judged: int
    rejected_all: int
    images: int
    selected: int
    rejected: int
    keywords: int
    checkpoints: int
    pairs: int
    average_confidence: float | None
    first_at: datetime | None
    last_at: datetime | None
    recomputing: Progress | None = None
    counting: Progress | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """The generations that one client logged (a browser's tab, a script), and their mean confidence."""

    session_id: str
    average_confidence: float
    generations: int


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    """One checkpoint over all prompts: images judged, and comparisons with other checkpoints (`rounds`)."""

    checkpoint: str
    selected: float
    total: float
    rounds: float


@dataclass(frozen=True, slots=True)
class PairRow:
    """One checkpoint for prompts with one keyword."""

    keyword: str
    checkpoint: str
    selected: float
    total: float
    rounds: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """`pairs` is one page, most evidence first; `pairs_found` counts all pages."""

    overview: Overview
    checkpoints: tuple[CheckpointRow, ...]
    pairs: tuple[PairRow, ...]
    pairs_found: int


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """Sums over neighbouring generations, so that points can be added up.

    Attributes
    ----------
    agreed
        Judged generations in which an image of the checkpoint shown first was selected.
    exploited
        Generations that used the best checkpoint alone.
    images_saved
        Images that always comparing three checkpoints would have made in addition: three less the images of a
        generation, except where learning was bypassed.
    confidence
        Sum over the generations.
    """

    generations: int
    judged: int
    agreed: int
    exploited: int
    images: int
    images_saved: int
    confidence: float
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """The result of recomputing the statistics from the log; `corrected` numbers had been different before."""

    generations: int
    pairs: int
    corrected: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many generations a file has, how many were new, and how many verdicts a newer one replaced."""

    generations: int = 0
    added: int = 0
    verdicts_replaced: int = 0


@dataclass(frozen=True, slots=True)
class ImagesImported:
    """What an import did with the images that it was given.

    Attributes
    ----------
    images, added, rated
        How many were given; how many of them are new; how many of these have a rating.
    newly_rated
        Imported before without a rating, and rated since.
    known
        Imported before, in this batch or another.
    without_model, too_old
        Left out: nothing says which checkpoint made them; older than the setting `retention_days` keeps.
    without_moment, in_future
        Taken as made together with the one before in the list; and as made now.
    """

    images: int
    added: int
    rated: int
    newly_rated: int
    known: int
    without_model: int
    too_old: int
    without_moment: int
    in_future: int


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """One import: how many images it has, how many of them have a rating, how many each checkpoint made, and when the
    first and the last of them were made."""

    name: str
    created_at: datetime
    images: int
    rated: int
    checkpoints: Mapping[str, int]
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class AdoptedPrior:
    """What other people's verdicts say, as it was adopted.

    Attributes
    ----------
    weight
        How much it counts; 1: as it is.
    epsilon
        The promise that its noise keeps; None: it has no noise.
    words, checkpoints
        How many it speaks of.
    known_checkpoints
        Of these, how many are known here.
    agreement
        How far it has predicted the verdicts given here, in 0..1.
    """

    name: str
    created_at: datetime
    weight: float
    epsilon: float | None
    words: int
    checkpoints: int
    known_checkpoints: int
    agreement: float


@dataclass(frozen=True, slots=True)
class LoggedFile:
    """An image of the log whose file is known, or that was imported: where it is, and its own id.

    `number` is the generation's place in the log.
    """

    number: int
    generation_id: str
    position: int
    filename: str
    subfolder: str
    type: str
    source_id: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """A checkpoint file that was moved or replaced, and what happened to its statistics."""

    kind: Literal["moved", "replaced"]
    former: str
    name: str

    @property
    def sentence(self) -> str:
        if self.kind == "moved":
            return f"{self.former} is {self.name} now, with all that was learned of it."
        return (
            f"{self.name} is another file than it was: it starts from nothing, and what was learned of the former "
            f"one is kept as {self.former!r}. If it is the same to you: context-checkpoint join FORMER NAME."
        )


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many generations were changed or deleted, and the files that may still have traces."""

    generations: int
    traces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A copy of a database file, or a damaged file that was quarantined, and what it holds.

    Attributes
    ----------
    name
        Its path from the database's folder, with `/`.
    kind
        `daily`, `before-<revision>` of a migration, `replaced` (in use when another file was put in its place),
        or `damaged`.
    generations, verdicts
        How many can be counted; None where that cannot be read. An earlier verdict on a generation counts too.
    problem
        What is broken in it; "" where it is sound.
    """

    name: str
    kind: str
    made_at: datetime
    generations: int | None
    verdicts: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """The state of the database, for `doctor`. `problem` is "" where all is well."""

    name: str
    revision: str
    size_bytes: int | None
    writable: bool
    problem: str
    generations: int
    judged: int
    pairs: int
    recomputing: Progress | None = None
