"""JSON of learning from a person's image files: the survey, the import, its progress, the batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ...checkpoints.patterns import printable
from ...images.image_import import ImportOutcome
from ...images.jobs import Job
from ...images.survey import Survey, Unread
from ...images.verdicts import VerdictsOfFiles
from ...learning.message import error_text
from .base import PartResponse, RequestModel, ResponseModel, parts_response, printable_text

LONGEST_FOLDER = 4_096
MOST_LISTED = 100
"""Names of checkpoints and of tools that are listed, the commonest ones."""


class ImagesImportRequest(RequestModel):
    """`POST /images/import`."""

    root: Annotated[str, Field(max_length=200), AfterValidator(printable_text)] = Field(
        default="output", description="One of the folders that `GET images/imports` lists."
    )
    folder: Annotated[str, Field(max_length=LONGEST_FOLDER), AfterValidator(printable_text)] = Field(
        default="", description="A folder below it, with `/`; empty: all of it."
    )
    dry_run: bool = Field(default=True, description="Only say what is there.")
    batch: Annotated[str, Field(max_length=200), AfterValidator(printable_text)] = Field(
        default="", description="The import's name; empty: the folder's."
    )
    hash: bool = Field(default=False, description="Read checkpoints as a whole to find missing ones by their hash.")


class CountResponse(ResponseModel):
    """A name, and how many images have it."""

    name: str
    images: int


class UnreadResponse(ResponseModel):
    """Files that could not be read for one reason."""

    code: str = Field(description="Stable, for programs.")
    images: int
    example: str = Field(description="One of them, below the folder.")
    reason: str = Field(description="For people, in English; of the example.")


class GalleryResponse(ResponseModel):
    """Another program's database in which ratings were looked for."""

    path: str
    tool: str
    ratings: int
    problem: str = Field(description="Why it could not be read; empty where it was.")
    parts: tuple[PartResponse, ...] = Field(description="The problem in parts, to translate it.")


class SurveyResponse(ResponseModel):
    """What is in a folder of images. Lists have the commonest first, and at most 100 entries."""

    images: int
    read: int = Field(description="Images that say what made them.")
    tools: tuple[CountResponse, ...]
    matched: tuple[CountResponse, ...] = Field(description="Checkpoints that are there.")
    matched_by: dict[Literal["content", "hash", "name"], int]
    missing: tuple[CountResponse, ...] = Field(description="Checkpoints that are not there, or not certain.")
    missing_images: int
    without_model: int
    rated: tuple[CountResponse, ...] = Field(description="By where the rating is from: `stars`, `folder`, a gallery.")
    kept: int
    rejected: int
    logged: int = Field(description="Images of generations that are logged already.")
    known: int = Field(description="Imported before.")
    repeated: int = Field(description="Copies of other images of the folder.")
    new: int = Field(description="Images that an import adds.")
    in_future: int
    ratings_gone: int = Field(description="Ratings of files that are not there.")
    galleries: tuple[GalleryResponse, ...]
    unread: tuple[UnreadResponse, ...]


class LearnedResponse(ResponseModel):
    """What an import has added."""

    added: int
    rated: int
    too_old: int = Field(description="Older than the setting `retention_days` keeps.")
    vanished: int = Field(description="Files that were gone when they were read again.")


class ImportResultResponse(ResponseModel):
    """What an import found and did."""

    survey: SurveyResponse
    verdicts: int = Field(description="Of images that were in the log already, by their stars and folders.")
    learned: LearnedResponse | None = Field(description="None after a dry run.")


class ImportProgressResponse(ResponseModel):
    """How far an import is; bytes while it hashes. 0 where it is not known yet."""

    phase: Literal["looking", "reading", "hashing", "learning"]
    done: int
    of: int


class ImagesImportResponse(ResponseModel):
    """One import: how far it is, or how it ended."""

    id: str
    state: Literal["running", "done", "cancelled", "failed"]
    root: str
    folder: str
    batch: str
    dry_run: bool
    progress: ImportProgressResponse
    result: ImportResultResponse | None = Field(description="Once it is done.")
    problem: str = Field(description="Why it failed; empty where it did not.")
    parts: tuple[PartResponse, ...] = Field(description="The problem in parts, to translate it.")


class ImportBatchResponse(ResponseModel):
    """One batch of images that was learned."""

    name: str
    created_at: datetime
    images: int
    rated: int
    checkpoints: dict[str, int]
    first_at: datetime
    last_at: datetime


