"""`GET /pending` and `POST /pending/{id}`: runs that wait for a person's pick."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, model_validator

from .base import MOST_IMAGES, Position, RequestModel, ResponseModel
from .generations import ImageFileResponse


class PendingGenerationResponse(ResponseModel):
    """The images of one generation; the pick numbers them from `first` on."""

    generation_id: str
    first: int
    images: tuple[ImageFileResponse, ...]


class PickResponse(ResponseModel):
    """A run that waits, or waited, for a pick."""

    id: str
    node_id: str
    workflow_id: str = Field(description="The frontend's; empty for a prompt that a script queued.")
    prompt_id: str
    session_id: str
    waiting_since: datetime
    waits_until: datetime | None = Field(description="When it goes on by itself; null: never.")
    rounds: tuple[PendingGenerationResponse, ...]


class PendingResponse(ResponseModel):
    pending: tuple[PickResponse, ...] = Field(description="The longest waiting first.")


class AnswerPickRequest(RequestModel):
    """Numbers of images, counted from 0 over all generations of the pick."""

    selected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] = ()
    rejected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] = ()
    send_all: bool = Field(default=False, description="Send all images on, and judge none.")

    @model_validator(mode="after")
    def _verdict_or_send_all(self) -> AnswerPickRequest:
        verdict = bool(self.selected_images or self.rejected_images)
        if verdict == self.send_all:
            raise ValueError("give selected_images and rejected_images (one may be empty), or send_all, not both")
        return self
