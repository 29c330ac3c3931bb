"""`POST /share`, and `GET`, `POST` and `DELETE /adopt`: what goes to other people, and what came from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from ...learning.exchange.private_sums import DEFAULT_EPSILON, LEAST_EPSILON, MOST_EPSILON
from ...learning.exchange.share_format import SharedFile
from .base import Identifier, RequestModel, ResponseModel

Weight = Annotated[float, Field(ge=0.0, le=10.0)]


class ShareRequest(RequestModel):
    epsilon: Annotated[float, Field(ge=float(LEAST_EPSILON), le=float(MOST_EPSILON))] = Field(
        default=DEFAULT_EPSILON, description="How much one judged generation may show; the smaller, the more noise."
    )


class ShareResponse(ResponseModel):
    file: SharedFile = Field(description="What a file for others contains (docs/sharing.md).")


class AdoptRequest(RequestModel):
    name: Identifier = Field(description="To list and remove it by; what has this name already is replaced.")
    file: SharedFile | None = Field(default=None, description="null: what has this name gets another weight.")
    weight: Weight = Field(default=1.0, description="How much it counts.")


class AdoptedPriorResponse(ResponseModel):
    name: str
    created_at: datetime
    weight: float
    epsilon: float | None = Field(description="The promise that its noise keeps; null: it has no noise.")
    words: int = Field(description="How many it speaks of.")
    checkpoints: int = Field(description="How many it speaks of.")
    known_checkpoints: int = Field(description="Of them, known here.")
    agreement: float = Field(description="How far it has predicted the verdicts given here, in 0..1.")


class AdoptedResponse(ResponseModel):
    adopted: tuple[AdoptedPriorResponse, ...] = Field(description="Oldest first.")
