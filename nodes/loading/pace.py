"""How many seconds an image of each checkpoint took lately, in this process.

Separate from the branches, which say when they begin and end, and from the cache, so that it can be tested with
strings. Loading is not counted: a checkpoint that is loaded already has its own advantage (`checkpoint_loading`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from statistics import median

_REMEMBERED = 9
"""Branches of each checkpoint whose times count."""
_MOST_CHECKPOINTS = 1_000


class Pace:
    """Times of the newest branches. Thread-safe: branches end in ComfyUI's thread, and the server asks.

    Parameters
    ----------
    clock
        Seconds that only go on.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._begun: dict[str, float] = {}
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str) -> None:
        """A checkpoint is loaded and begins to draw."""
        with self._lock:
            self._begun = {name: self._clock()}  # one branch runs at a time; one that failed has no end

    def end(self, name: str, images: int) -> None:
        """It has drawn so many images; without its beginning, ComfyUI had them in its cache."""
        with self._lock:
            begun = self._begun.pop(name, None)
            if begun is None or images < 1:
                return
            self._times.setdefault(name, deque(maxlen=_REMEMBERED)).append((self._clock() - begun) / images)
            self._times.move_to_end(name)
            if len(self._times) > _MOST_CHECKPOINTS:
                self._times.popitem(last=False)

    def seconds(self, name: str) -> float | None:
        """The median of its newest branches, per image; None: it has not drawn yet."""
        with self._lock:
            times = self._times.get(name)
            return median(times) if times else None
