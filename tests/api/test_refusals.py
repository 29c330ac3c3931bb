"""Every refusal leaves in one envelope, with a fitting status and a stable code."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.requests import LARGEST_BODY
from context_checkpoint.api.routes import PREFIX, build_routes
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client, FolderHost, error, log_generation

UNKNOWN = "0" * 32


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prompt"),
        ({"prompt": "a", "candidates": CANDIDATES, "promt": "b"}, "promt"),
        ({"prompt": 7, "candidates": CANDIDATES}, "prompt"),
        ({"prompt": "a" * 400_001, "candidates": CANDIDATES}, "prompt"),
        ({"prompt": "a", "candidates": []}, "candidates"),
        ({"prompt": "a", "candidates": "one.safetensors"}, "candidates"),
        ({"prompt": "a", "candidates": [""]}, "candidates.0"),
        ({"prompt": "a", "candidates": ["a\nb"]}, "candidates.0"),
        ({"prompt": "a", "candidates": ["c"] * 1001}, "candidates"),
        ({"prompt": "a", "candidates": ["c" * 1025]}, "candidates.0"),
        ({"prompt": "a", "candidates": CANDIDATES, "pool": {}}, ""),
        ({"prompt": "a", "pool": {"familly": "sdxl"}}, "pool.familly"),
        ({"prompt": "a", "candidates": CANDIDATES, "stage": "finale"}, "stage"),
        ({"prompt": "a", "candidates": CANDIDATES, "explore": "yes"}, "explore"),
        ({"prompt": "a", "candidates": CANDIDATES, "max_branches": 4}, "max_branches"),
        ({"prompt": "a", "candidates": CANDIDATES, "max_branches": 1.5}, "max_branches"),
        ({"prompt": "a", "candidates": CANDIDATES, "seed": -1}, "seed"),
        ({"prompt": "a", "candidates": CANDIDATES, "seed": 2**64}, "seed"),
        ({"prompt": "a", "candidates": CANDIDATES, "exploit_threshold": 1.1}, "exploit_threshold"),
        ({"prompt": "a", "candidates": CANDIDATES, "images": 0}, "images"),
        ([], ""),
        (None, ""),
    ],
)
async def test_a_recommendation_that_is_not_as_described_names_the_field(client: Client, body: Any, field: str) -> None:
    """422 with `details` for programs and the first problem in words."""
    status, answer = await client.post("/recommend", body)

    assert status == 422
    refusal = error(answer)
    assert refusal["code"] == "invalid_request"
    assert field in [detail["field"] for detail in refusal["details"]]
    assert refusal["details"][0]["problem"] in refusal["message"]


async def test_an_unknown_field_is_refused_with_the_known_ones(client: Client) -> None:
    """A misspelt name is not silently ignored."""
    _, answer = await client.post("/feedback", {"generation_id": UNKNOWN, "selected_image": [0]})

    assert "selected_images" in error(answer)["message"] + str(error(answer)["details"])


async def test_nan_is_no_threshold(client: Client) -> None:
    """Python's JSON writes NaN; no comparison with it means anything."""
    response = await client.http.post(
        PREFIX + "/settings", data=b'{"exploit_threshold": NaN}', headers={"Content-Type": "application/json"}
    )

    assert response.status in (400, 422)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"generation_id": UNKNOWN}, "invalid_request"),
        ({"generation_id": UNKNOWN, "selected": {}, "selected_images": []}, "invalid_request"),
        ({"generation_id": UNKNOWN, "selected": {"a": -1}}, "invalid_request"),
        ({"generation_id": UNKNOWN, "selected_images": [-1]}, "invalid_request"),
        ({"generation_id": "", "selected_images": [0]}, "invalid_request"),
        ({"generation_id": "g" * 201, "selected_images": [0]}, "invalid_request"),
        ({"selected_images": [0]}, "invalid_request"),
    ],
)
async def test_a_verdict_that_is_not_as_described_is_refused(client: Client, body: Any, code: str) -> None:
    """Before anybody looks for the generation."""
    status, answer = await client.post("/feedback", body)

    assert (status, error(answer)["code"]) == (422, code)


