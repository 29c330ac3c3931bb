"""Opens a file and reads parts of it: regular files only, within bounds, and every failure with its reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .limits import MOST_READ
from .problem import Problem, Unreadable, problem

_BLOCK = 2**16
_AHEAD = 256


class Source:
    """A file that is open: `read` gives parts of it, from memory where they are near one another.

    Parameters
    ----------
    size
        In bytes, when it was opened.
    modified_s
        When it was last written, in seconds since 1970 (UTC).
    """

    def __init__(self, file: BinaryIO, size: int, modified_s: float) -> None:
        self.size, self.modified_s = size, modified_s
        self._file = file
        self._start, self._block = 0, b""
        self._left = MOST_READ

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on.

        Raises
        ------
        Unreadable
            If the file ends before (`cut_short`), or too much of it has been read (`too_large`).
        """
        begin = offset - self._start
        if begin >= 0 and begin + length <= len(self._block):
            return self._block[begin : begin + length]
        if offset + length > self.size:
            raise cut_short()
        self._load(offset, max(length, _AHEAD if self._block else _BLOCK))
        if len(self._block) < length:
            raise cut_short()  # somebody is shortening it
        return self._block[:length]

    def _load(self, offset: int, length: int) -> None:
        length = min(length, self.size - offset)
        self._left -= length
        if self._left < 0:
            raise Unreadable(
                problem("too_large", "More than {most} bytes of metadata: it is not read.", most=MOST_READ)
            )
        self._start, self._block = offset, self._read_at(offset, length)

    def _read_at(self, offset: int, length: int) -> bytes:
        if hasattr(os, "pread"):  # one call to the system instead of two: a PNG has many chunks
            return os.pread(self._file.fileno(), length, offset)
        self._file.seek(offset)
        return self._file.read(length)


def cut_short() -> Unreadable:
    return Unreadable(
        problem("cut_short", "The end of the file is missing. Copy or download it again, or wait until it is written.")
    )


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a regular file to read it.

    Raises
    ------
    Unreadable
        If it is not there, is something else than a file, or may not or cannot be read.
    """
    try:
        _refuse_other_kinds(path.stat().st_mode)
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags)  # without waiting, if a pipe has taken its place
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            _refuse_other_kinds(status.st_mode)
            yield Source(file, status.st_size, status.st_mtime)
    except OSError as error:
        raise Unreadable(_system_problem(error)) from None
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(problem("not_found", "There is no file with this name.")) from None  # a NUL in the name


def _refuse_other_kinds(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    kind = kinds.get(stat.S_IFMT(mode), "a device")
    raise Unreadable(problem("not_a_file", "This is {kind}, not a file. Choose an image file.", kind=kind))


def _system_problem(error: OSError) -> Problem:
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return problem("not_found", "The file is not there, or no longer.")
    if isinstance(error, PermissionError):
        return problem("no_permission", "The file may not be read. Change its permissions, or leave it out.")
    reason = error.strerror or type(error).__name__
    return problem("failed", "The file cannot be read: {reason}.", reason=reason)
