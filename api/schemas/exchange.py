"""What goes in and out over HTTP where a whole log is exported or imported.

Separate from `schemas.py` because here the lines themselves are checked by `learning.portable`, which the
command line and Python share: these models describe only what stands around them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, RootModel

from .base import MOST_CANDIDATES, RequestModel, ResponseModel


class JsonLines(RootModel[str]):
    """One JSON object per line, the first of them a header; docs/data.md describes both."""


class ExportRequest(RequestModel):
    anonymous: bool = Field(default=False, description="true: without prompts, names of images, sessions and seeds.")


class ImportRequest(RequestModel):
    """Beside the lines, which are the body."""

    map: Annotated[tuple[Annotated[str, Field(max_length=2_049)], ...], Field(max_length=MOST_CANDIDATES)] = Field(
        default=(), description="OLD=NEW: another name for a checkpoint; may be repeated."
    )

    def names(self) -> dict[str, str]:
        """The new names by the old ones.

        Raises
        ------
        ValueError
            If one is not OLD=NEW.
        """
        return renamings(self.map)


class ImportResponse(ResponseModel):
    generations: int = Field(description="In the file.")
    added: int = Field(description="Of them not known here before.")
    verdicts_replaced: int = Field(description="By newer ones in the file.")


def renamings(given: Sequence[str]) -> dict[str, str]:
    """Read OLD=NEW entries, of which names may hold further `=`: the last one divides.

    Raises
    ------
    ValueError
        If one has no `=`, or nothing on one side of it.
    """
    names = {}
    for entry in given:
        old, _, new = entry.rpartition("=")
        if not old or not new:
            raise ValueError(f"{entry!r} is not OLD=NEW, for example old.safetensors=new.safetensors.")
        names[old] = new
    return names