async def test_a_generation_that_was_never_logged_is_404(client: Client) -> None:
    """The message says where ids come from."""
    for status, answer in (
        await client.post("/feedback", {"generation_id": UNKNOWN, "selected_images": [0]}),
        await client.get("/generations", id=UNKNOWN),
        await client.get("/generations", before=UNKNOWN),
    ):
        assert (status, error(answer)["code"]) == (404, "unknown_generation")
        assert UNKNOWN in error(answer)["message"]


async def test_a_refusal_shows_what_nobody_sees_in_a_name(client: Client, runtime: Runtime) -> None:
    """In its text and in the parts for other languages; a response has the name itself."""
    generation = await log_generation(runtime)
    name = "epic\u202erealism.ckpt"

    for body in ({"generation_id": name, "selected_images": [0]}, {"generation_id": generation, "selected": {name: 1}}):
        _, answer = await client.post("/feedback", body)
        assert "epic[U+202E]realism" in error(answer)["message"]
        assert "\u202e" not in json.dumps(error(answer), ensure_ascii=False)
    _, recommended = await client.post("/recommend", {"prompt": "a", "candidates": [name]})
    assert recommended["checkpoints"] == [name]
    assert recommended["explanation"].startswith("epic[U+202E]realism")


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        ({"selected_images": [3]}, "unknown_image"),
        ({"selected": {"another.safetensors": 1}}, "unknown_image"),
        ({"selected_images": [0], "rejected_images": [0]}, "invalid_verdict"),
        ({"selected": {CANDIDATES[0]: 2}}, "invalid_verdict"),
    ],
)
async def test_a_verdict_that_does_not_fit_its_generation_changes_nothing(
    client: Client, runtime: Runtime, verdict: dict[str, Any], code: str
) -> None:
    """An image that does not exist, or more of them than were made."""
    generation = await log_generation(runtime)
    _, before = await client.post("/feedback", {"generation_id": generation, "selected_images": [1]})

    status, answer = await client.post("/feedback", {"generation_id": generation, **verdict})

    assert (status, error(answer)["code"]) == (422, code)
    _, after = await client.get("/generations", id=generation)
    assert after["generations"] == [before]


async def test_outside_comfyui_candidates_must_be_named(client: Client) -> None:
    """Nobody here knows checkpoint files."""
    for status, answer in (
        await client.post("/recommend", {"prompt": "anime"}),
        await client.post("/recommend", {"prompt": "anime", "pool": {"family": "sdxl"}}),
        await client.get("/explain", prompt="anime"),
    ):
        assert (status, error(answer)["code"]) == (422, "candidates_required")


async def test_outside_comfyui_there_are_no_loaders(client: Client) -> None:
    """409: right request, wrong server."""
    status, answer = await client.post("/loaders/release", {})

    assert (status, error(answer)["code"]) == (409, "not_in_comfyui")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"policy": "guess"}, "bayesian"),
        ({"exploit_threshold": 0.2}, "wrong way round"),
        ({"kept_loaders": 21}, "20"),
    ],
)
async def test_an_impossible_setting_is_refused_with_the_choices(client: Client, change: Any, part: str) -> None:
    """And nothing changes."""
    _, before = await client.get("/settings")

    status, answer = await client.post("/settings", change)

    assert status == 422
    assert part in error(answer)["message"]
    assert (await client.get("/settings"))[1] == before


async def test_an_unknown_policy_is_refused_with_the_choices(client: Client) -> None:
    """422, from the service."""
    status, answer = await client.post("/recommend", {"prompt": "a", "candidates": CANDIDATES, "policy": "guess"})

    assert (status, error(answer)["code"]) == (422, "unknown_policy")
    assert "bayesian" in error(answer)["message"]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 501}, {"limit": "many"}, {"judged": "maybe"}, {"page": 2}])
async def test_a_query_that_is_not_as_described_is_refused(client: Client, params: dict[str, Any]) -> None:
    """Queries are held to their description as bodies are."""
    status, answer = await client.get("/generations", **params)

    assert (status, error(answer)["code"]) == (422, "invalid_request")


