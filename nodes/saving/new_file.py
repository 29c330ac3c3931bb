"""Writes a file that was not there before, whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path


def write_new(folder: Path, name: str, ending: str, counter: int, content: bytes) -> tuple[str, int]:
    """Write `<name>_<counter>_.<ending>`, with the next free number if that one is taken.

    Returns the file's name and the number after its own. Nothing that exists is overwritten.

    Raises
    ------
    OSError
        If it cannot be written; what was written of it is gone again.
    """
    while True:
        path = folder / f"{name}_{counter:05}_.{ending}"
        counter += 1
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(content)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return path.name, counter
