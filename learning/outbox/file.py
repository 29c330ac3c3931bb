"""The file in which work waits: exported lines, in the order in which they were acknowledged.

Separate from `delivery`, which decides when. A SQLite file, because several processes of one machine append to it, and
each may be killed at any moment. It holds lines and none of the preference database's tables, so it opens whatever
version of those the database has. Everything here blocks and is meant for a thread.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_TIMEOUT_S = 5.0
_TABLE = """
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    generation TEXT NOT NULL,
    logs INTEGER NOT NULL,
    line TEXT NOT NULL,
    problem TEXT
)
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """One line.

    Attributes
    ----------
    logs
        Whether it logs its generation; else that is in the database already, unless it was forgotten there.
    """

    number: int
    generation: str
    logs: bool
    line: str


class OutboxFile:
    """Every method raises `sqlite3.Error` or `OSError` where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        return self.path.is_file()

    def create(self) -> None:
        """Create the file where there is none."""
        if not self.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._run(lambda _: None)

    def append(self, generation: str, line: str, *, logs: bool) -> None:
        """Add a line; it is on the disk when this returns. `logs`: as in `WaitingLine`, or an earlier line does."""
        query = """
            INSERT INTO waiting (generation, logs, line)
            VALUES (:id, :logs OR EXISTS (SELECT 1 FROM waiting WHERE generation = :id AND logs), :line)
        """
        self._run(lambda file: file.execute(query, {"id": generation, "logs": logs, "line": line}))

    def first(self, count: int) -> list[WaitingLine]:
        """The oldest lines that are to be delivered."""
        query = "SELECT number, generation, logs, line FROM waiting WHERE problem IS NULL ORDER BY number LIMIT ?"
        rows = self._run(lambda file: file.execute(query, (count,)).fetchall())
        return [WaitingLine(number, generation, bool(logs), line) for number, generation, logs, line in rows]

    def newest_of(self, generation: str) -> str | None:
        """The newest line about a generation."""
        query = "SELECT line FROM waiting WHERE generation = ? ORDER BY number DESC LIMIT 1"
        row = self._run(lambda file: file.execute(query, (generation,)).fetchone())
        return None if row is None else str(row[0])

    def count(self) -> int:
        """How many lines are to be delivered."""
        if not self.exists():
            return 0
        query = "SELECT COUNT(*) FROM waiting WHERE problem IS NULL"
        return int(self._run(lambda file: file.execute(query).fetchone())[0])

    def refused(self) -> int:
        """How many lines the database does not take; they stay here."""
        if not self.exists():
            return 0
        query = "SELECT COUNT(*) FROM waiting WHERE problem IS NOT NULL"
        return int(self._run(lambda file: file.execute(query).fetchone())[0])

    def remove(self, lines: Sequence[WaitingLine]) -> None:
        """Remove lines that were delivered."""
        numbers = [(line.number,) for line in lines]
        self._run(lambda file: file.executemany("DELETE FROM waiting WHERE number = ?", numbers))

    def refuse(self, line: WaitingLine, problem: str) -> None:
        """Keep a line that cannot be delivered, and why."""
        query = "UPDATE waiting SET problem = ? WHERE number = ?"
        self._run(lambda file: file.execute(query, (problem, line.number)))

    def forget(self) -> list[str]:
        """Delete every line and every damaged file; the names of those that stay."""
        left = []
        if self.exists():
            self._run(lambda file: file.execute("DELETE FROM waiting"))
        for damaged in self.damaged():
            try:
                damaged.unlink(missing_ok=True)
            except OSError:
                left.append(str(damaged))
        return left

    def damaged(self) -> list[Path]:
        """Files that were found damaged and set aside."""
        return sorted(self.path.parent.glob(f"{self.path.stem}.damaged-*{self.path.suffix}"))

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a transaction; on a new file where this one is damaged, with what of it can be read."""
        try:
            return self._run_once(work)
        except sqlite3.OperationalError:  # locked, full, read-only
            raise
        except sqlite3.DatabaseError as error:
            self._replace_damaged(error)
            return self._run_once(work)

    def _run_once(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with closing(sqlite3.connect(self.path, timeout=_TIMEOUT_S, isolation_level=None)) as file:
            # The journal's name is on the disk too before a commit returns.
            file.execute("PRAGMA synchronous=EXTRA")
            file.execute("PRAGMA secure_delete=ON")
            file.execute("BEGIN IMMEDIATE")
            try:
                file.execute(_TABLE)
                outcome = work(file)
            except BaseException:
                file.execute("ROLLBACK")
                raise
            file.execute("COMMIT")
            return outcome

    def _replace_damaged(self, error: sqlite3.Error) -> None:
        moment = datetime.now(timezone.utc)
        aside = self.path.with_name(f"{self.path.stem}.damaged-{moment:%Y%m%d-%H%M%S}{self.path.suffix}")
        self.path.replace(aside)
        with suppress(FileNotFoundError):
            Path(f"{self.path}-journal").replace(f"{aside}-journal")
        lines = list(_readable(aside))
        for line in lines:
            self.append(line.generation, line.line, logs=line.logs)
        log.error(
            "%s was damaged (%s) and is kept as %s; %d of its lines could be read.",
            self.path,
            error,
            aside.name,
            len(lines),
        )


def _readable(path: Path) -> Iterator[WaitingLine]:
    """The lines of a damaged file that can be read: from the first on, and from the last back."""
    lines: dict[int, WaitingLine] = {}
    query = "SELECT number, generation, logs, line FROM waiting ORDER BY number"
    with closing(sqlite3.connect(path)) as file:
        for order in ("ASC", "DESC"):
            with suppress(sqlite3.Error, UnicodeDecodeError, TypeError):
                for number, generation, logs, line in file.execute(f"{query} {order}"):
                    if number in lines:
                        break
                    lines[number] = WaitingLine(number, str(generation), bool(logs), str(line))
    yield from (lines[number] for number in sorted(lines))
