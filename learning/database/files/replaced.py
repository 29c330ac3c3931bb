"""A database file that is deleted or replaced while it is open.

On Linux and macOS the open connection goes on writing into a file without a name, and everything learned from
then on is lost without a word when it closes. Separate from `database` because it is about files, not
transactions: it tells whether the name still leads to the open file, and brings what the open connection
holds back to a name.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeAlias

import aiosqlite

Identity: TypeAlias = tuple[int, int]


def identity(path: Path) -> Identity | None:
    """What tells a file from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def begin(path: Path) -> None:
    """Make a file where there is none: nothing in it is an empty database to SQLite."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def size(path: Path) -> int:
    """Bytes of a database, with the log beside it."""
    files = (path, Path(f"{path}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


async def rescue(connection: aiosqlite.Connection, path: Path) -> Path | None:
    """Copy all that the open connection sees into a new file beside `path`, with SQLite's backup API.

    None where the open file is damaged and another has its name: whoever put that there has kept this one.

    Raises
    ------
    sqlite3.Error, OSError
        If no copy can be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    copy = path.with_name(f"{path.name}.rescued-{os.getpid()}")
    copy.unlink(missing_ok=True)
    try:
        async with aiosqlite.connect(copy) as target:
            await connection.backup(target)
    except sqlite3.DatabaseError as error:
        copy.unlink(missing_ok=True)
        if isinstance(error, sqlite3.OperationalError) or identity(path) is None:
            raise
        return None
    return copy


def sidecar_files(path: Path) -> frozenset[Identity]:
    """The files that SQLite keeps beside a database while it is open: its log, and the index of that."""
    return frozenset(filter(None, map(identity, _beside(path))))


def _beside(path: Path) -> list[Path]:
    return [Path(f"{path}-wal"), Path(f"{path}-shm")]


def put_back(copy: Path | None, path: Path, beside_it: Collection[Identity]) -> str:
    """Give the rescued copy the database's name, if that is free, once no connection holds the old file.

    Returns a sentence that says what was done. Where another file has the name already it is left alone,
    since somebody put it there, and the copy is kept beside it. What lay beside the old file (`beside_it`)
    goes before anybody opens the new one: SQLite would replay the old one's log into it.
    """
    nobodys = copy is not None and not path.exists()
    for leftover in _beside(path):
        if nobodys or identity(leftover) in beside_it:
            leftover.unlink(missing_ok=True)
    if copy is None:
        return "The file that is there now is used; the former one is damaged, and was put aside by another."
    if nobodys:
        with contextlib.suppress(FileExistsError):
            _name_without_replacing(copy, path)
            return "It was restored, with all that had been learned. To begin anew, stop ComfyUI before deleting it."
    now = datetime.now(timezone.utc)
    kept = path.with_name(f"{path.stem}.before-{now:%Y%m%d-%H%M%S}{path.suffix}")
    copy.replace(kept)
    return f"The file that is there now is used; what had been learned before is kept in {kept}."


def _name_without_replacing(copy: Path, path: Path) -> None:
    try:
        path.hardlink_to(copy)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        copy.rename(path)
    else:
        copy.unlink()
