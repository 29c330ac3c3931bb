"""Whether a peer's package is installed; if not, the arena names it and plays without it."""

from __future__ import annotations

import importlib


def missing(package: str) -> str:
    """Why a package cannot be used, or nothing if it can."""
    try:
        importlib.import_module(package)
    except ImportError as error:
        return f"{package} ({error}): pip install -r benchmarks/arena/requirements.txt"
    return ""
