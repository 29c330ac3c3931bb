"""The use case of negative words: which ones a negative prompt lacks.

Separate from `service`, because it keeps what follows from the log while nothing changes in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from ..names import stored_name, stored_text
from ..negative_words import SuggestedWord
from ..prompts.keywords import NEGATIVE, extract_keywords, negative_keywords
from ..recommendation.negative_choice import NegativeLog
from ..values import Keyword
from .recent_images import Recent, RecentImages

_ALL = 10_000  # of the words that are there already, none is left out


class NegativeWords:
    """Those of one database's images."""

    def __init__(self, images: RecentImages) -> None:
        self._images = images
        self._known = Recent((), {}, {})
        self._log = NegativeLog((), {})

    async def suggest(self, prompt: str, checkpoint: str | None, negative: str) -> tuple[SuggestedWord, ...]:
        """Answer a question. Raises `StoreUnavailable`."""
        words = tuple(
            Keyword(stored_text(word.text), word.weight)
            for word in (*extract_keywords(prompt), *negative_keywords(negative))
        )
        there = {stored_text(word.text[len(NEGATIVE) :]) for word in negative_keywords(negative, most=_ALL)}
        asked = stored_name(checkpoint) if checkpoint else None
        async with self._images.lock:
            recent = await self._images.current()
            # In a thread: reading many images anew takes longer than others may wait.
            return await asyncio.to_thread(self._answer, recent, asked, words, there)

    def _answer(
        self, recent: Recent, checkpoint: str | None, words: Collection[Keyword], there: Collection[str]
    ) -> tuple[SuggestedWord, ...]:
        if recent is not self._known:
            self._known, self._log = recent, NegativeLog(recent.images, recent.words, self._log, recent.notes)
        texts = {word.text for word in words}
        return self._log.suggest(checkpoint, len(texts), recent.shared_words(words), texts.union(there))
