"""Walks a folder of images, in order of names.

Separate from what is read of them, because a folder has dangers of its own: links that lead back into it, folders that
may not be read, files that vanish, names in no encoding, caches of other programs. It opens no file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif"})
"""File names of images that may say what made them."""

MOST_IMAGES = 1_000_000
DEEPEST = 64
_LONGEST_PATH = 4_096
_CACHES = frozenset(
    {"_mjr_index", "@eadir", "#recycle", "$recycle.bin", "__macosx", "system volume information", "lost+found"}
)
"""Folders in which programs keep what is no image of the person's, or was deleted; compared without case."""


@dataclass(frozen=True, slots=True)
class ImagePath:
    """One image file.

    Parameters
    ----------
    relative
        Below the folder, with `/`. A name in another encoding has lone surrogates, as Python reads it.
    modified_s
        When it was last written, in seconds since 1970 (UTC).
    """

    relative: str
    modified_s: float


OnUnread = Callable[[str, str, str], None]
"""Called with the relative path of what could not be walked, a code and an English reason."""


def walk(folder: Path, on_unread: OnUnread) -> Iterator[ImagePath]:
    """All images below a folder, one folder after the other, each in the order of its names.

    Hidden files and folders and other programs' caches are left out. Links are followed, but each folder is walked
    once.
    """
    walked: set[tuple[int, int]] = set()
    waiting = [""]
    found = 0
    while waiting:
        here = waiting.pop()
        entries = _entries(folder / here, here, walked, on_unread)
        folders: list[str] = []
        for entry in entries:
            relative = f"{here}/{entry.name}" if here else entry.name
            if entry.name.startswith(".") or len(relative) > _LONGEST_PATH:
                continue
            try:
                if entry.is_dir():
                    if entry.name.lower() not in _CACHES:
                        folders.append(relative)
                elif os.path.splitext(entry.name)[1].lower() in SUFFIXES and entry.is_file():  # noqa: PTH122 - a name
                    found += 1
                    if found > MOST_IMAGES:
                        on_unread(here, "too_many", f"There are more than {MOST_IMAGES:,} images: choose a subfolder.")
                        return
                    yield ImagePath(relative, entry.stat().st_mtime)
            except OSError as error:
                on_unread(relative, *_reason(error))
        waiting += reversed(folders)


def _entries(path: Path, relative: str, walked: set[tuple[int, int]], on_unread: OnUnread) -> list[os.DirEntry[str]]:
    """What is in a folder, by name; nothing where it was walked before or cannot be read."""
    if relative.count("/") >= DEEPEST:
        on_unread(relative, "too_deep", f"The folder is more than {DEEPEST} folders deep.")
        return []
    try:
        status = path.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in walked:
            return []
        walked.add(identity)
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        on_unread(relative, *_reason(error))
        return []


def _reason(error: OSError) -> tuple[str, str]:
    if isinstance(error, FileNotFoundError):
        return "not_found", "It is not there, or no longer."
    if isinstance(error, PermissionError):
        return "no_permission", "It may not be read. Change its permissions, or leave it out."
    return "failed", f"It cannot be read: {error.strerror or type(error).__name__}."
