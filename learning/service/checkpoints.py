"""The use cases about checkpoint files: recognised after a move, told apart once replaced, joined by hand.

Separate from `service`, which knows names only. It refuses to know where the files lie and what a fingerprint is made
of: the caller does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..errors import InvalidRequest, StoreUnavailable
from ..maintenance.rebuild_task import RebuildTask
from ..names import stored_name
from ..reports import FileChange
from ..store import checkpoints, erasure

log = logging.getLogger(__name__)


class CheckpointFiles:
    """What one database knows of checkpoint files."""

    def __init__(self, database: Database, clock: Callable[[], datetime], rebuild_task: RebuildTask) -> None:
        self._database = database
        self._clock = clock
        self._rebuild_task = rebuild_task
        self._fingerprints: Mapping[str, str] = {}

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """Of the files as they were last met, by their stored names; "" unknown."""
        return self._fingerprints

    def fingerprints_of(self, names: Collection[str]) -> dict[str, str]:
        """The fingerprints of checkpoints as they were last met, by their stored names; unknown ones are left out."""
        known = self._fingerprints
        return {name: known[name] for name in names if known.get(name)}

    async def meet(self, fingerprints: Mapping[str, str]) -> tuple[FileChange, ...]:
        """Compare the files that there are now with those of the last time. Raises `StoreUnavailable`."""
        present = {stored_name(name): fingerprint for name, fingerprint in fingerprints.items()}
        if present == self._fingerprints:
            return ()
        self._fingerprints = present
        if not await self._database.read(lambda connection: checkpoints.needs(connection, present)):
            return ()
        day = self._clock().date().isoformat()
        may_rename = not self._database.is_server  # another machine may have the file under its former name

        async def meet(connection: AsyncConnection) -> list[FileChange]:
            changes = await checkpoints.meet(connection, present, day=day, may_rename=may_rename)
            if changes:
                await erasure.renew_identity(connection)
            return changes

        try:
            changes = await self._database.write(meet)
        except StoreUnavailable as error:
            self._fingerprints = {}
            log.warning("Checkpoint files that changed could not be noted: %s", error.message)
            return ()
        for change in changes:
            log.warning("%s", change.sentence)
        return tuple(changes)

    async def orphans(self, names: Collection[str]) -> list[str]:
        """Checkpoints that something is known of, and that are not among `names`."""
        present = {stored_name(name) for name in names}
        return await self._database.read(lambda connection: checkpoints.names_but(connection, present))

    async def join(self, old: str, new: str) -> None:
        """Give what was learned of `old` to `new`. Raises `InvalidRequest`, `StoreUnavailable`."""
        former, latter = stored_name(old), stored_name(new)
        if not latter or former == latter:
            raise InvalidRequest("A checkpoint is joined to another name. Give both.")

        async def join(connection: AsyncConnection) -> checkpoints.Joined:
            joined = await checkpoints.join(connection, former, latter)
            if joined is checkpoints.Joined.MERGED:
                await self._rebuild_task.announce(connection)
                await checkpoints.drop(connection, former)
            if joined is not checkpoints.Joined.UNKNOWN:
                await erasure.renew_identity(connection)
            return joined

        joined = await self._database.write(join)
        if joined is checkpoints.Joined.UNKNOWN:
            raise InvalidRequest(
                f"Nothing is known of {old[:200]!r}. `context-checkpoint doctor` lists what is.",
                "unknown_checkpoint",
            )
        if joined is checkpoints.Joined.MERGED:
            await self._rebuild_task.begin()
