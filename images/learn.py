"""Adds the images that a survey found to what is learned, in pages of some thousand, in the order of their time.

An import that is stopped, or that ends with the program, goes on when it is repeated: images that are in are known by
their pixels. Nothing but one page is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone

from ..learning.exchange.from_recipes import TOGETHER
from ..learning.reports import ImagesImported
from ..learning.values import ImageFile
from ..recipes import Recipe, Unreadable, examine_file
from ..runtime.runtime import Runtime
from .progress import OnProgress, Progress
from .survey import Folder, Learnable

_PAGE, _LARGEST_PAGE = 2_000, 10_000
"""A page ends where nothing was made for an hour, so that no comparison is cut in two."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What an import has added, and how many of its images had vanished since they were surveyed."""

    imported: ImagesImported
    vanished: int


def learn(
    folder: Folder, images: Sequence[Learnable], batch: str, runtime: Runtime, on_progress: OnProgress
) -> Learned:
    """Import images as one batch. Blocks.

    Raises
    ------
    Stopped
        If `on_progress` does; what is in stays.
    InvalidRequest
        If the batch has no name.
    StoreUnavailable
        If they could not all be stored; the same again goes on.
    """
    total, vanished, done = ImagesImported(*[0] * len(fields(ImagesImported))), 0, 0
    on_progress(Progress("learning", 0, len(images)))
    for page in _pages(images):
        recipes = [(image, recipe) for image in page if (recipe := _recipe(folder, image)) is not None]
        vanished += len(page) - len(recipes)

        def report(added: int, of: int, before: int = done) -> None:
            on_progress(Progress("learning", before + added, len(images)))

        imported = runtime.run_blocking(
            lambda service, recipes=recipes, report=report: service.import_recipes(  # type: ignore[misc]
                [(recipe, image.rating) for image, recipe in recipes],
                batch=batch,
                ids=[image.digest for image, _ in recipes],
                files=[_file(folder, image) for image, _ in recipes],
                on_progress=report,
            )
        )
        total = _sum(total, imported)
        done += len(page)
        on_progress(Progress("learning", done, len(images)))
    return Learned(total, vanished)


def _pages(images: Sequence[Learnable]) -> Iterator[Sequence[Learnable]]:
    start = 0
    while start < len(images):
        end = min(start + _PAGE, len(images))
        while end < min(start + _LARGEST_PAGE, len(images)) and not _apart(images[end - 1], images[end]):
            end += 1
        yield images[start:end]
        start = end


def _apart(earlier: Learnable, later: Learnable) -> bool:
    return later.made_s - earlier.made_s > TOGETHER.total_seconds()


def _recipe(folder: Folder, image: Learnable) -> Recipe | None:
    """Read it once more; None where it is gone."""
    try:
        recipe = examine_file(folder.path / image.relative).recipe or Recipe()
    except Unreadable:
        return None
    return replace(recipe, model=image.model, made_at=_moment(image.made_s))


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def _file(folder: Folder, image: Learnable) -> ImageFile:
    kind, subfolder, filename = folder.place(image.relative)
    return ImageFile("", filename, subfolder, kind)


def _sum(total: ImagesImported, page: ImagesImported) -> ImagesImported:
    return ImagesImported(
        **{entry.name: getattr(total, entry.name) + getattr(page, entry.name) for entry in fields(ImagesImported)}
    )
