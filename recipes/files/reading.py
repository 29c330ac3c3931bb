"""Reads what made an image out of its file: `read_file`, and `examine_file`, which also tells the rest.

This is where the parts meet: a file is opened (`source`), its container gives texts (`containers`),
and the tools make a recipe of them. Pixels are never decoded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from ..recipe import Recipe
from .containers import jpeg, png
from .containers.avif import is_avif, read_avif
from .containers.contents import Contents
from .containers.jpeg import read_jpeg
from .containers.png import read_png
from .containers.webp import is_webp, read_webp
from .problem import Problem, Unreadable, problem
from .provenance import KEYWORD, Provenance, RunGeneration, generations_of, provenance_of
from .sidecars import SETTINGS_SUFFIXES, rating_beside, settings_beside, settings_texts
from .source import Source, opened
from .texts import Texts
from .tools import Found, read_texts
from .tools.comfyui import TOOL

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_HEAD = 12


@dataclass(frozen=True, slots=True)
class FileReading:
    """What a file says of its image.

    Parameters
    ----------
    recipe
        What made it; None where the file and its sidecars do not say.
    unread
        What could not be read, and why. Without a recipe, the first one is the reason.
    found_in
        Where the recipe stands.
    rating
        As XMP has it: -1 rejected, 0 no stars, 1 to 5 stars; None where none is written. A sidecar's goes before the
        one in the image, since programs that may not change an image write there.
    provenance
        Our own chunk: the logged generation that the image belongs to.
    generations
        Those of the run in which a saver that knows nothing of us wrote the file.
    prompt
        ComfyUI's graph in API form, which may name a generation too.
    width, height
        Of the picture, in pixels; the recipe has those of the first pass.
    modified_at
        When the file was last written, in UTC.
    """

    recipe: Recipe | None
    unread: tuple[Problem, ...] = ()
    found_in: Literal["file", "sidecar"] | None = None
    rating: int | None = None
    provenance: Provenance | None = None
    generations: tuple[RunGeneration, ...] = ()
    prompt: Mapping[str, object] | None = None
    width: int | None = None
    height: int | None = None
    modified_at: datetime | None = None

    @property
    def tool(self) -> str | None:
        """The program that the texts are known by."""
        return None if self.recipe is None else self.recipe.tool


def read_file(path: AnyPath) -> Recipe:
    """What made the image in this file: PNG, JPEG, WebP or AVIF, or the `.txt` or `.json` that a tool wrote beside one.

    Raises
    ------
    Unreadable
        If the file cannot be read, or does not say; its code and message say why and what to do.
    """
    reading = examine_file(path)
    if reading.recipe is None:
        raise Unreadable(reading.unread[0])
    return reading.recipe


def examine_file(path: AnyPath) -> FileReading:
    """All that a file and its sidecars say of its image: its recipe, its rating, and the generation it belongs to.

    Raises
    ------
    Unreadable
        If the file cannot be read at all: it is not there, no image, cut short, damaged or too large.
    """
    file = Path(os.fsdecode(path))
    with opened(file) as source:
        contents = _contents(source)
        if contents is None:
            return _settings_file(file, source)
        modified_at = _utc(source.modified_s)
    texts = Texts(contents.texts)
    found = read_texts(texts, file.name)
    found_in: Literal["file", "sidecar"] | None = None if found.recipe is None else "file"
    if found.recipe is None:
        beside = _beside(file)
        if beside is not None:
            found, found_in = beside, "sidecar"
    provenance = provenance_of(texts.json(KEYWORD))
    recipe = found.recipe
    if provenance is not None and provenance.checkpoint:  # the branch that drew it; the graph has all
        recipe = replace(recipe or Recipe(tool=TOOL), model=provenance.checkpoint)
        found_in = found_in or "file"
    generations = generations_of(texts.json(KEYWORD))
    drawn_by = {name for one in generations for name in one.checkpoints}
    if recipe is not None and recipe.model is None and len(drawn_by) == 1:
        recipe = replace(recipe, model=drawn_by.pop())
    problems = found.problems
    if recipe is not None and recipe.model is not None:  # our own chunk may know what the graph does not
        problems = tuple(each for each in problems if each.values.get("field") != "model")
    unread = (*problems, *contents.problems)
    if recipe is None:
        unread = (_nothing_found(contents, texts, unread), *unread)
    beside_rating = rating_beside(file)
    return FileReading(
        recipe=recipe,
        unread=unread,
        found_in=found_in,
        rating=contents.rating if beside_rating is None else beside_rating,
        provenance=provenance,
        generations=generations,
        prompt=found.prompt,
        width=contents.width,
        height=contents.height,
        modified_at=modified_at,
    )


def _contents(source: Source) -> Contents | None:
    """The texts of an image; None where it is no image whose format is read."""
    if source.size == 0:
        raise Unreadable(problem("cut_short", "The file is empty. Copy or download it again."))
    head = source.read(0, min(_HEAD, source.size))
    reader = _reader(head)
    return None if reader is None else reader(source)


def _reader(head: bytes) -> Callable[[Source], Contents] | None:
    """By how the file begins: names are often wrong."""
    if head.startswith(png.SIGNATURE):
        return read_png
    if head.startswith(jpeg.SIGNATURE):
        return read_jpeg
    if is_webp(head):
        return read_webp
    return read_avif if is_avif(head) else None


def _settings_file(file: Path, source: Source) -> FileReading:
    """A sidecar that was asked for by itself."""
    if file.suffix.lower() in SETTINGS_SUFFIXES:
        found = read_texts(settings_texts(source), file.name)
        if found.recipe is not None:
            return FileReading(
                found.recipe, found.problems, "sidecar", prompt=found.prompt, modified_at=_utc(source.modified_s)
            )
    raise Unreadable(
        problem("not_an_image", "This is no PNG, JPEG, WebP or AVIF image. Choose an image that a tool has saved.")
    )


def _beside(file: Path) -> Found | None:
    for path, texts in settings_beside(file):
        found = read_texts(texts, path.name)
        if found.recipe is not None:
            return found
    return None


def _nothing_found(contents: Contents, texts: Texts, unread: tuple[Problem, ...]) -> Problem:
    """Why there is no recipe: the likeliest reason, and what can be done."""
    if unread:
        return problem(unread[0].code, "The file does not say what made its image: {reason}", reason=unread[0].message)
    if texts.unparsed:
        names = ", ".join(sorted(texts.unparsed))
        return problem("damaged", "The JSON in {names} is damaged, too deep or too long to be read.", names=names)
    if texts:
        return problem(
            "unknown_tool", "The file has texts, but none by which a tool is known. Use the file that the tool saved."
        )
    if contents.has_alpha:
        return problem(
            "in_pixels",
            "The file has no text. Some tools hide it in the transparency of the pixels, which are not decoded here: "
            "save it again with a tool that reads that, or set the tool to write its text openly.",
        )
    return problem(
        "no_metadata",
        "The file has no text that says what made it. Programs that edit or send images often remove it: use the "
        "original file.",
    )


def _utc(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
