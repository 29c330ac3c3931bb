"""Loaded checkpoints that stay in memory between prompts, within bounds.

ComfyUI's default cache drops what an expanded node has loaded before the next prompt can use it again, and with
`--cache-none` there is no cache at all; so the pack has its own, the same under every cache. It is a plain bounded
store: it knows neither ComfyUI nor how a checkpoint is loaded, so that its bounds can be tested with strings. It
holds nothing but what was put in, and releases everything when asked.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was when it was loaded: one that changed is another checkpoint."""

    path: str
    size_bytes: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """Read a file's state.

        Raises
        ------
        OSError
            If it does not exist or its state cannot be read.
        """
        stat = path.stat()
        return cls(str(path), stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many checkpoints may stay in memory, and how much memory they may take together.

    The one used last stays even if it is larger than that, as long as `number` is not 0: without it every prompt
    would load it again, and ComfyUI itself keeps as much for its own loader.
    """

    number: int
    memory_bytes: int
    spare_bytes: int = 0
    """What the machine must have left; below it only the one used last stays."""


@dataclass(frozen=True, slots=True)
class Released:
    """What left the cache: paths, and about how many bytes it took."""

    paths: tuple[str, ...] = ()
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Loaded]):
    loaded: Loaded
    memory_bytes: int


class ModelCache(Generic[Loaded]):
    """The checkpoints that were loaded last, within bounds that may change at any time.

    A branch first asks (`get`). If it has to load, it makes room before (`make_room`) and puts the result in after
    (`put`). What was put in stays until the branch has ended (`apply_bounds`), even where the bounds leave no room for
    it: a branch may need it twice.

    Parameters
    ----------
    bounds
        Called each time, so that a changed setting holds at once.
    available_bytes
        How much memory the machine could still give.
    """

    def __init__(self, bounds: Callable[[], Bounds], available_bytes: Callable[[], int]) -> None:
        self._bounds = bounds
        self._available_bytes = available_bytes
        self._entries: OrderedDict[FileState, _Entry[Loaded]] = OrderedDict()
        self._lock = threading.Lock()  # release comes from the server's thread
        self._uncached_prompt_id = ""

    def get(self, file: FileState) -> Loaded | None:
        """Return what was loaded from exactly this file, and make it the last to be dropped."""
        with self._lock:
            for outdated in [other for other in self._entries if other.path == file.path and other != file]:
                del self._entries[outdated]
            entry = self._entries.get(file)
            if entry is None:
                return None
            self._entries.move_to_end(file)
            return entry.loaded

    def peek(self, file: FileState) -> Loaded | None:
        """Return what `get` would, without counting as use."""
        with self._lock:
            entry = self._entries.get(file)
            return None if entry is None else entry.loaded

    def make_room(self, incoming_bytes: int) -> Released:
        """Drop the least recently used until another one of this size fits the bounds and the machine.

        One that is larger than the bound gets all the room.
        """
        bounds = self._bounds()
        with self._lock:
            released = self._drop_while(
                lambda: (
                    len(self._entries) + 1 > max(1, bounds.number)
                    or self._memory_bytes() + incoming_bytes > bounds.memory_bytes
                )
            )
        while self._available_bytes() < incoming_bytes:
            with self._lock:
                more = self._drop_oldest()
            if not more.paths:
                break
            released = Released(released.paths + more.paths, released.memory_bytes + more.memory_bytes)
        return released

    def put(self, file: FileState, loaded: Loaded, memory_bytes: int) -> None:
        """Put in what was just loaded."""
        with self._lock:
            self._entries[file] = _Entry(loaded, memory_bytes)
            self._entries.move_to_end(file)

    def apply_bounds(self, prompt_id: str = "") -> Released:
        """Apply the bounds again, now that a branch of this prompt has ended."""
        bounds = self._bounds()
        with self._lock:
            if self._uncached_prompt_id and self._uncached_prompt_id == prompt_id:
                return self._drop_while(lambda: True)
            self._uncached_prompt_id = ""
            return self._drop_while(
                lambda: (
                    len(self._entries) > bounds.number
                    or (len(self._entries) > 1 and self._memory_bytes() > bounds.memory_bytes)
                    or (len(self._entries) > 1 and self._available_bytes() < bounds.spare_bytes)
                )
            )

    def release(self, running_prompt_id: str = "") -> Released:
        """Drop everything, and cache nothing of the prompt that runs now either."""
        with self._lock:
            self._uncached_prompt_id = running_prompt_id
            return self._drop_while(lambda: True)

    def _memory_bytes(self) -> int:
        return sum(entry.memory_bytes for entry in self._entries.values())

    def _drop_while(self, over_bounds: Callable[[], bool]) -> Released:
        paths, freed_bytes = [], 0
        while self._entries and over_bounds():
            dropped = self._drop_oldest()
            paths.extend(dropped.paths)
            freed_bytes += dropped.memory_bytes
        return Released(tuple(paths), freed_bytes)

    def _drop_oldest(self) -> Released:
        if not self._entries:
            return Released()
        file, entry = self._entries.popitem(last=False)
        return Released((file.path,), entry.memory_bytes)
