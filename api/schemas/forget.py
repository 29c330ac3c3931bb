"""`POST /forget`: a person takes something back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ...runtime.settings import MOST_DAYS
from .base import RequestModel, ResponseModel


class ForgetRequest(RequestModel):
    """Exactly one of these fields; what it names is gone for good."""

    generation_id: Annotated[str, Field(max_length=200)] | None = None
    keyword: Annotated[str, Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, description="As the statistics show it; the texts of prompts that had it go too."
    )
    older_than_days: Annotated[int, Field(ge=0, le=MOST_DAYS)] | None = None
    prompts: Literal[True] | None = Field(
        default=None, description="The texts of all prompts; what was learned of their keywords stays."
    )
    everything: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> ForgetRequest:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError(f"name one of: {', '.join(type(self).model_fields)}")
        return self


class ForgetResponse(ResponseModel):
    generations: int = Field(description="Generations that were forgotten, or had what was forgotten.")
    traces: tuple[str, ...] = Field(
        description="Files that may still hold traces, since other programs use them. Copies can be deleted by hand; "
        "the database is cleared when something is next forgotten."
    )
