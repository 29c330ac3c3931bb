"""Which file a checkpoint's name stands for, in SQL.

Functions of a connection, to be called inside one of `Database`'s transactions. What was learned belongs to a
checkpoint's id, so that a renamed file keeps it by one change of a name. Separate from `generations`, which
knows names only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.schema import checkpoints, generation_images, generation_logs, generation_utilities
from ..reports import FileChange
from .statistics import move_pairs


class Joined(Enum):
    """The outcome of joining two names: nothing is known of the old one; it was renamed; or both were known, so
    that the statistics are to be recomputed."""

    UNKNOWN = auto()
    RENAMED = auto()
    MERGED = auto()


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    name: str
    fingerprint: str | None


async def needs(connection: AsyncConnection, present: Mapping[str, str]) -> bool:
    """Whether the files that are present change anything in the store."""
    rows = await _rows(connection)
    known = {row.name: row.fingerprint for row in rows}
    absent = {row.fingerprint for row in rows if row.fingerprint and row.name not in present}
    return any(
        known[name] != fingerprint if name in known else fingerprint in absent
        for name, fingerprint in present.items()
        if fingerprint
    )


async def meet(
    connection: AsyncConnection, present: Mapping[str, str], *, day: str, may_rename: bool
) -> list[FileChange]:
    """Bring names and fingerprints in line with the files that are present.

    First, what was learned of a name whose file has other content now moves to a name that no file has. Then a
    name of which nothing is known takes over what was learned of a file with its content that is now absent.
    """
    changes: list[FileChange] = []
    for row in await _rows(connection):
        fingerprint = present.get(row.name)
        if not fingerprint or fingerprint == row.fingerprint:
            continue
        if row.fingerprint is None:
            await _set(connection, row.id, fingerprint=fingerprint)
        elif may_rename:
            former = f"{row.name} (before {day}, {row.fingerprint[:8]})"
            await _set(connection, row.id, name=former)
            changes.append(FileChange("replaced", former, row.name))
    if not may_rename:
        return changes
    rows = await _rows(connection)
    known = {row.name for row in rows}
    absent = {row.fingerprint: row for row in rows if row.fingerprint and row.name not in present}
    for name, fingerprint in sorted(present.items()):
        if name not in known and fingerprint in absent:
            moved = absent.pop(fingerprint)
            await _set(connection, moved.id, name=name)
            changes.append(FileChange("moved", moved.name, name))
    return changes


async def remember(connection: AsyncConnection, fingerprints: Mapping[str, str]) -> None:
    """Note the files of checkpoints that were shown for the first time."""
    for name, fingerprint in fingerprints.items():
        unknown = (checkpoints.c.name == name) & checkpoints.c.fingerprint.is_(None)
        await connection.execute(update(checkpoints).where(unknown).values(fingerprint=fingerprint))


async def names_but(connection: AsyncConnection, present: Collection[str]) -> list[str]:
    """The checkpoints of which something is known and that are not among these."""
    return sorted(row.name for row in await _rows(connection) if row.name not in present)


async def join(connection: AsyncConnection, old: str, new: str) -> Joined:
    """Let what was learned of one name be another's. Where something is known of both, their sums are added up
    until all is recomputed."""
    ids = {row.name: row.id for row in await _rows(connection)}
    if old not in ids:
        return Joined.UNKNOWN
    if new not in ids:
        await _set(connection, ids[old], name=new)
        return Joined.RENAMED
    from_id, to_id = ids[old], ids[new]
    of_old = generation_utilities.c.checkpoint_id == from_id
    with_new = select(generation_utilities.c.generation_number).where(generation_utilities.c.checkpoint_id == to_id)
    both = generation_utilities.c.generation_number.in_(with_new.scalar_subquery())
    # A basis counts the checkpoints that were shown: where both were, it is taken again.
    images_of = [
        select(generation_images.c.generation_number).where(generation_images.c.checkpoint_id == each)
        for each in (from_id, to_id)
    ]
    shown_both = (generation_logs.c.number.in_(each.scalar_subquery()) for each in images_of)
    await connection.execute(update(generation_logs).where(*shown_both).values(basis=None))
    await connection.execute(delete(generation_utilities).where(of_old, both))
    for table in (generation_utilities, generation_images):
        of_old = table.c.checkpoint_id == from_id
        await connection.execute(update(table).where(of_old).values(checkpoint_id=to_id))
    await move_pairs(connection, from_id, to_id)
    return Joined.MERGED


async def drop(connection: AsyncConnection, name: str) -> None:
    """Forget a name that nothing refers to any more."""
    await connection.execute(delete(checkpoints).where(checkpoints.c.name == name))


async def _rows(connection: AsyncConnection) -> list[_Row]:
    rows = await connection.execute(select(checkpoints.c.id, checkpoints.c.name, checkpoints.c.fingerprint))
    return [_Row(*row) for row in rows]


async def _set(connection: AsyncConnection, id_: int, **values: str) -> None:
    await connection.execute(update(checkpoints).where(checkpoints.c.id == id_).values(**values))
