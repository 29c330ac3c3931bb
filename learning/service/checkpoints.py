"""The use cases about checkpoint files: recognised after a move, told apart once replaced, joined by hand.

Apart from `service`, which knows names only. Where the files lie and what a fingerprint is made of is the
caller's to know.
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
from ..store import checkpoints as identity_store
from ..store import erasure as forgetting_store

log = logging.getLogger(__name__)


class Identity:
    """What one database knows of checkpoint files."""

    def __init__(self, database: Database, clock: Callable[[], datetime], renewal: RebuildTask) -> None:
        self._database = database
        self._clock = clock
        self._renewal = renewal
        self.fingerprints: Mapping[str, str] = {}
        """Of the files that were met last, by their stored names."""

    async def meet_files(self, fingerprints: Mapping[str, str]) -> tuple[FileChange, ...]:
        """See which checkpoint files there are now: all of them, with a fingerprint each ("" unknown).

        A file that was renamed or moved takes along what was learned of it; one whose content was replaced
        begins anew, and what was learned of the former content is kept under a name that says so. With a
        server's database, where another machine may have the file under the former name, nothing is renamed.

        Raises
        ------
        StoreUnavailable
            If the database cannot be read; one that cannot be written is told in the log.
        """
        present = {stored_name(name): fingerprint for name, fingerprint in fingerprints.items()}
        if present == self.fingerprints:
            return ()
        self.fingerprints = present
        if not await self._database.read(lambda connection: identity_store.needs(connection, present)):
            return ()
        day = self._clock().date().isoformat()
        alone = self._database.url.get_backend_name() == "sqlite"
        try:
            changes = await self._database.write(
                lambda connection: identity_store.meet(connection, present, day=day, may_rename=alone)
            )
        except StoreUnavailable as error:
            self.fingerprints = {}
            log.warning("Checkpoint files that changed could not be noted: %s", error.message)
            return ()
        for change in changes:
            log.warning("%s", change.sentence)
        return tuple(changes)

    async def orphans(self, names: Collection[str]) -> list[str]:
        """Checkpoints that something is known of, but that are not among the files there are."""
        present = {stored_name(name) for name in names}
        return await self._database.read(lambda connection: identity_store.names_but(connection, present))

    async def join_checkpoints(self, old: str, new: str) -> None:
        """Let what was learned of one name be another's, as if they had always been one checkpoint.

        The statistics of a long log are recomputed beside the work (`recomputed` waits for it); until then
        recommendations rest on the sums of both.

        Raises
        ------
        InvalidRequest
            If nothing is known of the old one, or both are the same.
        StoreUnavailable
        """
        former, latter = stored_name(old), stored_name(new)
        if not latter or former == latter:
            raise InvalidRequest("A checkpoint is joined to another name. Give both.")

        async def join(connection: AsyncConnection) -> identity_store.Joined:
            joined = await identity_store.join(connection, former, latter)
            if joined is identity_store.Joined.MERGED:
                await self._renewal.announce(connection)
                await identity_store.drop(connection, former)
            if joined is not identity_store.Joined.UNKNOWN:
                await forgetting_store.renew_identity(connection)
            return joined

        # Not done again in what stands in for a server: it lacks most of the log, and follows soon enough.
        joined = await self._database.write_here(join)
        if joined is identity_store.Joined.UNKNOWN:
            raise InvalidRequest(
                f"Nothing is known of {old[:200]!r}. `context-checkpoint doctor` lists what is.",
                "unknown_checkpoint",
            )
        if joined is identity_store.Joined.MERGED:
            await self._renewal.begin()
