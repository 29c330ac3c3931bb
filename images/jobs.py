"""Imports in the background: one at a time per person, each in a thread of its own, with its progress.

A route answers at once and is asked again how far the import is. What is learned stays if the program ends; the same
import again goes on. Only what the newest imports found is kept, in memory.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from ..learning.errors import InvalidRequest, LearningError
from ..learning.message import message
from .image_import import ImportOutcome
from .progress import OnProgress, Progress, Stopped

log = logging.getLogger(__name__)

_KEPT = 5
_ENDING_TIMEOUT_S = 10.0
State = Literal["running", "done", "cancelled", "failed"]


@dataclass(slots=True)
class Job:
    """One import: what was asked for, how far it is, and how it ended."""

    root: str
    folder: str
    batch: str
    dry_run: bool
    id: str = field(default_factory=lambda: uuid4().hex)
    state: State = "running"
    progress: Progress = field(default_factory=lambda: Progress("looking", 0, 0))
    outcome: ImportOutcome | None = None
    error: Exception | None = None
    is_cancelled: bool = False
    has_ended: threading.Event = field(default_factory=threading.Event)


class UnknownJob(LearningError):
    """No import of this server has this id, or no longer."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            "unknown_import",
            message(
                "unknown_image_import",
                "No import '{id}' runs or ended here: the server was started again, or newer ones took its place. List "
                "the imports, and import again; nothing counts twice.",
                id=job_id[:80],
            ),
        )


class AlreadyImporting(LearningError):
    """One import of this person runs already."""

    def __init__(self, job: Job) -> None:
        super().__init__(
            "already_importing",
            message("already_importing", "An import is running already. Wait until it ends, or cancel it."),
        )
        self.job = job


class Jobs:
    """The imports of a process, kept apart by whose data they work on."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._jobs: dict[Hashable, list[Job]] = {}

    def start(self, owner: Hashable, job: Job, work: Callable[[OnProgress], ImportOutcome]) -> Job:
        """Begin an import in a thread.

        Raises
        ------
        AlreadyImporting
            If one of this owner is running.
        """
        with self._guard:
            jobs = self._jobs.setdefault(owner, [])
            running = next((each for each in jobs if each.state == "running"), None)
            if running is not None:
                raise AlreadyImporting(running)
            jobs.insert(0, job)
            del jobs[_KEPT:]
        threading.Thread(target=_run, args=(job, work), name="context_checkpoint import", daemon=True).start()
        return job

    def find(self, owner: Hashable, job_id: str) -> Job:
        """Raises `UnknownJob`."""
        job = next((each for each in self.all(owner) if each.id == job_id), None)
        if job is None:
            raise UnknownJob(job_id)
        return job

    def cancel(self, owner: Hashable, job_id: str) -> Job:
        """End an import and forget it; what was learned stays. Blocks for some seconds at most; one that has not ended
        by then is still found. Raises `UnknownJob`."""
        job = self.find(owner, job_id)
        job.is_cancelled = True
        if job.has_ended.wait(_ENDING_TIMEOUT_S):
            with self._guard, contextlib.suppress(ValueError):  # somebody else has cancelled it too
                self._jobs[owner].remove(job)
        return job

    def all(self, owner: Hashable) -> tuple[Job, ...]:
        """The newest first."""
        with self._guard:
            return tuple(self._jobs.get(owner, ()))


def _run(job: Job, work: Callable[[OnProgress], ImportOutcome]) -> None:
    def on_progress(progress: Progress) -> None:
        job.progress = progress
        if job.is_cancelled:
            raise Stopped

    try:
        job.outcome = work(on_progress)
        job.state = "done"
    except Stopped:
        job.state = "cancelled"
    except LearningError as error:
        log.warning("The import of images ended: %s", error)
        job.error, job.state = error, "failed"
    except Exception as error:  # the edge of a thread: nobody else would tell of it
        log.exception("The import of images failed unexpectedly")
        job.error, job.state = (
            InvalidRequest(
                message(
                    "import_failed",
                    "The import failed unexpectedly ({error}); the log has more. What was learned before stays.",
                    error=type(error).__name__,
                )
            ),
            "failed",
        )
    finally:
        job.has_ended.set()
