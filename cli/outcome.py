"""Taken out of `cli.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DONE, FAILED, WRONG_USE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command found out: for programs, for people, and whether all is well."""

    value: Any
    text: str
    good: bool = True


class WrongUse(Exception):
    """The arguments are well-formed but make no sense together; the message says what to give instead."""


class CommandFailed(Exception):
    """The command cannot do what it was rightly asked; the message says what to do next."""