class RootResponse(ResponseModel):
    """A folder from which images may be imported."""

    name: str
    path: str


class ImportsResponse(ResponseModel):
    """`GET /images/imports`: the batches, newest first; the imports of this server; the folders that may be read."""

    imports: tuple[ImportBatchResponse, ...]
    running: tuple[ImagesImportResponse, ...] = Field(description="Imports of this server, the newest first.")
    roots: tuple[RootResponse, ...]


class ImportUndoneResponse(ResponseModel):
    """A batch that was taken back."""

    name: str
    generations: int


class FileVerdictResponse(ResponseModel):
    """A verdict that a file gives one image."""

    generation: str
    position: int
    file: str
    verdict: Literal["selected", "rejected"]
    source: str = Field(description="`stars`, `folder`, a gallery's name, `deleted`, or `asked`.")
    former: Literal["selected", "rejected"] | None


class FileVerdictsResponse(ResponseModel):
    """What files say of logged images: `context-checkpoint feedback FILE --json`."""

    images: int
    logged: int
    dry_run: bool
    recorded: tuple[FileVerdictResponse, ...]
    unchanged: int
    others_kept: int
    uncertain: int
    without_verdict: int
    deleted: int
    ratings_gone: int
    unread: tuple[UnreadResponse, ...]


def survey_response(survey: Survey) -> SurveyResponse:
    return SurveyResponse(
        images=survey.images,
        read=survey.read,
        tools=_counts(survey.tools),
        matched=_counts(survey.matched),
        matched_by=dict(survey.matched_by),
        missing=_counts(survey.missing),
        missing_images=sum(survey.missing.values()),
        without_model=survey.without_model,
        rated=_counts(survey.rated),
        kept=survey.kept,
        rejected=survey.rejected,
        logged=survey.logged,
        known=survey.known,
        repeated=survey.repeated,
        new=survey.new,
        in_future=survey.in_future,
        ratings_gone=survey.ratings_gone,
        galleries=tuple(
            GalleryResponse(
                path=printable(str(gallery.path)),
                tool=gallery.tool,
                ratings=len(gallery.ratings),
                problem=str(gallery.problem),
                parts=parts_response(gallery.problem) if gallery.problem else (),
            )
            for gallery in survey.galleries
        ),
        unread=_unread(survey.unread),
    )


def result_response(outcome: ImportOutcome) -> ImportResultResponse:
    learned = outcome.learned
    return ImportResultResponse(
        survey=survey_response(outcome.survey),
        verdicts=outcome.verdicts,
        learned=None
        if learned is None
        else LearnedResponse(
            added=learned.imported.added,
            rated=learned.imported.rated,
            too_old=learned.imported.too_old,
            vanished=learned.vanished,
        ),
    )


def job_response(job: Job) -> ImagesImportResponse:
    return ImagesImportResponse(
        id=job.id,
        state=job.state,
        root=job.root,
        folder=printable(job.folder),
        batch=printable(job.batch),
        dry_run=job.dry_run,
        progress=ImportProgressResponse.model_validate(job.progress),
        result=None if job.outcome is None else result_response(job.outcome),
        problem="" if job.error is None else str(error_text(job.error)),
        parts=() if job.error is None else parts_response(error_text(job.error)),
    )


def verdicts_response(taken: VerdictsOfFiles, *, dry_run: bool) -> FileVerdictsResponse:
    return FileVerdictsResponse(
        images=taken.images,
        logged=taken.logged,
        dry_run=dry_run,
        recorded=tuple(
            FileVerdictResponse(
                generation=each.generation,
                position=each.position,
                file=printable(each.file),
                verdict=each.verdict,
                source=each.source,
                former=each.former,
            )
            for each in taken.recorded
        ),
        unchanged=taken.unchanged,
        others_kept=taken.others_kept,
        uncertain=taken.uncertain,
        without_verdict=taken.without_verdict,
        deleted=taken.deleted,
        ratings_gone=taken.ratings_gone,
        unread=_unread(taken.unread),
    )


def _counts(counts: Mapping[str, int]) -> tuple[CountResponse, ...]:
    return tuple(
        CountResponse(name=printable(name), images=images) for name, images in list(counts.items())[:MOST_LISTED]
    )


def _unread(unread: Sequence[Unread]) -> tuple[UnreadResponse, ...]:
    return tuple(
        UnreadResponse(code=each.code, images=each.count, example=each.example, reason=each.reason) for each in unread
    )
