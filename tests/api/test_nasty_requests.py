"""Requests that once broke something, or break other servers; `python run.py fuzz` looks for new ones."""

from __future__ import annotations

from typing import Any

import pytest

from context_checkpoint.api.routes import ENDPOINTS, PREFIX
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client

TEXTS = (
    "\x00",
    "'; DROP TABLE generation_logs; --",
    '" OR 1=1 --',
    "%_\\",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "C:\\Windows\\system32",
    "{{7*7}}${7*7}",
    "\u202etxt.exe",
    "1e999",
)
BODIES = (
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe",
    b'{"a":' * 20_000,
    b'{"prompt": 1e400}',
    b'{"prompt": "\\ud800"}',
    b'{"seed": 18446744073709551616}',
    b'{"selected_images": [1e400]}',
    b'{"exploit_threshold": NaN}',
    b'{"pinned": ["\\u0000"]}',
)
QUERIES: tuple[dict[str, str], ...] = (
    {"limit": "9223372036854775808"},
    {"offset": "-1"},
    {"prompt": "\x00", "candidates": "\x00"},
    {"id": "%00"},
    {"before": "1e999"},
    {"search": "%_\\"},
    {"judged": "NaN"},
    {"map": "="},
    {"": ""},
)


@pytest.mark.parametrize("path", sorted({endpoint.path for endpoint in ENDPOINTS if endpoint.method == "POST"}))
async def test_no_body_is_answered_by_500(client: Client, path: str) -> None:
    """Each is served or refused in the envelope, and the database answers afterwards."""
    for body in BODIES:
        headers = {"Content-Type": "application/jsonl" if path == "/import" else "application/json"}
        response = await client.http.post(PREFIX + path.replace("{id}", "%00"), data=body, headers=headers)
        assert response.status < 500, body[:50]
        if response.status >= 400:
            assert set(await response.json()) == {"error"}

    assert (await client.get("/health"))[0] == 200


@pytest.mark.parametrize("path", sorted({endpoint.path for endpoint in ENDPOINTS if endpoint.method == "GET"}))
async def test_no_query_is_answered_by_500(client: Client, path: str) -> None:
    """Numbers beyond 64 bits, control characters, fields that the route does not have."""
    for query in QUERIES:
        response = await client.http.get(PREFIX + path, params=query)
        assert response.status < 500, query

    assert (await client.get("/health"))[0] == 200


@pytest.mark.parametrize("text", TEXTS)
async def test_texts_of_other_languages_stay_texts(client: Client, runtime: Runtime, text: str) -> None:
    """SQL, HTML, paths and templates go in and come out as they are, and do nothing on the way."""

    async def log(service: Any) -> str:
        recommendation = await service.recommend(f"anime girl, {text}", [*CANDIDATES, f"{text}.safetensors"])
        images = {f"{text}.safetensors": 1, CANDIDATES[0]: 1}
        return str(await service.log_generation(recommendation, images, session_id=text))

    generation_id = await runtime.run(log)
    await client.post("/feedback", {"generation_id": generation_id, "selected_images": [0]})

    status, page = await client.get("/generations")
    search = await client.get("/statistics", search=text, parts="pairs")
    response = await client.http.get(f"{PREFIX}/generations")

    assert status == 200
    [generation] = page["generations"]
    clean = text.replace("\x00", " ")
    assert generation["session_id"] == clean
    assert generation["images"][0]["file"]["checkpoint"] == f"{clean}.safetensors".replace("\\", "/")
    assert search[0] == 200
    assert response.content_type == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert (await client.get("/health"))[1]["judged"] == 1
