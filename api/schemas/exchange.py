"""`GET /export` and `POST /import`: what accompanies the lines of a log.

The lines themselves are checked by `learning.exchange`, which the command line and Python share.
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
    """The query that goes with the lines, which are the body."""

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
    generations: int = Field(description="Generations in the file.")
    added: int = Field(description="Of them, new here.")
    verdicts_replaced: int = Field(description="Verdicts that a newer one in the file replaced.")


def renamings(entries: Sequence[str]) -> dict[str, str]:
    """Read OLD=NEW entries. A name may contain `=`: the last one divides.

    Raises
    ------
    ValueError
        If one has no `=`, or nothing on one side of it.
    """
    names = {}
    for entry in entries:
        old, _, new = entry.rpartition("=")
        if not old or not new:
            raise ValueError(f"{entry!r} is not OLD=NEW, for example old.safetensors=new.safetensors.")
        names[old] = new
    return names
