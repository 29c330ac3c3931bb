"""No path that a client names is ever opened: names are compared and stored, and never lead to a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.routes import ENDPOINTS, PREFIX, build_routes
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, FolderHost, log_generation

_WATCHED: list[list[str]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit events of CPython: open, listdir, scandir, remove, rename, sqlite3.connect and the like."""
    if _WATCHED:
        paths = [each for each in arguments if isinstance(each, str | bytes | Path)]
        _WATCHED[-1].extend(f"{event}: {each!r}" for each in paths)


sys.addaudithook(_audit)  # an audit hook cannot be removed


@contextmanager
def audited() -> Iterator[list[str]]:
    _WATCHED.append([])
    try:
        yield _WATCHED[-1]
    finally:
        _WATCHED.pop()


async def test_no_route_opens_a_path_that_it_is_sent(runtime: Runtime, tmp_path: Path) -> None:
    """Absolute, climbing up, as an address and as a pattern, in every text of every request."""
    folder, bait = tmp_path / "checkpoints", tmp_path / "bait"
    (tmp_path / "output").mkdir()
    for place in (folder, bait):
        place.mkdir()
        (place / "one.safetensors").write_bytes(b"no checkpoint")
    names = [
        str(bait / "one.safetensors"),
        "../bait/one.safetensors",
        f"file://{bait}/one.safetensors",
        f"{bait}/*",
    ]
    app = web.Application()
    app.add_routes(build_routes(runtime, FolderHost(folder)))
    generation = await log_generation(runtime, "anime girl")
    statuses: dict[str, set[int]] = {}
    async with TestClient(TestServer(app)) as http:
        lines = (await (await http.get(f"{PREFIX}/export")).text()).splitlines()
        with audited() as events:
            for name in names:
                for method, path, options in requests_with(name, generation, lines):
                    answer = await http.request(method, PREFIX + path, **options)
                    await answer.read()
                    statuses.setdefault(f"{method} {path.partition('?')[0]}", set()).add(answer.status)

    untouched = {
        "/openapi.json",
        "/export",
        "/loaders/release",
        "/metrics",
        "/backups",
        "/health",
        "/checkpoints",
        "/start",
        "/start/images",
    }  # take no text
    routes = {f"{each.method} {each.path}" for each in ENDPOINTS if each.path not in untouched}
    assert {route.replace("{id}", "x").replace("{name}", "x") for route in routes} <= statuses.keys()
    for route in ("POST /recommend", "POST /explain", "POST /import", "POST /settings", "GET /generations"):
        assert 200 in statuses[route], route
    assert {status for codes in statuses.values() for status in codes} <= {200, 202, 404, 409, 422, 501}, statuses
    assert any(str(folder) in event for event in events), "the host's own files are looked at"
    assert [event for event in events if "bait" in event] == []


def requests_with(name: str, generation: str, lines: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A request to each route that takes texts, with a name in each of them."""
    pools = [{"family": "all", rule: name} for rule in ("include", "exclude", "fallback")]
    bodies: dict[str, list[dict[str, Any]]] = {
        "/recommend": [
            {"prompt": name, "negative": name, "candidates": [name]},
            {"prompt": name, "candidates": [name], "fingerprints": {name: "a" * 32}},
            *({"prompt": name, "pool": pool} for pool in pools),
            {"prompt": name, "candidates": [name], "policy": name},
        ],
        "/profiles": [{"checkpoint": name, "settings": {"sampler": "euler", "before": name}}],
        "/recommend/parameter": [
            {"prompt": name, "negative": name, "name": "sampler", "default": name, "checkpoint": name},
        ],
        "/suggest/negative": [{"prompt": name, "negative": name, "checkpoint": name}],
        "/recommend/loras": [
            {"prompt": name, "negative": name, "available": [name], "checkpoint": name},
            {"prompt": name, "available": [{"name": name, "trigger_words": [name], "tags": {name: 1}}]},
        ],
        "/explain": [
            {"prompt": name, "candidates": [name]},
            *({"prompt": name, "pool": pool} for pool in pools),
        ],
        "/graph": [
            {"prompt": {"1": {"class_type": name, "inputs": {"ckpt_name": name, name: name}}}, "loader": "1"},
            {"prompt": {"1": {"class_type": name, "inputs": {}}}, "loader": name},
        ],
        "/feedback": [
            {"generation_id": generation, "selected": {name: 1}},
            {"generation_id": name, "selected_images": [0]},
        ],
        "/forget": [{"generation_id": name}, {"keyword": name}],
        "/generations/note": [{"generation_id": generation, "note": name}, {"generation_id": name, "note": ""}],
        "/settings": [{"pinned": [name], "banned": []}, {"policy": name}],
        "/pending/x": [{"selected_images": [0]}],
        "/share": [{}],
    }
    shared = {"format": "context-checkpoint-share", "version": 1, "words": {"cat": [1, 1]}}
    bodies["/adopt"] = [{"name": name, "file": {**shared, "checkpoints": [{"name": name}]}}]
    bodies["/images/import"] = [{"root": name}, {"folder": name}, {"folder": ".", "batch": name, "dry_run": False}]
    for path, some in bodies.items():
        for body in some:
            yield "POST", path, {"json": body}
    for path in ("/pending", "/images/imports", "/images/import/x", "/adopt"):
        yield "GET", path, {}
    quoted = quote(name, safe="")
    for path in ("/images/import/x", "/images/imports/x", f"/images/imports/{quoted}", "/adopt/x", f"/adopt/{quoted}"):
        yield "DELETE", path, {}
    for path, query in {
        "/explain": {"prompt": name, "candidates": name, "include": name, "fallback": name, "family": "all"},
        "/generations": {"session_id": name, "keyword": name, "checkpoint": name},
        "/statistics.csv": {"search": name, "keyword": name, "checkpoint": name},
        "/statistics": {"search": name, "keyword": name, "checkpoint": name, "parts": "pairs"},
        "/settings": {},
        "/profiles": {"checkpoint": name},
    }.items():
        yield "GET", path, {"params": query}
    first = json.loads(lines[1])
    for image in first["images"]:
        image |= {"filename": name, "subfolder": name, "type": name, "checkpoint": name}
    changed = "\n".join([lines[0], json.dumps(first | {"id": "f" * 32, "utilities": {}, "session_id": name})]) + "\n"
    headers = {"Content-Type": "application/jsonl"}
    yield (
        "POST",
        "/import",
        {"params": {"map": f"{CANDIDATES[0]}={name}"}, "data": changed, "headers": headers},
    )
