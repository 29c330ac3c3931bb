"""Why a file, or a part of it, could not be read: the value `Problem` and the error `Unreadable`.

Separate because containers, tools and the reading itself all report problems. The texts are English; `code` and
`values` are what a room above translates them by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Code = Literal[
    "not_found",  # there is no such file, or no longer
    "not_a_file",  # a folder, a pipe, a socket, a device
    "no_permission",
    "failed",  # the operating system could not read it
    "not_an_image",  # none of the formats that are read
    "cut_short",  # its end is missing
    "damaged",  # a part does not follow the format
    "too_large",  # a part is beyond the bounds of `limits`
    "no_metadata",  # it holds no text at all
    "in_pixels",  # it holds no text, and may hide one in its pixels
    "unknown_tool",  # it holds texts, but none of a tool that is known
    "unclear",  # a value of the recipe is computed or ambiguous
]


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read, why, and what to do.

    Parameters
    ----------
    message
        The English text, complete.
    values
        What was filled into it.
    """

    code: Code
    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message


class Unreadable(ValueError):
    """A file that says nothing of what made it; `code` and the message say why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem

    @property
    def code(self) -> Code:
        return self.problem.code


def problem(code: Code, template: str, **values: object) -> Problem:
    """A problem whose text is `template` filled with `values`."""
    return Problem(code, template.format(**values), values)