async def test_a_key_given_twice_is_refused_where_one_is_meant(client: Client) -> None:
    """Which of both would count?"""
    response = await client.http.get(PREFIX + "/generations?limit=1&limit=2")

    assert response.status == 422
    assert "limit" in error(await response.json())["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"prompt": "\\ud800"}', b"[" * 100_000])
async def test_what_is_no_json_is_400(client: Client, raw: bytes) -> None:
    """Empty, cut off, another encoding, half a surrogate pair, nested without end."""
    response = await client.http.post(PREFIX + "/recommend", data=raw, headers={"Content-Type": "application/json"})

    assert response.status == 400
    assert error(await response.json())["code"] == "invalid_json"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
async def test_a_body_that_does_not_say_it_is_json_is_415(client: Client, kind: str | None) -> None:
    """These are what a foreign page could send without the browser asking first."""
    body = json.dumps({"prompt": "a", "candidates": CANDIDATES}).encode()

    response = await client.http.post(
        PREFIX + "/recommend",
        data=body,
        headers={"Content-Type": kind} if kind else {},
        skip_auto_headers=["Content-Type"],
    )

    assert response.status == 415
    assert error(await response.json())["code"] == "unsupported_media_type"


async def test_a_charset_beside_the_type_is_fine(client: Client) -> None:
    """Many clients add it."""
    response = await client.http.post(
        PREFIX + "/recommend",
        data=json.dumps({"prompt": "a", "candidates": CANDIDATES}).encode(),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )

    assert response.status == 200


async def test_too_large_a_body_is_413_whether_or_not_it_says_so(client: Client) -> None:
    """With a Content-Length, and sent in chunks of unknown number."""

    async def chunks() -> Any:
        for _ in range(LARGEST_BODY // 2**20 + 1):
            yield b" " * 2**20

    for body in (io.BytesIO(b" " * (LARGEST_BODY + 1)), chunks()):
        response = await client.http.post(
            PREFIX + "/recommend", data=body, headers={"Content-Type": "application/json"}
        )

        assert response.status == 413
        assert error(await response.json())["code"] == "body_too_large"


async def test_a_missing_route_or_method_is_told_in_the_envelope(client: Client) -> None:
    """Programs that ask the wrong thing get JSON too."""
    status, answer = await client.get("/recomend")
    assert (status, error(answer)["code"]) == (404, "not_found")

    status, answer = await client.get("/recommend")
    assert (status, error(answer)["code"]) == (405, "method_not_allowed")


async def test_a_method_that_is_not_allowed_is_told_which_are(client: Client) -> None:
    """As HTTP asks for."""
    answer = await client.http.put(PREFIX + "/feedback")

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_too_long_an_address_is_refused_as_described(client: Client) -> None:
    """By aiohttp, before it is known whom it was for; the prompt of such a length goes by POST."""
    path = PREFIX + "/explain"
    description = await (await client.http.get(PREFIX + "/openapi.json")).json()
    answer = await client.http.get(path, params={"prompt": "a" * 9_000, "candidates": "a"})
    status, _ = await client.post("/explain", {"prompt": "a" * 9_000, "candidates": ["a"]})

    assert (answer.status, answer.content_type, status) == (400, "text/plain", 200)
    assert "text/plain" in description["paths"][path]["get"]["responses"]["400"]["content"]


async def test_a_database_that_cannot_be_used_is_503(tmp_path: Path, client: Client) -> None:
    """With the cause and the next step, for reading and writing alike."""
    (tmp_path / "data" / "preferences.db").write_bytes(b"this is no database" * 1000)

    for status, answer in (
        await client.get("/health"),
        await client.post("/recommend", {"prompt": "a", "candidates": CANDIDATES}),
        await client.post("/feedback", {"generation_id": UNKNOWN, "selected_images": [0]}),
    ):
        assert (status, error(answer)["code"]) == (503, "store_damaged")
        assert str(tmp_path) in error(answer)["message"]


async def test_a_mistake_of_ours_is_500_and_its_trace_stays_here(
    runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has the trace, the client a sentence."""

    class BrokenHost(FolderHost):
        def describe(self) -> dict[str, Any]:
            return {}["a secret of the inside"]

    app = web.Application()
    app.add_routes(build_routes(runtime, BrokenHost(tmp_path)))
    async with TestClient(TestServer(app)) as http:
        response = await http.get(PREFIX + "/health")
        answer = await response.json()

    assert (response.status, error(answer)["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(answer)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
