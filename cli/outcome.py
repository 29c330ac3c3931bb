"""How a command ends: with an outcome, or with an error that is the user's or ours.

Separate from the commands and the printing, which both need it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DONE, FAILED, WRONG_USE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a command: `value` for programs, `text` for people, and whether all is well."""

    value: Any
    text: str
    good: bool = True


class WrongUse(Exception):
    """The arguments are well-formed but make no sense together; the message says what to give instead."""


class CommandFailed(Exception):
    """The arguments are right, but the command cannot be done; the message says what to do next."""
