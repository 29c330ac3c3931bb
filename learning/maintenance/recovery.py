"""What a damaged database still tells: read row by row and added to the backup that took its place.

Separate from `backups`, which moves files, because this reads a file in which any page may be rubbish. Each
generation is looked up by its number, so that a broken page costs only what lay on it - where a page that
leads to others is ruined, by the rows that lie loose on those - and is checked like a line of an import
(`portable`); what fits goes in by `exchange`, which counts nothing twice. Killed half-way, it goes on at the
next start.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
import sqlite3
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from pydantic import ValidationError

from ..database.database import Database
from ..database.files import backups
from ..errors import LearningError
from ..exchange import transfer as exchange
from ..exchange.line_format import PortableGeneration, packed
from ..model.snapshot import unpacked
from ..prompts.keywords import extract_keywords
from . import sqlite_pages as loose_rows

T = TypeVar("T")

_PLAIN = set(PortableGeneration.model_fields) - {"keywords", "images", "utilities", "verdict", "basis"}
_FARTHEST = 100_000
"""How many numbers beyond the backup's newest are tried where the file cannot tell its own newest."""

log = logging.getLogger(__name__)


async def recover(database: Database, file: Path | None = None) -> None:
    """Add what files that were put aside hold beyond their backups; done once for each.

    Parameters
    ----------
    file
        Whose damaged files; None: the database's own.
    """
    file = file or database.path
    if file is None or database.write_blocked is not None:
        return
    for unread in await asyncio.to_thread(backups.unread, file):
        reading = Reading(unread, [backup.path for backup in backups.listed(file)])
        try:
            report = await exchange.add(database, reading.batches)
        except (LearningError, OSError) as error:
            log.error(
                "What %s holds could not be read now (%s); the next start tries.",
                unread.put_aside.name,
                error,
            )
            return
        await asyncio.to_thread(backups.mark_read, unread.put_aside)
        if not reading.led_anywhere or (reading.unreadable and not report.generations):
            log.error(
                "%s is ruined all over: nothing could be read of what its backup lacked. "
                "`sqlite3 FILE .recover` may still find some of it.",
                unread.put_aside.name,
            )
            continue
        log.warning(
            "%s was read for what its backup lacked: %d generations found, %d of them new, %d unreadable.",
            unread.put_aside.name,
            report.generations,
            report.added,
            reading.unreadable,
        )


class Reading:
    """The generations of one damaged file."""

    def __init__(self, unread: backups.Unread, sound: list[Path]) -> None:
        self._unread = unread
        self._sound = sound
        self.unreadable = 0
        self.led_anywhere = True
        """False where not even the tables can be found."""

    def batches(self, size: int) -> Generator[list[PortableGeneration], None, None]:
        """All that can be read beyond the backup, oldest first. It blocks, in any one thread at a time."""
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = self._readable(Path(folder))
            if path is None:
                self.led_anywhere = False
                return
            with ExitStack() as opened:
                files = (path, *self._sound)
                held = [opened.enter_context(closing(backups.opened_to_read(file))) for file in files]
                connection, names = held[0], _Names(held)
                connection.row_factory = sqlite3.Row
                batch: list[PortableGeneration] = []
                numbers = self._numbers(connection)
                loose = _Loose(connection, Path(folder), numbers)
                for number in numbers:
                    try:
                        generation = _generation(connection, loose, names, number)
                    except (sqlite3.Error, ValidationError, ValueError, OverflowError):
                        self.unreadable += 1
                        continue
                    if generation is not None:
                        batch.append(generation)
                    if len(batch) == size:
                        yield batch
                        batch = []
                if batch:
                    yield batch

    def _readable(self, folder: Path) -> Path | None:
        """The file itself, or a copy whose ruined first page is a backup's: it leads to all others."""
        damaged = self._unread.put_aside
        if _has_tables(damaged):
            return damaged
        copy = folder / damaged.name
        for sound in self._sound:
            with suppress(OSError):
                _graft(damaged, sound, copy)
                if _has_tables(copy):
                    return copy
        return None

    def _numbers(self, connection: sqlite3.Connection) -> list[int]:
        after = self._unread.generation
        newest = [
            _tried(_one(connection, f"SELECT MAX({column}) FROM {table} WHERE {column} > ?", after))  # noqa: S608
            for column, table in (
                ("number", "generation_logs"),
                ("generation_number", "verdicts"),
                ("generation_number", "generation_images"),
            )
        ]
        # Where no table can be asked for its newest, they may still give single rows.
        last = max((found[0] or after for found in newest if found), default=after + _FARTHEST)
        numbers = set(range(after + 1, min(last, after + _FARTHEST) + 1))
        # Older generations that were judged anew.
        verdict = self._unread.verdict
        top = _tried(_one(connection, "SELECT MAX(number) FROM verdicts WHERE number > ?", verdict))
        latest = verdict + _FARTHEST if top is None else top[0] or verdict
        for number in range(verdict + 1, min(latest, verdict + _FARTHEST) + 1):
            row = _tried(_one(connection, "SELECT generation_number FROM verdicts WHERE number = ?", number))
            if row and isinstance(row[0], int):
                numbers.add(row[0])
        return sorted(numbers)


