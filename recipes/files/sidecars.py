"""Finds and reads the files beside an image that belong to it: settings (`.txt`, `.json`) and ratings (`.xmp`).

A `.txt` beside an image is as often a caption for training, so it counts only where a tool knows its form.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .containers.contents import Contents
from .containers.encodings import decoded
from .containers.xmp import is_xmp, read_xmp
from .limits import LONGEST_TEXT, LONGEST_XMP
from .problem import Unreadable, problem
from .source import Source, opened
from .texts import Texts

SETTINGS_SUFFIXES = (".txt", ".json")


def settings_beside(path: Path) -> Iterator[tuple[Path, Texts]]:
    """(path, texts) of `image.txt`, `image.json`, `image.png.txt` and `image.png.json`, those that are there."""
    for suffix in SETTINGS_SUFFIXES:
        for beside in _names_beside(path, suffix):
            try:
                with opened(beside) as source:
                    yield beside, settings_texts(source)
            except Unreadable:
                continue


def settings_texts(source: Source) -> Texts:
    """The texts of a settings file.

    Raises
    ------
    Unreadable
        If it is too long.
    """
    return Texts([("sidecar", decoded(_whole_file(source, LONGEST_TEXT)))])


def rating_beside(path: Path) -> int | None:
    """The rating in `image.xmp` or `image.png.xmp`; None where there is none."""
    for beside in _names_beside(path, ".xmp"):
        contents = Contents("XMP")
        try:
            with opened(beside) as source:
                data = _whole_file(source, LONGEST_XMP)
        except Unreadable:
            continue
        if is_xmp(data):
            read_xmp(data, contents)
        if contents.rating is not None:
            return contents.rating
    return None


def _names_beside(path: Path, suffix: str) -> list[Path]:
    names = [path.with_name(path.stem + suffix), path.with_name(path.name + suffix)]
    return [name for name in dict.fromkeys(names) if name != path]


def _whole_file(source: Source, most: int) -> bytes:
    if source.size > most:
        raise Unreadable(
            problem("too_large", "The file has more than {most} bytes of text: it is not read.", most=most)
        )
    return source.read(0, source.size)
