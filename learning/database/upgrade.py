"""A database's tables, created or migrated before anything uses them.

Separate from `database`, which owns the connections, because it happens once, at opening.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ..errors import StoreUnavailable
from ..message import message
from . import migrations
from .engines import Engines
from .files import backups, replaced
from .schema import REVISION

log = logging.getLogger(__name__)


class OtherSchema(StoreUnavailable):
    """Another version of the pack migrated the tables while they were open: they must be opened again."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "store_newer",
            message(
                "store_migrated",
                "{name} was changed by another version of the pack just now. Nothing of this was stored; "
                "send it again.",
                name=name,
            ),
        )


async def bring_up_to_date(
    engines: Engines, name: str, file: Path | None, clock: Callable[[], datetime], backups_kept: int
) -> str | None:
    """Create or migrate the tables; returns the revision where a newer version of the pack made them.

    A file is copied before, where copies are kept.
    """
    async with engines.reading.connect() as connection:
        current = await connection.run_sync(migrations.revision)
    if current == REVISION:
        return None
    if current is not None:
        size = f"{replaced.size(file) / 1e6:,.0f} MB" if file else "a server's"
        log.info("%s (%s) is migrated from schema %s to %s; that may take a minute.", name, size, current, REVISION)
        if file and backups_kept:
            await asyncio.to_thread(backups.make_before_migrating, file, clock(), backups_kept, REVISION)
    async with engines.writing.execution_options(migrates=True).begin() as connection:
        try:
            await connection.run_sync(migrations.bring_up_to_date)
        except LookupError as error:
            return str(error.args[0])
    return None
