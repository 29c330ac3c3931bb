"""The use cases of LoRAs: which of them to use for a prompt, and what is known of those of images that are logged.

Separate from `parameters`, because it asks the log for more: which LoRAs images have besides their settings, and what
was known of checkpoints when images of several were compared. The answer is computed on demand, and nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy
from numpy.typing import NDArray

from ..database.database import Database
from ..errors import InvalidRequest
from ..loras import MOST_RECOMMENDED, LoraCandidate, LoraRecommendation, lora_key
from ..message import message
from ..names import stored_name, stored_text
from ..prompts.keywords import extract_keywords, negative_keywords
from ..recommendation.lora_choice import Candidates, Prompt, lora_utilities, recommend
from ..recommendation.lora_decision import Comparisons, LoraLog
from ..recommendation.lora_hints import Catalogue
from ..recommendation.parameter_comparisons import ValueSums, context
from ..store import image_settings
from ..values import ImageFile, Keyword
from .parameters import keep
from .recent_images import Recent, RecentImages
from .settings import SettingsReader

Numbers = NDArray[numpy.int64]


@dataclass(slots=True)
class _Known:
    """What follows from one state of the log, and the newest answers about one catalogue."""

    recent: Recent
    log: LoraLog
    utilities: Mapping[int, Mapping[str, float]]
    families: Mapping[str, str] | None = None
    candidates: Candidates | None = None
    answers: OrderedDict[Hashable, LoraRecommendation] = field(default_factory=OrderedDict)
    _generations_with: dict[str, Numbers] = field(default_factory=dict)

    def generations_with(self, text: str) -> Numbers:
        """The numbers of the generations with a keyword."""
        if text not in self._generations_with:
            self._generations_with[text] = numpy.array(self.recent.generations_with(text), dtype=numpy.int64)
        return self._generations_with[text]


class Loras:
    """The LoRAs of one database's images."""

    def __init__(self, database: Database, images: RecentImages, settings: SettingsReader) -> None:
        self._database = database
        self._images = images
        self._settings = settings
        self._known = _Known(Recent((), {}, {}), LoraLog(()), {})
        self._comparisons = Comparisons()
        self._sums = ValueSums()
        self._catalogue = Catalogue(())
        self._families: Mapping[str, str] = {}
        """Those of the newest question."""

    async def recommend(
        self,
        prompt: str,
        checkpoint: str | None,
        available: Sequence[str | LoraCandidate],
        *,
        negative: str,
        most: int,
        families: Mapping[str, str] | None,
    ) -> LoraRecommendation:
        """Answer a question. Raises `InvalidRequest`, `StoreUnavailable`."""
        if not 0 <= most <= MOST_RECOMMENDED:
            raise InvalidRequest(
                message(
                    "loras_most",
                    "{most} LoRAs cannot be asked for. Choose 0 to {limit}.",
                    most=most,
                    limit=MOST_RECOMMENDED,
                ),
                "bad_request",
            )
        asked = stored_name(checkpoint) if checkpoint else None
        given = {stored_name(file): family for file, family in (families or {}).items() if family}
        words = _stored(extract_keywords(prompt))
        of_negative = _stored(negative_keywords(negative))
        async with self._images.lock:
            await self._bring_up_to_date()
            if self._catalogue.available != tuple(available):
                self._catalogue = await asyncio.to_thread(Catalogue, available)
                self._known.candidates = None
                self._known.answers.clear()
            key = (prompt, words, of_negative, asked, most, frozenset(given.items()), self._settings().half_life)
            answer = self._known.answers.get(key)
            if answer is None:
                family = given.get(asked or "") or self._known.log.families.get(asked or "", "")
                question = Prompt(prompt, words, context((*words, *of_negative), asked, family))
                answer = await asyncio.to_thread(self._answer, question, given, most)
            keep(self._known.answers, key, answer)
            return answer

    async def with_utilities(
        self, files: Sequence[ImageFile], words: Sequence[Keyword], family: str
    ) -> list[ImageFile]:
        """Images that are to be logged together, with what is known now of their LoRAs (`ImageFile.lora_utility`).

        Parameters
        ----------
        words, family
            The keywords of their prompt, and the family of their checkpoints, as they are logged.

        Raises
        ------
        StoreUnavailable
        """
        sets = [_loras_of(file) for file in files]
        if len({each for each in sets if each is not None}) < 2:
            return list(files)
        names = {stored_name(file.checkpoint) for file in files}
        asked = context(_stored(words), names.pop() if len(names) == 1 else None, stored_text(family))
        async with self._images.lock:
            await self._bring_up_to_date()
            found = await asyncio.to_thread(self._utilities, asked, sets)
        return [replace(file, lora_utility=utility) for file, utility in zip(files, found, strict=True)]

    async def _bring_up_to_date(self) -> None:
        recent = await self._images.current()
        if self._known.recent is recent:
            return
        log = await asyncio.to_thread(LoraLog, recent.images, self._known.log)
        numbers = {each.generation for each in log.comparisons}
        former = {id(each) for each in self._known.log.comparisons}
        kept = {each.generation for each in log.comparisons if id(each) in former} & self._known.utilities.keys()
        new = numbers - kept
        read = await self._database.read(lambda connection: image_settings.utilities_of(connection, new))
        utilities = {**{number: self._known.utilities[number] for number in kept}, **read}
        self._known = _Known(recent, log, utilities)

    def _sum_up(self, families: Mapping[str, str]) -> None:
        known = self._known
        if known.families != families:
            self._sums.sum_up(self._comparisons.of(known.log, known.recent.words, known.utilities, families))
            self._families = known.families = families
            known.candidates = None

    def _utilities(self, asked: Sequence[Keyword], sets: Sequence[frozenset[str] | None]) -> list[float | None]:
        self._sum_up(self._families)
        return lora_utilities(asked, sets, self._sums, half_life=self._settings().half_life)

    def _answer(self, question: Prompt, families: Mapping[str, str], most: int) -> LoraRecommendation:
        self._sum_up(families)
        known = self._known
        if known.candidates is None:
            known.candidates = Candidates(self._catalogue, known.log.habit.keys, self._sums.judged)
        return recommend(
            question,
            known.candidates,
            known.log.habit,
            self._sums,
            known.generations_with,
            most=most,
            half_life=self._settings().half_life,
        )


def _loras_of(file: ImageFile) -> frozenset[str] | None:
    loras = None if file.settings is None else file.settings.loras
    return None if loras is None else frozenset(lora_key(name) for name, _, _ in loras)


def _stored(words: Sequence[Keyword]) -> tuple[Keyword, ...]:
    return tuple(Keyword(stored_text(word.text), word.weight) for word in words)
