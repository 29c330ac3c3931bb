"""A database file that is deleted or replaced while it is open.

On Linux and macOS the open connection goes on writing into a file without a name, and everything learned from
then on is lost, without an error, when it closes. Separate from `open_file`, which watches one file, because
these are the steps on files: tell whether the name still leads to the open one, copy what the open connection
sees, and give the copy the name.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import aiosqlite

from .. import disk
from . import backups

Identity: TypeAlias = tuple[int, int]


def identity(path: Path) -> Identity | None:
    """What distinguishes a file from another of the same name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def begin(path: Path) -> None:
    """Create an empty file, which is an empty database to SQLite, where there is none.

    Raises
    ------
    OSError
        If it cannot be made, or if something else has its name.
    """
    if not disk.is_there(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def size(path: Path) -> int:
    """Bytes of a database, with its write-ahead log."""
    files = (path, Path(f"{path}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


async def rescue(connection: aiosqlite.Connection, path: Path) -> Path | None:
    """Copy all that the open connection sees into a new file next to `path`, with SQLite's backup API.

    None where the open file is damaged and another has its name: another process has quarantined this one.

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
            await target.execute("PRAGMA journal_mode=DELETE")  # a copy is one file
    except sqlite3.DatabaseError as error:
        copy.unlink(missing_ok=True)
        if isinstance(error, sqlite3.OperationalError) or identity(path) is None:
            raise
        return None
    return copy


def sidecar_files(path: Path) -> frozenset[Identity]:
    """The files that SQLite keeps next to a database while it is open: its log, and the index of that."""
    return frozenset(filter(None, map(identity, _sidecar_paths(path))))


def _sidecar_paths(path: Path) -> list[Path]:
    return [Path(f"{path}-wal"), Path(f"{path}-shm")]


def put_back(copy: Path | None, path: Path, sidecar_files: Collection[Identity], now: datetime) -> str:
    """Give the rescued copy the database's name, once no connection holds the old file.

    Returns a sentence that says what was done. A sound file that has the name already is left alone, since somebody
    put it there, and the copy is kept next to it; a damaged one is quarantined. The sidecar files of the old one are
    deleted before anybody opens the new one: SQLite would replay the old log into it.
    """
    is_free = copy is not None and (not path.exists() or not path.stat().st_size)
    for leftover in _sidecar_paths(path):
        if is_free or identity(leftover) in sidecar_files:
            leftover.unlink(missing_ok=True)
    if copy is None:
        return "The file that is there now is used; the former one is damaged, and another process has quarantined it."
    quarantined = ""
    if not is_free and (damaged := backups.set_aside(path, now, None)):
        is_free, quarantined = True, f" The damaged file that was there is quarantined as {damaged}."
    if is_free:
        with contextlib.suppress(FileExistsError):
            _name_without_replacing(copy, path)
            return (
                "It was restored, with all that had been learned. To start again, stop ComfyUI before deleting it."
                + quarantined
            )
    former = backups.free_name(path, "before", now)
    copy.replace(former)
    return f"The file that is there now is used; what had been learned before is kept in {former}."


def _name_without_replacing(copy: Path, path: Path) -> None:
    if path.exists() and not path.stat().st_size:  # an empty file is an empty database to SQLite
        path.unlink()
    try:
        path.hardlink_to(copy)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        copy.rename(path)
    else:
        copy.unlink()
