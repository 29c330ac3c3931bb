"""The HTTP routes as ComfyUI serves them, beside its own."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from context_checkpoint.api.routes import ENDPOINTS, PREFIX
from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, Refused
from context_checkpoint.demo.tiny_models.checkpoints import NINE_COLORS

NINE = sorted(f"{name}.safetensors" for name in NINE_COLORS)


def post(server: ComfyServer, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """POST and hand back status and answer, whatever it is."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        server.url.rstrip("/") + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"} | (headers or {}),
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        content = refusal.read()
        return refusal.code, json.loads(content) if content else None


@pytest.mark.parametrize("start", ["", "/api"])
def test_every_route_is_served_with_and_without_api(comfy: ComfyServer, start: str) -> None:
    """ComfyUI's frontend asks under /api, scripts may do without."""
    for endpoint in ENDPOINTS:
        path = f"{start}{PREFIX}{endpoint.path}".replace("{id}", "any").replace("{name}", "any")
        if "any" in path and endpoint.method != "POST":  # the route's own refusal, not ComfyUI's
            with pytest.raises(Refused) as refused:
                comfy.request(endpoint.method, path)
            assert refused.value.body["error"]["code"] in ("unknown_import", "unknown_adopted", "invalid_request"), path
        elif endpoint.method == "GET":
            query = "?prompt=anime" if endpoint.path == "/explain" else ""
            assert comfy.request("GET", path + query, timeout_s=60.0)
        else:
            status, answer = post(comfy, path, {"surely unknown": 1})
            lines = (415, "unsupported_media_type")  # an import is JSON Lines and says so
            expected = lines if endpoint.form == "lines_in" else (422, "invalid_request")
            assert (status, answer["error"]["code"]) == expected


def test_pool_rules_choose_among_comfyuis_own_checkpoints(comfy: ComfyServer) -> None:
    """The families are those of ComfyUI's model detection, the names those of its loader."""
    _, everything = post(comfy, f"{PREFIX}/recommend", {"prompt": "anime", "pool": {"family": "all"}})
    _, sd15 = post(comfy, f"{PREFIX}/recommend", {"prompt": "anime", "pool": {"family": "sd15"}})
    _, auto = post(comfy, f"{PREFIX}/recommend", {"prompt": "anime", "pool": {"exclude": "text/"}})

    listed = comfy.get("/models/checkpoints")
    assert everything["pool"]["candidates"] == listed
    assert sd15["checkpoints"] == ["sd15/paint.safetensors"]
    assert auto["pool"]["family"] == "sd3"
    assert auto["pool"]["candidates"] == NINE


def test_health_describes_this_comfyui(comfy: ComfyServer) -> None:
    """Version, folders, and how many checkpoints of which family."""
    host = comfy.get(f"{PREFIX}/health")["host"]

    assert host["comfyui"].startswith("ComfyUI ")
    assert str(comfy.checkpoints) in host["folders"]
    assert host["families"]["sd15"] == 1
    assert host["checkpoints"] == len(comfy.get("/models/checkpoints"))


def test_a_generation_is_found_by_its_prompt_and_by_who_queued_it(comfy: ComfyServer) -> None:
    """`session_id` is the client's id; the images can be fetched where the generation says."""
    client = "a script of mine"
    prompt_id = comfy.post_prompt(three_nodes(recommender={"include": "grey*"}), client)
    [shown] = generations(comfy.wait(prompt_id))

    by_prompt = comfy.get(f"{PREFIX}/generations?prompt_id={prompt_id}")["generations"]
    by_client = comfy.get(f"{PREFIX}/generations?session_id=a%20script%20of%20mine")["generations"]

    assert [generation["id"] for generation in by_prompt] == [shown["generation_id"]]
    assert by_client == by_prompt
    file = by_prompt[0]["images"][0]["file"]
    assert comfy.pixels(file).shape == (128, 128, 3)


def test_a_foreign_page_is_refused_by_comfyui_itself(comfy: ComfyServer) -> None:
    """Its own middleware looks at the origin before any route does."""
    status, _ = post(comfy, f"{PREFIX}/settings", {}, {"Origin": "https://example.org"})

    assert status == 403
