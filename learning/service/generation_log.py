"""The use cases of the log: logs generations, their verdicts and where their images are, and finds one again.

Separate from `service`, because none of this but a note may wait for the database: while that cannot be written, it is
kept in the outbox (`Delivery`), and whoever asks for it meanwhile gets it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from ...recipes.recipe import Recipe
from ..database.database import Database
from ..errors import InvalidRequest, InvalidVerdict, StoreUnavailable, UnknownGeneration, UnknownImage
from ..exchange import transfer
from ..exchange.line_format import PortableGeneration, PortableKeyword, portable_images
from ..names import stored_name, stored_text
from ..outbox.delivery import Delivery
from ..prompts.written_negative import written_note
from ..store import checkpoints, generations, statistics, verdict_marks
from ..store.records import LoggedGeneration
from ..values import Generation, ImageFile, ImageSettings, JudgedImage, Keyword, Recommendation
from .checkpoints import CheckpointFiles
from .loras import Loras
from .settings import SettingsReader

MOST_IMAGES = 10_000
LONGEST_NOTE = 2_000
"""Characters."""
_LAST_MOMENT = datetime.max.replace(tzinfo=timezone.utc)


class GenerationLog:
    """The log of one database."""

    def __init__(
        self,
        database: Database,
        delivery: Delivery,
        files: CheckpointFiles,
        loras: Loras,
        clock: Callable[[], datetime],
        settings: SettingsReader,
    ) -> None:
        self._database = database
        self._delivery = delivery
        self._files = files
        self._loras = loras
        self._clock = clock
        self._settings = settings

    async def add(
        self,
        recommendation: Recommendation,
        images: Mapping[str, int] | Sequence[ImageFile],
        session_id: str,
        prompt_id: str,
        recipes: Sequence[Recipe] | None,
    ) -> str:
        """See `PreferenceService.log_generation`."""
        files = _with_settings(_image_files(images), recipes)
        with suppress(StoreUnavailable):  # then nothing is known, and what is logged waits in the outbox
            files = await self._loras.with_utilities(files, recommendation.keywords, recommendation.family)
        shown = {stored_name(file.checkpoint) for file in files}
        note = written_note([recipe.negative for recipe in recipes or ()])
        keep_prompts = self._settings().keep_prompts
        generation = PortableGeneration(
            id=uuid4().hex,
            created_at=self._clock(),
            stage=recommendation.stage,
            policy=recommendation.policy,
            strategy=recommendation.strategy,
            confidence=recommendation.confidence,
            evidence=recommendation.evidence,
            clarity=recommendation.clarity,
            keywords=tuple(
                PortableKeyword(text=word.text, weight=word.weight) for word in (*recommendation.keywords, *note)
            ),
            images=portable_images(files),
            utilities={
                name: utility for name, utility in recommendation.utilities.items() if stored_name(name) in shown
            },
            prompt=recommendation.prompt if keep_prompts else "",
            session_id=session_id,
            prompt_id=prompt_id,
            family=recommendation.family,
            seed=None if recommendation.seed is None else str(recommendation.seed),
            fallback=recommendation.fallback,
        )
        fingerprints = self._files.fingerprints_of(shown)

        async def add(connection: AsyncConnection) -> None:
            await transfer.log(connection, generation, keep_prompts=keep_prompts)
            await checkpoints.remember(connection, fingerprints)

        async def entry() -> PortableGeneration:
            return generation

        await self._delivery.write(add, entry, logs=True)
        self._delivery.remember(generation)
        return generation.id

    async def judge(
        self,
        generation_id: str,
        selected: Mapping[str, int] | None,
        rejected: Mapping[str, int] | None,
        selected_images: Sequence[int] | None,
        rejected_images: Sequence[int] | None,
    ) -> Generation:
        """See `PreferenceService.record_feedback`."""
        if (selected or rejected) and (selected_images or rejected_images):
            raise InvalidVerdict("Send counts per checkpoint or positions of images, not both.")
        now = self._clock().astimezone(timezone.utc)  # once: a verdict that waits is the same one

        def marks_of(shown: Sequence[str]) -> str:
            if selected_images or rejected_images:
                return verdict_marks.marks_of_positions(len(shown), selected_images or (), rejected_images or ())
            return verdict_marks.marks_of_counts(shown, selected or {}, rejected or {})

        async def record(connection: AsyncConnection) -> Generation:
            logged = await find(connection, generation_id)
            marks = marks_of([image.file.checkpoint for image in logged.generation.images])
            if marks == logged.marks:  # a client that tries again
                return logged.generation
            if logged.verdict_at is not None and now < logged.verdict_at <= self._clock():
                return logged.generation  # somebody judged it while this verdict waited for its turn
            prior = logged.basis
            if verdict_marks.judges(marks):
                logged = await statistics.with_basis(connection, logged, self._settings().half_life)
            change = statistics.Change()
            change.add(logged.comparison(logged.marks), -1.0, of=logged)
            change.add(logged.comparison(marks), of=logged)
            judged_at = _later_than(logged.verdict_at, now)
            await statistics.apply(connection, change, logged.ids)
            new_prior = None if logged.basis is prior else logged.basis
            await generations.add_verdict(connection, logged.number, marks, judged_at, new_prior)
            return logged.judged(marks, judged_at)

        async def entry() -> PortableGeneration | None:
            known = await self._delivery.known(stored_text(generation_id))
            return known and known.judged(marks_of([image.checkpoint for image in known.images]), now)

        outcome = await self._delivery.write(record, entry, logs=False)
        return _as_waiting(outcome) if isinstance(outcome, PortableGeneration) else outcome

    async def set_note(self, generation_id: str, note: str) -> Generation:
        """See `PreferenceService.set_note`. It waits nowhere."""
        text = stored_text(note.strip())
        if len(text) > LONGEST_NOTE:
            raise InvalidRequest(f"A note has at most {LONGEST_NOTE} characters, not {len(text)}.")

        async def write(connection: AsyncConnection) -> Generation:
            logged = await find(connection, generation_id)
            await generations.set_note(connection, logged.number, text)
            return replace(logged.generation, note=text)

        return await self._database.write(write)

    async def attach_files(self, generation_id: str, files: Sequence[ImageFile]) -> None:
        """See `PreferenceService.attach_files`."""
        stored = [
            ImageFile("", stored_text(file.filename), stored_text(file.subfolder), stored_text(file.type))
            for file in files
        ]

        def fits(images: int) -> None:
            if len(stored) > images:
                raise UnknownImage(f"{len(stored)} files for {images} images. Give one per image.")

        async def attach(connection: AsyncConnection) -> None:
            logged = await find(connection, generation_id)
            fits(len(logged.generation.images))
            if stored:
                await generations.set_files(connection, logged.number, stored)

        async def entry() -> PortableGeneration | None:
            known = await self._delivery.known(stored_text(generation_id))
            if known is not None:
                fits(len(known.images))
            return known and known.with_files(stored)

        await self._delivery.write(attach, entry, logs=False)

    async def one(self, generation_id: str) -> Generation:
        """See `PreferenceService.generation`."""

        async def read(connection: AsyncConnection) -> Generation:
            return (await find(connection, generation_id)).generation

        try:
            return await self._database.read(read)
        except (StoreUnavailable, UnknownGeneration):
            waiting = await self._delivery.waits(stored_text(generation_id))
            if waiting is None:
                raise
            return _as_waiting(waiting)


async def find(connection: AsyncConnection, generation_id: str) -> LoggedGeneration:
    """The generation with that id; raises `UnknownGeneration`."""
    logged = await generations.find(connection, stored_text(generation_id))
    if logged is None:
        raise UnknownGeneration(generation_id)
    return logged


def _with_settings(files: list[ImageFile], recipes: Sequence[Recipe] | None) -> list[ImageFile]:
    """The images with what their recipes say. Raises `InvalidRequest` where their numbers differ."""
    if recipes is None:
        return files
    if len(recipes) != len(files):
        raise InvalidRequest(f"{len(recipes)} recipes for {len(files)} images. Give one per image, in their order.")
    return [replace(file, settings=ImageSettings.of(recipe)) for file, recipe in zip(files, recipes, strict=True)]


def _as_waiting(generation: PortableGeneration) -> Generation:
    """What is known of a generation that waits in the outbox."""
    verdict = generation.verdict
    marks = verdict.marks if verdict else verdict_marks.UNJUDGED * len(generation.images)
    return Generation(
        id=generation.id,
        session_id=generation.session_id,
        prompt=generation.prompt,
        stage=generation.stage,
        policy=generation.policy,
        strategy=generation.strategy,
        confidence=generation.confidence,
        created_at=generation.created_at,
        keywords=tuple(Keyword(word.text, word.weight) for word in generation.keywords),
        images=tuple(
            JudgedImage(position, file, verdict_marks.VERDICTS.get(mark))
            for position, (file, mark) in enumerate(zip(generation.files, marks, strict=True))
        ),
        prompt_id=generation.prompt_id,
        judged_at=verdict.at if verdict and verdict_marks.judges(marks) else None,
        waiting=True,
    )


def _later_than(former: datetime | None, now: datetime) -> datetime:
    """The moment of a verdict: a clock that was set back, or is behind another machine's, must not make it older than
    the former one, which the person saw."""
    if former is None or former >= _LAST_MOMENT:
        return former or now
    return max(now, former + timedelta(microseconds=1))


def _image_files(images: Mapping[str, int] | Sequence[ImageFile]) -> list[ImageFile]:
    """One entry per image. Raises `InvalidRequest` where their number makes no sense."""
    if isinstance(images, Mapping):
        for name, number in images.items():
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise InvalidRequest(f"{name} cannot have made {number!r} images. Give a whole number from 0.")
        if sum(images.values()) > MOST_IMAGES:
            raise InvalidRequest(f"A generation has at most {MOST_IMAGES} images. Log several generations.")
        images = [ImageFile(name) for name, number in images.items() for _ in range(number)]
    if not 0 < len(images) <= MOST_IMAGES:
        raise InvalidRequest(
            f"A generation has 1 to {MOST_IMAGES} images, not {len(images)}. Log it once its images are made."
        )
    return list(images)
