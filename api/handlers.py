"""What the routes do: thin handlers between a checked request and the service.

Apart from `nodes/` because they work without ComfyUI: what only ComfyUI knows (its checkpoint files, the
loaders kept in memory) is asked of a `Host`, and a route that needs one says so where there is none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Protocol

from .. import __version__
from ..checkpoints.fallback import empty_pool_message, fallback_recommendation, no_pool_line
from ..checkpoints.pool import CheckpointFile, Pool, PoolRules
from ..learning.message import message
from ..learning.values import Generation, Recommendation, Stage, Thresholds
from ..runtime.pending_picks import Pick, PickAnswer, UnknownPick
from ..runtime.runtime import Runtime
from . import schemas
from .responses import Refusal

if TYPE_CHECKING:
    from ..learning.service.service import PreferenceService

logger = logging.getLogger(__name__)


class Host(Protocol):
    """What a ComfyUI around us can be asked. Every method may block; routes call them in a thread."""

    def candidates(self, rules: PoolRules) -> Pool:
        """Apply pool rules to the checkpoints it has."""
        ...

    def folders(self) -> Sequence[str]:
        """Name the folders it looks for checkpoints in."""
        ...

    def files(self) -> Sequence[CheckpointFile]:
        """List its checkpoints, those that cannot be loaded too."""
        ...

    def release_loaders(self) -> Mapping[str, Any]:
        """Let the kept checkpoints go, and say what was let go."""
        ...

    def pending(self) -> Sequence[Pick]:
        """Name the runs that wait for a person's pick, the longest waiting first."""
        ...

    def answer_pick(self, pick_id: str, answer: PickAnswer) -> Pick:
        """Let one of them go on; raises `UnknownPick` and `InvalidVerdict`."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Tell versions and counts, for `health`."""
        ...


