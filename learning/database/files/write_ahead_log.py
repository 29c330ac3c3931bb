"""The write-ahead log of an open database, and its index: whether somebody else deleted or overwrote them.

SQLite keeps what was committed in `-wal` until a checkpoint brings it into the database, and in `-shm`, which it
maps into memory, which frame of the log has which page. It checks neither of them while they are open: where a
name leads to another file, or the bytes have changed, it goes on, and what is committed from then on is lost.
Separate from `overwritten`, which watches the database itself, because here the index says what must be there
(https://www.sqlite.org/walformat.html).
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

from . import open_handles
from .open_handles import Identity, identity
from .replaced import sidecar_paths

_LOG_HEADER, _FRAME_HEADER = 32, 24
_INDEX_HEADER, _FRAMES_IN_FIRST_BLOCK, _FIRST_BLOCK = 136, 4062, 32_768
_WORD = 0xFFFFFFFF


class Checkpointed(NamedTuple):
    """How far checkpoints have come: only they write the database, and they change this."""

    salts: bytes
    done: int
    attempted: int


class _State(NamedTuple):
    """What the index says, and when the log was last written."""

    head: bytes
    twin: bytes
    frames: int
    page_size: int
    checkpointed: Checkpointed
    pages: bytes
    log_written: int
    log_size: int

    @property
    def log_needs(self) -> int:
        return _LOG_HEADER + self.frames * (_FRAME_HEADER + self.page_size)


class _Read(NamedTuple):
    """How much of a log has been read, and the CRC-32 of that."""

    salts: bytes = b""
    size: int = 0
    crc: int = 0


class Reading(NamedTuple):
    """A part of a log that is to be read, of which the beginning has been read before."""

    log: Path
    before: _Read
    size: int

    def sums(self) -> tuple[int, int]:
        """The CRC-32 of what was read before, and of all. It blocks, for about a millisecond. Raises `OSError`."""
        with self.log.open("rb") as file:
            first = zlib.crc32(file.read(self.before.size))
            return first, zlib.crc32(file.read(self.size - self.before.size), first)


class LogWatch:
    """Both files, as they were when the database was opened, and their state at the last `note`.

    For one thread. Make it once they are there; `close` it when no connection is open any more.
    """

    def __init__(self, database: Path) -> None:
        self._paths = sidecar_paths(database)
        self.identities: list[Identity | None] = [identity(path) for path in self._paths]
        self._handles = [open_handles.opened(path) for path in self._paths]
        self._noted = self._seen = self._state()
        self._read = _Read()

    def look(self) -> Literal["damaged", "doubtful", "sound"]:
        """Whether what was committed is surely no longer all there; `doubtful`: the log was written and nothing was
        committed, by somebody else, or by a process that was killed. Microseconds."""
        if [identity(path) for path in self._paths] != self.identities:
            return "damaged"
        before = self._noted
        for _ in range(3):
            now = self._seen = self._state()
            if now is None or before is None:
                return "sound"
            if not self._contradicts(now, before):
                is_written = now.head == before.head and now.log_written != before.log_written
                return "doubtful" if is_written else "sound"
            if now.head == self._index_header():  # else another process has written meanwhile
                break
        return "damaged"

    def note(self, *, seen: bool = False) -> None:
        """Remember the state: that of now, or the one that the last `look` has `seen`."""
        self._noted = self._seen if seen else self._state()

    def may_have_been_checkpointed(self) -> bool:
        """Whether SQLite may have written the database between the last `note` and the last `look`."""
        now, before = self._seen, self._noted
        if now is None or before is None or now.checkpointed != before.checkpointed:
            return True
        return now.checkpointed.done != now.checkpointed.attempted  # somebody is at it

    def to_read(self) -> Reading | None:
        """What to read of the log for `is_unchanged`; None where nothing can be."""
        state = self._state()
        if state is None:
            return None
        salts = state.checkpointed.salts
        before = self._read if self._read.salts == salts else _Read(salts)
        return Reading(self._paths[0], before, max(state.log_needs, before.size))

    def is_unchanged(self, reading: Reading, sums: tuple[int, int]) -> bool:
        """Whether what was in the log at the last reading is still there as it was.

        `look` takes what changes during a commit for the commit's own work. But only the end of the log may change,
        until all of it has been brought into the database.

        Parameters
        ----------
        sums
            `reading.sums()`, which may be computed in another thread.
        """
        state = self._state()
        if state is None or state.checkpointed.salts != reading.before.salts:
            return True  # it was begun anew meanwhile
        if sums[0] != reading.before.crc:
            return False
        self._read = _Read(reading.before.salts, reading.size, sums[1])
        return True

    def is_whole(self) -> bool:
        """Whether every frame that was committed has the checksum that it had; it reads the whole log."""
        state = self._state()
        if state is None or not state.frames:
            return True
        with self._paths[0].open("rb") as log:
            header = log.read(_LOG_HEADER)
            order = ">" if header[3:4] == b"\x83" else "<"
            sums = _checksum(header[:24], (0, 0), order)
            if struct.unpack(">II", header[24:]) != sums:
                return False
            for _ in range(state.frames):
                frame = log.read(_FRAME_HEADER + state.page_size)
                if len(frame) < _FRAME_HEADER + state.page_size:
                    return False
                sums = _checksum(frame[_FRAME_HEADER:], _checksum(frame[:8], sums, order), order)
                if struct.unpack(">II", frame[16:24]) != sums:
                    return False
        return True

    def close(self) -> None:
        for handle in filter(None, self._handles):
            handle.close()
        self._handles = [None, None]

    def _contradicts(self, now: _State, before: _State) -> bool:
        if now.head != now.twin:
            return True
        if now.frames and not self._has_last_frame(now):
            return True
        if now.checkpointed.salts != before.checkpointed.salts:
            return False  # it was begun anew: all of it is in the database
        pages = 4 * min(before.frames, _FRAMES_IN_FIRST_BLOCK)
        if now.frames == before.frames:
            pages = len(before.pages)
        return now.frames < before.frames or now.pages[:pages] != before.pages[:pages]

    def _has_last_frame(self, state: _State) -> bool:
        log = self._handles[0]
        assert log  # noqa: S101 - for mypy: there is a state
        frame_size = _FRAME_HEADER + state.page_size
        if state.log_size < state.log_needs:
            return False
        last = log.read(_LOG_HEADER + (state.frames - 1) * frame_size, _FRAME_HEADER)
        sums = struct.pack(">II", *struct.unpack("=II", state.head[24:32]))
        salts = state.checkpointed.salts
        return log.read(16, 8) == salts and last[8:16] == salts and last[16:24] == sums

    def _index_header(self) -> bytes:
        index = self._handles[1]
        return index.read(0, 48) if index else b""

    def _state(self) -> _State | None:
        """None where it cannot be read, as where the file system has no shared memory."""
        log, index = self._handles
        if log is None or index is None:
            return None
        try:
            # SQLite's locks are on the bytes between, which other systems than Linux may then refuse to read.
            header, rest = index.read(0, 120), index.read(128, _FIRST_BLOCK - 128)
            status = log.status()
        except OSError:
            return None
        if len(header) < 120 or not rest:
            return None
        page_size, frames = struct.unpack("=HI", header[14:20])
        (done,) = struct.unpack("=I", header[96:100])
        (attempted,) = struct.unpack("=I", rest[:4])
        return _State(
            head=header[:48],
            twin=header[48:96],
            frames=frames,
            page_size=65_536 if page_size == 1 else page_size,
            checkpointed=Checkpointed(header[32:40], done, attempted),
            pages=rest[_INDEX_HEADER - 128 :],
            log_written=status.st_mtime_ns,
            log_size=status.st_size,
        )


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    """SQLite's, of whole pairs of words; https://www.sqlite.org/fileformat2.html#checksum_algorithm."""
    first, second = sums
    for one, other in struct.iter_unpack(f"{order}II", data):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second
