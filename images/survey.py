"""Looks at all images of a folder: what made them, by which checkpoint that is there, and what the person thinks.

This is the dry run of an import. It changes nothing, and keeps of each image no more than a few hundred bytes, since a
folder may have a hundred thousand; the recipes are read again by `learn`. What could not be read is counted, by reason.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TypeVar

from ..checkpoints.patterns import printable
from ..learning.exchange.from_recipes import image_id
from ..learning.names import comparable
from ..learning.reports import LoggedFile
from ..recipes import FileReading, Recipe, Unreadable, examine_file
from ..runtime.runtime import Runtime
from .folder import ImagePath, walk
from .galleries import GalleryDatabase
from .hashes import ComputedHashes
from .models import Match, MatchedBy, Models, may_mean
from .pixels import pixels_digest
from .progress import OnProgress, Progress
from .ratings import Ratings

log = logging.getLogger(__name__)

AnyName = TypeVar("AnyName", bound=str)

_TOLD_EVERY = 50
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Unread:
    """Files that could not be read for one reason: how many, one of them, and the reason in English."""

    code: str
    count: int
    example: str
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What is in a folder of images.

    Attributes
    ----------
    images, read
        How many there are, and how many say what made them.
    tools
        How many of those each program has written.
    matched, matched_by
        How many each checkpoint that is there has made; and by what that is known.
    missing
        How many each checkpoint has made that is not there, or is not certain, by its name as it is written.
    without_model
        Images that do not say which checkpoint made them.
    rated
        How many of the matched ones have a rating, by where it is from; those that were `kept` and `rejected`.
    logged, known, repeated
        Left out: made by this pack's nodes and logged, imported before, and copies of another image of the folder.
    new
        Images that an import would add.
    in_future
        Images that are newer than now; they count as made now.
    ratings_gone
        Ratings of files that are not there.
    galleries
        Other programs' databases that were found.
    unread
        What could not be read, and why; the commonest first.
    """

    images: int
    read: int
    tools: Mapping[str, int]
    matched: Mapping[str, int]
    matched_by: Mapping[MatchedBy, int]
    missing: Mapping[str, int]
    without_model: int
    rated: Mapping[str, int]
    kept: int
    rejected: int
    logged: int
    known: int
    repeated: int
    new: int
    in_future: int
    ratings_gone: int
    galleries: tuple[GalleryDatabase, ...]
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """What an image says of its checkpoint; shared by the images that say the same."""

    model: str
    model_hash: str = ""
    fingerprint: str = ""


@dataclass(slots=True)
class Found:
    """One image that says what made it.

    Parameters
    ----------
    made_s
        When, in seconds since 1970 (UTC).
    digest
        Of its pixels.
    generation, position, checkpoints
        The generation that it belongs to, if it names one; which of its images it is, None where that is not certain;
        and for a stock saver's file the checkpoints of that generation's images.
    """

    relative: str
    made_s: float
    digest: str
    origin: Origin
    rating: float | None
    rated_by: str
    generation: str = ""
    position: int | None = None
    checkpoints: tuple[str, ...] = ()


@dataclass(slots=True)
class Folder:
    """A folder to be read, and all that is needed for it.

    Parameters
    ----------
    path
        Absolute.
    places
        ComfyUI's folders by their type (`output`, `input`): images in them can be shown.
    hashes
        Where hashes are kept, if missing checkpoints are to be found by them.
    """

    path: Path
    ratings: Ratings
    places: Mapping[str, Path] = field(default_factory=dict)
    hashes: ComputedHashes | None = None

    def place(self, relative: str) -> tuple[str, str, str]:
        """(type, subfolder, filename) of an image, as ComfyUI's `/view` takes them; empty where it has none."""
        for kind, root in self.places.items():
            try:
                below = PurePosixPath((self.path / relative).relative_to(root).as_posix())
            except ValueError:
                continue
            subfolder = "" if below.parent == PurePosixPath() else str(below.parent)
            return kind, subfolder, below.name
        return "", "", ""


