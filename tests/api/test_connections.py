"""What `context-checkpoint serve` bounds: connections, and the time that headers and bodies may take."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from context_checkpoint.api import connections, requests, standalone
from context_checkpoint.runtime.runtime import Runtime

HEALTH = b"GET /context_checkpoint/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BODIES = {
    "/recommend": "application/json",
    "/feedback": "application/json",
    "/import": "application/jsonl",
}


def post(path: str, *headers: str) -> bytes:
    lines = [f"POST /context_checkpoint{path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {BODIES[path]}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@asynccontextmanager
async def served(runtime: Runtime) -> AsyncIterator[int]:
    """The port of a server that is bound for a while."""
    announced: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(standalone.serve(runtime, host="127.0.0.1", port=0, announce=announced.put_nowait))
    yield urlsplit(await asyncio.wait_for(announced.get(), 10)).port or 0
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


@pytest.fixture
async def port(runtime: Runtime) -> AsyncIterator[int]:
    async with served(runtime) as taken:
        yield taken


async def answer(port: int, *parts: bytes, pause_s: float = 0.0, most: int = -1) -> bytes:
    """What the server sends, until it hangs up where `most` is -1."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reader.read(most), 20)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "parts",
    [[], [b"GET"], [bytes([letter]) for letter in HEALTH[:-4]], [HEALTH, HEALTH[:20]]],
    ids=["nothing", "a beginning", "letters", "a second request"],
)
async def test_headers_that_do_not_end_are_not_waited_for(
    runtime: Runtime, parts: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing, a beginning, one letter after the other, or after a request that was whole."""
    monkeypatch.setattr(connections, "HEADERS_S", 1.0)
    monkeypatch.setattr(standalone, "HEADERS_S", 1.0)
    async with served(runtime) as taken:
        assert (await answer(taken, *parts, pause_s=0.05)).count(b"200 OK") == parts.count(HEALTH)


@pytest.mark.parametrize("path", BODIES)
async def test_a_body_that_does_not_end_is_not_waited_for(
    port: int, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However steadily it drips."""
    monkeypatch.setattr(requests, "BODY_S", 0.5)
    monkeypatch.setattr(requests, "IMPORT_S", 0.5)

    answered = await answer(port, post(path, "Content-Length: 1000"), *[b" "] * 20, pause_s=0.05, most=2000)

    assert answered.startswith(b"HTTP/1.1 408")
    assert b"body_too_slow" in answered


async def test_so_many_connections_and_no_more(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next is told to come later; once one has gone, there is room again."""
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    for reader, writer in opened:
        writer.write(HEALTH)
        assert b"200 OK" in await reader.read(100)

    assert (await answer(port, HEALTH)).startswith(b"HTTP/1.1 503")

    opened[0][1].close()
    await asyncio.sleep(0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEALTH)
    assert b"200 OK" in await reader.read(100)
    for _, each in [*opened, (reader, writer)]:
        each.close()


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (["Content-Length: 1000"], b'{"prompt": '),
        (["Content-Length: 1000"], b""),
        (["Transfer-Encoding: chunked"], b"5\r\nabc"),
        (["Content-Encoding: gzip", "Content-Length: 1000"], gzip.compress(b"x" * 1000, mtime=0)[:20]),
    ],
)
async def test_a_client_that_leaves_in_the_middle_is_no_failure_of_ours(
    port: int, path: str, headers: list[str], sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """No warning and no trace, whatever it was sending."""
    caplog.set_level(logging.INFO)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(post(path, *headers) + sent)
    await writer.drain()
    await asyncio.sleep(0.1)

    writer.close()
    for _ in range(100):
        if "the client left" in caplog.text:
            break
        await asyncio.sleep(0.05)

    assert f"POST /context_checkpoint{path}: the client left" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING or record.exc_info]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (["Transfer-Encoding: chunked"], b"zz\r\nabc"),
        (["Content-Encoding: gzip", "Content-Length: 10"], b"abcdefghij"),
        (["Content-Encoding: deflate", "Content-Length: 1000"], b"abcdefghij"),
    ],
)
async def test_a_body_that_is_not_encoded_as_it_says_is_the_clients_mistake(
    port: int, path: str, headers: list[str], sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """400, and no trace."""
    answered = await answer(port, post(path, "Connection: close", *headers) + sent)

    assert answered.split()[1] == b"400"
    assert not [record for record in caplog.records if record.exc_info]
