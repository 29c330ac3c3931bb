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
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import quote

from ...reports import CopyReport
from .open_handles import Identity, identity

_EVERY = timedelta(days=1)
_MOMENT = "%Y%m%d-%H%M%S"
_WAIT_S = 60.0
_FOLDER = "backups"
_SEEN = "-seen"
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
    """A damaged database that was quarantined, and what a copy was made of to take its place; None: nothing."""

    put_aside: Path
    source: Path | None


@dataclass(frozen=True, slots=True)
class Unread:
    """A quarantined file that holds what its backup lacks: all beyond these numbers."""

    put_aside: Path
    generation: int
    verdict: int


def folder_of(database: Path) -> Path:
    return database.parent / _FOLDER


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
    return _named(database.parent, re.compile(rf"{stem}\.{kind}-(\d{{8}}-\d{{6}})(?:-([\w-]+))?{suffix}"))


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


@contextmanager
def one_at_a_time(database: Path) -> Iterator[None]:
    """Keep other processes from moving files to and from a database's name meanwhile, as far as they share the folder
    for temporary files; the lock goes with its process."""
    name = sha256(str(database.absolute()).encode()).hexdigest()[:16]
    with closing(sqlite3.connect(Path(gettempdir()) / f"context-checkpoint-{name}.lock", timeout=_WAIT_S)) as lock:
        with suppress(sqlite3.OperationalError):
            lock.execute("BEGIN EXCLUSIVE")
        yield


def restore(
    database: Path,
    now: datetime,
    *,
    of: Identity | None = None,
    seen: Path | None = None,
    damaged: bool = False,
    log_lost: bool = False,
) -> Restored | None:
    """Quarantine a damaged database, put the newest sound copy in its place, and note what the copy lacks.

    None where the file is not damaged, or there is neither a sound copy nor a table of ours to read, or another
    process has done it meanwhile. Where there is no sound copy the name stays free, for a new database.

    Parameters
    ----------
    of
        The file that is damaged: where the name leads to another one by now, nothing is done.
    seen
        A copy of what the open connections see, damaged or not; it is read too, and deleted once it is.
    damaged
        That it is damaged is known already.
    log_lost
        Only the write-ahead log is damaged: what is `seen`, or the file without it, may be sound and newer than any
        copy.

    Raises
    ------
    OSError
        If the folder cannot be written; then all is as it was.
    """
    with one_at_a_time(database):
        if of is not None and identity(database) != of:
            return None
        return _restore(database, now, seen, damaged=damaged or log_lost, log_lost=log_lost)


def _restore(database: Path, now: datetime, seen: Path | None, *, damaged: bool, log_lost: bool) -> Restored | None:
    if not (damaged or problem_of(database)):
        return None
    sources = [copy.path for copy in copies(database, now) if _is_sound(copy.path)][:1]
    if not (sources or log_lost or _has_tables(database) or (seen and _has_tables(seen))):
        return None
    aside = quarantine(database, now, (0, 0))
    if seen:
        seen = keep_to_read(seen, database, now)
    on_disk = database.with_name(f"{database.name}.{os.getpid()}.disk.part")
    try:
        if log_lost:
            _copy_files(aside, on_disk)
            sources += [path for path in (seen, on_disk) if path and _is_sound(path)]
        source = max(sources, key=_newest_numbers, default=None)
        if source is None:
            return Restored(aside, None)
        _put_in_place(source, database)
        for path in filter(None, (aside, seen)):
            _note(path).write_text(json.dumps(_beyond(source, path)), "utf-8")
        if source == seen:
            mark_read(seen)
    except (OSError, sqlite3.Error):
        if not database.exists():
            for part in ("", "-wal"):
                with suppress(FileNotFoundError):
                    Path(f"{aside}{part}").replace(f"{database}{part}")
            mark_read(aside)
        raise
    finally:
        for part in ("", "-wal", "-shm"):
            Path(f"{on_disk}{part}").unlink(missing_ok=True)
    return Restored(aside, source)


def _copy_files(database: Path, copy: Path) -> None:
    """With its log. SQLite makes another index for the copy, while in this process all that opens the file itself
    shares the one that may be damaged, until no connection is left."""
    for part in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{database}{part}", f"{copy}{part}")


def _put_in_place(source: Path, database: Path) -> None:
    draft = database.with_name(f"{database.name}.{os.getpid()}.part")
    try:
        draft.unlink(missing_ok=True)
        with closing(opened_to_read(source)) as here, closing(sqlite3.connect(draft)) as there:
            here.backup(there)
            there.execute("PRAGMA journal_mode=DELETE")
        _reach_the_disk(draft)
        draft.replace(database)
    finally:
        draft.unlink(missing_ok=True)