class Images:
    """The images of a folder that was read."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.images = 0
        self.tools: Counter[str] = Counter()
        self.without_recipe = 0
        self._unread: dict[str, Unread] = {}
        self._origins: dict[Origin, Origin] = {}

    def shared(self, origin: Origin) -> Origin:
        return self._origins.setdefault(origin, origin)

    @property
    def origins(self) -> Sequence[Origin]:
        return list(self._origins)

    def note_unread(self, relative: str, code: str, reason: str) -> None:
        former = self._unread.get(code)
        self._unread[code] = Unread(
            code,
            1 + (former.count if former else 0),
            former.example if former else printable(relative) or ".",
            former.reason if former else str(reason),
        )

    @property
    def unread(self) -> tuple[Unread, ...]:
        return tuple(sorted(self._unread.values(), key=lambda each: -each.count))


def read_images(
    folder: Folder, on_progress: OnProgress, only: Sequence[ImagePath] | None = None, *, with_recipe: bool = True
) -> Images:
    """Read all images of a folder, or `only` some of them. Raises what `on_progress` raises.

    Images that do not say what made them are found only if not `with_recipe`; else they count as unread.
    """
    images = Images()
    paths: list[ImagePath] = []
    for path in walk(folder.path, images.note_unread) if only is None else only:
        paths.append(path)
        if len(paths) % 1_000 == 0:
            on_progress(Progress("looking", len(paths), 0))
    images.images = len(paths)
    for number, path in enumerate(paths):
        if number % _TOLD_EVERY == 0:
            on_progress(Progress("reading", number, len(paths)))
        _read(folder, path, images, with_recipe=with_recipe)
    on_progress(Progress("reading", len(paths), len(paths)))
    _place_by_number(images.found)
    return images


def _read(folder: Folder, path: ImagePath, images: Images, *, with_recipe: bool) -> None:
    file = folder.path / path.relative
    try:
        reading = examine_file(file)
        digest = pixels_digest(file)
    except Unreadable as error:
        images.note_unread(path.relative, error.code, error.problem.message)
        return
    except OSError as error:
        images.note_unread(path.relative, "failed", f"The file cannot be read: {error.strerror or error}.")
        return
    except Exception as error:  # one strange file of a hundred thousand; its kind is told and logged
        log.warning("Reading %s failed unexpectedly", printable(str(file)), exc_info=True)
        images.note_unread(path.relative, "failed", f"Reading it failed ({type(error).__name__}).")
        return
    if reading.recipe is None and with_recipe and not reading.generations:
        problem = reading.unread[0]
        images.note_unread(path.relative, problem.code, problem.message)
        return
    images.tools[reading.tool or ""] += 1
    images.found.append(_found(folder, path, reading, reading.recipe or Recipe(), digest, images))


def _found(folder: Folder, path: ImagePath, reading: FileReading, recipe: Recipe, digest: str, images: Images) -> Found:
    rating = folder.ratings.of(path.relative, reading.rating)
    made_at, provenance = recipe.made_at or reading.modified_at, reading.provenance
    possible = reading.generations[0] if len(reading.generations) == 1 else None
    drawn_by = set(possible.checkpoints) if possible is not None else set()
    origin = Origin(
        (recipe.model or (drawn_by.pop() if len(drawn_by) == 1 else ""))[:_LONGEST_NAME],
        (recipe.model_hash or "")[:_LONGEST_NAME],
        provenance.fingerprint if provenance else "",
    )
    found = Found(
        path.relative,
        _seconds(made_at, path.modified_s),
        digest,
        images.shared(origin),
        None if rating is None else rating.value,
        "" if rating is None else rating.source,
    )
    if provenance is not None:
        found.generation, found.position = provenance.generation, provenance.position
    elif possible is not None:
        found.generation, found.checkpoints = possible.generation, possible.checkpoints
    return found


def _seconds(made_at: datetime | None, modified_s: float) -> float:
    try:
        return modified_s if made_at is None else made_at.timestamp()
    except (OverflowError, ValueError, OSError):
        return modified_s


def _place_by_number(found: Sequence[Found]) -> None:
    """Stock savers number the images of a generation: if all of them are there, each has its place.

    Savers that name each image's checkpoint may number or sort them in another way; then the names count.
    """
    groups: dict[tuple[str, tuple[str, ...]], dict[str, Found]] = defaultdict(dict)
    for image in found:
        if image.generation and image.checkpoints:
            groups[(image.generation, image.checkpoints)].setdefault(image.digest, image)
    for (_, checkpoints), images in groups.items():
        if len(images) != len(checkpoints):
            continue
        ordered = sorted(images.values(), key=lambda image: _numbered(image.relative.rpartition("/")[2]))
        named = [(image.origin.model, checkpoint) for image, checkpoint in zip(ordered, checkpoints, strict=True)]
        if any(model and not may_mean(model, checkpoint) for model, checkpoint in named):
            continue
        for position, (image, checkpoint) in enumerate(zip(ordered, checkpoints, strict=True)):
            image.position = position
            image.origin = Origin(checkpoint)


def _numbered(name: str) -> list[str | int]:
    """A name by which files sort in the order of their numbers, with or without zeros before them."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d{1,18})", name)]


def logged_files(runtime: Runtime) -> Iterator[LoggedFile]:
    """All images of the log whose file is known, or that were imported. Blocks; raises `StoreUnavailable`."""
    after = 0
    while page := runtime.run_blocking(lambda service, after=after: service.logged_files(after)):  # type: ignore[misc]
        yield from page
        after = page[-1].number


@dataclass(frozen=True, slots=True)
class Learnable:
    """An image that an import adds, with the name of its checkpoint as ComfyUI has it."""

    relative: str
    made_s: float
    digest: str
    model: str
    rating: float | None


