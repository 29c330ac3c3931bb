"""Computes the SHA-256 of checkpoint files and remembers it. A file of 7 GB takes about a minute on a disk.

Nothing calls this unless a person asks for it. What is known is kept by path, size and modification time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

_BLOCK_BYTES = 8 * 2**20


class ComputedHashes:
    """Hashes that were computed on this machine.

    Parameters
    ----------
    store
        A JSON file. One that cannot be read or written is no failure: the files are hashed again.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[str, list[object]] | None = None

    def known(self, path: Path) -> str | None:
        """The hash of a file that has not changed since it was computed."""
        entry = self._read().get(str(path))
        try:
            status = path.stat()
        except OSError:
            return None
        if entry is None or entry[:2] != [status.st_size, status.st_mtime_ns]:
            return None
        return str(entry[2])

    def compute(self, paths: Sequence[Path], on_progress: Callable[[int, int], None]) -> list[tuple[Path, OSError]]:
        """Hash files; those that cannot be read come back. Each is remembered at once.

        Parameters
        ----------
        on_progress
            Called with the bytes done, and of how many, after each 8 MB; raises where the computation is to end.
        """
        sizes = {path: _size(path) for path in paths}
        done, failed = 0, []
        for path in paths:
            try:
                status = path.stat()
                digest = hashlib.sha256()
                with path.open("rb") as file:
                    while block := file.read(_BLOCK_BYTES):
                        digest.update(block)
                        done += len(block)
                        on_progress(done, sum(sizes.values()))
            except OSError as error:
                failed.append((path, error))
                continue
            self._read()[str(path)] = [status.st_size, status.st_mtime_ns, digest.hexdigest()]
            self._write()
        return failed

    def _read(self) -> dict[str, list[object]]:
        if self._known is None:
            self._known = {}
            try:
                content = json.loads(self._store.read_text("utf-8"))
                self._known = {
                    path: entry for path, entry in content.items() if isinstance(entry, list) and len(entry) == 3
                }
            except FileNotFoundError:
                pass
            except (OSError, ValueError, AttributeError, RecursionError) as error:
                log.warning("Cannot read %s, so checkpoints are hashed again: %s", self._store, error)
        return self._known

    def _write(self) -> None:
        unfinished = self._store.with_name(f"{self._store.name}.{os.getpid()}.new")
        try:
            self._store.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_text(json.dumps(self._read(), indent=1), "ascii")  # a name may be no valid UTF-8
            unfinished.replace(self._store)
        except OSError as error:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            log.warning("Cannot write %s, so checkpoints are hashed again next time: %s", self._store, error)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
