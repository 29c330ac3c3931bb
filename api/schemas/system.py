"""`GET /health`, `GET /openapi.json` and `POST /loaders/release`: the server itself."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from .base import ResponseModel


class HealthResponse(ResponseModel):
    """The database answers, or is a server that is away; otherwise this route is refused like any other (503)."""

    status: Literal["ok"] = "ok"
    version: str
    database: str = Field(description="Its path, or its address without the password.")
    generations: int | None = Field(description="null while the database server is away.")
    judged: int | None
    put_aside: list[str] = Field(
        default=[],
        description="Damaged files that were quarantined next to the database; a copy took their place.",
    )
    away: bool = Field(
        default=False,
        description="Whether the database server cannot be reached: nothing that was learned can be used, and verdicts "
        "wait on the disk of this machine.",
    )
    waiting: int = Field(
        default=0,
        description="Entries (generations, verdicts) that wait on the disk of this machine until the database can be "
        "written.",
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