def survey(
    folder: Folder, images: Images, models: Models, runtime: Runtime, on_progress: OnProgress, now: datetime
) -> tuple[Survey, list[Learnable]]:
    """What a folder's images say, and which of them an import would learn from, in the order in which they were made.

    Raises
    ------
    Stopped
        If `on_progress` does.
    StoreUnavailable
        If the log cannot be read.
    """
    matches = {origin: _match(models, origin) for origin in images.origins}
    _hash_missing(folder, models, matches, on_progress)
    counts = _Counts()
    generations = runtime.run_blocking(
        lambda service: service.image_counts({image.generation for image in images.found if image.generation})
    )
    known, named = _in_log(runtime, folder, images.found)
    learnable: dict[str, Learnable] = {}
    rated_by: dict[str, str] = {}
    for image in sorted(images.found, key=lambda image: (image.made_s, image.relative)):
        if image.generation in generations or image.relative in named:
            counts.logged += 1
            continue
        match = matches[image.origin] if image.origin in matches else _match(models, image.origin)
        if match is None:
            if image.origin.model or image.origin.model_hash:
                counts.missing[printable(image.origin.model or image.origin.model_hash)] += 1
            else:
                counts.without_model += 1
            continue
        former = learnable.get(image.digest)
        if former is not None:
            counts.repeated += 1
            if image.rating is not None and (former.rating is None or image.rating > former.rating):
                learnable[image.digest] = Learnable(
                    former.relative, former.made_s, former.digest, former.model, image.rating
                )
                rated_by[image.digest] = image.rated_by
            continue
        counts.matched[match.name] += 1
        counts.matched_by[match.by] += 1
        counts.in_future += image.made_s > now.timestamp()
        learnable[image.digest] = Learnable(image.relative, image.made_s, image.digest, match.name, image.rating)
        if image.rating is not None:
            rated_by[image.digest] = image.rated_by
    new = [image for image in learnable.values() if image.digest not in known]
    kept = sum(image.rating is not None and image.rating > 0.5 for image in learnable.values())
    return (
        Survey(
            images=images.images,
            read=len(images.found),
            tools=_sorted(images.tools),
            matched=_sorted(counts.matched),
            matched_by=_sorted(counts.matched_by),
            missing=_sorted(counts.missing),
            without_model=counts.without_model,
            rated=_sorted(Counter(rated_by.values())),
            kept=kept,
            rejected=len(rated_by) - kept,
            logged=counts.logged,
            known=len(learnable) - len(new),
            repeated=counts.repeated,
            new=len(new),
            in_future=counts.in_future,
            ratings_gone=folder.ratings.gone(),
            galleries=tuple(folder.ratings.galleries),
            unread=images.unread,
        ),
        new,
    )


@dataclass(slots=True)
class _Counts:
    matched: Counter[str] = field(default_factory=Counter)
    matched_by: Counter[MatchedBy] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    without_model: int = 0
    logged: int = 0
    repeated: int = 0
    in_future: int = 0


def _match(models: Models, origin: Origin) -> Match | None:
    return models.match(Recipe(model=origin.model or None, model_hash=origin.model_hash or None), origin.fingerprint)


def _hash_missing(folder: Folder, models: Models, matches: dict[Origin, Match | None], on_progress: OnProgress) -> None:
    """Compute the hashes of checkpoints, if images name a hash that none of the known ones is."""
    missing = [origin for origin, match in matches.items() if match is None and origin.model_hash]
    if folder.hashes is None or not missing:
        return
    without = models.without_hash()
    failed = folder.hashes.compute(without, lambda done, of: on_progress(Progress("hashing", done, of)))
    for path, error in failed:
        log.warning("%s cannot be read to hash it: %s", printable(str(path)), error)
    models.forget_hashes()
    for origin in matches:
        matches[origin] = _match(models, origin)


def _in_log(runtime: Runtime, folder: Folder, found: Sequence[Found]) -> tuple[set[str], set[str]]:
    """Digests of images that were imported before, and relative paths of files that the log has for other images."""
    digests = {image_id(image.digest): image.digest for image in found}
    paths = {place: image.relative for image in found if (place := folder.place(image.relative))[0]}
    known: set[str] = set()
    named: set[str] = set()
    for file in logged_files(runtime):
        if file.source_id:
            if file.source_id in digests:
                known.add(digests[file.source_id])
        elif file.filename and (relative := paths.get((file.type, comparable_folder(file.subfolder), file.filename))):
            named.add(relative)
    return known, named


def comparable_folder(subfolder: str) -> str:
    """A subfolder as `Folder.place` has it: with `/`, and none at the end."""
    return subfolder.replace("\\", "/").strip("/")


def _sorted(counts: Counter[AnyName]) -> dict[AnyName, int]:
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], comparable(entry[0]))))
