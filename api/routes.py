"""The HTTP routes: one table, `ENDPOINTS`.

It is what ComfyUI serves, what `context-checkpoint serve` serves and what `openapi.json` says. ComfyUI's
start does not import it: `lazy_routes` stands for it until the first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

from aiohttp import web

from .. import __version__
from ..images.sources import ImageSources
from ..runtime.runtime import Runtime
from . import images, metrics, openapi, sharing, start
from .addresses import PREFIX, Address
from .endpoint import Endpoint, handler_of
from .handlers import Api, Host
from .responses import Handler
from .schemas.backups import BackupsResponse
from .schemas.base import Nothing
from .schemas.checkpoints import CheckpointsResponse
from .schemas.exchange import ExportRequest, ImportRequest, ImportResponse, JsonLines
from .schemas.explain import ExplainRequest, ExplainResponse
from .schemas.forget import ForgetRequest, ForgetResponse
from .schemas.generations import (
    FeedbackRequest,
    GenerationResponse,
    GenerationsRequest,
    GenerationsResponse,
    NoteRequest,
)
from .schemas.graph import GraphRequest, GraphResponse
from .schemas.images import (
    ImagesImportRequest,
    ImagesImportResponse,
    ImportsResponse,
    ImportUndoneResponse,
)
from .schemas.loras import LorasRequest, LorasResponse
from .schemas.negative_words import NegativeWordsRequest, NegativeWordsResponse
from .schemas.parameters import ParameterRequest, ParameterResponse
from .schemas.pending import AnswerPickRequest, PendingResponse, PickResponse
from .schemas.profiles import ProfileRequest, ProfileResponse, ProfilesRequest, ProfilesResponse
from .schemas.recommend import RecommendRequest, RecommendResponse
from .schemas.settings import SettingsRequest, SettingsResponse
from .schemas.sharing import AdoptedResponse, AdoptRequest, ShareRequest, ShareResponse
from .schemas.start import StartImagesResponse, StartResponse
from .schemas.statistics import CsvRequest, CsvText, StatisticsRequest, StatisticsResponse
from .schemas.system import HealthResponse, OpenApiResponse, ReleaseResponse

__all__ = ["ENDPOINTS", "PREFIX", "build_routes", "handlers_of"]


async def _describe(api: Api, request: Nothing) -> OpenApiResponse:
    return await asyncio.to_thread(_description)


@cache
def _description() -> OpenApiResponse:
    return OpenApiResponse(openapi.describe(ENDPOINTS, prefix=PREFIX, version=__version__))


_UNAVAILABLE = {503: "The database cannot be read or written now; nothing of the request was stored."}
_QUERY = {422: "The query is not as described, or makes no sense here."}
_BODY = {
    400: "The body is not JSON, or breaks off.",
    408: "The body takes too long.",
    413: "The body is too large.",
    415: "The body does not say that it is JSON.",
    422: "The body is not as described, or makes no sense here.",
}

ENDPOINTS: tuple[Endpoint[Any], ...] = (
    Endpoint(
        "GET",
        "/health",
        "Whether the database answers, and what is served.",
        Nothing,
        HealthResponse,
        Api.health,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/recommend",
        "Recommend one to three checkpoints for a prompt.",
        RecommendRequest,
        RecommendResponse,
        Api.recommend,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/recommend/parameter",
        "Recommend a value for one setting of an image.",
        ParameterRequest,
        ParameterResponse,
        Api.recommend_parameter,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/suggest/negative",
        "Suggest words for a negative prompt.",
        NegativeWordsRequest,
        NegativeWordsResponse,
        Api.suggest_negative,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/recommend/loras",
        "Recommend LoRAs for a prompt, or none.",
        LorasRequest,
        LorasResponse,
        Api.recommend_loras,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/feedback",
        "Record, replace or withdraw the verdict on a generation.",
        FeedbackRequest,
        GenerationResponse,
        Api.feedback,
        _BODY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/generations",
        "Logged generations, newest first.",
        GenerationsRequest,
        GenerationsResponse,
        Api.generations,
        _QUERY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "POST",
        "/generations/note",
        "Write a note about a generation, or take it away.",
        NoteRequest,
        GenerationResponse,
        Api.note,
        _BODY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/pending",
        "Runs that wait for a pick.",
        Nothing,
        PendingResponse,
        Api.pending,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/pending/{id}",
        "Pick, and let the run that waits go on.",
        AnswerPickRequest,
        PickResponse,
        Api.answer_pick,
        _BODY | {404: "No run waits for this pick, or no longer."},
    ),
    Endpoint(
        "GET",
        "/statistics",
        "What was learned: counts, per checkpoint, per keyword and checkpoint.",
        StatisticsRequest,
        StatisticsResponse,
        Api.statistics,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/statistics.csv",
        "All that was learned per keyword and checkpoint, as CSV for spreadsheets.",
        CsvRequest,
        CsvText,
        Api.statistics_as_csv,
        _QUERY | _UNAVAILABLE,
        form="csv_out",
    ),
    Endpoint(
        "GET",
        "/checkpoints",
        "Every checkpoint that ComfyUI has or that made images: its file, and what was learned of it.",
        Nothing,
        CheckpointsResponse,
        Api.checkpoints,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/profiles",
        "The settings of each checkpoint, those learned from kept images too, and where they come from.",
        ProfilesRequest,
        ProfilesResponse,
        Api.profiles,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/profiles",
        "Set some settings of one checkpoint, or take them back.",
        ProfileRequest,
        ProfileResponse,
        Api.change_profile,
        _BODY,
    ),
    Endpoint(
        "GET",
        "/explain",
        "Why a prompt would get the checkpoints it would get.",
        ExplainRequest,
        ExplainResponse,
        Api.explain,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/explain",
        "The same, for prompts that are too long for an address.",
        ExplainRequest,
        ExplainResponse,
        Api.explain,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/graph",
        "What a loader's first image is made from, read from ComfyUI's prompt.",
        GraphRequest,
        GraphResponse,
        Api.graph,
        _BODY | {404: "The prompt has no such node."},
    ),
    Endpoint(
        "GET",
        "/export",
        "All that was logged and taught, as JSON Lines.",
        ExportRequest,
        JsonLines,
        Api.export,
        _QUERY | _UNAVAILABLE,
        form="lines_out",
    ),
    Endpoint(
        "POST",
        "/import",
        "Add what was exported, here or elsewhere.",
        ImportRequest,
        ImportResponse,
        Api.import_lines,
        _UNAVAILABLE
        | {
            400: "The body breaks off.",
            408: "The body takes too long.",
            413: "The body is too large.",
            415: "The body does not say that it is JSON Lines.",
            422: "The query or a line is not as described; nothing was imported.",
        },
        form="lines_in",
    ),
    Endpoint(
        "POST",
        "/images/import",
        "Say what is in a folder of images, or learn from them. It goes on after the response.",
        ImagesImportRequest,
        ImagesImportResponse,
        images.start,
        _BODY | {404: "No such folder.", 409: "An import is running already."},
        status=202,
    ),
    Endpoint(
        "GET",
        "/images/import/{id}",
        "How far an import is, or how it ended.",
        Nothing,
        ImagesImportResponse,
        images.progress,
        _QUERY | {404: "No such import, or no longer."},
    ),
    Endpoint(
        "DELETE",
        "/images/import/{id}",
        "End an import, and forget it; what was learned stays.",
        Nothing,
        ImagesImportResponse,
        images.cancel,
        _QUERY | {404: "No such import, or no longer."},
    ),
    Endpoint(
        "GET",
        "/images/imports",
        "The imports that were learned, those of this server, and the folders that may be read.",
        Nothing,
        ImportsResponse,
        images.imports,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "DELETE",
        "/images/imports/{name}",
        "Take back all that an import has taught.",
        Nothing,
        ImportUndoneResponse,
        images.undo,
        _QUERY | _UNAVAILABLE | {404: "No such import."},
    ),
    Endpoint(
        "GET",
        "/start",
        "What models there are to choose from, by family.",
        Nothing,
        StartResponse,
        start.start,
        _QUERY | {409: "This server is not ComfyUI."},
    ),
    Endpoint(
        "GET",
        "/start/images",
        "How many image files there are that might be learned from.",
        Nothing,
        StartImagesResponse,
        start.start_images,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/share",
        "What verdicts say of common words, with noise that hides any one of them, for other people.",
        ShareRequest,
        ShareResponse,
        sharing.share,
        _BODY | _UNAVAILABLE,
    ),
    Endpoint(
        "GET",
        "/adopt",
        "What was adopted from other people.",
        Nothing,
        AdoptedResponse,
        sharing.adopted,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/adopt",
        "Begin with what somebody shared, or let it count more or less.",
        AdoptRequest,
        AdoptedResponse,
        sharing.adopt,
        _BODY | _UNAVAILABLE | {404: "Nothing is adopted under this name."},
    ),
    Endpoint(
        "DELETE",
        "/adopt/{name}",
        "Remove what was adopted; what was learned here stays as it is.",
        Nothing,
        AdoptedResponse,
        sharing.remove,
        _QUERY | _UNAVAILABLE | {404: "Nothing is adopted under this name."},
    ),
    Endpoint(
        "GET",
        "/metrics",
        "Numbers for monitoring, in Prometheus' text form.",
        Nothing,
        metrics.MetricsText,
        metrics.metrics,
        _QUERY | _UNAVAILABLE,
        form="text",
    ),
    Endpoint(
        "GET",
        "/backups",
        "Copies of the database file, and what each holds.",
        Nothing,
        BackupsResponse,
        Api.backups,
        _QUERY | _UNAVAILABLE,
    ),
    Endpoint(
        "POST",
        "/forget",
        "Forget a generation, a keyword, old generations, the prompts' texts, or everything.",
        ForgetRequest,
        ForgetResponse,
        Api.forget,
        _BODY | _UNAVAILABLE | {404: "No such generation."},
    ),
    Endpoint(
        "GET",
        "/settings",
        "The settings.",
        Nothing,
        SettingsResponse,
        Api.settings,
        _QUERY,
    ),
    Endpoint(
        "POST",
        "/settings",
        "Change some settings.",
        SettingsRequest,
        SettingsResponse,
        Api.change_settings,
        _BODY,
    ),
    Endpoint(
        "POST",
        "/loaders/release",
        "Release the checkpoints that are kept in memory.",
        Nothing,
        ReleaseResponse,
        Api.release_loaders,
        _BODY | {409: "This server is not ComfyUI."},
    ),
    Endpoint(
        "GET",
        "/openapi.json",
        "This description.",
        Nothing,
        OpenApiResponse,
        _describe,
        _QUERY,
    ),
)


def handlers_of(
    runtime: Runtime | Callable[[], Runtime], host: Host | None, images: ImageSources | None = None
) -> dict[Address, Handler]:
    """Make the handler of each address; `images` are the folders that may be read where there is no host."""
    api = Api(runtime, host, images or ImageSources())
    return {(endpoint.method, endpoint.path): handler_of(endpoint, api) for endpoint in ENDPOINTS}


def build_routes(
    runtime: Runtime | Callable[[], Runtime], host: Host | None, images: ImageSources | None = None
) -> list[web.RouteDef]:
    """Make the routes, for an application of one's own."""
    handlers = handlers_of(runtime, host, images)
    return [web.route(method, PREFIX + path, handler) for (method, path), handler in handlers.items()]
