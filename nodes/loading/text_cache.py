"""Encoded prompts that are cached between prompts, within a bound.

A graph wired by hand encodes its texts once and finds them in ComfyUI's cache when only the seed changes. ComfyUI drops
the sampler's sub-nodes from its cache before the next prompt, so the pack caches the last few texts itself. Like
`model_cache` it knows nothing of ComfyUI: a key is whatever distinguishes one text of one checkpoint's file from
another, and a value is what the stock node returned for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Encoded = TypeVar("Encoded")


class TextCache(Generic[Encoded]):
    """The `capacity` encodings that were used last.

    ComfyUI first asks a node which inputs it needs and runs it later. What the cache had at the first step is
    reserved until it is taken, so that nothing in between (a release, other texts) can make it disappear.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._encodings: OrderedDict[Hashable, Encoded] = OrderedDict()
        self._reserved: dict[Hashable, Encoded] = {}
        self._lock = threading.Lock()  # release comes from the server's thread

    def reserve(self, key: Hashable) -> bool:
        """Reserve a key's encoding until `take`; False if there is none."""
        with self._lock:
            if key not in self._encodings:
                return False
            self._encodings.move_to_end(key)
            self._reserved[key] = self._encodings[key]
            return True

    def take(self, key: Hashable) -> Encoded | None:
        """Return the reserved encoding."""
        with self._lock:
            return self._reserved.pop(key, None)

    def put(self, key: Hashable, encoded: Encoded) -> None:
        with self._lock:
            self._encodings[key] = encoded
            self._encodings.move_to_end(key)
            while len(self._encodings) > self._capacity:
                self._encodings.popitem(last=False)

    def clear(self) -> None:
        """Drop everything that is not reserved."""
        with self._lock:
            self._encodings.clear()
