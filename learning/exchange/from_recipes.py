"""Images that were there before, as generations: what an import of recipes adds to the log.

Separate from `line_format`, whose lines other programs write, because here it is decided what a verdict is: images of
one prompt that were made within an hour of each other are one comparison, as if they had been shown together. Ids
follow from the images alone, so that the same images again are the same generations. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from hashlib import sha256
from math import isfinite

from ...recipes.recipe import Recipe
from ..errors import InvalidRequest
from ..names import stored_name, stored_text
from ..prompts.keywords import extract_keywords, negative_keywords
from ..prompts.written_negative import written_note
from ..values import IMPORTED, ImageFile, ImageSettings, import_session
from .line_format import PortableGeneration, PortableKeyword, PortableVerdict, portable_images

TOGETHER = timedelta(hours=1)
"""Images of one prompt belong together if each was made within this time after the one before."""
MOST_TOGETHER = 100
KEPT_ABOVE = 0.5
"""An image with a greater rating was kept, one with another rating was not."""


@dataclass(frozen=True, slots=True)
class ImportedImage:
    """One image that can be imported: its id, when it was made, and what is known of it."""

    source_id: str
    made_at: datetime
    recipe: Recipe
    file: ImageFile
    mark: str


@dataclass(frozen=True, slots=True)
class Readings:
    """The images of an import, and how many of the recipes could not be used as they are.

    Attributes
    ----------
    images
        In the order in which they were made, each once.
    repeated
        Images that were given twice.
    without_model, too_old
        Left out: nothing says which checkpoint made them; older than what is kept.
    without_moment, in_future
        Taken as made with the one before in the list; and as made now.
    """

    images: list[ImportedImage]
    repeated: int
    without_model: int
    too_old: int
    without_moment: int
    in_future: int


def read(
    recipes: Sequence[tuple[Recipe, float | None]],
    ids: Sequence[str] | None,
    files: Sequence[ImageFile] | None,
    *,
    now: datetime,
    oldest: datetime | None,
) -> Readings:
    """Order recipes by time.

    Raises
    ------
    InvalidRequest
        If a rating is not in 0..1, or there is not one id or file for each recipe.
    """
    for given, what in ((ids, "ids"), (files, "files")):
        if given is not None and len(given) != len(recipes):
            raise InvalidRequest(f"{len(given)} {what} for {len(recipes)} images. Give one per image, in their order.")
    images: dict[str, ImportedImage] = {}
    repeated = without_model = too_old = without_moment = in_future = 0
    moment = next((_utc(recipe.made_at) for recipe, _ in recipes if recipe.made_at is not None), now)
    for place, (recipe, rating) in enumerate(recipes):
        name = stored_name(recipe.model or "").strip()
        if not name:
            without_model += 1
            continue
        without_moment += recipe.made_at is None
        moment = moment if recipe.made_at is None else _utc(recipe.made_at)
        in_future += moment > now
        moment = min(moment, now)
        if oldest is not None and moment < oldest:
            too_old += 1
            continue
        mark = mark_of(rating)
        source_id = _source_id(recipe) if ids is None or not ids[place] else image_id(ids[place])
        if source_id in images:
            repeated += 1
            continue
        settings = ImageSettings.of(recipe)
        seen = ImageFile("") if files is None else files[place]
        file = ImageFile(
            name,
            stored_text(seen.filename),
            stored_text(seen.subfolder),
            stored_text(seen.type),
            settings,
            source_id,
        )
        images[source_id] = ImportedImage(source_id, moment, recipe, file, mark)
    ordered = sorted(images.values(), key=lambda image: image.made_at)
    return Readings(ordered, repeated, without_model, too_old, without_moment, in_future)


def together(images: Iterable[ImportedImage]) -> list[list[ImportedImage]]:
    """Groups of images of one prompt and time, in the order of their last images.

    The prompt is the same where its keywords are, whatever their order and weights. Images without a prompt belong to
    no other.
    """
    groups: list[list[ImportedImage]] = []
    newest: dict[tuple[str, ...], list[ImportedImage]] = {}
    for image in images:
        words = tuple(sorted({word.text for word in _keywords(image.recipe)}))
        group = newest.get(words) if words else None
        if group is None or image.made_at - group[-1].made_at > TOGETHER or len(group) == MOST_TOGETHER:
            group = []
            groups.append(group)
            newest[words] = group
        group.append(image)
    return sorted(groups, key=lambda group: group[-1].made_at)


def as_generation(group: Sequence[ImportedImage], batch: str, imported_at: datetime) -> PortableGeneration:
    """What the log holds of images of one prompt and time; its verdict is that of their ratings, if any has one."""
    last = group[-1]
    marks = "".join(image.mark for image in group)
    return PortableGeneration(
        id=_digest("".join(sorted(image.source_id for image in group))),
        created_at=last.made_at,
        stage="final",
        policy=IMPORTED,
        strategy="explore",
        confidence=0.0,
        evidence=0.0,
        clarity=0.0,
        keywords=_keywords(last.recipe),
        images=portable_images(image.file for image in group),
        verdict=PortableVerdict(marks=marks, at=last.made_at) if marks.strip(".") else None,
        prompt=last.recipe.positive or "",
        session_id=import_session(batch),
        fallback=True,
        imported_at=imported_at,
    )


def pages(groups: Sequence[list[ImportedImage]], size: int) -> Iterator[Sequence[list[ImportedImage]]]:
    """So many groups at a time."""
    return (groups[start : start + size] for start in range(0, len(groups), size))


def _keywords(recipe: Recipe) -> tuple[PortableKeyword, ...]:
    return _keywords_of(recipe.positive or "", recipe.negative or "")


@lru_cache(maxsize=4096)  # neighbouring images often have one prompt
def _keywords_of(positive: str, negative: str) -> tuple[PortableKeyword, ...]:
    found = (*extract_keywords(positive), *negative_keywords(negative), *written_note([negative]))
    words: Mapping[str, float] = {stored_text(word.text): word.weight for word in found}
    return tuple(PortableKeyword(text=text, weight=weight) for text, weight in words.items())


def mark_of(rating: float | None) -> str:
    """The mark of an image with this rating. Raises `InvalidRequest` where it is not in 0..1."""
    if rating is None:
        return "."
    if not isfinite(rating) or not 0.0 <= rating <= 1.0:
        raise InvalidRequest(
            f"A rating is a number from 0 to 1, not {rating!r}. Divide stars by their greatest number."
        )
    return "+" if rating > KEPT_ABOVE else "-"


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


def _source_id(recipe: Recipe) -> str:
    """The same for the same recipe: it has the seed and the moment."""
    return _digest(json.dumps(asdict(recipe), default=str, sort_keys=True))


def image_id(text: str) -> str:
    """The log's id of an imported image that has this text of its own."""
    return _digest(stored_text(text))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
