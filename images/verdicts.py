"""Verdicts from files: which images of logged generations a person has kept, moved, starred or deleted since.

A file is known by the pack's own text in it, by its pixels if it was imported, or by the name under which the log has
it. Nothing is guessed: of a file that may be one of several images of its generation, no verdict is taken. A verdict
that the person gave in the gallery stays, unless the caller says otherwise: when a file was moved is not known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..learning.exchange.from_recipes import KEPT_ABOVE, image_id
from ..learning.reports import LoggedFile
from ..runtime.runtime import Runtime
from .progress import OnProgress, Progress
from .survey import Folder, Found, Images, Unread, comparable_folder, logged_files

Word = Literal["selected", "rejected"]
Place = tuple[str, int]
"""A generation's id and the position of one of its images."""


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """A verdict that a file gives one image.

    Parameters
    ----------
    file
        Its path below the folder.
    source
        Where it is from: `stars`, `folder`, a gallery's name, `deleted`, or `asked` where the caller said it.
    former
        The verdict that the image had.
    """

    generation: str
    position: int
    file: str
    verdict: Word
    source: str
    former: Word | None


@dataclass(frozen=True, slots=True)
class VerdictsOfFiles:
    """What files say of logged images.

    Attributes
    ----------
    images, logged
        How many files there are; how many of them are images of logged generations.
    recorded
        The verdicts that were recorded, or would be.
    unchanged
        Images that have that verdict already.
    others_kept
        Images whose other verdict, from the gallery, stays.
    uncertain
        Files of a logged generation that may be one of several of its images.
    without_verdict
        Logged images of which the files say nothing.
    deleted
        Images whose file is gone.
    """

    images: int
    logged: int
    recorded: tuple[FileVerdict, ...]
    unchanged: int
    others_kept: int
    uncertain: int
    without_verdict: int
    deleted: int
    ratings_gone: int
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """How verdicts are taken from files.

    Parameters
    ----------
    verdict
        Of all files; None: as each file says.
    deleted_are_rejected
        Take an image whose file is gone as rejected.
    replace
        Also where the person has given another verdict.
    record
        False: only say what would be recorded.
    """

    verdict: Word | None = None
    deleted_are_rejected: bool = False
    replace: bool = False
    record: bool = True


def take_verdicts(
    folder: Folder, images: Images, runtime: Runtime, rules: Rules, on_progress: OnProgress, *, whole: bool = True
) -> VerdictsOfFiles:
    """Take verdicts from the images of a folder. Blocks.

    Parameters
    ----------
    whole
        Whether these are all images of the folder; only then is it known which others are gone.

    Raises
    ------
    Stopped
        If `on_progress` does; what was recorded stays.
    StoreUnavailable
        If the log cannot be read or written; the same again goes on.
    """
    places, gone, uncertain = _places(folder, images, runtime, whole=whole)
    said = {place: _verdict(files, rules) for place, files in places.items()}
    if rules.deleted_are_rejected:
        said |= {place: ("rejected", "deleted", file) for place, file in gone.items()}
    wanted: dict[str, dict[int, tuple[Word, str, str]]] = {}
    for (generation, position), entry in said.items():
        if entry is not None:
            wanted.setdefault(generation, {})[position] = entry
    outcome = _Outcome()
    for number, (generation, verdicts) in enumerate(sorted(wanted.items())):
        on_progress(Progress("learning", number, len(wanted)))
        _take(generation, verdicts, runtime, rules, outcome)
    on_progress(Progress("learning", len(wanted), len(wanted)))
    return VerdictsOfFiles(
        images=images.images,
        logged=len(places),
        recorded=tuple(outcome.recorded),
        unchanged=outcome.unchanged,
        others_kept=outcome.others_kept,
        uncertain=uncertain,
        without_verdict=sum(said[place] is None for place in places),
        deleted=len(gone),
        ratings_gone=folder.ratings.gone() if whole else 0,
        unread=images.unread,
    )


