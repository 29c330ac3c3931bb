"""Copies of a SQLite database, and how one takes a damaged file's place.

A copy is made with SQLite's backup API while others go on reading and writing, is checked, and only then gets
its name; older ones beyond the number to keep are deleted. Separate from `backup_schedule` and `integrity`,
which decide when: a copy, its age and its soundness are facts about files. Everything here blocks and is meant
for a thread.

It never opens the live file in any way but SQLite's own: closing a plain file handle would take away the
locks that SQLite holds on it in this process (https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sqlite3
import threading
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

from ...reports import CopyReport

_EVERY = timedelta(days=1)
_MOMENT = "%Y%m%d-%H%M%S"
_NUMBERED = [f"-{number}" for number in range(2, 1000)]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy. `reason` is "" for a daily one, else why it was made: `before-<revision>`, or `replaced` for what
    was in use when another file was put in its place."""

    path: Path
    made_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """A damaged database that was quarantined, and the copy that took its place."""

    put_aside: Path
    backup: Backup


@dataclass(frozen=True, slots=True)
class Unread:
    """A quarantined file that holds what its backup lacks: all beyond these numbers."""

    put_aside: Path
    generation: int
    verdict: int


def folder_of(database: Path) -> Path:
    return database.parent / "backups"


def listed(database: Path, now: datetime | None = None) -> list[Backup]:
    """The copies of a database, newest first; other files in their folder are left out.

    With `now`, those that are dated more than a day ahead come last, because the clock was wrong then or is now:
    as the newest, one of them would be restored, and push out all that is made from now on, for years.
    """
    name = re.compile(rf"{re.escape(database.stem)}-(\d{{8}}-\d{{6}})(?:-([\w-]+))?{re.escape(database.suffix)}")
    return _newest_first(_named(folder_of(database), name), now)


def copies(database: Path, now: datetime | None = None) -> list[Backup]:
    """Every copy that may be restored, newest first: those in the folder, and what was in use when another file was
    put in its place, which is kept next to the database."""
    kept = [Backup(copy.path, copy.made_at, "replaced") for copy in _put_aside_as(database, "before")]
    return _newest_first([*listed(database), *kept], now)


def _put_aside_as(database: Path, kind: str) -> list[Backup]:
    stem, suffix = re.escape(database.stem), re.escape(database.suffix)
    return _named(database.parent, re.compile(rf"{stem}\.{kind}-(\d{{8}}-\d{{6}})(?:-(\w+))?{suffix}"))


def _named(folder: Path, name: re.Pattern[str]) -> list[Backup]:
    found = []
    with suppress(OSError):
        for path in folder.iterdir():
            if match := name.fullmatch(path.name):
                with suppress(ValueError):
                    moment = datetime.strptime(match[1], _MOMENT).replace(tzinfo=timezone.utc)
                    found.append(Backup(path, moment, match[2] or ""))
    return found


def _newest_first(found: list[Backup], now: datetime | None) -> list[Backup]:
    ahead = None if now is None else now + _EVERY
    return sorted(
        found,
        key=lambda backup: (ahead is None or backup.made_at <= ahead, backup.made_at, backup.path.name),
        reverse=True,
    )


def described(database: Path, now: datetime) -> list[CopyReport]:
    """Every copy in the order in which they would be restored, then the quarantined files; each is read and checked."""
    quarantined = _newest_first(_put_aside_as(database, "damaged"), None)
    files = [(copy, copy.reason or "daily") for copy in copies(database, now)]
    files += [(file, "damaged") for file in quarantined]
    return [
        CopyReport(
            name=file.path.relative_to(database.parent).as_posix(),
            kind=kind,
            made_at=file.made_at,
            generations=_count(file.path, "generation_logs"),
            verdicts=_count(file.path, "verdicts"),
            problem=problem_of(file.path) or ("" if _has_tables(file.path) else "it has no table of the log"),
        )
        for file, kind in files
    ]


def _count(path: Path, table: str) -> int | None:
    try:
        with closing(opened_to_read(path)) as connection:
            return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608
    except sqlite3.Error:
        return None


def _has_tables(path: Path) -> bool:
    try:
        with closing(opened_to_read(path)) as connection:
            connection.execute("SELECT 1 FROM generation_logs, verdicts LIMIT 1").fetchone()
            return True
    except sqlite3.Error:
        return False


def is_due(database: Path, now: datetime) -> bool:
    """Whether the newest daily copy is a day away, before or after: the clock may have been set back."""
    daily = [backup for backup in listed(database, now) if not backup.reason]
    return not daily or abs(now - daily[0].made_at) >= _EVERY


