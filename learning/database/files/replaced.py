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
from typing import NamedTuple

import aiosqlite

from .. import disk
from . import backups
from .open_handles import Identity, identity

__all__ = ["Identity", "identity"]


def begin(path: Path) -> None:
    """Create an empty file, which is an empty database to SQLite, where there is none.

    Raises
    ------
    OSError
        If it cannot be made, or if something else has its name.
    """
    if not disk.is_there(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with backups.one_at_a_time(path):
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


def sidecar_paths(path: Path) -> list[Path]:
    """The files that SQLite keeps next to a database while it is open: its log, and the index of that."""
    return [Path(f"{path}-wal"), Path(f"{path}-shm")]


class PutBack(NamedTuple):
    """What became of a rescued copy: whether it is what is used now, and a sentence that says so."""

    is_used: bool
    outcome: str


def put_back(
    copy: Path | None, path: Path, former: Identity | None, sidecar_files: Collection[Identity | None], now: datetime
) -> PutBack:
    """Give the rescued copy the database's name, once no connection holds the old file.

    A sound file that has the name already is left alone, since somebody put it there, and the copy is kept next to
    it; a damaged one is quarantined. Where another process has quarantined the `former` file and put that one there,
    the copy is to be read for what it lacks. The sidecar files of the old one are deleted before anybody opens the
    new one: SQLite would replay the old log into it.
    """
    with backups.one_at_a_time(path):
        return _put_back(copy, path, former, sidecar_files, now)


def _put_back(
    copy: Path | None, path: Path, former: Identity | None, sidecar_files: Collection[Identity | None], now: datetime
) -> PutBack:
    is_free = copy is not None and (not path.exists() or not path.stat().st_size)
    for leftover in sidecar_paths(path):
        if is_free or identity(leftover) in sidecar_files:
            leftover.unlink(missing_ok=True)
    if copy is None:
        other = "The file that is there now is used; the former one is damaged, and another process has quarantined it."
        return PutBack(False, other)
    quarantined = ""
    if not is_free and (damaged := backups.set_aside(path, now)):
        is_free, quarantined = True, f" The damaged file that was there is quarantined as {damaged}."
    if is_free:
        with contextlib.suppress(FileExistsError):
            _name_without_replacing(copy, path)
            restored = "It was restored, with all that had been learned."
            return PutBack(True, f"{restored} To start again, stop ComfyUI before deleting it.{quarantined}")
    if former in map(identity, backups.damaged(path)) and backups.is_copy_of(copy, path):
        backups.keep_to_read(copy, path, now)
        return PutBack(False, "Another process has restored it; what it lacks is read from what this one had open.")
    kept = backups.free_name(path, "before", now)
    copy.replace(kept)
    return PutBack(False, f"The file that is there now is used; what had been learned before is kept in {kept}.")


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
