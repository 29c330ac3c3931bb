"""A damaged database file: found at the start, and replaced by the newest sound copy.

Separate from `backups`, which knows files and copies, because this decides what to do, and logs it. Everything
here blocks and is meant for a thread.
"""

from __future__ import annotations

import logging
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from . import backups
from .open_handles import Identity

LOOK_WITHIN_S = 0.1
"""How long a start may wait for the check of the file; the rest is checked in the background."""

log = logging.getLogger(__name__)


class Look(NamedTuple):
    """Whether all of a file could be checked, and whether a copy has taken its place."""

    is_checked: bool
    is_restored: bool


def look_at_start(path: Path, now: datetime) -> Look:
    """Check a file, and restore it where it is damaged."""
    restored = _finish(path, now)
    problem = backups.IntegrityCheck(path).run(LOOK_WITHIN_S)
    if problem:
        restored |= restore(path, now)
    return Look(problem is not None, restored)


def _finish(path: Path, now: datetime) -> bool:
    try:
        source = backups.finish(path, now)
    except OSError as error:
        log.error("%s does not exist, and no copy can be put in its place (%s).", path, error)
        return False
    if source:
        log.error("%s did not exist: a process was killed while it put one there. It is %s now.", path, source)
    return bool(source)


def restore(
    path: Path,
    now: datetime,
    *,
    of: Identity | None = None,
    seen: Path | None = None,
    damaged: bool = False,
    log_lost: bool = False,
) -> bool:
    """Put the newest sound copy in a damaged file's place, and log it; False where that was not done. The parameters
    are those of `backups.restore`."""
    try:
        restored = backups.restore(path, now, of=of, seen=seen, damaged=damaged, log_lost=log_lost)
    except (OSError, sqlite3.Error) as error:
        log.error("%s is damaged, and its backup cannot be put in its place (%s).", path, error)
        return False
    finally:
        if seen:
            seen.unlink(missing_ok=True)
    if restored:
        log.error(
            "%s was damaged. It was quarantined as %s, and %s restored; what that lacks is read from the damaged file "
            "as far as possible.",
            path,
            restored.put_aside.name,
            restored.source.name if restored.source else "no sound copy",
        )
    return restored is not None
