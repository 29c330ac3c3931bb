"""A damaged database file: looked for at the start, and replaced by the newest sound copy.

Separate from `backups`, which knows files and copies, because here it is decided what to do, and told.
Everything here blocks and is meant for a thread.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from . import backups

LOOK_WITHIN_S = 0.1
"""How long a start may wait for the look through the file; what is left of it is done beside the work."""

log = logging.getLogger(__name__)


def look_at_start(path: Path, now: datetime) -> bool:
    """Look through a file, restore it where it is damaged, and say whether all of it could be looked at."""
    _finish(path, now)
    problem = backups.IntegrityCheck(path).run(LOOK_WITHIN_S)
    if problem:
        restore(path, now)
    return problem is not None


def _finish(path: Path, now: datetime) -> None:
    try:
        found = backups.finish(path, now)
    except OSError as error:
        log.error("%s is not there, and what was to be put in its place cannot be (%s).", path, error)
        return
    if found:
        log.error("%s had no file, for a process was killed while it put one there. It is %s now.", path, found)


def restore(path: Path, now: datetime) -> bool:
    """Put the newest sound copy in a damaged file's place, and tell; False where that was not done."""
    try:
        restored = backups.restore(path, now)
    except OSError as error:
        log.error("%s is damaged, and its backup cannot be put in its place (%s).", path, error)
        return False
    if restored:
        log.error(
            "%s was damaged. It was put aside as %s, and the backup of %s restored; what was taught since "
            "then is read from it as far as that can be.",
            path,
            restored.put_aside.name,
            restored.backup.made_at.isoformat(" ", "minutes"),
        )
    return restored is not None
