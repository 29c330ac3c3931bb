"""What a damaged database still tells: read row by row and added to the backup that took its place.

Separate from `backups`, which moves files, because this reads a file in which any page may be rubbish. Each
generation is looked up by its number, so that a broken page costs only what lay on it, and is checked like a
line of an import (`portable`); what fits goes in by `exchange`, which counts nothing twice. Killed half-way,
it goes on at the next start.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from pydantic import ValidationError

from . import backups, exchange
from .basis import unpacked
from .database import Database
from .errors import LearningError
from .portable import PortableGeneration, packed

T = TypeVar("T")

_PLAIN = set(PortableGeneration.model_fields) - {"keywords", "images", "utilities", "verdict", "basis"}
_FARTHEST = 100_000
"""How many numbers beyond the backup's newest are tried where the file cannot tell its own newest."""

log = logging.getLogger(__name__)


async def recover(database: Database) -> None:
    """Add what files that were put aside hold beyond their backups; done once for each."""
    if database.path is None or database.refusal is not None:
        return
    for unread in await asyncio.to_thread(backups.unread, database.path):
        reading = Reading(unread, [backup.path for backup in backups.listed(database.path)])
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
        if not reading.led_anywhere:
            log.error(
                "%s is ruined where it leads to all else: nothing could be read of what its backup lacked. "
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
            with closing(backups.opened_to_read(path)) as connection:
                connection.row_factory = sqlite3.Row
                batch: list[PortableGeneration] = []
                for number in self._numbers(connection):
                    try:
                        generation = _generation(connection, number)
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


def _generation(connection: sqlite3.Connection, number: int) -> PortableGeneration | None:
    row = _one(connection, "SELECT * FROM generation_logs WHERE number = ?", number)()
    if row is None:
        return None
    said = _one(
        connection,
        "SELECT marks, created_at FROM verdicts WHERE generation_number = ? ORDER BY number DESC LIMIT 1",
        number,
    )()
    fields = {name: row[name] for name in row.keys() if name in _PLAIN}  # noqa: SIM118 - a Row is no dict
    fields["created_at"] = f"{row['created_at']}+00:00"
    fields["keywords"] = tuple(
        {"text": text, "weight": weight}
        for text, weight in connection.execute(
            "SELECT text, weight FROM generation_keywords JOIN keywords ON keywords.id = keyword_id "
            "WHERE generation_number = ? ORDER BY position",
            (number,),
        )
    )
    fields["images"] = tuple(
        dict(image)
        for image in connection.execute(
            "SELECT name AS checkpoint, filename, subfolder, type FROM generation_images "
            "JOIN checkpoints ON checkpoints.id = checkpoint_id "
            "WHERE generation_number = ? ORDER BY position",
            (number,),
        )
    )
    fields["utilities"] = {
        row[0]: row[1]
        for row in connection.execute(
            "SELECT name, utility FROM generation_utilities "
            "JOIN checkpoints ON checkpoints.id = checkpoint_id WHERE generation_number = ?",
            (number,),
        )
    }
    fields["basis"] = packed(unpacked(row["basis"])) if row["basis"] else None
    if said:
        fields["verdict"] = {"marks": said["marks"], "at": f"{said['created_at']}+00:00"}
    return PortableGeneration.model_validate(fields)


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
            connection.execute("SELECT 1 FROM generation_logs WHERE number = 0").fetchone()
            return True
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
