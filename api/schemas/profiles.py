"""`/profiles`: the settings of each checkpoint, where each of them comes from, and what a person sets.

Also the branches of a recommendation, which have the same shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ...checkpoints.profiles import SamplerNames
from ...learning.profiles import Profile
from ...learning.values import Branch
from ...recipes.settings import LIMITS, LONGEST_NAME, LONGEST_WORDS, Settings
from .base import Name, PartResponse, RequestModel, ResponseModel, parts_response

_Text = Annotated[str, Field(max_length=LONGEST_NAME)]
_Words = Annotated[str, Field(max_length=LONGEST_WORDS)]


def _whole(name: str) -> Any:
    least, most = LIMITS[name]
    return Annotated[int, Field(ge=int(least), le=int(most))]


class ProfileValues(RequestModel):
    """Settings of a checkpoint. null takes one back."""

    steps: _whole("steps") | None = None  # type: ignore[valid-type]
    cfg: Annotated[float, Field(ge=LIMITS["cfg"][0], le=LIMITS["cfg"][1])] | None = None
    sampler: _Text | None = Field(default=None, description="ComfyUI's name, or A1111's: `DPM++ 2M Karras`.")
    scheduler: _Text | None = None
    width: _whole("width") | None = Field(default=None, description="Only together with height.")  # type: ignore[valid-type]
    height: _whole("height") | None = None  # type: ignore[valid-type]
    clip_skip: _whole("clip_skip") | None = Field(  # type: ignore[valid-type]
        default=None, description="2 is the last layer but one of the text encoder; 1 is what the model does by itself."
    )
    before: _Words | None = Field(default=None, description="Words that are put before the prompt.")
    after: _Words | None = Field(default=None, description="Words that are put after the prompt.")
    negative: _Words | None = Field(default=None, description="Words that are added to the negative prompt.")


class ProfilesRequest(RequestModel):
    checkpoint: Name | None = Field(default=None, description="Only this one; else all that are there or were set.")


class ProfileRequest(RequestModel):
    """What a person sets for one checkpoint; what is not named stays."""

    checkpoint: Name
    settings: ProfileValues = ProfileValues()
    clear: bool = Field(default=False, description="Take back first all that was set.")

    def values(self) -> Mapping[str, Any]:
        """What the client named; None takes a value back, and so does a text without a letter."""
        named = self.settings.model_dump(exclude_unset=True)
        return {name: None if isinstance(value, str) and not value.strip() else value for name, value in named.items()}


class SettingsOfCheckpoint(ResponseModel):
    """Those that are known; null: they are not."""

    steps: int | None
    cfg: float | None
    sampler: str | None
    scheduler: str | None
    width: int | None
    height: int | None
    clip_skip: int | None
    before: str | None
    after: str | None
    negative: str | None


class BranchResponse(ResponseModel):
    """A checkpoint and its settings, each with its source."""

    checkpoint: str
    settings: SettingsOfCheckpoint
    sources: dict[str, str] = Field(description="Where each known setting comes from, by its name; in English.")
    source_parts: dict[str, tuple[PartResponse, ...]] = Field(description="The same in parts, to translate it.")
    problems: tuple[str, ...] = Field(description="What could not be used; in English.")
    problem_parts: tuple[tuple[PartResponse, ...], ...] = Field(description="The same in parts, to translate it.")


class ProfileResponse(BranchResponse):
    set: SettingsOfCheckpoint = Field(description="What the person set.")


class ProfilesResponse(ResponseModel):
    profiles: tuple[ProfileResponse, ...]
    samplers: tuple[str, ...] = Field(description="What KSampler can choose from; of ComfyUI itself, outside of it.")
    schedulers: tuple[str, ...]


def branch_response(branch: Branch) -> BranchResponse:
    return BranchResponse(checkpoint=branch.checkpoint, **_told(branch.settings, branch.sources, branch.problems))


def profile_response(checkpoint: str, profile: Profile, by_person: Settings) -> ProfileResponse:
    told = _told(profile.settings, profile.sources, profile.problems)
    return ProfileResponse(checkpoint=checkpoint, set=SettingsOfCheckpoint.model_validate(by_person), **told)


def profiles_response(profiles: tuple[ProfileResponse, ...], names: SamplerNames) -> ProfilesResponse:
    return ProfilesResponse(profiles=profiles, samplers=tuple(names.samplers), schedulers=tuple(names.schedulers))


def _told(settings: Settings, sources: Mapping[str, str], problems: tuple[str, ...]) -> dict[str, Any]:
    return {
        "settings": SettingsOfCheckpoint.model_validate(settings),
        "sources": dict(sources),
        "source_parts": {name: parts_response(source) for name, source in sources.items()},
        "problems": problems,
        "problem_parts": tuple(map(parts_response, problems)),
    }
