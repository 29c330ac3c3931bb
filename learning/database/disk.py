"""What is in a database's place, and whether there is room for more: found out from the system, not from SQLite.

Separate from `driver_errors` and from the doctor, which both ask it, and needs the standard library alone. SQLite waits
for ever for a pipe, and of a full disk it may say that the file is read-only or that the disk fails.
"""

from __future__ import annotations

import stat
import tempfile
from pathlib import Path

_PROBE = bytes(64 * 1024)  # SQLite's log and its index take about as much at the first write

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def is_there(path: Path) -> bool:
    """Whether a file has this name.

    Raises
    ------
    OSError
        If something else has it, or the name leads nowhere (a loop of links).
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise OSError(f"not a regular file, but {_KINDS.get(stat.S_IFMT(mode), 'something else')}")
    return True


def problem_writing(folder: Path) -> OSError | None:
    """Write some bytes into a folder, which are gone at once; what went wrong, or None."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(_PROBE)
            file.flush()
    except OSError as error:
        return error
    return None
