"""The HTTP routes: thin handlers between a checked request and the service.

One table, `ENDPOINTS`, is what ComfyUI serves, what `context-checkpoint serve` serves and what `openapi.json`
says. Apart from `nodes/` because the routes work without ComfyUI: what only ComfyUI knows (its checkpoint
files, the loaders kept in memory) is asked of a `Host`, and a route that needs one says so where there is
none.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Any, Generic, Literal, Protocol

from aiohttp import web
from pydantic import BaseModel

from . import __version__, exchange_schemas, learned_schemas, openapi, schemas
from .envelope import (
    AskedT,
    Handler,
    Refusal,
    answer,
    checked_lines,
    enveloped,
    read_body,
    read_query,
    spool,
    stream,
)
from .learning.values import Generation, Recommendation, Stage, Thresholds
from .nodes.pending_picks import Pick, PickAnswer, UnknownPick
from .nodes.pool import (
    CheckpointFile,
    Pool,
    PoolRules,
    empty_pool_message,
    fallback_recommendation,
    no_pool_line,
)
from .runtime import Runtime

logger = logging.getLogger(__name__)

PREFIX = "/context_checkpoint"
_IN_MEMORY = 4 * 2**20


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


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[AskedT]):
    """One route: what it is asked, what it answers, how it refuses, and who does it.

    Names in braces in `path` are handed to the handler by keyword. `lines` says that JSON Lines are
    `answered` or `sent` instead of one JSON object; what is asked then stands in the query.
    """

    method: Literal["GET", "POST"]
    path: str
    summary: str
    asked: type[AskedT]
    answer: type[BaseModel]
    handle: Callable[..., Any]  # awaited for an answer; with `lines` "answered" an iterator of them
    refusals: Mapping[int, str] = field(default_factory=dict)
    lines: Literal["", "answered", "sent"] = ""


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers, with what they work on."""

    runtime: Runtime
    host: Host | None = None

    async def health(self, asked: schemas.Nothing) -> schemas.HealthAnswer:
        overview = await self.runtime.run(lambda service: service.overview())
        host = await asyncio.to_thread(self.host.describe) if self.host else None
        return schemas.HealthAnswer(
            version=__version__,
            database=self.runtime.database_name,
            generations=overview.generations,
            judged=overview.judged,
            host=dict(host) if host is not None else None,
        )

    async def recommend(self, asked: schemas.RecommendAsked) -> schemas.RecommendAnswer:
        pool = None if asked.candidates else await self._pool(asked.pool or schemas.PoolAsked())
        if pool is not None and not pool.candidates:
            recommendation = self._fallback(asked.prompt, pool, asked.stage)
        else:
            recommendation = await self._learned(asked, pool)
        return schemas.recommend_answer(recommendation, images=asked.images, pool=pool)

    async def _learned(self, asked: schemas.RecommendAsked, pool: Pool | None) -> Recommendation:
        candidates = pool.candidates if pool is not None else asked.candidates or ()
        thresholds = self._thresholds(asked)
        return await self.runtime.run(
            lambda service: service.recommend(
                asked.prompt,
                candidates,
                stage=asked.stage,
                explore=asked.explore,
                policy=asked.policy,
                max_branches=asked.max_branches,
                seed=asked.seed,
                thresholds=thresholds,
                family=pool.family if pool is not None else "",
            )
        )

    def _thresholds(self, asked: schemas.RecommendAsked | schemas.ExplainAsked) -> Thresholds:
        settings = self.runtime.settings
        return Thresholds(
            exploit=_given(asked.exploit_threshold, settings.exploit_threshold),
            explore=_given(asked.explore_threshold, settings.explore_threshold),
        )

    async def _pool(self, asked: schemas.PoolAsked) -> Pool:
        if self.host is None:
            raise Refusal(
                422,
                "candidates_required",
                "This server is not ComfyUI and knows no checkpoint files: name the candidates.",
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

    async def feedback(self, asked: schemas.FeedbackAsked) -> schemas.GenerationAnswer:
        generation = await self.runtime.run(
            lambda service: service.record_feedback(
                asked.generation_id,
                asked.selected,
                asked.rejected,
                selected_images=asked.selected_images,
                rejected_images=asked.rejected_images,
            )
        )
        return schemas.GenerationAnswer.model_validate(generation)

    async def generations(self, asked: schemas.GenerationsAsked) -> schemas.GenerationsAnswer:
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

    async def statistics(self, asked: learned_schemas.StatisticsAsked) -> learned_schemas.StatisticsAnswer:
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
        if "series" in asked.parts:
            told["series"] = await self.runtime.run(lambda service: service.series(asked.points))
        return learned_schemas.StatisticsAnswer.model_validate(told)

    async def checkpoints(self, asked: schemas.Nothing) -> learned_schemas.CheckpointsAnswer:
        judged = await self.runtime.run(lambda service: service.checkpoints())
        shown = await self.runtime.run(lambda service: service.images_shown())
        files = await asyncio.to_thread(self.host.files) if self.host else None
        return learned_schemas.checkpoints_answer(judged, shown, files)

    async def explain(self, asked: schemas.ExplainAsked) -> schemas.ExplainAnswer:
        if asked.candidates:
            candidates = asked.candidates
        else:
            pool = await self._pool(
                schemas.PoolAsked(
                    family=asked.family, include=asked.include, exclude=asked.exclude, fallback=asked.fallback
                )
            )
            if not pool.candidates:
                raise Refusal(422, "fallback_used", no_pool_line(pool, asked.stage))
            candidates = pool.candidates
        thresholds = self._thresholds(asked)
        explained = await self.runtime.run(
            lambda service: service.explain(
                asked.prompt,
                candidates,
                stage=asked.stage,
                explore=asked.explore,
                policy=asked.policy,
                max_branches=asked.max_branches,
                seed=asked.seed,
                thresholds=thresholds,
            )
        )
        return schemas.ExplainAnswer.model_validate(explained)

    async def export(self, asked: exchange_schemas.ExportAsked) -> AsyncIterator[str]:
        async for lines in self.runtime.stream(lambda service: service.export(anonymous=asked.anonymous)):
            yield "".join(lines)

    async def import_lines(
        self, asked: exchange_schemas.ImportAsked, *, lines: IO[bytes]
    ) -> exchange_schemas.ImportAnswer:
        from .learning.portable import lines_in  # late: nothing else here needs its models

        names = asked.names()
        report = await self.runtime.run(lambda service: service.import_lines(lines_in(lines), names))
        return exchange_schemas.ImportAnswer.model_validate(report)

    async def settings(self, asked: schemas.Nothing) -> schemas.SettingsAnswer:
        return schemas.SettingsAnswer.model_validate(self.runtime.settings)

    async def change_settings(self, asked: schemas.SettingsAsked) -> schemas.SettingsAnswer:
        changed = await asyncio.to_thread(partial(self.runtime.change_settings, **asked.changes()))
        return schemas.SettingsAnswer.model_validate(changed)

    async def release_loaders(self, asked: schemas.Nothing) -> schemas.ReleaseAnswer:
        if self.host is None:
            raise Refusal(409, "not_in_comfyui", "This server is not ComfyUI and keeps no loaders.")
        return schemas.ReleaseAnswer(released=dict(await asyncio.to_thread(self.host.release_loaders)))

    async def pending(self, asked: schemas.Nothing) -> schemas.PendingAnswer:
        waiting = await asyncio.to_thread(self.host.pending) if self.host else ()
        return schemas.PendingAnswer(
            pending=tuple(schemas.PickAnswer.model_validate(pick) for pick in waiting)
        )

    async def answer_pick(self, asked: schemas.AnswerPickAsked, *, id: str) -> schemas.PickAnswer:  # noqa: A002
        if self.host is None:
            raise UnknownPick(id)
        answer = PickAnswer(
            frozenset(asked.selected_images), frozenset(asked.rejected_images), asked.send_all
        )
        return schemas.PickAnswer.model_validate(await asyncio.to_thread(self.host.answer_pick, id, answer))

    async def describe(self, asked: schemas.Nothing) -> schemas.OpenApiAnswer:
        return schemas.OpenApiAnswer(openapi.describe(ENDPOINTS, prefix=PREFIX, version=__version__))


def _generations(found: Sequence[Generation], *, more: bool) -> schemas.GenerationsAnswer:
    return schemas.GenerationsAnswer(
        generations=tuple(schemas.GenerationAnswer.model_validate(generation) for generation in found),
        next_before=found[-1].id if more else None,
    )


def _given(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


_UNAVAILABLE = {503: "The database cannot be read or written now; nothing of the request was stored."}
_QUERY = {422: "The query is not as described, or makes no sense here."}
_BODY = {
    400: "The body is not JSON.",
    413: "The body is too large.",
    415: "The body does not say that it is JSON.",
    422: "The body is not as described, or makes no sense here.",
}

ENDPOINTS: tuple[Endpoint[Any], ...] = (
    Endpoint(
        "GET",
        "/health",
        "Whether the database answers, and what is served.",
        schemas.Nothing,
        schemas.HealthAnswer,
        Api.health,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/recommend",
        "Recommend one to three checkpoints for a prompt.",
        schemas.RecommendAsked,
        schemas.RecommendAnswer,
        Api.recommend,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/feedback",
        "Record, replace or withdraw the verdict on a generation.",
        schemas.FeedbackAsked,
        schemas.GenerationAnswer,
        Api.feedback,
        _BODY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/generations",
        "Logged generations, newest first.",
        schemas.GenerationsAsked,
        schemas.GenerationsAnswer,
        Api.generations,
        _QUERY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/pending",
        "Runs that wait for a pick.",
        schemas.Nothing,
        schemas.PendingAnswer,
        Api.pending,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/pending/{id}",
        "Pick, and let the run that waits go on.",
        schemas.AnswerPickAsked,
        schemas.PickAnswer,
        Api.answer_pick,
        _BODY | {404: "No run waits for this pick, or no longer."},
    ),
    Endpoint(
        "GET",
        "/statistics",
        "What was learned: counts, per checkpoint, per keyword and checkpoint.",
        learned_schemas.StatisticsAsked,
        learned_schemas.StatisticsAnswer,
        Api.statistics,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/checkpoints",
        "Every checkpoint that ComfyUI has or that made images: its file, and what was learned of it.",
        schemas.Nothing,
        learned_schemas.CheckpointsAnswer,
        Api.checkpoints,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/explain",
        "Why a prompt would get the checkpoints it would get.",
        schemas.ExplainAsked,
        schemas.ExplainAnswer,
        Api.explain,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/explain",
        "The same, for prompts that are too long for an address.",
        schemas.ExplainAsked,
        schemas.ExplainAnswer,
        Api.explain,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/export",
        "All that was logged and taught, as JSON Lines.",
        exchange_schemas.ExportAsked,
        exchange_schemas.JsonLines,
        Api.export,
        _QUERY | _UNAVAILABLE,
        lines="answered",
    ),
    Endpoint(
        "POST",
        "/import",
        "Add what was exported, here or elsewhere.",
        exchange_schemas.ImportAsked,
        exchange_schemas.ImportAnswer,
        Api.import_lines,
        _UNAVAILABLE
        | {
            413: "The body is too large.",
            415: "The body does not say that it is JSON Lines.",
            422: "The query or a line is not as described; nothing was imported.",
        },
        lines="sent",
    ),
    Endpoint(
        "GET",
        "/settings",
        "The settings.",
        schemas.Nothing,
        schemas.SettingsAnswer,
        Api.settings,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/settings",
        "Change some settings.",
        schemas.SettingsAsked,
        schemas.SettingsAnswer,
        Api.change_settings,
        _BODY,
    ),
    Endpoint(
        "POST",
        "/loaders/release",
        "Let go of the checkpoints that are kept in memory.",
        schemas.Nothing,
        schemas.ReleaseAnswer,
        Api.release_loaders,
        _BODY | {409: "This server is not ComfyUI."},
    ),
    Endpoint(
        "GET",
        "/openapi.json",
        "This description.",
        schemas.Nothing,
        schemas.OpenApiAnswer,
        Api.describe,
        _QUERY,
    ),
)


def build_routes(runtime: Runtime, host: Host | None) -> list[web.RouteDef]:
    """Make the routes, for an application of one's own."""
    api = Api(runtime, host)
    return [web.route(one.method, PREFIX + one.path, _bound(one, api)) for one in ENDPOINTS]


def add_to(table: web.RouteTableDef, runtime: Runtime, host: Host | None) -> None:
    """Append the routes to ComfyUI's table, which it serves both as they are and under `/api`.

    Must run before `PromptServer.add_routes`; ComfyUI loads custom nodes before.
    """
    for route in build_routes(runtime, host):
        table.route(route.method, route.path)(route.handler)


def _bound(endpoint: Endpoint[Any], api: Api) -> Handler:
    read = read_query if endpoint.method == "GET" else None

    async def handle(request: web.Request) -> web.StreamResponse:
        asked = read(request, endpoint.asked) if read else await read_body(request, endpoint.asked)
        return answer(await endpoint.handle(api, asked, **request.match_info))

    async def answer_lines(request: web.Request) -> web.StreamResponse:
        return await stream(request, endpoint.handle(api, read_query(request, endpoint.asked)))

    async def take_lines(request: web.Request) -> web.StreamResponse:
        checked_lines(request)
        asked = read_query(request, endpoint.asked)
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as lines:
            await spool(request, lines)
            lines.seek(0)
            return answer(await endpoint.handle(api, asked, lines=lines))

    return enveloped({"": handle, "answered": answer_lines, "sent": take_lines}[endpoint.lines])
