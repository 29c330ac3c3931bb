"""The process-wide runtime: configure(), current(), reset()."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from pathlib import Path

from .data_directory import find_data_directory
from .runtime import Runtime
from .settings import Settings
from .users import UnknownUser, Users

DATABASE_VARIABLE = "CONTEXT_CHECKPOINT_DATABASE"


_guard = threading.Lock()
_current: Runtime | None = None
_people: Users | None = None
_whose: Callable[[], str] | None = None
_configured: tuple[Path | None, str | None] = (None, None)


def configure(data_directory: Path | None = None, database: str | None = None) -> None:
    """Say where the data lies, before or after the first use; what differs from before is closed and
    reopened.

    The environment variable CONTEXT_CHECKPOINT_DATABASE wins over the default file in `data_directory`, and
    `database` over both.
    """
    global _configured
    with _guard:
        if (data_directory, database) == _configured:
            return
        _configured = (data_directory, database)
    reset(keep_configuration=True)


def keep_apart(whose: Callable[[], str] | None) -> None:
    """Keep what each person teaches apart: `whose` names the person whom the caller acts for.

    It may raise `UnknownUser`, which is told where the data was asked for. None: all share it again.
    """
    global _whose
    _whose = whose


def current() -> Runtime:
    """The runtime of the person whom this request or prompt is of; the shared one where all share it.

    Raises
    ------
    UnknownPerson
        Where people are kept apart and this is nobody's.
    """
    global _people
    if _whose is None:
        return shared()
    person, all_of_them = _whose(), shared()
    with _guard:
        if _people is None:
            _people = Users(all_of_them.data_directory, all_of_them.beside)
        people = _people
    return people.of(person)


def current_settings() -> Settings:
    """The settings of the person whom this is of; the shared ones where it is nobody's."""
    try:
        return current().settings
    except UnknownUser:
        return shared().settings


def shared() -> Runtime:
    """What belongs to this ComfyUI and to nobody in particular, made on first use."""
    global _current
    with _guard:
        if _current is None:
            directory, database = _configured
            _current = Runtime(directory or find_data_directory(), database or os.environ.get(DATABASE_VARIABLE))
        return _current


def reset(*, keep_configuration: bool = False) -> None:
    """Close what `current()` made, so that it makes another."""
    global _current, _configured, _people, _whose
    with _guard:
        closing, _current = _current, None
        people, _people = _people, None
        if not keep_configuration:
            _configured = (None, None)
            _whose = None
    if people is not None:
        people.close()
    if closing is not None:
        closing.close()


atexit.register(reset)
