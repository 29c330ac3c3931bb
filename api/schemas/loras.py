"""`POST /recommend/loras`: which LoRAs to use for a prompt."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ...learning.loras import MOST_RECOMMENDED, LoraCandidate, LoraRecommendation
from .base import Globs, Name, PartResponse, Prompt, RequestModel, ResponseModel, Share, parts_response

MOST_AVAILABLE = 5_000
_Text = Annotated[str, Field(max_length=1_024)]
_Strength = Annotated[float, Field(ge=-100.0, le=100.0)]


class LoraFileRequest(RequestModel):
    """A LoRA, and what its file says of it."""

    name: Name
    trigger_words: Annotated[tuple[_Text, ...], Field(max_length=100)] = ()
    tags: Annotated[dict[_Text, Annotated[float, Field(ge=0.0, le=1e9)]], Field(max_length=1_000)] = Field(
        default_factory=dict, description="How often each tag stood in the captions that it was trained on."
    )
    strength: _Strength | None = Field(default=None, description="The one that its author recommends.")


class LorasRequest(RequestModel):
    """A prompt, and the LoRAs that can be used for it: named as `available`, or by globs.

    Without `available`, this ComfyUI's own that fit the checkpoint are meant; only ComfyUI can answer that.
    """

    prompt: Prompt
    available: Annotated[tuple[Name | LoraFileRequest, ...], Field(max_length=MOST_AVAILABLE)] | None = Field(
        default=None, description="Those that fit the checkpoint: names, or with them what their files say."
    )
    include: Globs = Field(default="", description="Of this ComfyUI's LoRAs only these.")
    exclude: Globs = Field(default="", description="Of this ComfyUI's LoRAs not these.")
    checkpoint: Name | None = Field(default=None, description="The one that will draw the image; null: any.")
    negative: Prompt = Field(default="", description="The negative prompt; its keywords are learned apart.")
    most: Annotated[int, Field(ge=0, le=MOST_RECOMMENDED)] = Field(default=2, description="How many at most.")

    @model_validator(mode="after")
    def _available_or_globs(self) -> LorasRequest:
        if self.available is not None and (self.include or self.exclude):
            raise ValueError("give available, or include and exclude, not both")
        return self

    @property
    def files(self) -> list[str | LoraCandidate] | None:
        if self.available is None:
            return None
        return [
            each if isinstance(each, str) else LoraCandidate(each.name, each.trigger_words, each.tags, each.strength)
            for each in self.available
        ]


class RecommendedLoraResponse(ResponseModel):
    """One recommended LoRA."""

    name: str
    strength: float
    reason: str
    reason_parts: tuple[PartResponse, ...] = Field(description="The reason in parts, to translate it.")


class KnownLoraResponse(ResponseModel):
    """One LoRA, and what is known of it for this prompt."""

    name: str
    strength: float
    score: float = Field(description="The utility of an image with it, against the same image without.")
    share: Share = Field(description="The part of your next images of such prompts that is expected to have it.")
    confidence: Share = Field(description="How sure it is that it makes such an image better.")
    used: int = Field(description="Images that used it.")
    selected: int = Field(description="Images with it selected in comparisons of images that differ in LoRAs.")
    total: int = Field(description="Images with it judged in such comparisons.")
    reason: str
    reason_parts: tuple[PartResponse, ...] = Field(description="The reason in parts, to translate it.")


class LorasResponse(ResponseModel):
    loras: tuple[RecommendedLoraResponse, ...] = Field(description="Best first; empty: none is better than none.")
    confidence: Share = Field(description="Of the first; 0 where none is recommended.")
    reason: str = Field(description="Of the first; where none is recommended, why.")
    reason_parts: tuple[PartResponse, ...] = Field(description="The reason in parts, to translate it.")
    ranking: tuple[KnownLoraResponse, ...] = Field(description="All of which something is known, best first.")
    worth_trying: str | None = Field(
        description="One to ask about: of two otherwise equal images one would have it and one not. Null: none."
    )


def loras_response(recommendation: LoraRecommendation) -> LorasResponse:
    first = recommendation.reasons[0]
    return LorasResponse(
        loras=tuple(
            RecommendedLoraResponse(name=name, strength=strength, reason=reason, reason_parts=parts_response(reason))
            for (name, strength), reason in zip(recommendation.loras, recommendation.reasons, strict=False)
        ),
        confidence=recommendation.confidence,
        reason=first,
        reason_parts=parts_response(first),
        ranking=tuple(
            KnownLoraResponse(
                name=known.name,
                strength=known.strength,
                score=known.score,
                share=known.share,
                confidence=known.confidence,
                used=known.used,
                selected=known.selected,
                total=known.total,
                reason=known.reason,
                reason_parts=parts_response(known.reason),
            )
            for known in recommendation.ranking
        ),
        worth_trying=recommendation.worth_trying,
    )
