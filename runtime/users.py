"""Several people at one ComfyUI: what each of them taught lies in a folder of their own, and opens when used.

Separate from `runtime`, which knows one person's data, and from `nodes/comfy_users.py`, which knows how
ComfyUI tells people apart. Only so many databases are open at once; whose was not used for longest is closed
as soon as nothing runs in it, and opens again when that person comes back.
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

if TYPE_CHECKING:
    from .runtime import Runtime

FOLDER = "people"
MOST_OPEN = 16


class UnknownUser(LearningError):
    """A request or a prompt of somebody whom ComfyUI does not know."""

    def __init__(self, name: str) -> None:
        said = (
            message("not_known_here", "It does not know '{name}'.", name=name[:80])
            if name
            else message("without_user", "This came without a user.")
        )
        super().__init__(
            "unknown_user",
            message(
                "unknown_user",
                "This ComfyUI runs with --multi-user and keeps apart what each person teaches. {said} Choose "
                "a user in the browser; a script sends the header comfy-user with an id that GET /users "
                "lists.",
                said=said,
            ),
        )


class Users:
    """One runtime per person; `make` makes one for a folder. Thread-safe."""

    def __init__(self, directory: Path, make: Callable[[Path], Runtime], most_open: int = MOST_OPEN) -> None:
        self._directory = directory / FOLDER
        self._make = make
        self._most_open = most_open
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Runtime] = OrderedDict()

    def of(self, person: str) -> Runtime:
        """The runtime of a person whom ComfyUI knows; their folder is made with the first write."""
        with self._lock:
            runtime = self._held.get(person)
            if runtime is None:
                # Ids are ComfyUI's, but whatever they hold, this is one folder's name.
                name = quote(person, safe="").replace(".", "%2E")
                runtime = self._held[person] = self._make(self._directory / name)
            self._held.move_to_end(person)
            others = [each for each in self._held.values() if each.is_open and each is not runtime]
        for idle in others[: max(0, len(others) - self._most_open + 1)]:
            idle.rest()
        return runtime

    def close(self) -> None:
        with self._lock:
            held, self._held = [*self._held.values()], OrderedDict()
        for runtime in held:
            runtime.close()
