"""Whatever is sent to a route, it answers in its envelope, and what was taught stays as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings

from context_checkpoint import __version__
from context_checkpoint.api import openapi
from context_checkpoint.api.routes import ENDPOINTS, PREFIX
from context_checkpoint.api.standalone import build_app
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client
from .requests_from_openapi import NASTY, Request, requests

DESCRIPTION = openapi.describe(ENDPOINTS, prefix=PREFIX, version=__version__)
OPERATIONS = [(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods]


class Asking:
    """Sends from a test that has no loop, as Hypothesis' have none."""

    def __init__(self, loop: asyncio.AbstractEventLoop, http: TestClient[Any, Any]) -> None:
        self._loop = loop
        self._http = http

    def __call__(self, request: Request) -> tuple[int, str, bytes]:
        return self._loop.run_until_complete(self._ask(request))

    async def _ask(self, request: Request) -> tuple[int, str, bytes]:
        body = request.body
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        query = {key: value.encode("utf-8", "replace").decode() for key, value in request.query.items()}
        async with self._http.request(
            request.method,
            request.path,
            params={key.encode("utf-8", "replace").decode(): value for key, value in query.items()},
            data=body,
            headers={"Content-Type": request.content_type},
        ) as response:
            return response.status, response.content_type, await response.read()


@contextmanager
def asking(runtime: Runtime) -> Iterator[Asking]:
    loop = asyncio.new_event_loop()
    http = TestClient(TestServer(build_app(runtime), loop=loop), loop=loop)
    try:
        loop.run_until_complete(http.start_server())
        yield Asking(loop, http)
    finally:
        loop.run_until_complete(http.close())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def logged(runtime: Runtime) -> str:
    async def log(service: Any) -> str:
        made = await service.recommend("anime girl", CANDIDATES)
        return str(await service.log_generation(made, dict.fromkeys(CANDIDATES, 1)))

    return runtime.run_blocking(log)


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=[f"{m} {p}" for p, m in OPERATIONS])
def test_no_request_is_answered_by_500(runtime: Runtime, path: str, method: str) -> None:
    """Made from the description: allowed, just forbidden, and rubbish. Refusals have their envelope."""
    with asking(runtime) as ask:
        known = {"generation_id": logged(runtime), "candidates": CANDIDATES, "prompt": "anime girl"}

        @settings(
            max_examples=100,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(requests(DESCRIPTION, path, method, known))
        def send(request: Request) -> None:
            status, kind, content = ask(request)
            assert status < 500 or json.loads(content)["error"]["code"] == "store_unreachable", content[:500]
            if status >= 400 and path in request.path:
                error = json.loads(content)["error"]
                assert (kind, sorted(error)) == ("application/json", ["code", "details", "message", "parts"])

        send()
        status, _, content = ask(Request("GET", f"{PREFIX}/health", {}, None, "application/json"))
    assert status == 200, content


def _unbounded(schema: Mapping[str, Any], place: str) -> Iterator[str]:
    if schema.get("type") == "array" and "maxItems" not in schema:
        yield f"{place}: a list without end"
    if schema.get("type") == "string" and not {"maxLength", "enum", "const", "format"} & schema.keys():
        yield f"{place}: a text without end"
    if isinstance(schema.get("additionalProperties"), dict) and "maxProperties" not in schema:
        yield f"{place}: an object without end"
    for name, inner in schema.items():
        if isinstance(inner, dict) and name not in ("properties", "$defs", "default"):
            yield from _unbounded(inner, f"{place}.{name}")
        elif name == "properties":
            for field, value in inner.items():
                yield from _unbounded(value, f"{place}.{field}")
        elif isinstance(inner, list) and name != "enum":
            for each in inner:
                if isinstance(each, dict):
                    yield from _unbounded(each, place)


def test_everything_that_can_be_sent_has_a_largest_size() -> None:
    """Each text, list and mapping, however deep; bodies as a whole have one too."""
    found = [
        fault
        for endpoint in ENDPOINTS
        for fault in _unbounded(endpoint.asked.model_json_schema(), endpoint.asked.__name__)
    ]

    assert found == []


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip() and "\ud800" not in text])
async def test_texts_of_other_languages_stay_texts(client: Client, runtime: Runtime, text: str) -> None:
    """SQL, HTML, paths and templates go in and come out as they are, and do nothing on the way."""
    text = text[:100]

    async def log(service: Any) -> str:
        made = await service.recommend(f"anime girl, {text}", [*CANDIDATES, f"{text}.safetensors"])
        images = {f"{text}.safetensors": 1, CANDIDATES[0]: 1}
        return str(await service.log_generation(made, images, session_id=text))

    generation_id = await runtime.run(log)
    await client.post("/feedback", {"generation_id": generation_id, "selected_images": [0]})

    status, found = await client.get("/generations")
    search = await client.get("/statistics", search=text, parts="pairs")
    response = await client.http.get(f"{PREFIX}/generations")

    assert status == 200
    [generation] = found["generations"]
    clean = text.replace("\x00", " ")
    assert generation["session_id"] == clean
    assert generation["images"][0]["file"]["checkpoint"] == f"{clean}.safetensors".replace("\\", "/")
    assert search[0] == 200
    assert response.content_type == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (await client.get("/health"))[1]["judged"] == 1