@dataclass(slots=True)
class _Outcome:
    recorded: list[FileVerdict] = field(default_factory=list)
    unchanged: int = 0
    others_kept: int = 0


def _take(
    generation_id: str,
    verdicts: Mapping[int, tuple[Word, str, str]],
    runtime: Runtime,
    rules: Rules,
    outcome: _Outcome,
) -> None:
    """Add the verdicts of files to what a generation's images have."""
    generation = runtime.run_blocking(lambda service: service.generation(generation_id))
    marks: dict[int, Word] = {image.position: image.verdict for image in generation.images if image.verdict}
    new = []
    for position, (verdict, source, file) in sorted(verdicts.items()):
        former = marks.get(position)
        if former == verdict:
            outcome.unchanged += 1
        elif former is not None and not rules.replace and source != "asked":
            outcome.others_kept += 1
        else:
            marks[position] = verdict
            new.append(FileVerdict(generation_id, position, file, verdict, source, former))
    if new and rules.record:
        runtime.run_blocking(
            lambda service: service.record_feedback(
                generation_id,
                selected_images=[position for position, mark in marks.items() if mark == "selected"],
                rejected_images=[position for position, mark in marks.items() if mark == "rejected"],
            )
        )
    outcome.recorded += new


def _places(
    folder: Folder, images: Images, runtime: Runtime, *, whole: bool
) -> tuple[dict[Place, list[Found]], dict[Place, str], int]:
    """Which logged images the files are; which of the log's images in the folder are gone; how many are uncertain."""
    counts = runtime.run_blocking(
        lambda service: service.image_counts({image.generation for image in images.found if image.generation})
    )
    places: dict[Place, list[Found]] = {}
    uncertain = 0
    unnamed: list[Found] = []
    for image in images.found:
        size = counts.get(image.generation, 0)
        position = 0 if image.position is None and size == 1 else image.position
        if not size:
            unnamed.append(image)
        elif position is None or position >= size:
            uncertain += 1
        else:
            places.setdefault((image.generation, position), []).append(image)
    by_digest: dict[str, list[Found]] = defaultdict(list)
    for image in unnamed:
        by_digest[image_id(image.digest)].append(image)
    by_path = {place: [image] for image in unnamed if (place := folder.place(image.relative))[0]}
    missing: dict[Place, str] = {}
    for file in logged_files(runtime):
        path = (file.type, comparable_folder(file.subfolder), file.filename)
        found = by_digest.get(file.source_id) if file.source_id else by_path.get(path)
        if found:
            places.setdefault((file.generation_id, file.position), []).extend(found)
        elif whole and (gone := _gone(folder, file)):
            missing[(file.generation_id, file.position)] = gone
    return places, {place: file for place, file in missing.items() if place not in places}, uncertain


def _gone(folder: Folder, file: LoggedFile) -> str:
    """The path of a logged image below the folder, if its file is not there."""
    root = folder.places.get(file.type)
    if root is None or not file.filename:
        return ""
    path = root / comparable_folder(file.subfolder) / file.filename
    try:
        relative = path.relative_to(folder.path).as_posix()
        return "" if path.exists() else relative
    except (ValueError, OSError):
        return ""


def _verdict(files: Sequence[Found], rules: Rules) -> tuple[Word, str, str] | None:
    """The verdict of an image, of which there may be copies: what was kept anywhere is kept."""
    if rules.verdict is not None:
        return rules.verdict, "asked", files[0].relative
    rated = sorted(_rated(files), key=lambda entry: -entry[0])
    if not rated:
        return None
    rating, source, file = rated[0]
    return ("selected" if rating > KEPT_ABOVE else "rejected"), source, file


def _rated(files: Sequence[Found]) -> Iterator[tuple[float, str, str]]:
    return ((file.rating, file.rated_by, file.relative) for file in files if file.rating is not None)
