"""`GET /checkpoints`: each checkpoint as the file that ComfyUI has, joined with what was learned of it.

Separate from `statistics.py` because it needs the files too; without ComfyUI there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from ...checkpoints.patterns import printable
from ...checkpoints.pool import CheckpointFile
from ...learning.names import stored_name
from ...learning.recommendation.pins import Curation
from ...learning.reports import CheckpointRow
from .base import PartResponse, ResponseModel, parts_response

Choice = Literal["pinned", "banned"]


class CheckpointResponse(ResponseModel):
    """One checkpoint: as the file that ComfyUI has, and as what was learned of it."""

    checkpoint: str
    state: Literal["here", "broken", "missing"] | None = Field(description="null outside ComfyUI.")
    problem: str = Field(description="Why it cannot be loaded, where it is broken; in English.")
    problem_parts: tuple[PartResponse, ...] = Field(description="The problem in parts, to translate it.")
    family: str | None = Field(description="From the file's header; null where there is no file to read.")
    choice: Choice | None = Field(description="What a person chose for it, whatever was learned.")
    shown: int = Field(description="Images it has made, judged or not.")
    selected: float = Field(description="Images kept.")
    total: float = Field(description="Images judged.")
    rounds: float = Field(description="Judged comparisons with another checkpoint.")


class CheckpointsResponse(ResponseModel):
    checkpoints: tuple[CheckpointResponse, ...] = Field(description="Most evidence first.")


def checkpoints_response(
    judged: Sequence[CheckpointRow],
    shown: Mapping[str, int],
    files: Sequence[CheckpointFile] | None,
    curation: Curation,
) -> CheckpointsResponse:
    """Join what was learned with the files there are; `files` is None where nobody knows them."""
    choices = _choices(curation)
    learned = {row.checkpoint: row for row in judged}
    here = {stored_name(file.name): file for file in files or ()}
    names = dict.fromkeys([*learned, *shown, *here, *choices])
    rows = [
        _checkpoint(name, learned.get(name), shown.get(name, 0), here.get(name), choices.get(name)) for name in names
    ]
    if files is not None:
        rows = [row if row.state else row.model_copy(update={"state": "missing"}) for row in rows]
    return CheckpointsResponse(checkpoints=tuple(rows))


def _choices(curation: Curation) -> dict[str, Choice]:
    pinned: dict[str, Choice] = {stored_name(name): "pinned" for name in curation.pinned}
    return {**pinned, **{stored_name(name): "banned" for name in curation.banned}}


def _checkpoint(
    name: str,
    learned: CheckpointRow | None,
    shown: int,
    file: CheckpointFile | None,
    choice: Choice | None,
) -> CheckpointResponse:
    state: Literal["here", "broken"] = "broken" if file and file.broken else "here"
    return CheckpointResponse(
        checkpoint=printable(file.name) if file else name,
        state=state if file else None,
        problem=file.broken if file else "",
        problem_parts=parts_response(file.broken if file else ""),
        family=file.family if file else None,
        choice=choice,
        shown=shown,
        selected=learned.selected if learned else 0.0,
        total=learned.total if learned else 0.0,
        rounds=learned.rounds if learned else 0.0,
    )
