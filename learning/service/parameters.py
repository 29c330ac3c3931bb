"""The use case of settings: which value of a parameter to use for a prompt.

Separate from `service`, because it keeps what it has read of the log for as long as nothing changes in the database:
the answer is computed from the log on demand, and nothing else is stored.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from ..database.database import Database
from ..names import stored_name, stored_text
from ..parameters import PARAMETERS, Given, ParameterRecommendation, checked_name, checked_value
from ..prompts.keywords import extract_keywords, negative_keywords
from ..recommendation.parameter_choice import ParameterQuestion
from ..recommendation.parameter_comparisons import ValueSums
from ..recommendation.parameter_decision import ParameterLog, decide
from ..store import image_settings
from ..values import Keyword
from .settings import SettingsReader

MOST_ANSWERS = 256

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read in one state of the database, and the newest answers that follow from it."""

    log: ParameterLog
    compared_words: Mapping[int, Sequence[Keyword]]
    shared_words: OrderedDict[tuple[Keyword, ...], Mapping[int, int]] = field(default_factory=OrderedDict)
    answers: OrderedDict[Hashable, ParameterRecommendation] = field(default_factory=OrderedDict)


class Parameters:
    """The settings of one database's images."""

    def __init__(self, database: Database, settings: SettingsReader) -> None:
        self._database = database
        self._settings = settings
        self._lock = asyncio.Lock()
        self._version: Hashable = None
        self._known: _Known | None = None
        self._sums = {name: ValueSums() for name in PARAMETERS}

    async def recommend(
        self,
        prompt: str,
        name: str,
        default: Given,
        checkpoint: str | None,
        *,
        negative: str,
        families: Mapping[str, str] | None,
    ) -> ParameterRecommendation:
        """Answer a question. Raises `InvalidRequest`, `StoreUnavailable`."""
        parameter = checked_name(name)
        asked = stored_name(checkpoint) if checkpoint else None
        question = ParameterQuestion(parameter, default, checked_value(parameter, default), asked)
        words = tuple(
            Keyword(stored_text(word.text), word.weight)
            for word in (*extract_keywords(prompt), *negative_keywords(negative))
        )
        given = {stored_name(file): family for file, family in (families or {}).items() if family}
        half_life = self._settings().half_life
        key = (words, parameter, repr(default), asked, frozenset(given.items()), half_life)
        async with self._lock:
            known = await self._now(words)
            answer = known.answers.get(key)
            if answer is None:
                # In a thread: where many comparisons are new, their sums take longer than others may wait.
                answer = await asyncio.to_thread(
                    decide,
                    question,
                    known.log,
                    words,
                    compared_words=known.compared_words,
                    shared_words=known.shared_words[words],
                    sums=self._sums[parameter],
                    families=given,
                    half_life=half_life,
                )
            _keep(known.answers, key, answer)
            return answer

    async def _now(self, words: tuple[Keyword, ...]) -> _Known:
        """What the log says now; it is read only where something has changed."""
        version = await self._database.version()  # before the log: what is read is of it or of a newer one
        if version is None or version != self._version or self._known is None:
            images = await self._database.read(image_settings.newest, at_once=True)
            log = await asyncio.to_thread(ParameterLog, images)
            numbers = log.compared_generations
            compared_words = await self._database.read(lambda connection: image_settings.words_of(connection, numbers))
            self._known, self._version = _Known(log, compared_words), version
        known = self._known
        if words not in known.shared_words:
            texts, first = list(dict.fromkeys(word.text for word in words)), known.log.habit.first

            async def shared(connection: AsyncConnection) -> Mapping[int, int]:
                return await image_settings.shared_words(connection, texts, first)

            _keep(known.shared_words, words, await self._database.read(shared, at_once=True))
        return known


def _keep(newest: OrderedDict[K, V], key: K, value: V) -> None:
    newest[key] = value
    newest.move_to_end(key)
    if len(newest) > MOST_ANSWERS:
        newest.popitem(last=False)