class _Names:
    """Texts by their ids: the damaged file's, or where those are gone a backup's, where ids mean the same."""

    def __init__(self, connections: Sequence[sqlite3.Connection]) -> None:
        self._connections = connections

    def of(self, table: str, column: str, id_: int) -> str | None:
        for connection in self._connections:
            row = _tried(_one(connection, f"SELECT {column} FROM {table} WHERE id = ?", id_))  # noqa: S608
            if row is not None and isinstance(row[0], str):
                return row[0]
        return None


class _Loose:
    """Rows by the numbers of their generations, found on their pages where nothing leads to them any more."""

    def __init__(self, connection: sqlite3.Connection, folder: Path, numbers: Collection[int]) -> None:
        self._connection = connection
        self._folder = folder
        self._numbers = set(numbers)
        self._looked = False
        self._log: dict[int, tuple[Any, ...]] = {}
        self._images: dict[int, dict[int, tuple[Any, ...]]] = {}
        self._verdicts: dict[int, tuple[int, dict[str, Any]]] = {}

    def generation(self, number: int) -> dict[str, Any]:
        """Raises `ValueError` where there is none."""
        self._look()
        if number not in self._log:
            raise ValueError("it lies on no page")
        columns = [row[1] for row in self._connection.execute("PRAGMA table_info(generation_logs)")]
        return dict(itertools.zip_longest(columns, self._log[number]))

    def images(self, number: int) -> list[tuple[Any, ...]]:
        """Raises `ValueError` where some are not there."""
        self._look()
        found = self._images.get(number, {})
        if set(found) != set(range(len(found))):
            raise ValueError("some of them lie on no page")
        return [found[position] for position in range(len(found))]

    def verdict(self, number: int) -> dict[str, Any] | None:
        self._look()
        return self._verdicts[number][1] if number in self._verdicts else None

    def _look(self) -> None:
        """Once, when the first row cannot be read otherwise."""
        if self._looked:
            return
        self._looked = True
        pages = self._folder / "pages"  # those of the log beside the file too
        with suppress(OSError, ValueError, sqlite3.Error):
            with closing(sqlite3.connect(pages)) as target:
                self._connection.backup(target)
            for row in loose_rows.rows(pages):
                self._sort_in(row.rowid, row.values)

    def _sort_in(self, rowid: int | None, values: tuple[Any, ...]) -> None:
        if rowid is None:
            if len(values) == 2 + 1 + len(_FILE) and values[0] in self._numbers:
                self._images.setdefault(values[0], {})[values[1]] = values[2:]
        elif len(values) == len(_SAID) and isinstance(values[2], str) and values[1] in self._numbers:
            if rowid > self._verdicts.get(values[1], (0, {}))[0]:
                self._verdicts[values[1]] = rowid, dict(zip(_SAID, values, strict=True))
        elif rowid in self._numbers and len(values) >= _LOG_COLUMNS and len(str(values[1])) == 32:
            self._log[rowid] = values


_SAID = ("number", "generation_number", "marks", "created_at")
_LOG_COLUMNS = 16
"""Of the oldest schema: a row that no later one has touched has as many."""


