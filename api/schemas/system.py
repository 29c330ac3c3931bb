"""Taken out of `schemas.py`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from .base import ResponseModel


class HealthResponse(ResponseModel):
    """That the database answers; where it does not, this route says so like any other, with status 503."""

    status: Literal["ok"] = "ok"
    version: str
    database: str = Field(description="Its path, or its address without the password.")
    generations: int
    judged: int
    put_aside: list[str] = Field(
        default=[], description="Files beside it that were found damaged, so that a copy took their place."
    )
    away: bool = Field(
        default=False,
        description="Whether a server is away: only the newest generations are known, verdicts wait on disk.",
    )
    kept_back: int = Field(
        default=0,
        description="Deprecated: always 0. Nothing that is older than retention_days is kept.",
        json_schema_extra={"deprecated": True},
    )
    host: dict[str, Any] | None = Field(description="What ComfyUI says of itself; null outside ComfyUI.")


class OpenApiResponse(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class ReleaseResponse(ResponseModel):
    """What was let go."""

    released: dict[str, Any]
