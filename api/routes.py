"""The HTTP routes: one table, `ENDPOINTS`.

It is what ComfyUI serves, what `context-checkpoint serve` serves and what `openapi.json` says. ComfyUI's
start does not import it: there `late_routes` stands for it until somebody asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

from aiohttp import web

from .. import __version__
from ..runtime.runtime import Runtime
from . import handlers as upkeep_handlers
from . import metrics, openapi, schemas
from . import schemas as exchange_schemas
from . import schemas as learned_schemas
from . import schemas as upkeep_schemas
from .addresses import PREFIX, Address
from .endpoint import Endpoint, handler_of
from .handlers import Api, Host
from .responses import Handler

__all__ = ["ENDPOINTS", "PREFIX", "build_routes", "handlers_of"]


async def _describe(api: Api, asked: schemas.Nothing) -> schemas.OpenApiResponse:
    return await asyncio.to_thread(_description)


@cache
def _description() -> schemas.OpenApiResponse:
    return schemas.OpenApiResponse(openapi.describe(ENDPOINTS, prefix=PREFIX, version=__version__))


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
        schemas.HealthResponse,
        Api.health,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/recommend",
        "Recommend one to three checkpoints for a prompt.",
        schemas.RecommendRequest,
        schemas.RecommendResponse,
        Api.recommend,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/feedback",
        "Record, replace or withdraw the verdict on a generation.",
        schemas.FeedbackRequest,
        schemas.GenerationResponse,
        Api.feedback,
        _BODY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/generations",
        "Logged generations, newest first.",
        schemas.GenerationsRequest,
        schemas.GenerationsResponse,
        Api.generations,
        _QUERY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/pending",
        "Runs that wait for a pick.",
        schemas.Nothing,
        schemas.PendingResponse,
        Api.pending,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/pending/{id}",
        "Pick, and let the run that waits go on.",
        schemas.AnswerPickRequest,
        schemas.PickResponse,
        Api.answer_pick,
        _BODY | {404: "No run waits for this pick, or no longer."},
    ),
    Endpoint(
        "GET",
        "/statistics",
        "What was learned: counts, per checkpoint, per keyword and checkpoint.",
        learned_schemas.StatisticsRequest,
        learned_schemas.StatisticsResponse,
        Api.statistics,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/checkpoints",
        "Every checkpoint that ComfyUI has or that made images: its file, and what was learned of it.",
        schemas.Nothing,
        learned_schemas.CheckpointsResponse,
        Api.checkpoints,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/explain",
        "Why a prompt would get the checkpoints it would get.",
        learned_schemas.ExplainRequest,
        learned_schemas.ExplainResponse,
        Api.explain,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/explain",
        "The same, for prompts that are too long for an address.",
        learned_schemas.ExplainRequest,
        learned_schemas.ExplainResponse,
        Api.explain,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/export",
        "All that was logged and taught, as JSON Lines.",
        exchange_schemas.ExportRequest,
        exchange_schemas.JsonLines,
        Api.export,
        _QUERY | _UNAVAILABLE,
        lines="answered",
    ),
    Endpoint(
        "POST",
        "/import",
        "Add what was exported, here or elsewhere.",
        exchange_schemas.ImportRequest,
        exchange_schemas.ImportResponse,
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
        "/metrics",
        "Numbers for monitoring, in Prometheus' text form.",
        schemas.Nothing,
        metrics.MetricsText,
        metrics.metrics,
        _QUERY | _UNAVAILABLE,
        lines="text",
    ),
    Endpoint(
        "POST",
        "/forget",
        "Forget a generation, a keyword, old generations, the prompts' texts, or everything.",
        upkeep_schemas.ForgetRequest,
        upkeep_schemas.ForgetResponse,
        upkeep_handlers.forget,
        _BODY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/settings",
        "The settings.",
        schemas.Nothing,
        schemas.SettingsResponse,
        Api.settings,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/settings",
        "Change some settings.",
        schemas.SettingsRequest,
        schemas.SettingsResponse,
        Api.change_settings,
        _BODY,
    ),
    Endpoint(
        "POST",
        "/loaders/release",
        "Let go of the checkpoints that are kept in memory.",
        schemas.Nothing,
        schemas.ReleaseResponse,
        Api.release_loaders,
        _BODY | {409: "This server is not ComfyUI."},
    ),
    Endpoint(
        "GET",
        "/openapi.json",
        "This description.",
        schemas.Nothing,
        schemas.OpenApiResponse,
        _describe,
        _QUERY,
    ),
)


def handlers_of(runtime: Runtime | Callable[[], Runtime], host: Host | None) -> dict[Address, Handler]:
    """Make the handler of each address."""
    api = Api(runtime, host)
    return {(one.method, one.path): handler_of(one, api) for one in ENDPOINTS}


def build_routes(runtime: Runtime | Callable[[], Runtime], host: Host | None) -> list[web.RouteDef]:
    """Make the routes, for an application of one's own."""
    return [web.route(method, PREFIX + path, handler) for (method, path), handler in handlers_of(runtime, host).items()]