def holds_verdicts(database: Path) -> bool:
    """Whether a database holds anything that a person would miss.

    Raises
    ------
    sqlite3.Error
        If it cannot be read.
    """
    with closing(opened_to_read(database)) as connection:
        return connection.execute("SELECT 1 FROM verdicts LIMIT 1").fetchone() is not None


def make(database: Path, now: datetime, *, kept: int, reason: str = "") -> Backup:
    """Copy the database, and delete older copies of the same kind beyond `kept`.

    Raises
    ------
    sqlite3.Error, OSError
        If no sound copy could be made; then no older one is deleted.
    """
    folder = folder_of(database)
    folder.mkdir(parents=True, exist_ok=True)
    moment = now.astimezone(timezone.utc)
    ending = f"-{reason}" if reason else ""
    path = folder / f"{database.stem}-{moment:{_MOMENT}}{ending}{database.suffix}"
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with closing(opened_to_read(database)) as source, closing(sqlite3.connect(draft)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # a copy is one file
            if problem := _quick_check(target):
                raise sqlite3.DatabaseError(f"the copy is damaged: {problem}")
        _reach_the_disk(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    for left in folder.glob("*.part"):  # of processes that were killed
        with suppress(OSError):
            if now.timestamp() - left.stat().st_mtime > _EVERY.total_seconds():
                left.unlink()
    for old in [backup for backup in listed(database, now) if bool(backup.reason) == bool(reason)][kept:]:
        if old.path != path:
            old.path.unlink(missing_ok=True)
    return Backup(path, moment.replace(microsecond=0), reason)


def make_before_migrating(database: Path, now: datetime, kept: int, revision: str) -> None:
    """Copy it before its tables become those of a revision. Where that fails, it is logged: a migration is one
    transaction, whole or not at all also without a copy."""
    try:
        make(database, now, kept=kept, reason=f"before-{revision}")
    except (sqlite3.Error, OSError) as error:
        log.warning("No backup of %s could be made before migrating it (%s).", database, error)


class IntegrityCheck:
    """One check of a file, which another thread may end."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._ended = False
        self._connection: sqlite3.Connection | None = None

    def run(self, within_s: float | None = None) -> str | None:
        """What is broken; "" where nothing is, or it cannot be read; None where it was ended before."""
        try:
            with closing(opened_to_read(self._database)) as self._connection:
                if self._ended or (within_s is not None and within_s <= 0):
                    return None
                ending = threading.Timer(within_s, self.end) if within_s is not None else None
                if ending:
                    ending.start()
                try:
                    return _quick_check(self._connection)
                finally:
                    if ending:
                        ending.cancel()
                        ending.join()
        except (sqlite3.OperationalError, OSError):
            return None if self._ended else ""
        except sqlite3.DatabaseError as error:
            return str(error)
        finally:
            self._connection = None

    def end(self) -> None:
        self._ended = True
        connection = self._connection
        if connection is not None:
            with suppress(sqlite3.ProgrammingError):  # it was closed just then
                connection.interrupt()


def problem_of(database: Path) -> str:
    """What is broken in a file; "" where nothing is, or it cannot be read (locked, or missing)."""
    return IntegrityCheck(database).run() or ""


def restore(database: Path, now: datetime) -> Restored | None:
    """Quarantine a damaged database, put the newest sound copy in its place, and note what the copy lacks.

    None where there is no sound copy, or another process has done it meanwhile.

    Raises
    ------
    OSError
        If the folder cannot be written; then all is as it was.
    """
    sound = _newest_sound(database, now)
    if sound is None:
        return None
    draft = database.with_name(f"{database.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(sound.path, draft)
        _reach_the_disk(draft)
        aside = set_aside(database, now, _lacks_beyond(sound))
        if aside is None:
            return None
        draft.replace(database)
    finally:
        draft.unlink(missing_ok=True)
    return Restored(aside, sound)


def _newest_sound(database: Path, now: datetime) -> Backup | None:
    return next((copy for copy in copies(database, now) if _is_sound(copy.path)), None)


def _is_sound(path: Path) -> bool:
    """Whether a file is a database of ours without damage; an empty file is a database to SQLite."""
    return _has_tables(path) and not problem_of(path)


def _lacks_beyond(copy: Backup) -> tuple[int, int]:
    """Beyond which numbers a damaged file is read. What was replaced may come from another history, in which the
    same numbers mean other generations: then all of it is read."""
    return (0, 0) if copy.reason == "replaced" else _newest_numbers(copy.path)


def free_name(database: Path, kind: str, now: datetime) -> Path:
    """A name next to a database that no file has: two may be put aside within one second."""
    moment = f"{now.astimezone(timezone.utc):{_MOMENT}}"
    names = (f"{database.stem}.{kind}-{moment}{ending}{database.suffix}" for ending in ["", *_NUMBERED])
    return next(path for path in map(database.with_name, names) if not path.exists())


def set_aside(database: Path, now: datetime, beyond: tuple[int, int] | None) -> Path | None:
    """Quarantine a damaged database under a name that says so, and note beyond which numbers of generations and
    verdicts it is to be read; None: it is not to be read.

    None where it is not damaged.

    Raises
    ------
    OSError
        If the folder cannot be written; then all is as it was.
    """
    if not problem_of(database):
        return None
    aside = free_name(database, "damaged", now)
    note = _note(aside)
    try:
        if beyond is not None:
            note.write_text(json.dumps(beyond), "utf-8")
        database.replace(aside)
        # They belong to the damaged file, which may be read with them; whatever takes its place must not.
        for part in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{database}{part}").replace(f"{aside}{part}")
    finally:
        if not aside.exists():
            note.unlink(missing_ok=True)
    return aside


def finish(database: Path, now: datetime) -> str:
    """Finish what a process that was killed had begun: to put a file in a database's place, where none is now.

    The file is one that was rescued (`replaced`), else the newest sound copy where a damaged one has just been
    quarantined. Returns the name of what was put in place, "" where there was nothing to finish.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    if database.exists():
        return ""
    rescued = sorted(database.parent.glob(f"{_literal(database.name)}.rescued-*"))
    sources = [path for path in rescued if not path.name.endswith(("-wal", "-shm", "-journal"))]
    if aside := unread(database):
        sources += [copy.path for copy in copies(database, now)]
    sound = next((path for path in sources if _is_sound(path)), None)
    if sound is None:
        return ""
    for part in ("-wal", "-shm"):  # those of the file that is gone; SQLite would replay them
        with suppress(FileNotFoundError):
            left = Path(f"{database}{part}")
            left.replace(f"{aside[0].put_aside}{part}") if aside else left.unlink()
    draft = database.with_name(f"{database.name}.{os.getpid()}.part")
    try:
        shutil.copyfile(sound, draft)
        _reach_the_disk(draft)
        draft.replace(database)
    finally:
        draft.unlink(missing_ok=True)
    for pattern in (".rescued-*", ".*.part"):
        for left in database.parent.glob(_literal(database.name) + pattern):
            left.unlink(missing_ok=True)
    return sound.name


def unread(database: Path) -> list[Unread]:
    """Quarantined files that were not yet read for what their backup lacks, newest first."""
    files = []
    for aside in damaged(database):
        with suppress(OSError, ValueError, TypeError):
            files.append(Unread(aside, *json.loads(_note(aside).read_text("utf-8"))))
    return files


def mark_read(put_aside: Path) -> None:
    _note(put_aside).unlink(missing_ok=True)


def _note(put_aside: Path) -> Path:
    return put_aside.with_name(f"{put_aside.name}.unread")


def _newest_numbers(database: Path) -> tuple[int, int]:
    with closing(opened_to_read(database)) as connection:
        generation, verdict = (
            connection.execute(f"SELECT COALESCE(MAX(number), 0) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("generation_logs", "verdicts")
        )
    return generation, verdict


def damaged(database: Path) -> list[Path]:
    """Quarantined files, newest first."""
    return sorted(database.parent.glob(f"{_literal(database.stem)}.damaged-*{_literal(database.suffix)}"), reverse=True)


def put_aside(database: Path) -> list[Path]:
    """All files that once were this database: damaged, replaced or rescued, with their sidecar files."""
    stem, name = _literal(database.stem), _literal(database.name)
    patterns = (f"{stem}.damaged-*", f"{stem}.before-*", f"{name}.rescued-*")
    return sorted({path for pattern in patterns for path in database.parent.glob(pattern)})


def drafts(database: Path) -> list[Path]:
    """Unfinished copies, and files to be put in its place, of killed processes or of ones that are at it."""
    begun = [*folder_of(database).glob("*.part"), *database.parent.glob(f"{_literal(database.name)}.*.part")]
    return sorted(begun)


def compact(database: Path) -> bool:
    """Rewrite a file without what was deleted, and its log too; False where others are in the way."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=5)) as connection:
        connection.execute("PRAGMA secure_delete=ON")
        try:
            connection.execute("VACUUM")
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        return not busy


def _literal(text: str) -> str:
    return re.sub(r"([\[*?])", r"[\1]", text)


def opened_to_read(path: Path) -> sqlite3.Connection:
    address = path.absolute().as_posix()
    root = "" if address.startswith("/") else "/"
    address = f"file://{root}{quote(address, safe='/:')}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=5, check_same_thread=False)


def _quick_check(connection: sqlite3.Connection) -> str:
    outcome = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return "" if outcome == "ok" else str(outcome)


def _reach_the_disk(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
