"""What a damaged database still holds: read row by row and added to the backup that took its place.

Separate from `backups`, which moves files, because this reads a file in which any page may be rubbish. Each
generation is looked up by its number, so that a broken page costs only the rows on it, and is checked like a
line of an import (`exchange.line_format`); what passes goes in by `exchange.transfer`, which counts nothing
twice. Killed half-way, it goes on at the next start. Where a page that leads to a whole table is broken,
SQLite finds no row of that table: it refuses to search the file's pages by hand, as `sqlite3 FILE .recover`
does.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from pydantic import ValidationError

from ..database.database import Database
from ..database.files import backups
from ..errors import LearningError
from ..exchange import transfer
from ..exchange.line_format import PortableGeneration, packed
from ..model.snapshot import unpacked
from ..prompts.keywords import extract_keywords
from ..prompts.written_negative import is_note
from ..values import ImageSettings, batch_of

T = TypeVar("T")

_PLAIN = set(PortableGeneration.model_fields) - {
    "keywords",
    "images",
    "utilities",
    "verdict",
    "basis",
    "imported_at",
}
_FARTHEST = 100_000
"""How many numbers beyond the backup's newest are tried where the file cannot tell its own newest."""

log = logging.getLogger(__name__)


async def recover(database: Database, *, keep_prompts: bool) -> None:
    """Add what files that were put aside hold beyond their backups; done once for each."""
    file = database.path
    if file is None or database.write_blocked is not None:
        return
    for unread in await asyncio.to_thread(backups.unread, file):
        reading = Reading(unread, [backup.path for backup in backups.listed(file)])
        try:
            report = await transfer.add(database, reading.batches, keep_prompts=keep_prompts)
        except (LearningError, OSError) as error:
            log.error(
                "What %s holds could not be read now (%s); the next start tries.",
                unread.put_aside.name,
                error,
            )
            return
        await asyncio.to_thread(backups.mark_read, unread.put_aside)
        if not reading.has_tables or (reading.unreadable and not report.generations):
            log.error(
                "%s is ruined: nothing could be read of what its backup lacked. "
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
        self.has_tables = True
        """False where not even the list of tables can be read."""

    def batches(self, size: int) -> Generator[list[PortableGeneration], None, None]:
        """All that can be read beyond the backup, oldest first. It blocks, in any one thread at a time."""
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            path = self._readable(Path(folder))
            if path is None:
                self.has_tables = False
                return
            with ExitStack() as opened:
                files = (path, *self._sound)
                connections = [opened.enter_context(closing(backups.opened_to_read(file))) for file in files]
                connection, names = connections[0], _Names(connections)
                connection.row_factory = sqlite3.Row
                batch: list[PortableGeneration] = []
                for number in self._numbers(connection):
                    try:
                        generation = _generation(connection, names, number)
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
        """The file itself; where its first page is ruined, a copy with that of a backup, which leads to all others."""
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
        last = max((row[0] or after for row in newest if row), default=after + _FARTHEST)
        numbers = set(range(after + 1, min(last, after + _FARTHEST) + 1))
        # Older generations with a newer verdict.
        verdict = self._unread.verdict
        top = _tried(_one(connection, "SELECT MAX(number) FROM verdicts WHERE number > ?", verdict))
        latest = verdict + _FARTHEST if top is None else top[0] or verdict
        for number in range(verdict + 1, min(latest, verdict + _FARTHEST) + 1):
            row = _tried(_one(connection, "SELECT generation_number FROM verdicts WHERE number = ?", number))
            if row and isinstance(row[0], int):
                numbers.add(row[0])
        return sorted(numbers)


class _Names:
    """Texts by their ids, from the damaged file, or else from a backup, where the ids are the same."""

    def __init__(self, connections: Sequence[sqlite3.Connection]) -> None:
        self._connections = connections

    def of(self, table: str, column: str, id_: int) -> str | None:
        for connection in self._connections:
            row = _tried(_one(connection, f"SELECT {column} FROM {table} WHERE id = ?", id_))  # noqa: S608
            if row is not None and isinstance(row[0], str):
                return row[0]
        return None


def _generation(connection: sqlite3.Connection, names: _Names, number: int) -> PortableGeneration | None:
    """Raises what SQLite and Pydantic raise where the row or its images cannot be read."""
    row = _one(connection, "SELECT * FROM generation_logs WHERE number = ?", number)()
    if row is None:
        return None
    fields = {name: row[name] for name in row.keys() if name in _PLAIN}  # noqa: SIM118 - a Row is no dict
    fields["created_at"] = f"{row['created_at']}+00:00"
    fields["keywords"] = _keywords(connection, names, number, row["prompt"])
    fields["images"] = tuple(
        {"checkpoint": names.of("checkpoints", "name", image[0]), **dict(zip(_FILE, image[1:], strict=True))}
        for image in _all(connection, _IMAGES, number)
    )
    for image, (settings_id, source_id) in zip(
        fields["images"], _tried(lambda: _all(connection, _ORIGINS, number)) or (), strict=False
    ):
        image["source_id"] = source_id or ""
        settings = None if settings_id is None else names.of("image_settings", "settings", settings_id)
        image["settings"] = settings and _tried(lambda text=settings: asdict(ImageSettings.read(text)))  # type: ignore[misc]
    for image, (utility,) in zip(
        fields["images"], _tried(lambda: _all(connection, _LORA_UTILITIES, number)) or (), strict=False
    ):
        image["lora_utility"] = utility
    if batch := batch_of(row["session_id"], row["policy"]):
        imported = _tried(lambda: connection.execute(_BATCH, (batch,)).fetchone())
        fields["imported_at"] = f"{imported[0] if imported else row['created_at']}+00:00"
    utilities = _tried(lambda: _all(connection, _UTILITIES, number)) or []
    named = [(names.of("checkpoints", "name", id_), utility) for id_, utility in utilities]
    fields["utilities"] = {name: utility for name, utility in named if name}
    basis = unpacked(row["basis"]) if row["basis"] else None
    fits = basis is not None and basis.fits(
        sum(not is_note(word["text"]) for word in fields["keywords"]), len(basis.means)
    )
    fields["basis"] = packed(basis) if fits else None
    if verdict := _verdict(connection, number):
        fields["verdict"] = {"marks": verdict["marks"], "at": f"{verdict['created_at']}+00:00"}
    return PortableGeneration.model_validate(fields)


def _keywords(connection: sqlite3.Connection, names: _Names, number: int, prompt: str) -> tuple[dict[str, Any], ...]:
    """As they were logged; where they cannot be read, the prompt is read again, if it was stored."""
    rows = _tried(lambda: _all(connection, _KEYWORDS, number))
    logged = [(names.of("keywords", "text", id_), weight) for id_, weight in rows or ()]
    if rows is not None and all(text for text, _ in logged):
        return tuple({"text": text, "weight": weight} for text, weight in logged)
    words = [(word.text, word.weight) for word in extract_keywords(prompt)] if prompt else logged
    return tuple({"text": text, "weight": weight} for text, weight in words if text)


def _verdict(connection: sqlite3.Connection, number: int) -> Any:
    """The newest one; None where there is none, or none that can be read."""
    try:
        return _one(connection, _VERDICT.format(""), number)()
    except sqlite3.Error:  # the index may be what is broken
        return _tried(_one(connection, _VERDICT.format("NOT INDEXED"), number))


_FILE = ("filename", "subfolder", "type")
_IMAGES = (
    f"SELECT checkpoint_id, {', '.join(_FILE)} FROM generation_images "  # noqa: S608 - constants
    "WHERE generation_number = ? ORDER BY position"
)
_ORIGINS = "SELECT settings_id, source_id FROM generation_images WHERE generation_number = ? ORDER BY position"
# Apart from the others: a file of an older version lacks it.
_LORA_UTILITIES = "SELECT lora_utility FROM generation_images WHERE generation_number = ? ORDER BY position"
_BATCH = "SELECT created_at FROM import_batches WHERE name = ?"
_UTILITIES = "SELECT checkpoint_id, utility FROM generation_utilities WHERE generation_number = ?"
_KEYWORDS = "SELECT keyword_id, weight FROM generation_keywords WHERE generation_number = ? ORDER BY position"
_VERDICT = "SELECT marks, created_at FROM verdicts {} WHERE generation_number = ? ORDER BY number DESC LIMIT 1"


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
    write_ahead_log = Path(f"{damaged}-wal")
    has_log = write_ahead_log.exists()
    if has_log:
        shutil.copyfile(write_ahead_log, f"{copy}-wal")
    head[18:20] = b"\x02\x02" if has_log else b"\x01\x01"
    head[28:32] = (damaged.stat().st_size // page_size).to_bytes(4, "big")
    head[92:96] = head[24:28]  # marks the number of pages above as valid
    with copy.open("r+b") as file:
        file.write(head)
