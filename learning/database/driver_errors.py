"""What went wrong with the database, in words that say what to do.

Separate because SQLite and its drivers name the cause only in the text of the message (error codes came with
Python 3.11), and reading that text belongs in one place.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..errors import StoreUnavailable
from ..message import Message, joined, message
from ..names import shown_address
from .disk import problem_writing

_CAUSES: tuple[tuple[tuple[str, ...], str, Callable[[str], Message]], ...] = (
    (
        ("database is locked", "database table is locked"),
        "store_locked",
        lambda name: message(
            "store_locked",
            "Another program has kept {name} locked for too long. Close it, or wait, and try again.",
            name=name,
        ),
    ),
    (
        ("readonly database", "read-only", "permission denied"),
        "store_read_only",
        lambda name: message(
            "store_read_only",
            "{name} cannot be written. Let ComfyUI's user write the file and its folder, and try again.",
            name=name,
        ),
    ),
    (
        ("database or disk is full", "no space left", "disk quota exceeded", "file too large"),
        "store_full",
        lambda name: message(
            "store_full",
            "There is no space left for {name}. Free some space on its disk and try again.",
            name=name,
        ),
    ),
    (
        ("file is not a database", "malformed", "file is encrypted"),
        "store_damaged",
        lambda name: message(
            "store_damaged",
            "{name} is no database, or damaged. Move it away, or put a backup in its place, and restart.",
            name=name,
        ),
    ),
    (
        ("not a regular file", "symbolic link", "symlink loop", "file name too long", "null byte", "null character"),
        "store_unreachable",
        lambda name: message(
            "store_no_file",
            "{name} cannot be opened, for it is not a file. Move away what is there, or choose another place with "
            "CONTEXT_CHECKPOINT_DATABASE or --database.",
            name=name,
        ),
    ),
    (
        ("unable to open database file", "not a directory", "is a directory"),
        "store_unreachable",
        lambda name: message(
            "store_not_opened",
            "{name} cannot be opened. See that its folder exists and can be written, and try again.",
            name=name,
        ),
    ),
    (
        ("no such table", "no such column", "undefinedtable", "undefinedcolumn"),
        "store_damaged",
        lambda name: message(
            "store_tables_lacking",
            "{name} lacks tables that this pack made. Put a backup in its place, or move it away and restart.",
            name=name,
        ),
    ),
    (
        ("disk i/o error",),
        "store_unreachable",
        lambda name: message(
            "store_disk_fails",
            "The disk that holds {name} fails. Check the disk and its free space, and try again.",
            name=name,
        ),
    ),
)


_GONE = ("08", "57P")  # SQLSTATE: connection exceptions; the server shuts down or starts


def server_is_away(error: BaseException | None) -> bool:
    """Whether the connection to the server failed, not the statement."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return error.connection_invalidated or state.startswith(_GONE) or server_is_away(error.orig)
    return isinstance(error, (OSError, asyncio.TimeoutError, PoolTimeout, ConnectionError))


def to_store_error(error: BaseException, name: str, file: Path | None = None) -> StoreUnavailable:
    """Turn a driver's or the system's error into one that says what to do next.

    Where SQLite's own words leave the cause open, the folder of `file` is asked: whether it takes any bytes.
    """
    original = getattr(error, "orig", None) or error
    text = f"{type(error).__name__} {type(original).__name__} {original}".lower()
    for signs, code, explain in _CAUSES:
        if any(sign in text for sign in signs):
            problem = problem_writing(file.parent) if file and code == "store_unreachable" else None
            if problem is not None:
                return to_store_error(problem, name)
            unstored = message("nothing_stored", "Nothing of this was stored. ({cause})", cause=_words_of(original))
            return StoreUnavailable(
                code, joined([explain(shown_address(name)), unstored]), temporary=code != "store_damaged"
            )
    return unreachable(error, name)


def unreachable(error: BaseException, name: str) -> StoreUnavailable:
    return StoreUnavailable(
        "store_unreachable",
        message(
            "store_unreachable",
            "The database {name} cannot be used: {cause}. See that it runs and can be written, and try again.",
            name=shown_address(name),
            cause=_outage(error, name),
        ),
        temporary=server_is_away(error),
    )


def _words_of(error: BaseException) -> str:
    """The system's words without its number, or the error's own."""
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def _outage(error: BaseException, name: str) -> str:
    """Why a database cannot be used; of a server, without what a driver says of its own state."""
    if isinstance(error, PoolTimeout):
        return message("outage_busy", "too many requests wait for it")
    original = getattr(error, "orig", None) or error
    if "://" not in name:
        return _words_of(original)
    # SQLAlchemy puts the class of the driver's error before its text.
    original = original.__cause__ or original
    state = str(getattr(original, "sqlstate", None) or "")
    if isinstance(original, (TimeoutError, asyncio.TimeoutError)):
        return message("outage_silent", "the server does not answer")
    if isinstance(original, ConnectionRefusedError):
        return message("outage_refused", "no server runs there, or it refuses connections")
    if isinstance(original, socket.gaierror):
        return message("outage_name", "no machine has this name")
    if state.startswith("57P"):
        return message("outage_restarting", "the server is starting or shutting down")
    if state and not state.startswith("08"):
        return str(original).partition("\n")[0].rstrip(".")  # in the server's own words
    return message("outage_cut", "the server cannot be reached, or the connection to it was lost")


def newer(name: str, revision: str, *, known: str) -> StoreUnavailable:
    return StoreUnavailable(
        "store_newer",
        message(
            "store_newer",
            "{name} was written by a newer Context Checkpoint (schema {revision}, this one knows {known}). "
            "It is read but not changed: nothing of this was stored. Update the pack, or choose another "
            "database with CONTEXT_CHECKPOINT_DATABASE.",
            name=name,
            revision=revision,
            known=known,
        ),
    )
