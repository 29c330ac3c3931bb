"""Where lines are kept while they are checked: in memory while they are few, then in a temporary file.

Separate from `transfer`, because a route keeps a body in the same way before anything of it is read. It owns the
message for a folder of temporary files that is full.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import IO, cast

from ..errors import StoreUnavailable
from ..message import message

IN_MEMORY = 4 * 2**20
"""Bytes."""


class Spool:
    """Lines that are written first and then read. Make it with `spooled`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, content: bytes) -> None:
        """Append. Raises `StoreUnavailable` where there is no room."""
        try:
            self._file.write(content)
        except OSError as error:
            raise _no_room(error) from error

    def written(self) -> IO[bytes]:
        """A file to read all that was written from. Raises `StoreUnavailable` where there was no room for it."""
        try:
            self._file.seek(0)
        except OSError as error:
            raise _no_room(error) from error
        return self._file


@contextmanager
def spooled() -> Generator[Spool, None, None]:
    """A spool that is deleted afterwards."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed below, whatever that says
    try:
        yield Spool(cast("IO[bytes]", file))
    finally:
        with suppress(OSError):  # what could not be written is written once more
            file.close()


def _no_room(error: OSError) -> StoreUnavailable:
    return StoreUnavailable(
        "store_full",
        message(
            "no_room_for_import",
            "What is imported is kept in {folder} while it is checked, and there is no room ({cause}). "
            "Nothing was imported; free some space there and try again.",
            folder=tempfile.gettempdir(),
            cause=error.strerror or str(error),
        ),
    )