async def _is_away(service: PreferenceService) -> bool:
    return service.is_offline


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers, with what they work on."""

    whose: Runtime | Callable[[], Runtime]
    """Or what finds the runtime of the person who asks."""
    host: Host | None = None

    @property
    def runtime(self) -> Runtime:
        """Raises `UnknownUser`."""
        return self.whose() if callable(self.whose) else self.whose

    async def health(self, asked: schemas.Nothing) -> schemas.HealthResponse:
        overview = await self.runtime.run(lambda service: service.overview())
        put_aside = await self.runtime.run(lambda service: service.put_aside())
        away = await self.runtime.run(_is_away)
        host = await asyncio.to_thread(self.host.describe) if self.host else None
        return schemas.HealthResponse(
            version=__version__,
            database=self.runtime.database_name,
            generations=overview.generations,
            judged=overview.judged,
            put_aside=put_aside,
            away=away,
            host=dict(host) if host is not None else None,
        )

    async def recommend(self, asked: schemas.RecommendRequest) -> schemas.RecommendResponse:
        pool = None if asked.candidates else await self._pool(asked.pool or schemas.PoolRequest())
        if pool is not None and not pool.candidates:
            recommendation = self._fallback(asked.prompt, pool, asked.stage)
        else:
            recommendation = await self._learned(asked, pool)
        return schemas.recommend_response(recommendation, images=asked.images, pool=pool)

    async def _learned(self, asked: schemas.RecommendRequest, pool: Pool | None) -> Recommendation:
        candidates = pool.candidates if pool is not None else asked.candidates or ()
        options = self._options(asked)
        family = pool.family if pool is not None else ""
        present = await self._fingerprints(asked)

        async def recommend(service: PreferenceService) -> Recommendation:
            if present:
                await service.meet_files(present)
            return await service.recommend(asked.prompt, candidates, family=family, **options)

        return await self.runtime.run(recommend)

    async def _fingerprints(self, asked: schemas.RecommendRequest) -> Mapping[str, str]:
        """What tells the files that there are, as the recommender node looks at them; else what is said."""
        if self.host is None:
            return asked.fingerprints or {}
        if asked.fingerprints:
            raise Refusal(
                422,
                "fingerprints_not_taken",
                "This ComfyUI looks at its checkpoint files itself: leave out the fingerprints.",
            )
        return {file.name: file.fingerprint for file in await asyncio.to_thread(self.host.files)}

    def _options(self, asked: schemas.RecommendRequest | schemas.ExplainRequest) -> dict[str, Any]:
        """What `recommend` and `explain` are asked alike, as the service calls it."""
        alike = {"stage", "explore", "policy", "max_branches", "seed", "negative"}
        return {**asked.model_dump(include=alike), "thresholds": self._thresholds(asked)}

    def _thresholds(self, asked: schemas.RecommendRequest | schemas.ExplainRequest) -> Thresholds:
        settings = self.runtime.settings
        return Thresholds(
            exploit=_given(asked.exploit_threshold, settings.exploit_threshold),
            explore=_given(asked.explore_threshold, settings.explore_threshold),
        )

    async def _pool(self, asked: schemas.PoolRequest) -> Pool:
        if self.host is None:
            raise Refusal(
                422,
                "candidates_required",
                message(
                    "candidates_required",
                    "This server is not ComfyUI and knows no checkpoint files: name the candidates.",
                ),
            )
        rules = PoolRules(asked.family, asked.include, asked.exclude, asked.fallback)
        pool = await asyncio.to_thread(self.host.candidates, rules)
        if not pool.candidates and not pool.fallback_used:
            folders = await asyncio.to_thread(self.host.folders)
            raise Refusal(422, "empty_pool", empty_pool_message(rules, pool, folders))
        return pool

    @staticmethod
    def _fallback(prompt: str, pool: Pool, stage: Stage) -> Recommendation:
        logger.info("%s", no_pool_line(pool, stage))
        return fallback_recommendation(prompt, pool, stage)

    async def feedback(self, asked: schemas.FeedbackRequest) -> schemas.GenerationResponse:
        generation = await self.runtime.run(
            lambda service: service.record_feedback(
                asked.generation_id,
                asked.selected,
                asked.rejected,
                selected_images=asked.selected_images,
                rejected_images=asked.rejected_images,
            )
        )
        return schemas.GenerationResponse.model_validate(generation)

    async def generations(self, asked: schemas.GenerationsRequest) -> schemas.GenerationsResponse:
        if asked.id is not None:
            wanted = asked.id
            found = [await self.runtime.run(lambda service: service.generation(wanted))]
            return _generations(found, more=False)
        found = await self.runtime.run(
            lambda service: service.generations(
                limit=asked.limit + 1,
                before=asked.before,
                session_id=asked.session_id,
                prompt_id=asked.prompt_id,
                judged=asked.judged,
                keyword=asked.keyword,
                checkpoint=asked.checkpoint,
            )
        )
        return _generations(found[: asked.limit], more=len(found) > asked.limit)

    async def statistics(self, asked: schemas.StatisticsRequest) -> schemas.StatisticsResponse:
        told: dict[str, Any] = {}
        if "overview" in asked.parts:
            told["overview"] = await self.runtime.run(lambda service: service.overview())
        if "checkpoints" in asked.parts:
            told["checkpoints"] = await self.runtime.run(lambda service: service.checkpoints())
        if "pairs" in asked.parts:
            told["pairs"], told["pairs_found"] = await self.runtime.run(
                lambda service: service.pairs(
                    asked.keyword,
                    asked.checkpoint,
                    search=asked.search,
                    sort=asked.sort,
                    descending=asked.descending,
                    limit=asked.limit,
                    offset=asked.offset,
                )
            )
        if "sessions" in asked.parts:
            told["sessions"] = await self.runtime.run(lambda service: service.sessions(asked.limit, asked.offset))
        if "series" in asked.parts:
            told["series"] = await self.runtime.run(lambda service: service.series(asked.points))
        return schemas.StatisticsResponse.model_validate(told)

    async def checkpoints(self, asked: schemas.Nothing) -> schemas.CheckpointsResponse:
        judged = await self.runtime.run(lambda service: service.checkpoints())
        shown = await self.runtime.run(lambda service: service.images_shown())
        files = await asyncio.to_thread(self.host.files) if self.host else None
        return schemas.checkpoints_response(judged, shown, files, self.runtime.settings.curation)

    async def explain(self, asked: schemas.ExplainRequest) -> schemas.ExplainResponse:
        if asked.candidates:
            candidates = asked.candidates
        else:
            pool = await self._pool(
                schemas.PoolRequest(
                    family=asked.family, include=asked.include, exclude=asked.exclude, fallback=asked.fallback
                )
            )
            if not pool.candidates:
                raise Refusal(422, "fallback_used", no_pool_line(pool, asked.stage))
            candidates = pool.candidates
        options = self._options(asked)
        explained = await self.runtime.run(lambda service: service.explain(asked.prompt, candidates, **options))
        return schemas.ExplainResponse.model_validate(explained)

    async def export(self, asked: schemas.ExportRequest) -> AsyncIterator[str]:
        async for lines in self.runtime.stream(lambda service: service.export(anonymous=asked.anonymous)):
            yield "".join(lines)

    async def import_lines(self, asked: schemas.ImportRequest, *, lines: IO[bytes]) -> schemas.ImportResponse:
        from ..learning.exchange.line_format import lines_in  # late: nothing else here needs its models

        names = asked.names()
        report = await self.runtime.run(lambda service: service.import_lines(lines_in(lines), names))
        return schemas.ImportResponse.model_validate(report)

    async def settings(self, asked: schemas.Nothing) -> schemas.SettingsResponse:
        return schemas.SettingsResponse.model_validate(self.runtime.settings)

    async def change_settings(self, asked: schemas.SettingsRequest) -> schemas.SettingsResponse:
        changed = await asyncio.to_thread(partial(self.runtime.change_settings, **asked.changes()))
        return schemas.SettingsResponse.model_validate(changed)

    async def release_loaders(self, asked: schemas.Nothing) -> schemas.ReleaseResponse:
        if self.host is None:
            said = message("not_in_comfyui", "This server is not ComfyUI and keeps no loaders.")
            raise Refusal(409, "not_in_comfyui", said)
        return schemas.ReleaseResponse(released=dict(await asyncio.to_thread(self.host.release_loaders)))

    async def pending(self, asked: schemas.Nothing) -> schemas.PendingResponse:
        waiting = await asyncio.to_thread(self.host.pending) if self.host else ()
        return schemas.PendingResponse(pending=tuple(schemas.PickResponse.model_validate(pick) for pick in waiting))

    async def answer_pick(self, asked: schemas.AnswerPickRequest, *, id: str) -> schemas.PickResponse:  # noqa: A002
        if self.host is None:
            raise UnknownPick(id)
        answer = PickAnswer(frozenset(asked.selected_images), frozenset(asked.rejected_images), asked.send_all)
        return schemas.PickResponse.model_validate(await asyncio.to_thread(self.host.answer_pick, id, answer))


def _generations(found: Sequence[Generation], *, more: bool) -> schemas.GenerationsResponse:
    return schemas.GenerationsResponse(
        generations=tuple(schemas.GenerationResponse.model_validate(generation) for generation in found),
        next_before=found[-1].id if more else None,
    )


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


async def forget(api: Api, asked: schemas.ForgetRequest) -> schemas.ForgetResponse:
    run = api.runtime.run
    if asked.generation_id is not None:
        generation_id = asked.generation_id
        forgotten = await run(lambda service: service.forget_generation(generation_id))
    elif asked.keyword is not None:
        keyword = asked.keyword
        forgotten = await run(lambda service: service.forget_keyword(keyword))
    elif asked.older_than_days is not None:
        days = asked.older_than_days
        forgotten = await run(lambda service: service.forget_older(days))
    elif asked.prompts:
        forgotten = await run(lambda service: service.forget_prompts())
    else:
        forgotten = await run(lambda service: service.forget_everything())
    return schemas.ForgetResponse.model_validate(forgotten)
