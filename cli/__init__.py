"""`context-checkpoint` on the command line."""

from .app import main

__all__ = ["main"]