def _is_sound(path: Path) -> bool:
    """Whether a file is a database of ours without damage; an empty file is a database to SQLite."""
    return _has_tables(path) and not problem_of(path)


def _beyond(source: Path, damaged: Path) -> tuple[int, int]:
    """Beyond which numbers of generations and verdicts a damaged file is to be read for what a copy lacks: all of it,
    where they may not be of one history, in which the same number means the same generation."""
    newest = _newest_numbers(source)
    query = "SELECT id FROM generation_logs WHERE number = ?"
    try:
        with closing(opened_to_read(damaged)) as one, closing(opened_to_read(source)) as other:
            (last,) = one.execute("SELECT MAX(number) FROM generation_logs").fetchone()
            number = (min(last or 0, newest[0]),)
            same = one.execute(query, number).fetchone() == other.execute(query, number).fetchone()
    except sqlite3.Error:
        same = source.parent.name == _FOLDER  # a copy of this database; another file may have come from anywhere
    return newest if same else (0, 0)


def is_copy_of(copy: Path, database: Path) -> bool:
    """Whether both have one history, of which nothing was forgotten since."""
    identities = []
    for path in (copy, database):
        with suppress(sqlite3.Error), closing(opened_to_read(path)) as connection:
            identities.append(connection.execute("SELECT identity FROM learned_state").fetchone())
    return len(identities) == 2 and identities[0] == identities[1]


def keep_to_read(copy: Path, database: Path, now: datetime) -> Path:
    """Let the next recovery read a copy of what was open, which is deleted then."""
    kept = free_name(database, "damaged", now, _SEEN)
    beyond = _beyond(database, copy) if database.exists() and _is_sound(database) else (0, 0)
    _note(kept).write_text(json.dumps(beyond), "utf-8")
    return copy.replace(kept)


def free_name(database: Path, kind: str, now: datetime, ending: str = "") -> Path:
    """A name next to a database that no file has: two may be put aside within one second."""
    moment = f"{now.astimezone(timezone.utc):{_MOMENT}}"
    names = (f"{database.stem}.{kind}-{moment}{number}{ending}{database.suffix}" for number in ["", *_NUMBERED])
    return next(path for path in map(database.with_name, names) if not path.exists())


def set_aside(database: Path, now: datetime, beyond: tuple[int, int] | None = None) -> Path | None:
    """As `quarantine`; None where the database is not damaged."""
    return quarantine(database, now, beyond) if problem_of(database) else None


def quarantine(database: Path, now: datetime, beyond: tuple[int, int] | None) -> Path:
    """Give a database a name that says that it is damaged, and note beyond which numbers of generations and verdicts
    it is to be read; None: it is not to be read.

    Raises
    ------
    OSError
        If the folder cannot be written; then all is as it was.
    """
    aside = free_name(database, "damaged", now)
    note = _note(aside)
    try:
        if beyond is not None:
            note.write_text(json.dumps(beyond), "utf-8")
        database.replace(aside)
        # It belongs to the damaged file, which may be read with it; whatever takes its place must not.
        with suppress(FileNotFoundError):
            Path(f"{database}-wal").replace(f"{aside}-wal")
        # The index of the log may be what is damaged: SQLite makes another.
        Path(f"{database}-shm").unlink(missing_ok=True)
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
    with one_at_a_time(database):
        return "" if database.exists() else _finish(database, now)


def _finish(database: Path, now: datetime) -> str:
    rescued = sorted(database.parent.glob(f"{_literal(database.name)}.rescued-*"))
    sources = [path for path in rescued if not path.name.endswith(("-wal", "-shm", "-journal"))]
    if aside := unread(database):
        sources += [copy.path for copy in copies(database, now)]
    sound = next((path for path in sources if _is_sound(path)), None)
    if sound is None:
        return ""
    with suppress(FileNotFoundError):  # that of the file that is gone; SQLite would replay it
        log_of_it = Path(f"{database}-wal")
        log_of_it.replace(f"{aside[0].put_aside}-wal") if aside else log_of_it.unlink()
    Path(f"{database}-shm").unlink(missing_ok=True)
    _put_in_place(sound, database)
    for pattern in (".rescued-*", ".*.part*"):
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
    """There is nothing in it any more that the database lacks; a copy of what was open is deleted then, if sound."""
    _note(put_aside).unlink(missing_ok=True)
    if put_aside.stem.endswith(_SEEN) and _is_sound(put_aside):
        put_aside.unlink(missing_ok=True)


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
    begun = [*folder_of(database).glob("*.part"), *database.parent.glob(f"{_literal(database.name)}.*.part*")]
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
