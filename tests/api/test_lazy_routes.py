"""The routes as ComfyUI gets them: addresses at its start, all else with the first request."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint.api.addresses import ADDRESSES, PREFIX
from context_checkpoint.api.lazy_routes import add_to
from context_checkpoint.api.routes import ENDPOINTS
from context_checkpoint.runtime.runtime import Runtime

from .conftest import FolderHost

ROOT = Path(__file__).parents[2]

ASKED_IN_A_NEW_PROCESS = """
import asyncio, json, logging, sys
from pathlib import Path
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from context_checkpoint.api.addresses import PREFIX
from context_checkpoint.api.lazy_routes import add_to
from context_checkpoint.runtime import Runtime

logging.basicConfig(stream=sys.stderr)
table = web.RouteTableDef()
add_to(table, Runtime(Path(sys.argv[1])), None)

async def ask(http):
    async with http.get(PREFIX + "/settings") as response:
        return response.status, await response.json()

async def main():
    app = web.Application()
    app.add_routes(table)
    async with TestClient(TestServer(app)) as http:
        first = await ask(http)
        del sys.modules["pydantic"]
        sys.path.remove(sys.argv[2])
        print(json.dumps([first, await ask(http)]))

asyncio.run(main())
"""


def test_the_addresses_are_those_of_the_table() -> None:
    """An endpoint that is not among them would not be served by ComfyUI."""
    assert list(ADDRESSES) == [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]


async def test_first_requests_at_once_are_all_answered(runtime: Runtime, tmp_path: Path) -> None:
    """A page sends several requests while nothing is loaded yet."""
    table = web.RouteTableDef()
    add_to(table, runtime, FolderHost(tmp_path))
    app = web.Application()
    app.add_routes(table)

    async with TestClient(TestServer(app)) as http:
        paths = ("/health", "/settings", "/pending", "/settings", "/openapi.json")
        answers = await asyncio.gather(*(http.get(PREFIX + path) for path in paths))

        assert [answer.status for answer in answers] == [200] * len(paths)
        assert await answers[1].json() == await answers[3].json() != await answers[2].json()


def test_routes_that_cannot_be_loaded_are_refused_and_tried_again(tmp_path: Path) -> None:
    """A pydantic that lacks what the schemas need: the answer is in the envelope, the trace in the log."""
    old, tree, data = tmp_path / "old", tmp_path / "tree", tmp_path / "data"
    old.mkdir()
    (old / "pydantic.py").write_text("VERSION = '0.1'\n", "utf-8")
    tree.mkdir()
    (tree / "context_checkpoint").symlink_to(ROOT, target_is_directory=True)

    done = subprocess.run(
        [sys.executable, "-c", ASKED_IN_A_NEW_PROCESS, str(data), str(old)],
        env={"PATH": "", "SYSTEMROOT": "C:\\Windows", "PYTHONPATH": os.pathsep.join(map(str, (old, tree)))},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    (status, refused), (status_then, settings) = json.loads(done.stdout)
    assert (status, refused["error"]["code"], refused["error"]["details"]) == (500, "routes_not_loaded", [])
    assert "from 'pydantic'" in refused["error"]["message"]
    assert "requirements.txt" in refused["error"]["message"]
    assert refused["error"]["parts"][0]["key"] == "package_unusable"
    assert "Traceback" in done.stderr
    assert (status_then, settings["backups_kept"]) == (200, 7)
