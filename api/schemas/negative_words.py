"""`POST /suggest/negative`: words that a negative prompt lacks."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from ...learning.negative_words import SuggestedWord
from .base import Name, PartResponse, Prompt, RequestModel, ResponseModel, Share, parts_response


class NegativeWordsRequest(RequestModel):
    """A prompt, and its negative prompt so far."""

    prompt: Prompt
    negative: Prompt = Field(default="", description="What the negative prompt says so far.")
    checkpoint: Name | None = Field(default=None, description="The one that will draw the image; null: any.")


class NegativeWordResponse(ResponseModel):
    """One word or tag, and why it is suggested."""

    word: str
    score: float = Field(description="The share and twice the gain: what the word adds.")
    share: Share = Field(description="The part of the images kept for such prompts that is expected to have it.")
    gain: float = Field(description="By how much more of such images are kept with it than without it, in -1..1.")
    reason: str
    reason_parts: tuple[PartResponse, ...] = Field(description="The reason in parts, to translate it.")


class NegativeWordsResponse(ResponseModel):
    words: tuple[NegativeWordResponse, ...] = Field(description="Best first; none where nothing is known.")


def negative_words_response(words: Sequence[SuggestedWord]) -> NegativeWordsResponse:
    return NegativeWordsResponse(
        words=tuple(
            NegativeWordResponse(
                word=each.word,
                score=each.score,
                share=each.share,
                gain=each.gain,
                reason=each.reason,
                reason_parts=parts_response(each.reason),
            )
            for each in words
        )
    )
