"""`POST /feedback` and `GET /generations`: logged generations, and the verdicts on their images."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ...learning.prompts.written_negative import learned
from ...learning.values import Stage, Strategy
from .base import LONGEST_NOTE, MOST_IMAGES, MOST_ROWS, Count, Identifier, Name, Position, RequestModel, ResponseModel
from .recommend import KeywordResponse


class FeedbackRequest(RequestModel):
    """A verdict: counts per checkpoint (`selected`, `rejected`), or image positions (`..._images`).

    It replaces the generation's former verdict. Both empty withdraw it. Images that are not mentioned have
    no verdict and teach nothing.
    """

    generation_id: Identifier
    selected: Annotated[dict[Name, Count], Field(max_length=MOST_IMAGES)] | None = None
    rejected: Annotated[dict[Name, Count], Field(max_length=MOST_IMAGES)] | None = None
    selected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] | None = None
    rejected_images: Annotated[tuple[Position, ...], Field(max_length=MOST_IMAGES)] | None = None

    @model_validator(mode="after")
    def _counts_or_positions(self) -> FeedbackRequest:
        counts = self.selected is not None or self.rejected is not None
        positions = self.selected_images is not None or self.rejected_images is not None
        if counts and positions:
            raise ValueError(
                "give counts per checkpoint (selected, rejected) or image positions (selected_images, "
                "rejected_images), not both"
            )
        if not counts and not positions:
            raise ValueError(
                "give selected, rejected, selected_images or rejected_images; an empty one withdraws the verdict"
            )
        return self


class NoteRequest(RequestModel):
    """What the person says of a generation; an empty text takes it away."""

    generation_id: Identifier
    note: Annotated[str, Field(max_length=LONGEST_NOTE)]


class ImageFileResponse(ResponseModel):
    """Where `GET /view` of ComfyUI finds the image, and which checkpoint made it."""

    checkpoint: str
    filename: str
    subfolder: str
    type: str


class ImageResponse(ResponseModel):
    position: int
    verdict: Literal["selected", "rejected"] | None
    file: ImageFileResponse


class GenerationResponse(ResponseModel):
    id: str
    session_id: str
    prompt_id: str = Field(description="ComfyUI's id, as `POST /prompt` returned it; may be empty.")
    prompt: str
    stage: Stage
    policy: str
    strategy: Strategy
    confidence: float
    created_at: datetime
    judged_at: datetime | None
    keywords: Annotated[tuple[KeywordResponse, ...], BeforeValidator(learned)]
    images: tuple[ImageResponse, ...]
    note: str = Field(default="", description="What the person wrote about it.")
    waiting: bool = Field(
        default=False,
        description="Whether the newest verdict waits on the disk of this machine, because the database cannot be "
        "written now.",
    )


class GenerationsRequest(RequestModel):
    id: Identifier | None = None
    prompt_id: Identifier | None = None
    session_id: Identifier | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 50
    before: Identifier | None = Field(default=None, description="`next_before` of the page before this one.")
    judged: bool | None = Field(default=None, description="Only those with (true) or without (false) a verdict.")
    kept: bool | None = Field(
        default=None, description="Only those with (true) a selected image, or judged ones without (false)."
    )
    keyword: Annotated[str, Field(max_length=1_024)] | None = Field(
        default=None, description="Only those whose prompt had this keyword."
    )
    checkpoint: Name | None = Field(default=None, description="Only those with an image of this checkpoint.")
    search: Annotated[str, Field(min_length=1, max_length=1_024)] | None = Field(
        default=None, description="Only those whose prompt had this keyword, or whose note has this text."
    )

    @model_validator(mode="after")
    def _keyword_or_search(self) -> GenerationsRequest:
        if self.keyword is not None and self.search is not None:
            raise ValueError("give keyword or search, not both")
        return self


class GenerationsResponse(ResponseModel):
    """Newest first."""

    generations: tuple[GenerationResponse, ...]
    next_before: str | None = Field(description="The `before` of the next page; null: there is none.")
