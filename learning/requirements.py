"""The one message for a required package that is missing, too old or broken.

Separate from the code that needs the packages, because it must load without any of them: the routes, the command line
and the runtime ask it what to say about an `ImportError`, whenever that comes. It refuses to judge errors about
modules of this pack: those are bugs, or an incomplete copy of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from .errors import StoreUnavailable
from .message import message

_FILE = Path(__file__).absolute().parents[1] / "requirements.txt"
_PACK = __name__.removesuffix(".learning.requirements")
_ELSEWHERE = {
    "asyncpg": "context-checkpoint[postgres]",
    "aiohttp": "context-checkpoint[serve]",
    "numpy": "numpy",
}
"""What to install for packages that `requirements.txt` does not bring."""


def missing_requirement(error: ImportError) -> StoreUnavailable | None:
    """What to tell people about an import that failed; None where a module of this pack could not be imported."""
    root = next((each for each in _causes(error) if each.name), error)
    name = root.name or _named_in(str(root))
    if f"{name}.".startswith(f"{_PACK}."):
        return None
    package = name.partition(".")[0]
    is_missing = isinstance(root, ModuleNotFoundError) and package == name
    if package and (is_missing or not _is_there(package)):
        text = message(
            "package_missing",
            "The Python package '{name}' is not installed. Run: python -m pip install {what} with the Python that runs "
            "ComfyUI.",
            name=package,
            what=_what_to_install(package),
        )
    else:
        text = message(
            "package_unusable",
            "The Python package '{name}' cannot be used ({cause}). Run: python -m pip install --force-reinstall {what} "
            "with the Python that runs ComfyUI.",
            name=package or "?",
            cause=str(root),
            what=_what_to_install(package),
        )
    return StoreUnavailable("store_driver_missing", text)


def _causes(error: BaseException | None) -> Iterator[ImportError]:
    while error is not None:
        if isinstance(error, ImportError):
            yield error
        error = error.__cause__ or error.__context__


def _named_in(text: str) -> str:
    """The package that an error without a name speaks of: SQLAlchemy remembers that greenlet is missing, not why."""
    quoted = re.search(r"'(\w+)'", text)
    return quoted[1] if quoted else ""


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def _what_to_install(package: str) -> str:
    """The arguments for pip: a folder in `custom_nodes` has the file, an installed package knows what it requires."""
    if package in _ELSEWHERE:
        return f'"{_ELSEWHERE[package]}"'
    return f'-r "{_FILE}"' if _FILE.is_file() else "context-checkpoint"
