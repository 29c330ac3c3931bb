"""What the people of one ComfyUI have taught who share it: counted from their databases, for each of the others.

Separate from `users`, which keeps people apart. It reads the databases of those whose setting `share` is on, and adds
up what they taught, within bounds (`learning.model.shared_prior`); people's names, prompts and images are not read. The
count is kept for a while; who leaves, or what somebody forgot, is not in the next one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..learning.errors import LearningError
from .settings import SettingsFile

if TYPE_CHECKING:
    from ..learning.exchange.share_format import SharedFile
    from ..learning.service.sharing import PersonSums

COUNT_AGAIN_S = 600.0

log = logging.getLogger(__name__)


class People:
    """Those whose folders lie in one directory. It belongs to one event loop.

    Parameters
    ----------
    count_again_s
        How long a count is kept.
    """

    def __init__(self, directory: Path, count_again_s: float = COUNT_AGAIN_S) -> None:
        self._directory = directory
        self._count_again_s = count_again_s
        self._counting: asyncio.Lock | None = None
        self._counted: dict[Path, PersonSums] = {}
        self._next_count = 0.0

    async def taught_to(self, own: Path) -> SharedFile | None:
        """What those who share taught, without the person whose folder is `own`; None where too few speak."""
        from ..learning.service.sharing import together  # late: it loads SQLAlchemy and NumPy

        if self._counting is None:
            self._counting = asyncio.Lock()
        async with self._counting:
            if time.monotonic() >= self._next_count:
                self._counted = {folder: await _taught(folder) for folder in await asyncio.to_thread(self._sharing)}
                self._next_count = time.monotonic() + self._count_again_s
            others = [sums for folder, sums in self._counted.items() if folder != own]
        return await asyncio.to_thread(together, others)

    def _sharing(self) -> list[Path]:
        """The folders of those who share."""
        if not self._directory.is_dir():
            return []
        folders = [folder for folder in sorted(self._directory.iterdir()) if (folder / "preferences.db").is_file()]
        return [folder for folder in folders if SettingsFile(folder / "settings.json").read().share]


async def _taught(folder: Path) -> PersonSums:
    """What one person taught; nothing where that cannot be read now."""
    from ..learning.database.database import Database
    from ..learning.service.sharing import sums_of

    settings = SettingsFile(folder / "settings.json")
    try:
        database = await Database.open(folder / "preferences.db", backups_kept=lambda: settings.read().backups_kept)
        try:
            return await sums_of(database)
        finally:
            await database.close()
    except LearningError as error:
        log.warning("What %s shares cannot be read now: %s", folder.name, error.message)
        return {}
