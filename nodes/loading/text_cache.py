"""Encoded prompts that are remembered between prompts, within a bound.

A graph wired by hand encodes its texts once and finds them in ComfyUI's cache when only the seed changes.
The nodes that the sampler expands into are dropped from that cache before the next prompt, so the pack
remembers the last few texts itself. Like `kept_loaders` it knows nothing of ComfyUI: a key is whatever tells
one text of one checkpoint's file from another, and a value is what the stock node made of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Encoded = TypeVar("Encoded")


class TextCache(Generic[Encoded]):
    """The `most` encodings that were used last.

    ComfyUI asks a node first what it needs and runs it later. What was found then is put aside until it is
    taken, so that nothing that happens between the two (a release, other texts) can make it disappear.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._remembered: OrderedDict[Hashable, Encoded] = OrderedDict()
        self._aside: dict[Hashable, Encoded] = {}
        self._lock = threading.Lock()  # release comes from the server's thread

    def put_aside(self, key: Hashable) -> bool:
        """Hold what is remembered of a key until `take`; False if nothing is."""
        with self._lock:
            if key not in self._remembered:
                return False
            self._remembered.move_to_end(key)
            self._aside[key] = self._remembered[key]
            return True

    def take(self, key: Hashable) -> Encoded | None:
        """Return what was put aside."""
        with self._lock:
            return self._aside.pop(key, None)

    def remember(self, key: Hashable, encoded: Encoded) -> None:
        with self._lock:
            self._remembered[key] = encoded
            self._remembered.move_to_end(key)
            while len(self._remembered) > self._most:
                self._remembered.popitem(last=False)

    def forget(self) -> None:
        """Forget everything that nobody is about to take."""
        with self._lock:
            self._remembered.clear()
