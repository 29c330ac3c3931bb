"""Taken out of `schemas.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ...runtime.settings import MOST_BACKUPS, MOST_DAYS, MOST_HALF_LIFE, MOST_KEPT_LOADERS, MOST_NAMES
from .base import Name, RequestModel, ResponseModel, Share

# --- settings, loaders, health


class SettingsRequest(RequestModel):
    """The settings to change; those not named stay."""

    policy: Annotated[str, Field(max_length=100)] | None = None
    exploit_threshold: Share | None = None
    explore_threshold: Share | None = None
    kept_loaders: Annotated[int, Field(ge=0, le=MOST_KEPT_LOADERS)] | None = None
    kept_loaders_memory_share: Share | None = None
    half_life: Annotated[int, Field(ge=0, le=MOST_HALF_LIFE)] | None = None
    backups_kept: Annotated[int, Field(ge=0, le=MOST_BACKUPS)] | None = None
    keep_prompts: bool | None = None
    retention_days: Annotated[int, Field(ge=0, le=MOST_DAYS)] | None = None
    pinned: tuple[Name, ...] | None = Field(default=None, max_length=MOST_NAMES)
    banned: tuple[Name, ...] | None = Field(default=None, max_length=MOST_NAMES)

    def changes(self) -> Mapping[str, Any]:
        """Only what the client named; null is no value of any setting and counts as not named."""
        return self.model_dump(exclude_none=True)


class SettingsResponse(ResponseModel):
    policy: str
    exploit_threshold: float
    explore_threshold: float
    kept_loaders: int
    kept_loaders_memory_share: float
    half_life: int = Field(description="So many further verdicts of its kind halve a verdict; 0: never.")
    backups_kept: int
    keep_prompts: bool = Field(description="false: prompts' texts are not stored, only their keywords.")
    retention_days: int = Field(description="After so many days a generation is forgotten; 0: never.")
    pinned: tuple[str, ...] = Field(description="Checkpoints that are shown, whatever was learned.")
    banned: tuple[str, ...] = Field(description="Checkpoints that are never candidates.")
