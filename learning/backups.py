"""Copies of a SQLite database that nobody has to think of, and the way back from them.

A copy is made with SQLite's backup API while everybody goes on reading and writing, looked through, and only
then given its name; older ones beyond the number to keep go. Separate from `database`, which tells when: a
copy, its age and its soundness are facts about files. Everything here blocks and is meant for a thread.

It never opens the live file in any way but SQLite's own: closing a plain file handle would take away the
locks that SQLite holds on it in this process (https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

LARGEST_LOOKED_THROUGH = 64 * 2**20
"""Bytes. A larger file takes too long to look through at every start; its copies are looked through."""

_EVERY = timedelta(days=1)
_MOMENT = "%Y%m%d-%H%M%S"


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy. `reason` is "" for a daily one, else why it was made."""

    path: Path
    made_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done about a damaged database."""

    put_aside: Path
    backup: Backup


def folder_of(database: Path) -> Path:
    return database.parent / "backups"


def listed(database: Path) -> list[Backup]:
    """The copies of a database, newest first; other files in their folder are none of ours."""
    name = re.compile(
        rf"{re.escape(database.stem)}-(\d{{8}}-\d{{6}})(?:-([\w-]+))?{re.escape(database.suffix)}"
    )
    found = []
    with suppress(OSError):
        for path in folder_of(database).iterdir():
            if match := name.fullmatch(path.name):
                with suppress(ValueError):
                    moment = datetime.strptime(match[1], _MOMENT).replace(tzinfo=timezone.utc)
                    found.append(Backup(path, moment, match[2] or ""))
    return sorted(found, key=lambda backup: (backup.made_at, backup.path.name), reverse=True)


def is_due(database: Path, now: datetime) -> bool:
    """Whether the newest daily copy is a day away, in whichever direction the clock was set."""
    daily = [backup for backup in listed(database) if not backup.reason]
    return not daily or abs(now - daily[0].made_at) >= _EVERY


def holds_verdicts(database: Path) -> bool:
    """Whether there is anything in a database that a person would miss.

    Raises
    ------
    sqlite3.Error
        If it cannot be read.
    """
    with closing(_read_only(database)) as connection:
        return connection.execute("SELECT 1 FROM verdicts LIMIT 1").fetchone() is not None


def make(database: Path, now: datetime, *, kept: int, reason: str = "") -> Backup:
    """Copy the database, and let older copies of the same kind go beyond `kept`.

    Raises
    ------
    sqlite3.Error, OSError
        If there is no sound copy then; nothing older has gone.
    """
    folder = folder_of(database)
    folder.mkdir(parents=True, exist_ok=True)
    moment = now.astimezone(timezone.utc)
    ending = f"-{reason}" if reason else ""
    path = folder / f"{database.stem}-{moment:{_MOMENT}}{ending}{database.suffix}"
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with closing(_read_only(database)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # a copy is one file
            if problem := _looked_through(target):
                raise sqlite3.DatabaseError(f"the copy is damaged: {problem}")
        _reach_the_disk(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    for left in folder.glob("*.part"):  # of processes that were killed
        with suppress(OSError):
            if now.timestamp() - left.stat().st_mtime > _EVERY.total_seconds():
                left.unlink()
    for old in [backup for backup in listed(database) if bool(backup.reason) == bool(reason)][kept:]:
        if old.path != path:
            old.path.unlink(missing_ok=True)
    return Backup(path, moment.replace(microsecond=0), reason)


def problem_of(database: Path) -> str:
    """What is broken in a file; "" where nothing is, or it cannot be told (locked, too large, not there)."""
    try:
        if database.stat().st_size > LARGEST_LOOKED_THROUGH:
            return ""
        with closing(_read_only(database)) as connection:
            return _looked_through(connection)
    except (sqlite3.OperationalError, OSError):
        return ""
    except sqlite3.DatabaseError as error:
        return str(error)


def restore(database: Path, now: datetime) -> Restored | None:
    """Put a damaged database aside and the newest sound copy in its place.

    None where there is no sound copy, or another process has done it meanwhile.

    Raises
    ------
    OSError
        If the folder cannot be written; then all is as it was.
    """
    sound = next((backup for backup in listed(database) if not problem_of(backup.path)), None)
    if sound is None:
        return None
    draft = database.with_name(f"{database.name}.{os.getpid()}.part")
    aside = database.with_name(
        f"{database.stem}.damaged-{now.astimezone(timezone.utc):{_MOMENT}}{database.suffix}"
    )
    try:
        draft.write_bytes(sound.path.read_bytes())
        _reach_the_disk(draft)
        if not problem_of(database):
            return None
        database.replace(aside)
        # They belong to the damaged file, which may be read with them; the copy must not get them.
        for part in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{database}{part}").replace(f"{aside}{part}")
        draft.replace(database)
    finally:
        draft.unlink(missing_ok=True)
    return Restored(aside, sound)


def damaged(database: Path) -> list[Path]:
    """Files that were put aside, newest first."""
    return sorted(
        database.parent.glob(f"{_literal(database.stem)}.damaged-*{_literal(database.suffix)}"), reverse=True
    )


def _literal(text: str) -> str:
    return re.sub(r"([\[*?])", r"[\1]", text)


def _read_only(path: Path) -> sqlite3.Connection:
    address = path.absolute().as_posix()
    root = "" if address.startswith("/") else "/"
    return sqlite3.connect(f"file://{root}{quote(address, safe='/:')}?mode=ro", uri=True, timeout=5)


def _looked_through(connection: sqlite3.Connection) -> str:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return "" if found == "ok" else str(found)


def _reach_the_disk(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
