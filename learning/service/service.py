"""The use cases of one database: recommend, log what was made, record verdicts, report what was learned.

It joins the pure parts (keywords, policies, strategy, explanation) with the store, and checks what comes in from
outside. What has state or rules of its own has a module: `generation_log`, whose writes may wait in the outbox,
`forgetting`, which also reaches copies of the file, `checkpoints`, which remembers the files that were last met, and so
on. The service belongs to the event loop that opened it; `runtime` shares one with every thread and loop. It refuses to
know where checkpoints or images come from.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from random import Random
from time import perf_counter

from sqlalchemy.ext.asyncio import AsyncConnection

from ...recipes.recipe import Recipe
from ..activity import Activity
from ..database import engines
from ..database.database import BUSY_TIMEOUT_S, Database, utc_now
from ..database.files import backups
from ..errors import StoreUnavailable
from ..exchange import csv_table, transfer
from ..exchange.private_sums import DEFAULT_EPSILON
from ..exchange.share_format import SharedFile
from ..loras import LoraCandidate, LoraRecommendation
from ..maintenance import recovery
from ..maintenance.rebuild_task import RebuildTask
from ..names import stored_name, stored_text
from ..negative_words import SuggestedWord
from ..outbox.delivery import Delivery, outbox_of
from ..outbox.file import OutboxFile
from ..parameters import Given, ParameterRecommendation
from ..recommendation import decision_log, explanation
from ..recommendation.cache import DecisionCache
from ..recommendation.decision import Decision, Question, ask, decide
from ..reports import (
    AdoptedPrior,
    CheckpointRow,
    CopyReport,
    DatabaseReport,
    FileChange,
    Forgotten,
    ImagesImported,
    ImportBatch,
    ImportReport,
    LoggedFile,
    Overview,
    PairOrder,
    PairRow,
    RebuildReport,
    SeriesPoint,
    SessionRow,
    Statistics,
)
from ..requirements import missing_requirement
from ..store import erasure, generations, overview, pair_pages, statistics
from ..store.rollup_task import RollupTask
from ..values import (
    MOST_BRANCHES,
    Cost,
    Generation,
    ImageFile,
    Recommendation,
    Stage,
    Thresholds,
)
from .checkpoints import CheckpointFiles
from .forgetting import Forgetting
from .generation_log import GenerationLog, find
from .habits import Habits
from .importing import Importing, OnProgress
from .loras import Loras
from .negative_words import NegativeWords
from .parameters import Parameters
from .recent_images import RecentImages
from .settings import LearningSettings, SettingsReader
from .sharing import Sharing

log = logging.getLogger(__name__)

_LOOKED_UP = 500
_ROWS_AT_ONCE = 2_000


class PreferenceService:
    """What one database has learned, and what to do because of it. Make it with `open`."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        settings: SettingsReader,
        outbox: OutboxFile | None = None,
    ) -> None:
        self.activity = Activity()
        self._database = database
        self._clock = clock
        self._settings = settings
        self._decisions = DecisionCache()
        self._rebuild_task = RebuildTask(database, clock)
        self._rollup_task = RollupTask(database)
        self._delivery = Delivery(database, outbox, lambda: settings().keep_prompts)
        self._forgetting = Forgetting(database, self._delivery, clock, settings)
        self._files = CheckpointFiles(database, clock, self._rebuild_task)
        self._importing = Importing(database, clock, settings)
        self._habits = Habits(database)
        self._recent_images = RecentImages(database)
        self._parameters = Parameters(self._recent_images, settings)
        self._negative_words = NegativeWords(self._recent_images)
        self._sharing = Sharing(database, self._files, clock)
        self._loras = Loras(database, self._recent_images, settings)
        self._log = GenerationLog(database, self._delivery, self._files, self._loras, clock, settings)

    @classmethod
    async def open(
        cls,
        path_or_url: str | os.PathLike[str],
        *,
        settings: LearningSettings | SettingsReader = LearningSettings(),  # noqa: B008 - frozen
        clock: Callable[[], datetime] = utc_now,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        outbox: Path | None = None,
    ) -> PreferenceService:
        """Open a database file or a `postgresql://` address; it is created or migrated where needed.

        Parameters
        ----------
        settings
            The settings, or what reads them as they are now. With `backups_kept` a file is copied daily and before
            migrations into the folder `backups` next to it, and restored where it is damaged.
        clock
            Gives the present moment, with its time zone.
        busy_timeout_s
            How long a write waits for another program that holds the file locked, in seconds.
        outbox
            A folder. While the database cannot be written, what is logged and judged waits there; and a database that
            was used from there before may be away when it is opened. None: such failures are raised.

        Raises
        ------
        StoreUnavailable
            With a message that says what to do next; also where a required package is missing.
        """
        try:
            # SQLAlchemy imports it at the first await only, and 2.0 reports it as a ValueError.
            import_module("greenlet")
            return await cls._open(
                path_or_url,
                settings if callable(settings) else lambda: settings,
                clock=clock,
                busy_timeout_s=busy_timeout_s,
                outbox=outbox,
            )
        except ImportError as error:
            if (missing := missing_requirement(error)) is not None:
                raise missing from error
            raise

    @classmethod
    async def _open(
        cls,
        path_or_url: str | os.PathLike[str],
        settings: SettingsReader,
        *,
        clock: Callable[[], datetime],
        busy_timeout_s: float,
        outbox: Path | None,
    ) -> PreferenceService:
        url = engines.parse(path_or_url)
        file = None if outbox is None else outbox_of(path_or_url, outbox)
        path = engines.file_of(url)
        database = await Database.open(
            path_or_url,
            busy_timeout_s=busy_timeout_s,
            backups_kept=lambda: settings().backups_kept,
            clock=clock,
            # A server that was never reached from here, or a file that never was: most likely a wrong address.
            later=file is not None and (file.exists() or bool(path and path.is_file())),
        )
        service = cls(database, clock, settings, file)
        database.after_opening = service._after_opening
        try:
            if database.is_open:
                await service._rebuild_task.begin()
                await service._after_copying()
                await service._rollup_task.begin()
            await service._delivery.begin()
        except BaseException:
            service._end_tasks()
            await database.close()
            raise
        return service

    async def close(self) -> None:
        """Let running operations end and let go of the database."""
        self._end_tasks()
        await self._database.close()

    @property
    def is_offline(self) -> bool:
        """Whether the database server cannot be reached."""
        return self._database.absence is not None

    async def waiting(self) -> int:
        """How many entries wait in the outbox until the database can be written."""
        return await self._delivery.waiting()

    async def refused(self) -> int:
        """How many entries of the outbox the database does not take; they stay there."""
        return await self._delivery.refused()

    @property
    def outbox(self) -> Path | None:
        """The file in which entries wait."""
        return self._delivery.path

    def _end_tasks(self) -> None:
        self._delivery.end()
        self._rebuild_task.end()
        self._rollup_task.end()

    async def _after_opening(self) -> None:
        await self._after_copying()
        await self._rebuild_task.begin()  # a copy may be older than the last rebuild

    async def _after_copying(self) -> None:
        """Add what a copy lacks that took a damaged file's place, and leave out what is not to be stored any more."""
        keep_prompts = self._settings().keep_prompts
        await recovery.recover(self._database, keep_prompts=keep_prompts)
        if self._database.is_restored and not keep_prompts:
            with suppress(StoreUnavailable):
                await self._database.write(erasure.prompts)

    # --- recommend

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
        costs: Mapping[str, Cost] | None = None,
    ) -> Recommendation:
        """Recommend one to three of the candidates for a prompt. Only reads.

        Parameters
        ----------
        candidates
            Checkpoint names; the recommendation spells them as they are spelled here. Those that the settings ban are
            left out, and those they pin are shown.
        policy, thresholds
            None: those of the settings.
        seed
            The same seed, prompt and learned state give the same answer; None draws afresh.
        negative
            The negative prompt: a context of its own, whose words never meet the prompt's.
        costs
            What an image takes, of candidates as they are spelled here: of equally good ones the one that is loaded
            goes first, else the quicker one (`recommendation.tie_break`).

        Raises
        ------
        InvalidRequest
            If there is no candidate that is not banned, or the stage, the policy or `max_branches` does not exist.
        StoreUnavailable
            If the database cannot be read.
        """
        settings = self._settings()
        question = ask(
            prompt,
            candidates,
            negative=negative,
            policy=policy or settings.policy,
            stage=stage,
            explore=explore,
            max_branches=max_branches,
            seed=seed,
            thresholds=thresholds or settings.thresholds,
            curation=settings.curation,
            half_life=settings.half_life,
            costs=costs,
        )
        began = perf_counter()
        decision = await self._decide(question)
        recommendation = decision.recommendation(family)
        took_s = perf_counter() - began
        self.activity.decision_s += took_s
        self.activity.decisions[question.policy.name, decision.learned.strategy] += 1
        if settings.decision_log == "document":
            for line in decision_log.lines(decision, with_prompt=settings.keep_prompts):
                log.info("%s", line)
        if settings.decision_log == "decisions":
            log.info("%s", decision_log.line(recommendation, took_s, with_prompt=settings.keep_prompts))
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
        """Explain in full why `recommend` would answer as it does. Raises what `recommend` raises."""
        settings = self._settings()
        question = ask(
            prompt,
            candidates,
            negative=negative,
            policy=policy or settings.policy,
            stage=stage,
            explore=explore,
            max_branches=max_branches,
            seed=seed,
            thresholds=thresholds or settings.thresholds,
            curation=settings.curation,
            half_life=settings.half_life,
        )
        return (await self._decide(question)).explained()

    async def recommend_parameter(
        self,
        prompt: str,
        name: str,
        default: Given,
        checkpoint: str | None = None,
        *,
        negative: str = "",
        families: Mapping[str, str] | None = None,
    ) -> ParameterRecommendation:
        """Recommend a value for one parameter of an image, such as `steps`. Only reads.

        It is learned from images whose settings are known: from verdicts on images that differ in this parameter alone,
        and from what kept images used. Where nothing is known it is the default, with confidence 0.

        Parameters
        ----------
        name
            One of `parameters.PARAMETERS`: steps, cfg, sampler, scheduler, size, clip_skip.
        default
            The value where nothing is known. A size is a text such as `"832x1216"` or a pair such as `(832, 1216)`; the
            answer has the form of the default.
        checkpoint
            The one that will draw the image; None: any.
        negative
            The negative prompt, as in `recommend`.
        families
            Of checkpoints by their names, as far as the caller knows them: what is known of one checkpoint says
            something of the others of its family.

        Raises
        ------
        InvalidRequest
            If there is no such parameter, or the default is not one of its values.
        StoreUnavailable
            If the database cannot be read.
        """
        answers = await self.recommend_parameters(
            prompt, {name: default}, checkpoint, negative=negative, families=families
        )
        return answers[name]

    async def recommend_parameters(
        self,
        prompt: str,
        defaults: Mapping[str, Given],
        checkpoint: str | None = None,
        *,
        negative: str = "",
        families: Mapping[str, str] | None = None,
    ) -> dict[str, ParameterRecommendation]:
        """Recommend a value for each of several parameters, by their defaults. Raises as `recommend_parameter`."""
        return await self._parameters.recommend(prompt, defaults, checkpoint, negative=negative, families=families)

    async def suggest_negative_prompt(
        self, prompt: str, checkpoint: str | None = None, *, negative: str = ""
    ) -> tuple[SuggestedWord, ...]:
        """Suggest words that are worth adding to a negative prompt, best first. Only reads.

        They are those that the negative prompts of the person's kept images of such prompts had, and with which more
        images were kept than without. None is a word of the prompt, or in the negative prompt already. Where nothing
        is known, nothing is suggested.

        Parameters
        ----------
        checkpoint
            The one that will draw the image; None: any.
        negative
            What the negative prompt says so far.

        Raises
        ------
        StoreUnavailable
            If the database cannot be read.
        """
        return await self._negative_words.suggest(prompt, checkpoint, negative)

    async def checkpoints_with_settings(self) -> frozenset[str]:
        """The stored names of the checkpoints of whose images settings are learned. Raises `StoreUnavailable`."""
        async with self._recent_images.lock:
            recent = await self._recent_images.current()
        return frozenset(image.checkpoint for image in recent.images)

    async def recommend_loras(
        self,
        prompt: str,
        checkpoint: str | None,
        available_loras: Sequence[str | LoraCandidate],
        *,
        negative: str = "",
        most: int = 2,
        families: Mapping[str, str] | None = None,
    ) -> LoraRecommendation:
        """Recommend some of the LoRAs for a prompt, or none. Only reads.

        It is learned from images whose LoRAs are known: from verdicts on images that differ in them, and from what kept
        images of such prompts used. Before the first image, the words of the files decide.

        Parameters
        ----------
        checkpoint
            The one that will draw the image; None: any.
        available_loras
            Those that fit it: names, or with them what their files say. The answer spells them as they are spelled
            here.
        negative
            The negative prompt, as in `recommend`.
        most
            How many to recommend at most.
        families
            Of checkpoints, as in `recommend_parameter`.

        Raises
        ------
        InvalidRequest
            If `most` is not 0 to 10.
        StoreUnavailable
            If the database cannot be read.

        Examples
        --------
        `loras, confidence = await service.recommend_loras("ink sketch of a fox", "a.safetensors", names)` gives names
        with strengths, such as `(("ink.safetensors", 0.8),)`, and how sure it is of the first.
        """
        return await self._loras.recommend(
            prompt, checkpoint, available_loras, negative=negative, most=most, families=families
        )

    async def _decide(self, question: Question) -> Decision:
        version = await self._database.version()  # before the evidence: what is read is of it or of a newer one
        decision = self._decisions.get(question, version)
        if decision is None:
            texts, names = [word.text for word in question.keywords], list(question.spelled)
            evidence = await self._database.read(
                lambda connection: statistics.evidence(connection, texts, names), at_once=True
            )
            habit, shared = await self._habits.current(), await self._sharing.current(evidence.rounds)
            decision = decide(question, replace(evidence, habit=habit, shared=shared))
            self._decisions.put(decision, version)
        return decision

    # --- log and judge

    async def log_generation(
        self,
        recommendation: Recommendation,
        images: Mapping[str, int] | Sequence[ImageFile],
        session_id: str = "",
        prompt_id: str = "",
        *,
        recipes: Sequence[Recipe] | None = None,
    ) -> str:
        """Log the images that a recommendation led to, and return the generation's id.

        Parameters
        ----------
        images
            One entry per image in order, or how many each checkpoint made.
        recipes
            What made each image, in their order; settings and LoRAs of it are stored, and the tags that all their
            negative prompts have.

        Raises
        ------
        InvalidRequest
            If there are no images, far too many, or not one recipe for each.
        StoreUnavailable
            If it could not be stored; then it is not.
        """
        generation_id = await self._log.add(recommendation, images, session_id, prompt_id, recipes)
        self.activity.generations += 1
        self._forgetting.begin_retention()
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

        It replaces the generation's former verdict. An image that is not mentioned has no verdict and teaches nothing;
        a verdict that mentions none withdraws the former one.

        Raises
        ------
        UnknownGeneration, UnknownImage, InvalidVerdict
            If it does not fit what was logged.
        StoreUnavailable
            If it could not be stored, not even in the outbox; then it is not, and may be sent again.
        """
        generation = await self._log.judge(generation_id, selected, rejected, selected_images, rejected_images)
        self.activity.verdicts += 1
        return generation

    async def set_note(self, generation_id: str, note: str) -> Generation:
        """Set what the person says of a generation, a short text of their own; an empty one takes it away.

        Raises
        ------
        UnknownGeneration
        InvalidRequest
            If it is longer than 2,000 characters.
        StoreUnavailable
            If the database cannot be written now: a note waits nowhere.
        """
        return await self._log.set_note(generation_id, note)

    async def attach_files(self, generation_id: str, files: Sequence[ImageFile]) -> None:
        """Record where the images of a generation can be seen, from its first image on, in order.

        Raises
        ------
        UnknownGeneration, UnknownImage, StoreUnavailable
        """
        await self._log.attach_files(generation_id, files)

    # --- report

    async def generation(self, generation_id: str) -> Generation:
        """One logged generation, with its newest verdict.

        Raises
        ------
        UnknownGeneration, StoreUnavailable
        """
        return await self._log.one(generation_id)

    async def generations(
        self,
        limit: int = 50,
        before: str | None = None,
        session_id: str | None = None,
        prompt_id: str | None = None,
        judged: bool | None = None,
        keyword: str | None = None,
        checkpoint: str | None = None,
        *,
        kept: bool | None = None,
        search: str | None = None,
    ) -> list[Generation]:
        """Logged generations, newest first; `before` is the id of the last one of the page before.

        `kept` asks for those of which an image was selected; False: for judged ones of which none was. `keyword` and
        `checkpoint` ask for those whose prompt had the one and that have images of the other. `search`, instead
        of `keyword`, asks for those with this keyword or with this text in their note.

        Raises
        ------
        UnknownGeneration
            If there is no generation with the id `before`.
        StoreUnavailable
        """
        name = None if checkpoint is None else stored_name(checkpoint)

        async def read(connection: AsyncConnection) -> list[Generation]:
            if before is not None:
                await find(connection, before)
            # Two questions, each of which has an index of its own.
            texts = [(keyword, None)] if search is None else [(search, None), (None, search)]
            found = {
                logged.number: logged.generation
                for word, note in texts
                for logged in await generations.newest(
                    connection,
                    limit=limit,
                    before=before,
                    session_id=session_id,
                    prompt_id=prompt_id,
                    judged=judged,
                    kept=kept,
                    keyword=word,
                    checkpoint=name,
                    note=note,
                )
            }
            return [found[number] for number in sorted(found, reverse=True)[:limit]]

        return await self._database.read(read)

    async def statistics(
        self, keyword: str | None = None, checkpoint: str | None = None, limit: int = 100, offset: int = 0
    ) -> Statistics:
        """Counts, checkpoints, and one page of keyword x checkpoint rows."""
        rows, total = await self.pairs(keyword, checkpoint, limit=limit, offset=offset)
        return Statistics(await self.overview(), await self.checkpoints(), rows, total)

    async def overview(self) -> Overview:
        """Counts over the whole log."""
        scope = await self._scope()
        return await self._database.read(lambda connection: overview.overview(connection, **scope))

    async def checkpoints(self) -> tuple[CheckpointRow, ...]:
        """Every judged checkpoint over all prompts, most evidence first."""
        return await self._database.read(statistics.checkpoint_rows)

    async def images_shown(self) -> dict[str, int]:
        """How many images each checkpoint has made, judged or not."""
        scope = await self._scope()
        return await self._database.read(lambda connection: overview.images_shown(connection, **scope))

    async def pairs(
        self,
        keyword: str | None = None,
        checkpoint: str | None = None,
        *,
        search: str | None = None,
        sort: PairOrder = "total",
        descending: bool = True,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[tuple[PairRow, ...], int]:
        """One page of keyword x checkpoint rows, and how many rows there are.

        `search` is a part of the keyword or of the checkpoint's name, in any case. Of more than `pair_pages.FEW` rows,
        those with most evidence are sorted by what is not in an index.
        """
        page = pair_pages.Page(
            None if keyword is None else stored_text(keyword),
            None if checkpoint is None else stored_name(checkpoint),
            None if search is None else stored_text(search),
            sort,
            descending,
            limit,
            offset,
        )
        scope = await self._scope()
        return await self._database.read(lambda connection: pair_pages.pair_rows(connection, page, **scope))

    async def pairs_as_csv(
        self, keyword: str | None = None, checkpoint: str | None = None, *, search: str | None = None
    ) -> AsyncGenerator[str, None]:
        """Yield all rows that `pairs` finds as the text of a CSV file, by keyword and checkpoint."""
        page = pair_pages.Page(
            None if keyword is None else stored_text(keyword),
            None if checkpoint is None else stored_name(checkpoint),
            None if search is None else stored_text(search),
        )
        yield csv_table.heading()
        after: tuple[str, str] | None = None
        while rows := await self._database.read(
            lambda connection, after=after: pair_pages.rows_after(connection, page, after, _ROWS_AT_ONCE)  # type: ignore[misc]
        ):
            yield csv_table.pair_lines(rows)
            after = (rows[-1].keyword, rows[-1].checkpoint)

    async def series(self, points: int) -> tuple[SeriesPoint, ...]:
        """Progress over time, oldest first, in at most `points` groups of generations."""
        scope = await self._scope()
        return await self._database.read(lambda connection: overview.series(connection, points, **scope))

    async def sessions(self, limit: int = 100, offset: int = 0) -> tuple[SessionRow, ...]:
        """The confidence in each session, the highest first."""
        return await self._database.read(lambda connection: overview.sessions(connection, limit=limit, offset=offset))

    async def learned_version(self) -> str:
        """A text that changes whenever something was learned, by any process that shares the database."""
        return await self._database.read(statistics.learned_version)

    async def database_report(self) -> DatabaseReport:
        """The state of the database, checked as far as SQLite can check a file."""
        state = await self._database.report()
        counts = await self.overview()
        return replace(
            state,
            generations=counts.generations,
            judged=counts.judged,
            pairs=counts.pairs,
            recomputing=counts.recomputing,
        )

    async def copies(self) -> list[CopyReport]:
        """Every copy of the database file, in the order in which they would be restored, and what each holds; then
        the damaged files that one of them replaced. A server's copies are its administrator's task: none."""
        path = self._database.path
        return await asyncio.to_thread(backups.described, path, self._clock()) if path else []

    async def put_aside(self) -> list[str]:
        """Names of files that were found damaged and replaced by a copy, newest first."""
        path = self._database.path
        return [file.name for file in await asyncio.to_thread(backups.damaged, path)] if path else []

    async def _scope(self) -> dict[str, bool]:
        """What counts are read from, as the store's functions take it: the log, or sums of all or a part of it."""
        read = await self._rollup_task.look()
        return {"exact": read == "exact", "partial": read == "partial"}

    # --- checkpoint files

    async def meet_files(self, fingerprints: Mapping[str, str]) -> tuple[FileChange, ...]:
        """Compare the checkpoint files that there are now (name: fingerprint, "" unknown) with those of the last time.

        A file that was renamed or moved keeps what was learned of it. One whose content was replaced starts from
        nothing, and what was learned of the former content is kept under a name that says so. With a server's database,
        where another machine may have the file under the former name, nothing is renamed.

        Raises
        ------
        StoreUnavailable
            If the database cannot be read; one that cannot be written is logged.
        """
        return await self._files.meet(fingerprints)

    async def orphans(self, names: Collection[str]) -> list[str]:
        """Checkpoints that something is known of, and that are not among the files there are."""
        return await self._files.orphans(names)

    async def join_checkpoints(self, old: str, new: str) -> None:
        """Treat two names as one checkpoint from now on: what was learned of `old` counts for `new`.

        The statistics of a long log are recomputed in the background (`recomputed` waits for it); until then
        recommendations use the sums of both.

        Raises
        ------
        InvalidRequest
            If nothing is known of `old`, or both are the same.
        StoreUnavailable
        """
        await self._files.join(old, new)

    # --- images that are there

    async def import_recipes(
        self,
        recipes: Sequence[tuple[Recipe, float | None]],
        *,
        batch: str,
        ids: Sequence[str] | None = None,
        files: Sequence[ImageFile] | None = None,
        on_progress: OnProgress | None = None,
    ) -> ImagesImported:
        """Learn from images that are there: one batch, which `undo_import` takes back.

        Images with a rating are verdicts, among the images of the same prompt that were made within an hour of each
        other. The others say only which checkpoints the person works with. An image that is known changes nothing,
        whatever the batch; so an import that was interrupted goes on when it is repeated.

        Parameters
        ----------
        recipes
            What made each image, with `model` as ComfyUI names the checkpoint, and its rating in 0..1 (kept above 0.5)
            or None.
        batch
            A name of up to 200 characters.
        ids
            A text per image that tells it from all others, such as a digest of its file; "" or None: its recipe does.
        files
            Where ComfyUI keeps each image, so that it can be shown.
        on_progress
            Called with how many images are in, and of how many.

        Raises
        ------
        InvalidRequest
            If a rating is no number in 0..1, the batch has no name, or the lists differ in length.
        StoreUnavailable
            If they could not all be stored; import them again.
        """
        try:
            return await self._importing.add(recipes, batch, ids, files, on_progress)
        finally:
            self._habits.forget()

    async def undo_import(self, batch: str) -> int:
        """Take back all that a batch has taught; how many generations it had.

        Raises
        ------
        InvalidRequest
            If there is no such batch.
        StoreUnavailable
            If not all of it could be taken back; repeat it.
        """
        try:
            return await self._importing.undo(batch)
        finally:
            self._habits.forget()

    async def imports(self) -> tuple[ImportBatch, ...]:
        """All imports, newest first. Raises `StoreUnavailable`."""
        return await self._importing.batches()

    # --- other people

    async def share(self, epsilon: float = DEFAULT_EPSILON, *, rng: Random | None = None) -> str:
        """What verdicts say of common words, with noise that hides any one of them: the content of a file for others.

        Parameters
        ----------
        epsilon
            How much one judged generation may show (docs/sharing.md): the smaller, the less, and the more noise.
        rng
            For tests. Noise with a seed hides nothing.

        Raises
        ------
        InvalidRequest
            If epsilon is not in 0.01..100.
        StoreUnavailable
        """
        return (await self._sharing.share(epsilon, rng)).text()

    async def adopt(self, content: str | bytes, *, name: str, weight: float = 1.0) -> None:
        """Begin with what somebody shared: it counts as a few rounds at most, and the person's own sums never change.

        Parameters
        ----------
        content
            Of a file that `share` wrote.
        name
            To list and remove it by; what was adopted under that name is replaced.
        weight
            How much it counts, 0..10.

        Raises
        ------
        InvalidRequest
            If the file cannot be read, or the name or the weight makes no sense; then nothing was adopted.
        StoreUnavailable
        """
        await self._sharing.adopt(name, content, weight)

    async def adopt_people(self, file: SharedFile | None) -> None:
        """Begin with what others on this server taught (`sharing.together`), as it is now; None: with nothing of it.

        Raises
        ------
        StoreUnavailable
        """
        await self._sharing.adopt_people(file)

    async def adopted(self) -> tuple[AdoptedPrior, ...]:
        """All that was adopted, oldest first. Raises `StoreUnavailable`."""
        return await self._sharing.adopted()

    async def weigh_adopted(self, name: str, weight: float) -> None:
        """Let what was adopted count more or less, 0..10.

        Raises
        ------
        InvalidRequest
            If nothing has that name, or the weight makes no sense.
        StoreUnavailable
        """
        await self._sharing.weigh(name, weight)

    async def remove_adopted(self, name: str) -> None:
        """Remove what was adopted, without a trace in what was learned.

        Raises
        ------
        InvalidRequest
            If nothing has that name.
        StoreUnavailable
        """
        await self._sharing.remove(name)

    async def logged_files(self, after: int = 0, limit: int = 2_000) -> list[LoggedFile]:
        """The images of so many generations after the one with the number `after`, oldest first; empty at the end.

        Raises
        ------
        StoreUnavailable
        """
        return await self._database.read(lambda connection: generations.files_after(connection, after, limit))

    async def image_counts(self, generation_ids: Collection[str]) -> dict[str, int]:
        """How many images each of these generations has; those that are not logged are left out.

        Raises
        ------
        StoreUnavailable
        """
        ids = sorted(set(generation_ids))

        async def read(connection: AsyncConnection) -> dict[str, int]:
            counts: dict[str, int] = {}
            for start in range(0, len(ids), _LOOKED_UP):
                counts |= await generations.image_counts(connection, ids[start : start + _LOOKED_UP])
            return counts

        return await self._database.read(read)

    # --- forget

    async def forget_generation(self, generation_id: str) -> Forgotten:
        """Forget a generation, its prompt, images and verdicts, and what they taught.

        This and every other way to forget replaces all copies of the file by a new one, and raises `StoreUnavailable`
        where the database cannot be written.

        Raises
        ------
        UnknownGeneration
        """
        return await self._forgetting.generation(generation_id)

    async def forget_keyword(self, keyword: str) -> Forgotten:
        """Forget all that was learned of a keyword, and the texts of the prompts that had it.

        Raises
        ------
        InvalidRequest
            If nothing is known of it.
        """
        return await self._forgetting.keyword(keyword)

    async def forget_older(self, days: int) -> Forgotten:
        """Forget the generations that were logged more than so many days ago, and what they taught."""
        return await self._forgetting.older_than(days)

    async def forget_prompts(self) -> Forgotten:
        """Forget the texts of all prompts; what was learned of their keywords stays."""
        return await self._forgetting.prompts()

    async def forget_everything(self) -> Forgotten:
        """Forget everything that was logged and learned."""
        return await self._forgetting.everything()

    # --- rebuild, export, import

    async def rebuild(self) -> RebuildReport:
        """Recompute the statistics from the log. They come out the same, unless something was wrong."""
        report = await self._rebuild_task.rebuild()
        await self._rollup_task.begin()
        return report

    async def is_recomputing(self) -> bool:
        """Whether statistics are left that this process is recomputing, and no other."""
        return self._rebuild_task.is_at_work

    async def recomputed(self) -> None:
        """Wait until statistics that an older version's formula made have been recomputed."""
        await self._rebuild_task.wait()

    def export(self, *, anonymous: bool = False) -> AsyncGenerator[str, None]:
        """Yield all that was logged and learned as lines of JSON (docs/data.md), never all of it at once.

        `anonymous` leaves out prompts, images' names, sessions and seeds; the prompts' keywords stay.

        Raises
        ------
        StoreUnavailable
        """
        return transfer.export(self._database, anonymous=anonymous)

    async def import_lines(self, lines: transfer.Lines, names: Mapping[str, str] | None = None) -> ImportReport:
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
        keep_prompts = self._settings().keep_prompts
        return await transfer.import_lines(self._database, lines, names or {}, keep_prompts=keep_prompts)