def _generation(connection: sqlite3.Connection, loose: _Loose, names: _Names, number: int) -> PortableGeneration | None:
    """Raises what SQLite and Pydantic raise where it, its images or its verdict cannot be read."""
    try:
        row = _one(connection, "SELECT * FROM generation_logs WHERE number = ?", number)()
    except sqlite3.Error:
        row = loose.generation(number)
    if row is None:
        return None
    fields = {name: row[name] for name in row.keys() if name in _PLAIN}  # noqa: SIM118 - a Row is no dict
    fields["created_at"] = f"{row['created_at']}+00:00"
    fields["keywords"] = _keywords(connection, names, number, row["prompt"])
    fields["images"] = tuple(
        {"checkpoint": names.of("checkpoints", "name", image[0]), **dict(zip(_FILE, image[1:], strict=True))}
        for image in _images(connection, loose, number)
    )
    utilities = "SELECT checkpoint_id, utility FROM generation_utilities WHERE generation_number = ?"
    told = _tried(lambda: _all(connection, utilities, number)) or []
    named = [(names.of("checkpoints", "name", id_), utility) for id_, utility in told]
    fields["utilities"] = {name: utility for name, utility in named if name}
    basis = unpacked(row["basis"]) if row["basis"] else None
    fits = basis is not None and basis.fits(len(fields["keywords"]), len(basis.means))
    fields["basis"] = packed(basis) if fits else None
    if said := _verdict(connection, loose, number):
        fields["verdict"] = {"marks": said["marks"], "at": f"{said['created_at']}+00:00"}
    return PortableGeneration.model_validate(fields)


def _keywords(connection: sqlite3.Connection, names: _Names, number: int, prompt: str) -> tuple[dict[str, Any], ...]:
    """As they were logged; where they cannot be read, the prompt is read again, if it was stored."""
    logged = "SELECT keyword_id, weight FROM generation_keywords WHERE generation_number = ? ORDER BY position"
    rows = _tried(lambda: _all(connection, logged, number))
    found = [(names.of("keywords", "text", id_), weight) for id_, weight in rows or ()]
    if rows is not None and all(text for text, _ in found):
        return tuple({"text": text, "weight": weight} for text, weight in found)
    words = [(word.text, word.weight) for word in extract_keywords(prompt)] if prompt else found
    return tuple({"text": text, "weight": weight} for text, weight in words if text)


def _images(connection: sqlite3.Connection, loose: _Loose, number: int) -> list[Any]:
    shown = (
        f"SELECT checkpoint_id, {', '.join(_FILE)} FROM generation_images "  # noqa: S608
        "WHERE generation_number = ? ORDER BY position"
    )
    try:
        return _all(connection, shown, number)
    except sqlite3.Error:
        return loose.images(number)


def _verdict(connection: sqlite3.Connection, loose: _Loose, number: int) -> Any:
    said = "SELECT marks, created_at FROM verdicts {} WHERE generation_number = ? ORDER BY number DESC LIMIT 1"
    try:
        return _one(connection, said.format(""), number)()
    except sqlite3.Error:  # the index may be what is ruined
        try:
            return _one(connection, said.format("NOT INDEXED"), number)()
        except sqlite3.Error:
            return loose.verdict(number)


_FILE = ("filename", "subfolder", "type")


def _all(connection: sqlite3.Connection, query: str, number: int) -> list[Any]:
    return connection.execute(query, (number,)).fetchall()


def _one(connection: sqlite3.Connection, query: str, number: int) -> Callable[[], Any]:
    return lambda: connection.execute(query, (number,)).fetchone()


def _tried(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (sqlite3.Error, ValueError):
        return None


def _has_tables(path: Path) -> bool:
    try:
        with closing(backups.opened_to_read(path)) as connection:
            named = "SELECT 1 FROM sqlite_master WHERE name = 'generation_logs'"
            return connection.execute(named).fetchone() is not None
    except (sqlite3.Error, ValueError):
        return False


def _graft(damaged: Path, sound: Path, copy: Path) -> None:
    """Copy the damaged file with the sound one's first page (https://www.sqlite.org/fileformat.html, 1.3)."""
    with sound.open("rb") as file:
        head = bytearray(file.read(100))
        page_size = int.from_bytes(head[16:18], "big")
        page_size = 65536 if page_size == 1 else page_size
        head += file.read(page_size - 100)
    shutil.copyfile(damaged, copy)
    log_beside = Path(f"{damaged}-wal")
    has_log = log_beside.exists()
    if has_log:
        shutil.copyfile(log_beside, f"{copy}-wal")
    head[18:20] = b"\x02\x02" if has_log else b"\x01\x01"
    head[28:32] = (damaged.stat().st_size // page_size).to_bytes(4, "big")
    head[92:96] = head[24:28]  # says that the number of pages above is to be believed
    with copy.open("r+b") as file:
        file.write(head)
