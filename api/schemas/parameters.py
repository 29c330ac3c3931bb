"""`POST /recommend/parameter`: a value for one setting of an image."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictFloat, StrictInt, StrictStr

from ...learning.parameters import LONGEST_NAME, ParameterName, ParameterRecommendation, Source, shown_value
from .base import Name, PartResponse, Prompt, RequestModel, ResponseModel, Share, parts_response

Value = Annotated[
    StrictInt
    | StrictFloat
    | Annotated[StrictStr, Field(max_length=LONGEST_NAME)]
    | Annotated[tuple[StrictInt, ...], Field(min_length=2, max_length=2)],
    Field(description='A size is a text such as "832x1216" or a pair such as [832, 1216].'),
]


class ParameterRequest(RequestModel):
    """A prompt and a parameter, with the value to use where nothing is known."""

    prompt: Prompt
    name: ParameterName
    default: Value
    checkpoint: Name | None = Field(default=None, description="The one that will draw the image; null: any.")
    negative: Prompt = Field(default="", description="The negative prompt; its keywords are learned apart.")


class ParameterValueResponse(ResponseModel):
    """One value, and what is known of it."""

    value: int | float | str
    score: float = Field(description="The policy's utility for this prompt; only differences say something.")
    share: Share = Field(description="The part of your next images that is expected to have it, by what you used.")
    used: int = Field(description="Images that used it, with the checkpoint if there are such images.")
    selected: int = Field(description="Images selected in comparisons that differ in this parameter alone.")
    total: int = Field(description="Images judged in such comparisons.")


class ParameterResponse(ResponseModel):
    name: ParameterName
    value: Value = Field(description="In the form of the default.")
    confidence: Share = Field(description="0: nothing is known, and the value is the default.")
    source: Source = Field(description="What decided: nothing, all your images, those of the checkpoint, or verdicts.")
    reason: str
    reason_parts: tuple[PartResponse, ...] = Field(description="The reason in parts, to translate it.")
    default: Value
    checkpoint: str | None
    values: tuple[ParameterValueResponse, ...] = Field(description="All that are known, best first, with the default.")
    worth_trying: int | float | str | None = Field(
        description="The value that another branch would show next to it; null where there is no other one."
    )


def parameter_response(recommendation: ParameterRecommendation) -> ParameterResponse:
    return ParameterResponse(
        name=recommendation.name,
        value=recommendation.value,  # type: ignore[arg-type]
        confidence=recommendation.confidence,
        source=recommendation.source,
        reason=recommendation.reason,
        reason_parts=parts_response(recommendation.reason),
        default=recommendation.default,  # type: ignore[arg-type]
        checkpoint=recommendation.checkpoint,
        values=tuple(ParameterValueResponse.model_validate(value) for value in recommendation.values),
        worth_trying=recommendation.worth_trying,
    )


def shown_given(value: object) -> str:
    """A value of a response as people read it."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else shown_value(value)  # type: ignore[arg-type]
