"""`context-checkpoint serve`: who may ask, and the page."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.api.standalone import build_app, serve
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES

RECOMMEND = {"prompt": "anime", "candidates": CANDIDATES}


@pytest.fixture
async def http(runtime: Runtime) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(build_app(runtime))) as client:
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_foreign_pages_are_refused(http: TestClient[Any, Any], headers: dict[str, str]) -> None:
    """Another site, a sandboxed frame, another port of this machine: for reading and writing."""
    for response in (
        await http.post(PREFIX + "/recommend", json=RECOMMEND, headers=headers),
        await http.get(PREFIX + "/health", headers=headers),
    ):
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "foreign_origin"


async def test_its_own_page_is_served(http: TestClient[Any, Any]) -> None:
    """The same origin, as a browser sends it."""
    response = await http.post(
        PREFIX + "/recommend", json=RECOMMEND, headers={"Origin": f"http://127.0.0.1:{http.port}"}
    )

    assert response.status == 200


async def test_another_name_for_this_machine_is_refused(http: TestClient[Any, Any]) -> None:
    """A foreign page whose name was pointed at 127.0.0.1 after it was loaded has that name as its origin."""
    response = await http.get(PREFIX + "/health", headers={"Host": "rebound.example.org"})

    assert response.status == 403
    assert (await response.json())["error"]["code"] == "foreign_host"


async def test_the_page_and_its_parts_are_served(http: TestClient[Any, Any]) -> None:
    """The page, its script, and the modules that it imports."""
    page = await http.get("/")

    assert page.status == 200
    assert page.content_type == "text/html"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    for part in (
        "standalone/page.mjs",
        "standalone/page.css",
        "panel/panel.mjs",
        "panel/panel.css",
        "lib/api_client.mjs",
        "lib/dom.mjs",
    ):
        response = await http.get(f"/web/{part}")
        assert response.status == 200, part
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/web/",
        "/web/../pyproject.toml",
        "/web/%2e%2e/pyproject.toml",
        "/web//etc/passwd",
        "/runtime/settings.py",
    ],
)
async def test_nothing_else_is_served(http: TestClient[Any, Any], path: str) -> None:
    """No listing, and no way out of the folder. (By hand, since clients tidy such paths.)"""
    reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())

    status = (await reader.read()).split()[1]
    writer.close()

    assert status in (b"403", b"404")


async def test_it_announces_its_address_once_it_answers(runtime: Runtime) -> None:
    """Port 0 takes a free one; who waits for the line can ask at once."""
    announced: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(serve(runtime, host="127.0.0.1", port=0, announce=announced.put_nowait))

    async with asyncio.timeout(10) if hasattr(asyncio, "timeout") else contextlib.nullcontext():
        address = await announced.get()
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{address}context_checkpoint/health") as response,
    ):
        assert response.status == 200

    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving
