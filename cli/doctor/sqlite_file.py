"""The doctor's checks of an SQLite file, without changing it.

Separate from `checks` and from the store because it must say what is wrong where the store refuses to open:
it uses the standard library alone, opens the file read-only, and neither creates nor migrates anything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ...learning.database.disk import is_there, problem_writing
from .report import Check, State, recomputing

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_sqlite(path: Path, *, revision: str, version_table: str) -> Iterator[Check]:
    """Check an SQLite file without changing it."""
    try:
        if not is_there(path):
            yield Check("database", "file", f"{path} does not exist yet; the first generation creates it", "note")
            yield _folder(path.parent)
            return
        yield Check("database", "file", f"{path}, {_size(path)}")
        with contextlib.closing(_opened(path)) as database:
            yield from _look_inside(database, revision, version_table)
    except OSError as error:
        remedy = "Move away what is there, or choose another place with CONTEXT_CHECKPOINT_DATABASE or --database."
        yield Check("database", "opens", f"{path}: {error.strerror or error}", "bad", remedy)
        return
    except sqlite3.Error as error:
        yield Check(
            "database",
            "opens",
            str(error),
            "bad",
            f"Close the programs that use {path} and try again. If that does not help, move it away with its -wal "
            "and -shm, and put a backup in its place; without one a new file is created.",
        )
        return
    yield _writable(path)


def checkpoint_names(path: Path) -> list[str]:
    """The checkpoints that have statistics; none where the file cannot be read."""
    try:
        with contextlib.closing(_opened(path)) as database:
            return [row[0] for row in database.execute("SELECT checkpoint FROM checkpoint_stats ORDER BY 1")]
    except (sqlite3.Error, OSError):
        return []


def _opened(path: Path) -> sqlite3.Connection:
    """Open for reading. A reader too needs to create the -shm file; where it cannot, it opens `immutable`."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    database = sqlite3.connect(address, uri=True, timeout=1)
    try:
        database.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        database.close()
        if _may_write(path.parent) and problem_writing(path.parent) is None:
            raise
        return sqlite3.connect(f"{address}&immutable=1", uri=True)
    except sqlite3.Error:
        database.close()
        raise
    return database


def _look_inside(database: sqlite3.Connection, revision: str, version_table: str) -> Iterator[Check]:
    area = "database"
    problems = [row[0] for row in database.execute("PRAGMA quick_check(5)") if row[0] != "ok"]
    if problems:
        yield Check(
            area,
            "integrity",
            "; ".join(problems),
            "bad",
            "Restore the file from a backup, or save what can be read: sqlite3 OLD '.recover' | sqlite3 NEW.",
        )
    else:
        yield Check(area, "integrity", "quick_check says ok")
    tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version_table not in tables:
        foreign = f"has other tables ({', '.join(sorted(tables)[:5])})" if tables else "is empty"
        state: State = "bad" if tables else "note"
        yield Check(
            area,
            "schema",
            f"{foreign}, none of ours",
            state,
            "Give another file with --database." if tables else "",
        )
        return
    revisions = [row[0] for row in database.execute(f'SELECT version_num FROM "{version_table}"')]  # noqa: S608 - ours
    yield _revision(revisions[0] if revisions else "", revision)
    for table, what in (
        ("generation_logs", "generations"),
        ("verdicts", "verdicts"),
        ("keywords", "keywords"),
    ):
        if table in tables:
            count = database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608 - from above
            yield Check(area, what, f"{count:,}")
    if "recomputation" in tables:
        newest = "SELECT max(number) FROM generation_logs"
        for done, of in database.execute(f"SELECT generation, ({newest}) FROM recomputation"):  # noqa: S608
            yield recomputing(f"{min(done, of or 0):,} of {of or 0:,} generations")


def _revision(revision: str, newest: str) -> Check:
    if revision == newest:
        return Check("database", "schema", f"revision {revision}")
    if revision < newest:
        return Check("database", "schema", f"revision {revision}; {newest} is applied when it is next opened", "note")
    return Check(
        "database",
        "schema",
        f"revision {revision}, newer than this version's {newest}",
        "bad",
        "Update Context Checkpoint, or use another database.",
    )


def _writable(path: Path) -> Check:
    """Take the write lock and release it: the only proof that a later verdict can be saved."""
    try:
        uri = f"file:{quote(str(path.absolute()))}?mode=rw"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return Check("database", "writable", "another program is writing just now", "note", "Try again.")
        problem: Exception | None = problem_writing(path.parent) or error
    else:
        problem = problem_writing(path.parent)  # the lock is free on a full disk too
    if problem is not None:
        return not_writable("database", "writable", path, problem)
    return Check("database", "writable", "yes")


def not_writable(area: str, name: str, path: Path, problem: Exception) -> Check:
    """What to do about a file or a folder that cannot be written, or not any more."""
    reason = str(getattr(problem, "strerror", None) or problem)
    remedy = f"Make {path} and its folder writable for this user"
    if getattr(problem, "errno", None) in _FULL or "full" in reason:
        remedy = f"Free some space on the disk of {path}"
    return Check(area, name, reason, "bad", f"{remedy}; nothing can be saved until then.")


def _folder(folder: Path) -> Check:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if _may_write(existing):
        problem = problem_writing(existing)
        if problem is not None:
            return not_writable("database", "folder", existing, problem)
        return Check("database", "folder", f"{folder} can be written")
    return Check(
        "database",
        "folder",
        f"{existing} cannot be written",
        "bad",
        "Make it writable for this user, or choose another place with CONTEXT_CHECKPOINT_DATABASE.",
    )


def _size(path: Path) -> str:
    size = float(sum(file.stat().st_size for file in (path, Path(f"{path}-wal")) if file.exists()))
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
