"""`GET /health`, `GET /openapi.json` and `POST /loaders/release`: the server itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from .base import ResponseModel


class HealthResponse(ResponseModel):
    """The database answers; where it does not, this route is refused like any other, with status 503."""

    status: Literal["ok"] = "ok"
    version: str
    database: str = Field(description="Its path, or its address without the password.")
    generations: int
    judged: int
    put_aside: list[str] = Field(
        default=[],
        description="Damaged files that were quarantined next to the database; a copy took their place.",
    )
    away: bool = Field(
        default=False,
        description="Whether the database server cannot be reached: only the newest generations are known, and "
        "verdicts wait on disk.",
    )
    kept_back: int = Field(
        default=0,
        description="Deprecated: always 0. Nothing that is older than retention_days is kept.",
        json_schema_extra={"deprecated": True},
    )
    host: dict[str, Any] | None = Field(description="Versions and counts of ComfyUI; null outside ComfyUI.")


class OpenApiResponse(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class ReleaseResponse(ResponseModel):
    """The checkpoints that were released."""

    released: dict[str, Any]
