"""The use cases: recommend, log what was made, record what was said of it, and tell what was learned.

It joins the pure parts (keywords, policies, strategy, explanation) with the store and checks what comes in
from outside. It belongs to the event loop that opened it; `runtime` shares one with every thread and loop. It
refuses to know where checkpoints or images come from.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from ..activity import Activity
from ..database.database import BUSY_TIMEOUT_S, Database
from ..errors import InvalidRequest, InvalidVerdict, UnknownImage
from ..exchange import transfer as exchange
from ..failover import shared_database
from ..maintenance import recovery
from ..maintenance.rebuild_task import RebuildTask
from ..names import stored_name, stored_text
from ..policies import DEFAULT_POLICY
from ..recommendation import decision_log, explanation, pins
from ..recommendation.cache import DecisionCache
from ..recommendation.decision import Decision, Question, ask, decide
from ..reports import ImportReport, RebuildReport
from ..store import checkpoints as identity_store
from ..store import generations as log_store
from ..store import statistics as statistics_store
from ..store import verdict_marks as verdicts
from ..values import HALF_LIFE, MOST_BRANCHES, Generation, ImageFile, Recommendation, Stage, Thresholds
from .checkpoints import Identity
from .forgetting import Forgetting
from .views import Inspection, found

log = logging.getLogger(__name__)

MOST_IMAGES = 10_000
_LAST_MOMENT = datetime.max.replace(tzinfo=timezone.utc)


class PreferenceService(Inspection, Forgetting, Identity):
    """What one database has learned, and what to do because of it. Make it with `open`."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.default_policy: str = DEFAULT_POLICY
        self.half_life: float = HALF_LIFE
        self.curation = pins.Curation()
        self.keep_prompts = True
        """False: a prompt's text is not stored, only its keywords."""
        self.decision_log_mode: decision_log.DecisionLogMode = ""
        """What the log tells of each decision."""
        self.activity = Activity()
        self._decisions = DecisionCache()
        self._renewal = RebuildTask(database, clock)
        Inspection.__init__(self, database)
        Forgetting.__init__(self, database, clock)
        Identity.__init__(self, database, clock, self._renewal)

    @classmethod
    async def open(
        cls,
        path_or_url: str | os.PathLike[str],
        *,
        clock: Callable[[], datetime] | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        backups_kept: int = 0,
        standby: Path | None = None,
    ) -> PreferenceService:
        """Open a database file or a `postgresql://` address; it is created or migrated where needed.

        A write waits `busy_timeout_s` for another program that holds the file locked. With `backups_kept`
        a file is copied daily and before migrations into `backups` beside it, and restored where damaged.
        With `standby`, a folder, what a server holds can be used while it is away, and verdicts wait there.

        Raises
        ------
        StoreUnavailable
            With a message that says what to do next.
        """
        clock = clock or (lambda: datetime.now(timezone.utc))
        if standby is not None and shared_database.is_server(path_or_url):
            database: Database = await shared_database.SharedDatabase.open_beside(path_or_url, standby)
        else:
            database = await Database.open(
                path_or_url, busy_timeout_s=busy_timeout_s, backups_kept=backups_kept, clock=clock
            )
        service = cls(database, clock)
        try:
            await service._renewal.begin()
            if database.backups_kept:
                database.after_restoring = service._after_restoring
                await recovery.recover(database)
            await service._counting.begin()
        except BaseException:
            service._end()
            await database.close()
            raise
        return service

    def keep_backups(self, number: int) -> None:
        """Keep so many daily copies of a database file from now on; 0 makes none."""
        if self._database.path:
            self._database.backups_kept = number

    @property
    def is_offline(self) -> bool:
        """Whether a server is away, so that what was last known is used and verdicts wait on disk."""
        return isinstance(self._database, shared_database.SharedDatabase) and bool(self._database.absence)

    async def close(self) -> None:
        """Let running operations end and let go of the database."""
        self._end()
        await self._database.close()

    async def recommend(
        self,
        prompt: str,
        candidates: Sequence[str],
        stage: Stage = "final",
        explore: bool = True,
        policy: str | None = None,
        max_branches: int = MOST_BRANCHES,
        seed: int | None = None,
        *,
        thresholds: Thresholds | None = None,
        family: str = "",
        negative: str = "",
    ) -> Recommendation:
        """Recommend one to three of the candidates for a prompt. Only reads.

        Parameters
        ----------
        candidates
            Checkpoint names; the recommendation spells them as they are spelled here. Those that `curation`
            bans are left out, and those it pins are shown.
        policy
            None means `default_policy`.
        seed
            The same seed, prompt and learned state give the same answer; None draws afresh.
        negative
            The negative prompt: a context of its own, whose words never meet the prompt's.

        Raises
        ------
        InvalidRequest
            If there is no candidate that is not banned, or the stage, the policy or `max_branches` does not
            exist.
        StoreUnavailable
            If the database cannot be read.
        """
        question = ask(
            prompt,
            candidates,
            negative=negative,
            policy=policy or self.default_policy,
            stage=stage,
            explore=explore,
            max_branches=max_branches,
            seed=seed,
            thresholds=thresholds,
            curation=self.curation,
            half_life=self.half_life,
        )
        began = perf_counter()
        decision = await self._decide(question)
        recommendation = decision.recommendation(family)
        took_s = perf_counter() - began
        self.activity.decision_s += took_s
        self.activity.decisions[question.policy.name, decision.learned.strategy] += 1
        if self.decision_log_mode == "document":
            for line in decision_log.lines(decision, with_prompt=self.keep_prompts):
                log.info("%s", line)
        if self.decision_log_mode == "decisions":
            log.info("%s", decision_log.line(recommendation, took_s, with_prompt=self.keep_prompts))
        return recommendation

    async def explain(
        self,
        prompt: str,
        candidates: Sequence[str],
        stage: Stage = "final",
        explore: bool = True,
        policy: str | None = None,
        max_branches: int = MOST_BRANCHES,
        seed: int | None = None,
        *,
        thresholds: Thresholds | None = None,
        negative: str = "",
    ) -> explanation.Explained:
        """Tell in full why `recommend` would answer as it does. Raises what `recommend` raises."""
        question = ask(
            prompt,
            candidates,
            negative=negative,
            policy=policy or self.default_policy,
            stage=stage,
            explore=explore,
            max_branches=max_branches,
            seed=seed,
            thresholds=thresholds,
            curation=self.curation,
            half_life=self.half_life,
        )
        return (await self._decide(question)).explained()

    async def log_generation(
        self,
        recommendation: Recommendation,
        images: Mapping[str, int] | Sequence[ImageFile],
        session_id: str = "",
        prompt_id: str = "",
    ) -> str:
        """Log the images that a recommendation led to, and return the generation's id.

        Parameters
        ----------
        images
            One entry per image in order, or how many each checkpoint made.

        Raises
        ------
        InvalidRequest
            If there are no images, or far too many.
        StoreUnavailable
            If it could not be stored; then it is not.
        """
        files = [
            ImageFile(stored_name(file.checkpoint), *map(stored_text, (file.filename, file.subfolder, file.type)))
            for file in _listed(images)
        ]
        shown = {file.checkpoint for file in files}
        said = {stored_name(name): utility for name, utility in recommendation.utilities.items()}
        words = [replace(word, text=stored_text(word.text)) for word in recommendation.keywords]
        generation_id = uuid4().hex
        columns = {
            "id": generation_id,
            "session_id": stored_text(session_id),
            "prompt_id": stored_text(prompt_id),
            "prompt": stored_text(recommendation.prompt) if self.keep_prompts else "",
            "stage": recommendation.stage,
            "policy": recommendation.policy,
            "strategy": recommendation.strategy,
            "confidence": recommendation.confidence,
            "evidence": recommendation.evidence,
            "clarity": recommendation.clarity,
            "family": stored_text(recommendation.family),
            "seed": None if recommendation.seed is None else str(recommendation.seed),
            "fallback": recommendation.fallback,
            "created_at": self._clock(),
        }
        utilities = {name: utility for name, utility in said.items() if name in shown}
        seen = {name: self.fingerprints[name] for name in shown if self.fingerprints.get(name)}

        async def add(connection: AsyncConnection) -> None:
            await log_store.add_generation(connection, columns, words, files, utilities)
            await identity_store.remember(connection, seen)

        await self._database.write(add)
        self.activity.generations += 1
        self._forget_what_is_too_old()
        return generation_id

    async def record_feedback(
        self,
        generation_id: str,
        selected: Mapping[str, int] | None = None,
        rejected: Mapping[str, int] | None = None,
        *,
        selected_images: Sequence[int] | None = None,
        rejected_images: Sequence[int] | None = None,
    ) -> Generation:
        """Record a verdict: how many images of each checkpoint, or which images, were selected and rejected.

        It replaces the generation's former verdict. An image that is not mentioned has no verdict and teaches
        nothing; a verdict that mentions none withdraws the former one.

        Raises
        ------
        UnknownGeneration, UnknownImage, InvalidVerdict
            If it does not fit what was logged.
        StoreUnavailable
            If it could not be stored; then it is not, and may be sent again.
        """
        if (selected or rejected) and (selected_images or rejected_images):
            raise InvalidVerdict("Send counts per checkpoint or positions of images, not both.")
        given_at = self._clock().astimezone(timezone.utc)  # once: it may have to be stored in a second place

        async def record(connection: AsyncConnection) -> Generation:
            logged = await found(connection, generation_id)
            shown = [image.file.checkpoint for image in logged.generation.images]
            if selected_images or rejected_images:
                marks = verdicts.marks_of_positions(len(shown), selected_images or (), rejected_images or ())
            else:
                marks = verdicts.marks_of_counts(shown, selected or {}, rejected or {})
            if marks == logged.marks:  # a client that tries again
                return logged.generation
            known = logged.basis
            if verdicts.judges(marks):
                logged = await statistics_store.with_basis(connection, logged, self.half_life)
            change = statistics_store.Change()
            change.add(logged.judged_round(logged.marks), -1.0, of=logged)
            change.add(logged.judged_round(marks), of=logged)
            now = _later_than(logged.verdict_at, given_at)
            await statistics_store.apply(connection, change, logged.ids)
            taken = None if logged.basis is known else logged.basis
            await log_store.add_verdict(connection, logged.number, marks, now, taken)
            return logged.judged(marks, now)

        generation = await self._database.write(record)
        self.activity.verdicts += 1
        return generation

    async def attach_files(self, generation_id: str, files: Sequence[ImageFile]) -> None:
        """Say where the images of a generation can be seen, from its first image on, in order.

        Raises
        ------
        UnknownGeneration, UnknownImage, StoreUnavailable
        """
        clean = [ImageFile("", *map(stored_text, (file.filename, file.subfolder, file.type))) for file in files]

        async def attach(connection: AsyncConnection) -> None:
            logged = await found(connection, generation_id)
            if len(clean) > len(logged.generation.images):
                raise UnknownImage(
                    f"{len(clean)} files for {len(logged.generation.images)} images. Give one per image."
                )
            if clean:
                await log_store.set_files(connection, logged.number, clean)

        await self._database.write(attach)

    async def rebuild(self) -> RebuildReport:
        """Recompute the statistics from the log. They come out the same, unless something was wrong."""

        report = await self._renewal.rebuild()
        await self._counting.begin()
        return report

    async def is_recomputing(self) -> bool:
        """Whether statistics are left that this process is recomputing, and no other."""
        return self._renewal.is_at_work

    async def recomputed(self) -> None:
        """Wait until statistics that an older version's formula made have been recomputed."""
        await self._renewal.wait()

    async def _after_restoring(self) -> None:
        await recovery.recover(self._database)
        await self._renewal.begin()  # the copy may be of a time before that was done

    def _end(self) -> None:
        self._renewal.end()
        self._counting.end()

    def export(self, *, anonymous: bool = False) -> AsyncGenerator[str, None]:
        """Yield all that was logged and taught as lines of JSON (docs/data.md), never all of it at once.

        `anonymous` leaves out prompts, images' names, sessions and seeds; the prompts' keywords stay.

        Raises
        ------
        StoreUnavailable
        """
        return exchange.export(self._database, anonymous=anonymous)

    async def import_lines(self, lines: exchange.Lines, names: Mapping[str, str] | None = None) -> ImportReport:
        """Add what `export` wrote, here or elsewhere; the same lines again change nothing.

        Parameters
        ----------
        names
            New names of checkpoints by those in the lines.

        Raises
        ------
        InvalidRequest
            With the number of the first bad line; then nothing was imported.
        StoreUnavailable
            If they could not all be stored; import them again.
        """
        return await exchange.import_lines(self._database, lines, names or {})

    async def _decide(self, question: Question) -> Decision:
        version = await self._database.version()  # before the evidence: what is read is of it or of a newer one
        decision = self._decisions.get(question, version)
        if decision is None:
            texts, names = [word.text for word in question.keywords], list(question.spelled)
            evidence = await self._database.read(
                lambda connection: statistics_store.evidence(connection, texts, names), at_once=True
            )
            decision = decide(question, evidence)
            self._decisions.put(decision, version)
        return decision


def _later_than(former: datetime | None, now: datetime) -> datetime:
    """The moment of a verdict: a clock that was set back must not make it older than the former one."""
    if former is None or former >= _LAST_MOMENT:
        return former or now
    return max(now, former + timedelta(microseconds=1))


def _listed(images: Mapping[str, int] | Sequence[ImageFile]) -> list[ImageFile]:
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
