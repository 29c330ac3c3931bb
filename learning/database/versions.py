"""Which state of a database file is seen: a value that changes with every commit, whoever makes it.

Separate from `database`, which runs transactions, because it needs a connection that runs none. It refuses to
speak for a server: asking one takes as long as reading what a recommendation needs.
"""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import TypeAlias

from .engines import address_of

Version: TypeAlias = int


class FileWatch:
    """A read-only connection to a SQLite file that asks for nothing but `PRAGMA data_version`.

    The answer comes from shared memory within microseconds, in the calling thread, and waits for no lock. The
    connection writes nothing itself, so the number changes with each commit, of this process or another.
    """

    _numbers = itertools.count()

    def __init__(self, file: Path) -> None:
        self._connection = sqlite3.connect(f"{address_of(file)}?mode=ro", uri=True, timeout=0.0)
        # Two files, or one opened twice, never have the same version.
        self._opened = next(self._numbers) << 32

    def version(self) -> Version | None:
        """The state that the next reader sees, or an older one; None where the file cannot tell."""
        try:
            (number,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            return None
        return self._opened + int(number)

    def close(self) -> None:
        self._connection.close()
