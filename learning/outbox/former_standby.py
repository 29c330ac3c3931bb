"""The file in which versions up to 0.1.0 kept work while a server was away: what waits in it is delivered, once.

Separate from `delivery`, so that it can go when nobody has such a file any more.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path

from ..database.database import Database
from ..database.files import backups
from ..exchange import transfer
from ..maintenance.recovery import Reading

log = logging.getLogger(__name__)


async def deliver_former_standby(database: Database, folder: Path, *, keep_prompts: bool) -> None:
    """Add what waits in a former standby file of this database, and delete it. Raises `StoreUnavailable`."""
    path = folder / f"standby-{sha256(database.name.encode()).hexdigest()[:8]}.db"
    if not await asyncio.to_thread(path.is_file):
        return
    report = await transfer.add(
        database, Reading(await asyncio.to_thread(_undelivered, path), []).batches, keep_prompts=keep_prompts
    )
    log.warning("%d generations that waited in %s were added.", report.generations, path)
    await asyncio.to_thread(_delete, path)


def _delete(path: Path) -> None:
    for part in ("", "-wal", "-shm"):
        Path(f"{path}{part}").unlink(missing_ok=True)


def _undelivered(path: Path) -> backups.Unread:
    """The file, with the numbers up to which it had delivered its log; 0 where they cannot be read."""
    delivered = 0, 0
    query = "SELECT own_generation, own_verdict FROM standby_state"
    with closing(backups.opened_to_read(path)) as file, suppress(sqlite3.Error):
        delivered = file.execute(query).fetchone() or delivered
    return backups.Unread(path, *delivered)
