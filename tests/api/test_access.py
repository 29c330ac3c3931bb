"""`context-checkpoint serve` on a network: under which names, with which token, and who is told what."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import expect

from context_checkpoint.api.access import read_token
from context_checkpoint.api.routes import ENDPOINTS, PREFIX
from context_checkpoint.api.standalone import TOKEN_FILE, build_app, serve
from context_checkpoint.demo.comfyui.browser import chromium
from context_checkpoint.learning.errors import LearningError
from context_checkpoint.runtime.runtime import Runtime
from tests.conftest import posix_only

from .conftest import error

EVERYWHERE = "0.0.0.0"  # noqa: S104 - the tests' server is bound to 127.0.0.1


@asynccontextmanager
async def asked(runtime: Runtime, bound_host: str) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(build_app(runtime, bound_host=bound_host))) as client:
        yield client


def token_of(runtime: Runtime) -> str:
    return (runtime.data_directory / TOKEN_FILE).read_text().strip()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("bound_host", [EVERYWHERE, "::", "", "192.168.1.7", "studio.example.org"])
async def test_beyond_this_machine_every_route_asks_for_the_token(runtime: Runtime, bound_host: str) -> None:
    """Those that read, those that write, those that do not exist; the page's own files hold no data."""
    async with asked(runtime, bound_host) as http:
        for endpoint in ENDPOINTS:
            path = PREFIX + endpoint.path
            for headers in ({}, bearer("x" * 43), bearer(""), bearer("\xff"), {"Authorization": token_of(runtime)}):
                response = await http.request(endpoint.method, path, headers=headers, json={})
                assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer"), path
                assert error(await response.json())["code"] == "token_required"
            allowed = await http.request(endpoint.method, path, headers=bearer(token_of(runtime)), json={})
            assert allowed.status != 401, path
        assert (await http.get(f"{PREFIX}/none")).status == 401
        assert (await http.get("/")).status == (await http.get("/web/standalone/page.mjs")).status == 200


@pytest.mark.parametrize("bound_host", ["127.0.0.1", "::1", "localhost", "127.0.0.2"])
async def test_on_this_machine_alone_no_token_is_asked_for(runtime: Runtime, bound_host: str) -> None:
    """Nor made."""
    async with asked(runtime, bound_host) as http:
        assert (await http.get(PREFIX + "/export")).status == 200
    assert not (runtime.data_directory / TOKEN_FILE).exists()


async def test_the_page_keeps_the_token_that_its_address_had(runtime: Runtime) -> None:
    """In a cookie that no script and no other site gets; the address that stays has no token."""
    async with asked(runtime, EVERYWHERE) as http:
        wrong = await http.get("/", params={"token": "wrong"}, allow_redirects=False)
        opened = await http.get("/", params={"token": token_of(runtime)}, allow_redirects=False)
        proxied = await http.get(
            "/", params={"token": token_of(runtime)}, headers={"X-Forwarded-Proto": "https"}, allow_redirects=False
        )

        assert (wrong.status, len(wrong.cookies)) == (401, 0)
        assert (opened.status, opened.headers["Location"]) == (303, "/")
        [cookie], [secure] = opened.cookies.values(), proxied.cookies.values()
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "Strict", "/", "")
        assert secure["secure"]
        # `http` has no cookies for addresses by itself.
        kept = {"Cookie": f"{cookie.key}={cookie.value}"}
        assert (await http.get(PREFIX + "/export", headers=kept)).status == 200
        for foreign in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await http.get(PREFIX + "/export", headers=kept | foreign)).status == 403


@pytest.mark.browser
async def test_a_browser_opens_the_printed_address_once(runtime: Runtime, chromium_program: str) -> None:
    """Without it the page says what is missing; with it, the page works from then on."""
    async with TestServer(build_app(runtime, bound_host=EVERYWHERE)) as server, chromium(chromium_program) as browser:
        page = await (await browser.new_context()).new_page()
        await page.goto(str(server.make_url("/")))
        await expect(page.locator("main")).to_contain_text("This server asks for its token")

        await page.goto(str(server.make_url(f"/?token={token_of(runtime)}")))
        await expect(page.locator("main")).to_contain_text("Nothing has been learned yet")
        assert page.url == str(server.make_url("/"))
        assert await page.evaluate("document.cookie") == ""
        await page.goto(str(server.make_url("/")))
        await expect(page.locator("main")).to_contain_text("Nothing has been learned yet")


@pytest.mark.parametrize(
    ("bound_host", "name", "status"),
    [
        (EVERYWHERE, "rebound.example.org", 403),
        (EVERYWHERE, "192.168.1.7:8190", 200),
        (EVERYWHERE, "[fe80::1]:8190", 200),
        (EVERYWHERE, "localhost", 200),
        (EVERYWHERE, "localhost.example.org", 403),
        ("studio.example.org", "studio.example.org:8190", 200),
        ("studio.example.org", "other.example.org", 403),
        ("127.0.0.1", "192.168.1.7", 403),
        ("127.0.0.1", "studio.example.org", 403),
    ],
)
async def test_a_foreign_name_is_refused_wherever_it_is_bound(
    runtime: Runtime, bound_host: str, name: str, status: int
) -> None:
    """A page may point a name of its own at any address, but has no page of an address that is not its own."""
    async with asked(runtime, bound_host) as http:
        kept = runtime.data_directory / TOKEN_FILE
        headers = {"Host": name, **(bearer(token_of(runtime)) if kept.exists() else {})}
        response = await http.get(PREFIX + "/health", headers=headers)
        answer = await response.json()

    assert response.status == status
    if status == 403:
        refusal = error(answer)
        assert refusal["code"] == "foreign_host"
        assert f"serve_names={name.partition(':')[0]}" in refusal["message"]


