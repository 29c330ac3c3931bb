"""One import from beginning to end: read a folder, say what is there, take verdicts, learn.

Separate from its steps because the command line, the routes and their background work run the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..runtime.runtime import Runtime
from .learn import Learned, learn
from .models import Models
from .progress import OnProgress
from .survey import Folder, Survey, read_images, survey
from .verdicts import Rules, take_verdicts

HASHES_FILE = "checkpoint_hashes.json"
"""Its name in the data folder: hashes that were computed because a person asked for it."""


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What an import found and did.

    Parameters
    ----------
    verdicts
        Of images that were in the log already: how many verdicts their files give, or gave.
    learned
        None after a dry run.
    """

    survey: Survey
    verdicts: int
    learned: Learned | None


def import_images(
    folder: Folder,
    models: Models,
    batch: str,
    runtime: Runtime,
    on_progress: OnProgress,
    *,
    dry_run: bool,
    now: datetime | None = None,
) -> ImportOutcome:
    """Learn from the images of a folder; blocks. A dry run only says what is there.

    Raises
    ------
    Stopped
        If `on_progress` does; what was learned stays.
    InvalidRequest
        If the batch has no name.
    StoreUnavailable
        If the database cannot be read or written; the same import again goes on.
    """
    images = read_images(folder, on_progress)
    report, new = survey(folder, images, models, runtime, on_progress, now or datetime.now(timezone.utc))
    taken = take_verdicts(folder, images, runtime, Rules(record=not dry_run), on_progress)
    del images
    learned = None if dry_run else learn(folder, new, batch, runtime, on_progress)
    return ImportOutcome(report, len(taken.recorded), learned)


def batch_of_folder(folder: Path) -> str:
    """The name of a folder's import where a person gives none: the same folder again is the same import."""
    return folder.name or "images"
