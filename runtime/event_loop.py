"""One daemon thread with one event loop, for everything that may not change loops.

Separate because ComfyUI runs every prompt in an event loop of its own, on a worker thread, and closes it: a database
connection that was opened there would be lost with it. What runs here outlives its callers: where a caller is
cancelled, or its loop is closed while it waits, the operation still runs to its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class OwnerLoop:
    """Runs coroutines of any thread and any loop in one loop, which starts with its first use."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None

    async def run(self, operation: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Await `operation()` from the caller's loop while it runs in the owner's."""
        self._refuse_own_thread()
        return await asyncio.shield(asyncio.wrap_future(self._submit(operation)))

    def run_blocking(self, operation: Callable[[], Coroutine[Any, Any, T]], timeout_s: float | None = None) -> T:
        """Wait for `operation()` on a thread that has no loop. Raises `TimeoutError` after `timeout_s`."""
        self._refuse_own_thread()
        return self._submit(operation).result(timeout_s)

    def begin(self, operation: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run `operation()` without waiting for it, unless the loop has not been started."""
        if self.is_running:
            self._submit(operation)

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the loop after what it runs now, and its thread. The next use starts another."""
        with self._starting:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        with contextlib.suppress(RuntimeError):  # the loop has closed already
            loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout_s)

    def _submit(self, operation: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        async def started_in_the_owners_loop() -> T:
            return await operation()

        return asyncio.run_coroutine_threadsafe(started_in_the_owners_loop(), self._running())

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def _refuse_own_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise RuntimeError(f"{self._name} would wait for itself; await the coroutine directly instead.")


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
