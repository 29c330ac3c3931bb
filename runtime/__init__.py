"""The services of this process: where their data lies, their settings, the thread that they run in."""

from .data_directory import find_data_directory
from .process import DATABASE_VARIABLE, configure, current, current_settings, keep_apart, reset, shared
from .runtime import Runtime

__all__ = [
    "DATABASE_VARIABLE",
    "Runtime",
    "configure",
    "current",
    "current_settings",
    "find_data_directory",
    "keep_apart",
    "reset",
    "shared",
]
