"""The use case of settings: which value of a parameter to use for a prompt.

Separate from `service`, because it keeps what follows from the log for as long as nothing changes in the database: the
answer is computed from the log on demand, and nothing else is stored.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ..names import stored_name, stored_text
from ..parameters import PARAMETERS, Given, ParameterRecommendation, checked_name, checked_value
from ..prompts.keywords import extract_keywords, negative_keywords
from ..recommendation.parameter_choice import ParameterQuestion
from ..recommendation.parameter_comparisons import ValueSums
from ..recommendation.parameter_decision import ParameterLog, decide
from ..values import Keyword
from .recent_images import Recent, RecentImages
from .settings import SettingsReader

MOST_ANSWERS = 256

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Known:
    """What follows from one state of the log, and the newest answers."""

    recent: Recent
    log: ParameterLog
    answers: OrderedDict[Hashable, ParameterRecommendation] = field(default_factory=OrderedDict)


class Parameters:
    """The settings of one database's images."""

    def __init__(self, images: RecentImages, settings: SettingsReader) -> None:
        self._images = images
        self._settings = settings
        self._known = _Known(Recent((), {}, {}), ParameterLog(()))
        self._sums = {name: ValueSums() for name in PARAMETERS}

    async def recommend(
        self,
        prompt: str,
        defaults: Mapping[str, Given],
        checkpoint: str | None,
        *,
        negative: str,
        families: Mapping[str, str] | None,
    ) -> dict[str, ParameterRecommendation]:
        """Answer a question for each parameter, by its default. Raises `InvalidRequest`, `StoreUnavailable`."""
        asked = stored_name(checkpoint) if checkpoint else None
        questions = []
        for name, default in defaults.items():
            parameter = checked_name(name)
            questions.append(ParameterQuestion(parameter, default, checked_value(parameter, default), asked))
        words = tuple(
            Keyword(stored_text(word.text), word.weight)
            for word in (*extract_keywords(prompt), *negative_keywords(negative))
        )
        given = {stored_name(file): family for file, family in (families or {}).items() if family}
        async with self._images.lock:
            recent = await self._images.current()
            # In a thread: where many comparisons are new, their sums take longer than others may wait.
            answers = await asyncio.to_thread(self._answers, recent, questions, words, given)
        return {question.name: answer for question, answer in zip(questions, answers, strict=True)}

    def _answers(
        self,
        recent: Recent,
        questions: Sequence[ParameterQuestion],
        words: tuple[Keyword, ...],
        families: Mapping[str, str],
    ) -> list[ParameterRecommendation]:
        if recent is not self._known.recent:
            self._known = _Known(recent, ParameterLog(recent.images, self._known.log))
        answers, half_life = self._known.answers, self._settings().half_life
        context = (words, frozenset(families.items()), half_life)
        shared: Mapping[int, int] | None = None
        found = []
        for question in questions:
            key = (context, question.name, repr(question.default), question.checkpoint)
            answer = answers.get(key)
            if answer is None:
                if shared is None:
                    shared = recent.shared_words(words)
                answer = decide(
                    question,
                    self._known.log,
                    words,
                    compared_words=recent.words,
                    shared_words=shared,
                    sums=self._sums[question.name],
                    families=families,
                    half_life=half_life,
                )
            keep(answers, key, answer)
            found.append(answer)
        return found


def keep(newest: OrderedDict[K, V], key: K, value: V) -> None:
    """Keep an answer, and no more of them than `MOST_ANSWERS`."""
    newest[key] = value
    newest.move_to_end(key)
    if len(newest) > MOST_ANSWERS:
        newest.popitem(last=False)
