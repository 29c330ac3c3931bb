"""`GET /backups`: the copies of the database file."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from .base import ResponseModel


class BackupEntry(ResponseModel):
    """One file."""

    name: str = Field(description="Its path from the database's folder.")
    kind: str = Field(
        description="daily, before-<revision> of a migration, replaced (in use when another file was put in its "
        "place), or damaged (quarantined: never restored)."
    )
    made_at: datetime
    generations: int | None = Field(description="Null where they cannot be read.")
    verdicts: int | None = Field(description="Earlier verdicts on a generation included; null as above.")
    problem: str = Field(description="What is broken in it; empty where it is sound.")


class BackupsResponse(ResponseModel):
    """In the order in which they would be restored."""

    backups: list[BackupEntry]
