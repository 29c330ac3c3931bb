"""Several users of one ComfyUI: what each of them taught lies in a folder of its own, and opens when used.

Separate from `runtime`, which knows one user's data, and from `nodes/comfy/users.py`, which knows how ComfyUI tells
users apart. Only so many databases are open at once; the least recently used is closed as soon as nothing runs in it,
and opens again when that user comes back.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..learning.errors import LearningError
from ..learning.message import message
from .people import People

if TYPE_CHECKING:
    from .runtime import Runtime

FOLDER = "people"
MOST_OPEN = 16


class UnknownUser(LearningError):
    """A request or a prompt of a user whom ComfyUI does not know."""

    def __init__(self, name: str) -> None:
        reason = (
            message("not_known_here", "It does not know '{name}'.", name=name[:80])
            if name
            else message("without_user", "This came without a user.")
        )
        super().__init__(
            "unknown_user",
            message(
                "unknown_user",
                "This ComfyUI runs with --multi-user and keeps apart what each person teaches. {reason} Choose "
                "a user in the browser; a script sends the header comfy-user with an id that GET /users "
                "lists.",
                reason=reason,
            ),
        )


class Users:
    """One runtime per user; `make` makes one for a folder. Thread-safe."""

    def __init__(self, directory: Path, make: Callable[[Path], Runtime], most_open: int = MOST_OPEN) -> None:
        self._directory = directory / FOLDER
        self._people = People(self._directory)
        self._make = make
        self._most_open = most_open
        self._lock = threading.Lock()
        self._runtimes: OrderedDict[str, Runtime] = OrderedDict()

    def of(self, user: str) -> Runtime:
        """The runtime of a user whom ComfyUI knows; its folder is created by the first write."""
        with self._lock:
            runtime = self._runtimes.get(user)
            if runtime is None:
                # ComfyUI chooses the ids; whatever is in one, this is the name of one folder.
                name = quote(user, safe="").replace(".", "%2E")
                runtime = self._runtimes[user] = self._make(self._directory / name)
                runtime.taught_by_others = self._people.taught_to
            self._runtimes.move_to_end(user)
            others = [each for each in self._runtimes.values() if each.is_open and each is not runtime]
        for idle in others[: max(0, len(others) - self._most_open + 1)]:
            idle.close_if_idle()
        return runtime

    def close(self) -> None:
        """Close every user's runtime."""
        with self._lock:
            runtimes, self._runtimes = [*self._runtimes.values()], OrderedDict()
        for runtime in runtimes:
            runtime.close()
