"""What all resources share: the two base classes, bounded field types, and the error envelope.

The models of this folder are the only description of the JSON that clients see: checks, the OpenAPI description and
the documentation come from them. Requests refuse unknown fields and bound every size before anything else reads
them; responses are built from the values of `learning` and hold no more than what is declared here. No rule of
learning lives here: whether a verdict fits its generation is for the service to say.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ...learning.message import parts_of

LONGEST_PROMPT = 400_000
"""Characters. People paste whole documents; a prompt of 100 kB is served, a novel is refused."""
MOST_CANDIDATES = 1_000
MOST_IMAGES = 10_000  # of one generation; a copy of the bound in `learning.service`
LONGEST_NOTE = 2_000  # characters; a copy of the bound in `learning.service`
MOST_ROWS = 500
LARGEST_SEED = 2**64 - 1  # ComfyUI's own bound


def printable_text(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise ValueError("must not contain control characters")
    return text


Prompt = Annotated[str, Field(max_length=LONGEST_PROMPT)]
Name = Annotated[str, Field(min_length=1, max_length=1_024), AfterValidator(printable_text)]
Identifier = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable_text)]
Globs = Annotated[str, Field(max_length=10_000)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9A-Za-z]{8,128}$", max_length=128)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, le=MOST_IMAGES)]
Position = Annotated[int, Field(ge=0, lt=1_000_000)]
Candidates = Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_CANDIDATES)]


class RequestModel(BaseModel):
    """What a client sends: a body, or a query string read as one."""

    # Built with the first request, so that loading the routes takes less time.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ResponseModel(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, defer_build=True)


class Nothing(RequestModel):
    """No fields: an empty query, or the body `{}`."""


class PartResponse(ResponseModel):
    """Part of an English text, with the key of its translations (`message_<key>` in `locales/`)."""

    text: str
    key: str = Field(default="", description="Stable; empty where there is nothing to translate, such as a name.")
    values: dict[str, Any] = Field(
        default_factory=dict, description="The values of the text's placeholders; a list holds parts again."
    )


def parts_response(text: str) -> tuple[PartResponse, ...]:
    return tuple(PartResponse.model_validate(part) for part in parts_of(text))


class ErrorBody(ResponseModel):
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="For people, in English: what to do next.")
    parts: tuple[PartResponse, ...] = Field(description="The message in parts, to translate it.")
    details: list[dict[str, Any]] = Field(description="One entry per refused field: `field` and `problem`.")


class ErrorResponse(ResponseModel):
    """Every response that is not a success."""

    error: ErrorBody
