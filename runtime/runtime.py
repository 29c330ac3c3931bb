"""The composition root: one person's data, its database, the one service on it, and the settings.

ComfyUI's routes, its nodes, the command line and the standalone server all reach what was learned through a `Runtime`,
which `process` hands out. The service lives in the owner's loop (`event_loop`) and opens with its first use, so that
importing this module costs next to nothing. It refuses to know ComfyUI and HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..learning.errors import LearningError
from ..learning.message import message
from ..learning.names import shown_address
from ..learning.requirements import missing_requirement
from .event_loop import OwnerLoop
from .people import COUNT_AGAIN_S
from .settings import Settings, SettingsFile

if TYPE_CHECKING:
    from ..learning.exchange.share_format import SharedFile
    from ..learning.recommendation.decision_log import DecisionLogMode
    from ..learning.reports import FileChange
    from ..learning.service.service import PreferenceService
    from ..learning.service.settings import LearningSettings


T = TypeVar("T")
Operation = Callable[["PreferenceService"], Coroutine[Any, Any, T]]
LOG_VARIABLE = "CONTEXT_CHECKPOINT_LOG"
_CLOSING_TIMEOUT_S = 10.0
_STREAMED_AT_ONCE = 100

log = logging.getLogger(__name__)


class Runtime:
    """One person's data and the service on it."""

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
        self.taught_by_others: Callable[[Path], Awaitable[SharedFile | None]] | None = None
        """What other people of the same server share, for the person of a folder; None: there are none."""
        self._next_count = 0.0

    @property
    def database_name(self) -> str:
        """The database as people may see it: without the password of its address."""
        return shown_address(self.database)

    @property
    def is_open(self) -> bool:
        return self._service is not None

    def sibling(self, data_directory: Path) -> Runtime:
        """Another runtime with data of its own, in the same thread."""
        return Runtime(data_directory, owner=self._owner)

    def close_if_idle(self) -> None:
        """Close the database, unless something runs in it. Does not wait; the next use opens it again."""
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
        return self._change(lambda settings: settings.changed(**changes))

    def change_profile(self, checkpoint: str, values: Mapping[str, object], *, clear: bool = False) -> Settings:
        """Change some settings of one checkpoint and remember them; see `Settings.with_profile`.

        Raises as `change_settings` does.
        """
        return self._change(lambda settings: settings.with_profile(checkpoint, values, clear=clear))

    def follow(self, changes: Iterable[FileChange]) -> None:
        """Let what a person chose for a checkpoint stay with its file where that was renamed."""
        for change in changes:
            if change.kind == "moved" and self.settings.chosen(change.former):
                try:
                    self._change(partial(Settings.moved, former=change.former, name=change.name))
                except LearningError as error:
                    log.warning("%s", error.message)

    def _change(self, change: Callable[[Settings], Settings]) -> Settings:
        with self._changing_settings:
            settings = change(self._settings_file.read())
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
            What the operation raises, or `StoreUnavailable` if the database cannot be opened or a required package is
            missing; the next call tries to open it again.
        """
        return await self._owner.run(lambda: self._operate(operation))

    async def stream(self, operation: Callable[[PreferenceService], AsyncGenerator[T, None]]) -> AsyncIterator[list[T]]:
        """Iterate `operation(service)` in the owner's loop from any other; what it yields comes in lists.

        Raises as `run` does.
        """

        async def begin(service: PreferenceService) -> AsyncGenerator[T, None]:
            return operation(service)

        async def next_list(_service: PreferenceService) -> list[T]:
            items: list[T] = []
            async for item in source:
                items.append(item)
                if len(items) == _STREAMED_AT_ONCE:
                    break
            return items

        async def end(_service: PreferenceService) -> None:
            await source.aclose()

        self._streams += 1
        try:
            source = await self.run(begin)
            try:
                while items := await self.run(next_list):
                    yield items
            finally:
                await self.run(end)
        finally:
            self._streams -= 1

    def run_blocking(self, operation: Operation[T]) -> T:
        """Run `operation(service)` from a thread that has no loop, and wait for it. Raises as `run` does."""
        return self._owner.run_blocking(lambda: self._operate(operation))

    def close(self) -> None:
        """Wait for what runs, then close the database. The next use opens it again."""
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
            if self.taught_by_others is not None and time.monotonic() >= self._next_count:
                await self._learn_from_others(service, self.taught_by_others)
            return await operation(service)
        except ImportError as error:  # packages are imported on first use, here and inside of SQLAlchemy
            if (missing := missing_requirement(error)) is not None:
                raise missing from error
            raise
        finally:
            self._operating.discard(task)

    async def _learn_from_others(
        self, service: PreferenceService, taught: Callable[[Path], Awaitable[SharedFile | None]]
    ) -> None:
        self._next_count = time.monotonic() + COUNT_AGAIN_S
        try:
            await service.adopt_people(await taught(self.data_directory))
        except (LearningError, OSError) as error:
            log.warning("What others share cannot be used now: %s", error)

    async def _opened(self) -> PreferenceService:
        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            if self._service is None:
                from ..learning.service.service import PreferenceService  # late: it loads SQLAlchemy and NumPy

                self._service = await PreferenceService.open(
                    self.database,
                    settings=partial(self._learning_settings, _decision_log_mode()),
                    outbox=self.data_directory,
                )
            return self._service

    def _learning_settings(self, decision_log: DecisionLogMode) -> LearningSettings:
        """The part of the settings that concerns learning, as it is now."""
        from ..learning.service.settings import LearningSettings

        settings = self.settings
        return LearningSettings(
            policy=settings.policy,
            thresholds=settings.thresholds,
            half_life=float(settings.half_life),
            curation=settings.curation,
            keep_prompts=settings.keep_prompts,
            retention_days=settings.retention_days,
            backups_kept=settings.backups_kept,
            decision_log=decision_log,
        )

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
    """What the environment asks the log to say of each decision."""
    from ..learning.recommendation.decision_log import DECISION_LOG_MODES

    wanted = os.environ.get(LOG_VARIABLE, "").strip().lower()
    for mode in DECISION_LOG_MODES:
        if wanted == mode:
            if mode:
                logging.getLogger((__package__ or "").rpartition(".")[0]).setLevel(logging.INFO)
            return mode
    log.warning("%s is %r; choose one of: %s.", LOG_VARIABLE, wanted, ", ".join(filter(None, DECISION_LOG_MODES)))
    return ""
