"""Outages of a PostgreSQL under three workers: killed, stopped at once, stopped, or its packets dropped.

The workers reach the server through a proxy of ours, which can stop passing anything on without closing a connection.
Each has its own outbox. What each was told is stored is compared with the server afterwards: every generation is there
once, and of each the newest verdict by its own time counts.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from context_checkpoint.demo.comfyui.server import free_port
from context_checkpoint.learning import PreferenceService

from ..scale.server import Server, programs, running
from .results import Trial
from .workers import compared, entries, start

KINDS = ("kill", "immediate", "fast", "dropped packets")
WORKERS = 3


def run(seed: int, outages: int = len(KINDS)) -> Trial:
    """So many outages, one kind after another, under three workers.

    Raises
    ------
    RuntimeError
        If there is no PostgreSQL, or a worker fails.
    """
    where = programs()
    if where is None:
        raise RuntimeError("There is no PostgreSQL here.")
    with running(where) as server, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_trial(server, Path(folder), random.Random(seed), outages))  # noqa: S311


async def _trial(server: Server, folder: Path, chance: random.Random, outages: int) -> Trial:
    proxy = _Proxy(server.port)
    async with proxy.open() as port:
        address = f"postgresql+asyncpg://postgres@127.0.0.1:{port}/taught"
        service = await PreferenceService.open(address)  # creates the tables
        await service.close()
        workers = [await start(address, folder, number) for number in range(WORKERS)]
        reading = [asyncio.ensure_future(entries(worker)) for worker in workers]
        await asyncio.sleep(1.0)
        for number in range(outages):
            await _outage(server, proxy, KINDS[number % len(KINDS)], chance)
            await asyncio.sleep(0.5 + chance.random())
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
        told = [entry for each in await asyncio.gather(*reading) for entry in each]
        ends = [await worker.wait() for worker in workers]
        if any(ends):
            logs = [(folder / f"worker{number}.log").read_text("utf-8")[-2000:] for number in range(WORKERS)]
            raise RuntimeError(f"A worker failed: {logs}")
        return await compared(address, told)


async def _outage(server: Server, proxy: _Proxy, kind: str, chance: random.Random) -> None:
    away_s = 0.3 + 1.5 * chance.random()
    if kind == "dropped packets":
        proxy.passing.clear()
        await asyncio.sleep(away_s)
        proxy.cut()
        proxy.passing.set()
        return
    await asyncio.to_thread(server.kill if kind == "kill" else lambda: server.stop(kind))
    await asyncio.sleep(away_s)
    await asyncio.to_thread(server.start)


@dataclass
class _Proxy:
    """Passes on what a server and its clients send, as long as `passing` is set."""

    server_port: int
    passing: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        self.passing.set()
        port = free_port()
        listening = await asyncio.start_server(self._connect, "127.0.0.1", port)
        try:
            yield port
        finally:
            self.cut()
            listening.close()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        await self.passing.wait()
        try:
            to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers.add(to_server[1])
        await asyncio.gather(self._pass(reader, to_server[1]), self._pass(to_server[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while content := await reader.read(65536):
                await self.passing.wait()
                writer.write(content)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()
