"""Loaded checkpoints that are kept in memory between prompts, within a bound.

ComfyUI's default cache drops what an expanded node has loaded before the next prompt can use it again, and
with `--cache-none` there is no cache at all; so the pack keeps its own, the same under every cache. It is a
plain bounded store: it knows neither ComfyUI nor how a checkpoint is loaded, so that its bounds can be tested
with strings. It holds nothing that it was not given, and gives everything up when asked.
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
        """Look at a file.

        Raises
        ------
        OSError
            If it is not there or cannot be looked at.
        """
        stat = path.stat()
        return cls(str(path), stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many checkpoints may be kept, and how much memory they may take together.

    The one used last stays even if it is larger than that, as long as `number` is not 0: without it every
    prompt would load it again, and ComfyUI itself keeps as much for its own loader.
    """

    number: int
    memory_bytes: int
    spare_bytes: int = 0
    """What the machine must have left; below it only the one used last is kept."""


@dataclass(frozen=True, slots=True)
class Released:
    """What was given up: paths, and about how many bytes they took."""

    paths: tuple[str, ...] = ()
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Loaded]):
    loaded: Loaded
    memory_bytes: int


class ModelCache(Generic[Loaded]):
    """Keeps what was loaded last, within bounds that may change while it runs.

    A branch first asks (`get`); if it must load, it makes room (`make_room`) before and puts the outcome in
    (`keep`) after. What was put in stays until the branch has ended (`settle`), even where the bounds leave
    no place for it: a branch may need it twice.

    Parameters
    ----------
    bounds
        Asked each time, so that a changed setting holds at once.
    available_bytes
        How much memory the machine could still give.
    """

    def __init__(self, bounds: Callable[[], Bounds], available_bytes: Callable[[], int]) -> None:
        self._bounds = bounds
        self._available_bytes = available_bytes
        self._kept: OrderedDict[FileState, _Kept[Loaded]] = OrderedDict()
        self._lock = threading.Lock()  # release comes from the server's thread
        self._not_during = ""

    def get(self, file: FileState) -> Loaded | None:
        """Return what was loaded from exactly this file, which becomes the last to go."""
        with self._lock:
            for other in [other for other in self._kept if other.path == file.path and other != file]:
                del self._kept[other]
            found = self._kept.get(file)
            if found is None:
                return None
            self._kept.move_to_end(file)
            return found.loaded

    def peek(self, file: FileState) -> Loaded | None:
        """Return what `get` would, without counting as use."""
        with self._lock:
            found = self._kept.get(file)
            return None if found is None else found.loaded

    def make_room(self, incoming_bytes: int) -> Released:
        """Let the least recently used go until another one of this size fits the bounds and the machine.

        One that is larger than the bound has the place to itself.
        """
        bounds = self._bounds()
        with self._lock:
            gone = self._drop_while(
                lambda: (
                    len(self._kept) + 1 > max(1, bounds.number)
                    or self._memory_bytes() + incoming_bytes > bounds.memory_bytes
                )
            )
        while self._available_bytes() < incoming_bytes:
            with self._lock:
                more = self._drop_oldest()
            if not more.paths:
                break
            gone = Released(gone.paths + more.paths, gone.memory_bytes + more.memory_bytes)
        return gone

    def keep(self, file: FileState, loaded: Loaded, memory_bytes: int) -> None:
        """Put in what was just loaded."""
        with self._lock:
            self._kept[file] = _Kept(loaded, memory_bytes)
            self._kept.move_to_end(file)

    def settle(self, prompt_id: str = "") -> Released:
        """Hold to the bounds again, now that a branch of this prompt has ended."""
        bounds = self._bounds()
        with self._lock:
            if self._not_during and self._not_during == prompt_id:
                return self._drop_while(lambda: True)
            self._not_during = ""
            return self._drop_while(
                lambda: (
                    len(self._kept) > bounds.number
                    or (len(self._kept) > 1 and self._memory_bytes() > bounds.memory_bytes)
                    or (len(self._kept) > 1 and self._available_bytes() < bounds.spare_bytes)
                )
            )

    def release(self, running_prompt_id: str = "") -> Released:
        """Let everything go, and keep nothing of the prompt that runs now either."""
        with self._lock:
            self._not_during = running_prompt_id
            return self._drop_while(lambda: True)

    def _memory_bytes(self) -> int:
        return sum(kept.memory_bytes for kept in self._kept.values())

    def _drop_while(self, too_much: Callable[[], bool]) -> Released:
        paths, freed = [], 0
        while self._kept and too_much():
            gone = self._drop_oldest()
            paths.extend(gone.paths)
            freed += gone.memory_bytes
        return Released(tuple(paths), freed)

    def _drop_oldest(self) -> Released:
        if not self._kept:
            return Released()
        file, kept = self._kept.popitem(last=False)
        return Released((file.path,), kept.memory_bytes)
