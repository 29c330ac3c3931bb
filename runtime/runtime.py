"""The composition root: where the data lies, which database, its one service and the settings.

ComfyUI's routes, its nodes, the command line and the standalone server all get at what was learned through
`current()`. The service lives in the owner's loop (`learning/event_loop.py`) and opens with its first use, so
that importing this module costs next to nothing. It is the only module that wires; it knows neither ComfyUI
nor HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..learning.errors import LearningError, StoreUnavailable
from ..learning.message import message
from ..learning.names import shown_address
from .event_loop import OwnerLoop
from .settings import Settings, SettingsFile

if TYPE_CHECKING:
    from ..learning.recommendation.decision_log import DecisionLogMode
    from ..learning.service.service import PreferenceService


T = TypeVar("T")
Operation = Callable[["PreferenceService"], Coroutine[Any, Any, T]]
LOG_VARIABLE = "CONTEXT_CHECKPOINT_LOG"
_CLOSING_TIMEOUT_S = 5.0
_STREAMED_AT_ONCE = 100

log = logging.getLogger(__name__)


class Runtime:
    """What one process knows: made by `current()`, or directly where several are wanted (tests)."""

    def __init__(self, data_directory: Path, database: str | None = None, owner: OwnerLoop | None = None) -> None:
        self.data_directory = data_directory
        self.database = database or str(data_directory / "preferences.db")
        self._settings_file = SettingsFile(data_directory / "settings.json")
        self._changing_settings = threading.Lock()
        self._owner = owner or OwnerLoop("context_checkpoint database")
        self._shares_owner = owner is not None
        self._streams = 0
        self._service: PreferenceService | None = None
        self._opening: asyncio.Lock | None = None
        self._operating: set[asyncio.Task[Any]] = set()

    @property
    def database_name(self) -> str:
        """The database as people may see it: without the password of its address."""
        return shown_address(self.database)

    @property
    def is_open(self) -> bool:
        return self._service is not None

    def beside(self, data_directory: Path) -> Runtime:
        """Another one with data of its own, in the same thread."""
        return Runtime(data_directory, owner=self._owner)

    def rest(self) -> None:
        """Let go of the database, unless something runs in it. Does not wait; the next use opens it again."""
        self._owner.begin(self._close_idle)

    @property
    def settings(self) -> Settings:
        """As they are now, changes by other processes included."""
        with self._changing_settings:
            return self._settings_file.read()

    def change_settings(self, **changes: Any) -> Settings:
        """Change some settings and remember them.

        Raises
        ------
        ValueError
            If a name or a value is not one that settings have.
        LearningError
            If they cannot be written to disk.
        """
        with self._changing_settings:
            settings = self._settings_file.read().changed(**changes)
            try:
                self._settings_file.write(settings)
            except OSError as error:
                raise LearningError(
                    "settings_not_saved",
                    message(
                        "settings_not_saved",
                        "The settings cannot be saved in {folder} ({error}). Make that folder writable and try again.",
                        folder=self.data_directory,
                        error=error,
                    ),
                ) from error
            return settings

    async def run(self, operation: Operation[T]) -> T:
        """Run `operation(service)` in the owner's loop and await it from any other.

        Raises
        ------
        LearningError
            What the operation raises, or `StoreUnavailable` if the database cannot be opened; the next call
            tries to open it again.
        """
        return await self._owner.run(lambda: self._operate(operation))

    async def stream(self, operation: Callable[[PreferenceService], AsyncGenerator[T, None]]) -> AsyncIterator[list[T]]:
        """Iterate `operation(service)` in the owner's loop from any other; what it yields comes in lists.

        Raises as `run` does.
        """

        async def begin(service: PreferenceService) -> AsyncGenerator[T, None]:
            return operation(service)

        async def some(_service: PreferenceService) -> list[T]:
            taken: list[T] = []
            async for each in source:
                taken.append(each)
                if len(taken) == _STREAMED_AT_ONCE:
                    break
            return taken

        async def end(_service: PreferenceService) -> None:
            await source.aclose()

        self._streams += 1
        try:
            source = await self.run(begin)
            try:
                while taken := await self.run(some):
                    yield taken
            finally:
                await self.run(end)
        finally:
            self._streams -= 1

    def run_blocking(self, operation: Operation[T]) -> T:
        """Run `operation(service)` from a thread that has no loop, and wait for it. Raises as `run` does."""
        return self._owner.run_blocking(lambda: self._operate(operation))

    def close(self) -> None:
        """Let what runs come to its end and let go of the database. The next use opens it again."""
        if self._owner.is_running:
            try:
                self._owner.run_blocking(self._close_service, timeout_s=_CLOSING_TIMEOUT_S)
            except FutureTimeout:
                log.warning("The database %s was still busy when it was closed.", self.database)
            if not self._shares_owner:
                self._owner.stop()

    async def _operate(self, operation: Operation[T]) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: a coroutine that runs has one
        self._operating.add(task)
        try:
            service = await self._opened()
            settings = self.settings
            service.default_policy = settings.policy
            service.half_life = float(settings.half_life)
            service.keep_backups(settings.backups_kept)
            service.keep_prompts = settings.keep_prompts
            service.retention_days = settings.retention_days
            service.curation = settings.curation
            return await operation(service)
        finally:
            self._operating.discard(task)

    async def _opened(self) -> PreferenceService:
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._service is None:
                try:
                    from ..learning.service.service import PreferenceService
                except ModuleNotFoundError as error:
                    raise StoreUnavailable(
                        "store_driver_missing",
                        message(
                            "package_missing",
                            "The Python package '{name}' is not installed. Run: python -m pip install -r "
                            "{requirements} with the Python that runs ComfyUI.",
                            name=error.name,
                            requirements=Path(__file__).parents[1] / "requirements.txt",
                        ),
                    ) from error
                self._service = await PreferenceService.open(
                    self.database,
                    backups_kept=self.settings.backups_kept,
                    standby=self.data_directory,
                )
                self._service.decision_log_mode = _decision_log_mode()
            return self._service

    async def _close_service(self) -> None:
        if self._operating:
            await asyncio.wait(self._operating, timeout=_CLOSING_TIMEOUT_S / 2)
        await self._let_go()

    async def _close_idle(self) -> None:
        if not self._operating and not self._streams:
            await self._let_go()

    async def _let_go(self) -> None:
        service, self._service, self._opening = self._service, None, None
        if service is not None:
            await service.close()


def _decision_log_mode() -> DecisionLogMode:
    """What the log is to tell of each decision."""
    from ..learning.recommendation.decision_log import DECISION_LOG_MODES

    asked = os.environ.get(LOG_VARIABLE, "").strip().lower()
    for told in DECISION_LOG_MODES:
        if asked == told:
            if told:
                logging.getLogger((__package__ or "").rpartition(".")[0]).setLevel(logging.INFO)
            return told
    log.warning("%s is %r; choose one of: %s.", LOG_VARIABLE, asked, ", ".join(filter(None, DECISION_LOG_MODES)))
    return ""
