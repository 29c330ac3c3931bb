"""The settings over HTTP.

The fields are made from `runtime.settings.DEFINITIONS`, so that a new setting needs no line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, create_model

from ...runtime.settings import DEFINITIONS, Definition
from .base import Name, RequestModel, ResponseModel


class SettingsChanges(RequestModel):
    """The settings to change; those not named stay."""

    def changes(self) -> Mapping[str, Any]:
        """Only what the client named; null is no value of any setting and counts as not named."""
        return self.model_dump(exclude_none=True)


class SettingsValues(ResponseModel):
    """All settings, as they are now."""


def _in_a_request(definition: Definition) -> Any:
    """The type of a setting that a client sends; whether a policy exists is for `Settings` to say."""
    if definition.type is tuple:
        return Annotated[tuple[Name, ...], Field(max_length=int(definition.maximum))]
    if definition.type is str:
        return Annotated[str, Field(max_length=100)]
    if definition.type is bool:
        return bool
    return Annotated[definition.type, Field(ge=definition.minimum, le=definition.maximum)]


def _in_a_response(definition: Definition) -> Any:
    return tuple[str, ...] if definition.type is tuple else definition.type


def _description(definition: Definition) -> str:
    return f"{definition.help} Unit: {definition.unit}." if definition.unit else definition.help


def _fields(made_of: Callable[[Definition], tuple[Any, Any]]) -> dict[str, Any]:
    """Type and default of each setting's field, as `create_model` takes them."""
    fields: dict[str, Any] = {}
    for definition in DEFINITIONS:
        kind, default = made_of(definition)
        fields[definition.name] = (kind, Field(default=default, description=_description(definition)))
    return fields


SettingsRequest = create_model(
    "SettingsRequest",
    __base__=SettingsChanges,
    **_fields(lambda definition: (_in_a_request(definition) | None, None)),
)
SettingsRequest.__doc__ = SettingsChanges.__doc__

SettingsResponse = create_model(
    "SettingsResponse",
    __base__=SettingsValues,
    **_fields(lambda definition: (_in_a_response(definition), ...)),
)
SettingsResponse.__doc__ = SettingsValues.__doc__