async def test_the_setting_takes_a_proxys_name(runtime: Runtime) -> None:
    """Bound to this machine alone too, where the proxy is what others reach: so it asks for the token."""
    runtime.change_settings(serve_names=["Studio.example.org"])
    proxied = {"Host": "studio.example.org", "Origin": "https://studio.example.org"}

    async with asked(runtime, "127.0.0.1") as http:
        without = await http.get(PREFIX + "/health", headers=proxied)
        allowed = await http.get(PREFIX + "/health", headers=proxied | bearer(token_of(runtime)))
        other = await http.get(PREFIX + "/health", headers=bearer(token_of(runtime)) | {"Host": "evil.example.org"})

    assert (without.status, allowed.status, other.status) == (401, 200, 403)


def _get(host: bytes, *more: bytes) -> bytes:
    return b"\r\n".join([b"GET /context_checkpoint/health HTTP/1.1", b"Host: " + host, *more, b"", b""])


LOCAL = b"127.0.0.1"


@pytest.mark.parametrize("bound_host", ["127.0.0.1", EVERYWHERE])
@pytest.mark.parametrize(
    "request_head",
    [
        *(
            _get(host)
            for host in (b"[", b"[::1", b"a:b:c", b"127.0.0.1:99999", b"127.0.0.1:x", b"", b"@", b"u@127.0.0.1")
        ),
        *(_get(host) for host in (b"\xff\xfe", b"\xe2\x84\x80", b"[v1.x]", b"a b", b"localhost\r\nHost: other")),
        *(
            _get(LOCAL, b"Origin: " + page)
            for page in (b"[", b"http://[", b"http://[::1", b"http://a:b:c", b"\xff", b"")
        ),
        b"GET /context_checkpoint/health HTTP/1.1\r\n\r\n",
        b"GET /context_checkpoint/health HTTP/1.0\r\n\r\n",
        b"GET http://[/context_checkpoint/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET http://other/context_checkpoint/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /context_checkpoint/\xff HTTP/1.1\r\nHost: \xff\r\n\r\n",
    ],
)
async def test_a_malformed_host_or_origin_is_the_clients_mistake(
    runtime: Runtime, bound_host: str, request_head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """400 or 403, and nothing in the log."""
    async with asked(runtime, bound_host) as http:
        assert http.port
        reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
        writer.write(request_head)
        status = (await asyncio.wait_for(reader.read(100), 10)).split()[1]
        writer.close()

    assert status in (b"400", b"403")
    assert not [record for record in caplog.records if record.name.startswith("context_checkpoint")]


class TestToken:
    def test_it_is_made_once_and_only_its_user_reads_it(self, tmp_path: Path) -> None:
        """Whatever the umask."""
        file = tmp_path / "data" / TOKEN_FILE

        token = read_token(file)

        assert len(token) >= 43
        assert read_token(file) == token == file.read_text().strip()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert read_token(tmp_path / "other") != token

    @pytest.mark.parametrize("content", ["", "\n", "short", "a" * 20 + " " + "b" * 20, "Ü" * 43])
    def test_what_is_no_token_is_replaced(self, tmp_path: Path, content: str) -> None:
        """A disk that was full, an editor: an empty token would let everybody in."""
        file = tmp_path / TOKEN_FILE
        file.touch(0o600)
        file.write_text(content)

        token = read_token(file)

        assert len(token) >= 43
        assert file.read_text().strip() == token

    @posix_only
    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
    def test_one_that_others_could_read_is_replaced(self, tmp_path: Path, mode: int) -> None:
        """They may have."""
        file = tmp_path / TOKEN_FILE
        former = read_token(file)
        file.chmod(mode)

        assert read_token(file) != former
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_one_that_cannot_be_kept_is_told(self, tmp_path: Path) -> None:
        """By the file, not as a port that cannot be bound."""
        (tmp_path / TOKEN_FILE).mkdir()

        with pytest.raises(LearningError, match=TOKEN_FILE):
            read_token(tmp_path / TOKEN_FILE)


@pytest.mark.parametrize(("host", "told"), [("0.0.0.0", True), ("127.0.0.1", False)])  # noqa: S104 - for a moment
async def test_it_says_at_start_that_others_reach_it(
    runtime: Runtime, host: str, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The token is printed once, in the address; the log has none."""
    caplog.set_level(logging.DEBUG)
    announced: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(serve(runtime, host=host, port=0, announce=announced.put_nowait))

    address = await asyncio.wait_for(announced.get(), 10)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving

    assert address.startswith("http://127.0.0.1:")
    assert ("Others can reach this server" in caplog.text) == told
    assert address.endswith(f"/?token={token_of(runtime)}" if told else "/")
    assert not told or token_of(runtime) not in caplog.text
