"""The process-wide runtime: `configure`, `current`, `reset`.

Separate from `runtime`, which may exist several times, because all that is one per process stands here: where the data
lies, who is asking, and the runtimes that are open.
"""

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
_shared: Runtime | None = None
_users: Users | None = None
_current_user: Callable[[], str] | None = None
_configured: tuple[Path | None, str | None] = (None, None)


def configure(data_directory: Path | None = None, database: str | None = None) -> None:
    """Choose where the data lies, before or after the first use; what was open elsewhere is closed.

    The environment variable CONTEXT_CHECKPOINT_DATABASE wins over the default file in `data_directory`, and
    `database` over both.
    """
    global _configured
    with _guard:
        if (data_directory, database) == _configured:
            return
        _configured = (data_directory, database)
    reset(keep_configuration=True)


def keep_apart(current_user: Callable[[], str] | None) -> None:
    """Keep what each user teaches apart; None: all users share it again.

    Parameters
    ----------
    current_user
        Gives the user whom the caller acts for. It may raise `UnknownUser`, which reaches whoever asked for the data.
    """
    global _current_user
    _current_user = current_user


def current() -> Runtime:
    """The runtime of the user whom this request or prompt comes from; the shared one where all users share it.

    Raises
    ------
    UnknownUser
        Where users are kept apart and this comes from none of them.
    """
    global _users
    if _current_user is None:
        return shared()
    user, everybody = _current_user(), shared()
    with _guard:
        if _users is None:
            _users = Users(everybody.data_directory, everybody.sibling)
        users = _users
    return users.of(user)


def current_settings() -> Settings:
    """The settings of the user whom this comes from; the shared ones where it comes from none."""
    try:
        return current().settings
    except UnknownUser:
        return shared().settings


def shared() -> Runtime:
    """What belongs to this ComfyUI and to no single user, made on first use."""
    global _shared
    with _guard:
        if _shared is None:
            directory, database = _configured
            _shared = Runtime(directory or find_data_directory(), database or os.environ.get(DATABASE_VARIABLE))
        return _shared


def reset(*, keep_configuration: bool = False) -> None:
    """Close what is open; the next use opens it again."""
    global _shared, _configured, _users, _current_user
    with _guard:
        runtime, _shared = _shared, None
        users, _users = _users, None
        if not keep_configuration:
            _configured = (None, None)
            _current_user = None
    if users is not None:
        users.close()
    if runtime is not None:
        runtime.close()


atexit.register(reset)
