"""Power that fails: what was acknowledged is on the disk, whatever of the rest has got there.

A process that judges is watched (strace) for what it writes, what it asks the system to bring to the disk,
and what it acknowledges. Then the disk is made as a loss of power may have left it, at any of those moments:
all that was synchronised, and of what was written since any sectors in any combination. SQLite's own tests do
so (https://www.sqlite.org/testing.html, 3.3). `CC_POWER_LOSSES=1000` in the environment makes it longer.
"""

# ruff: noqa: ASYNC240 - what else runs in these loops may wait for a file
from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.database.files import backups

from .test_durability import missing

LOSSES = int(os.environ.get("CC_POWER_LOSSES", "24"))
ROUNDS = 150
"""More than SQLite keeps in the log: it is brought into the file in between, and begun again."""
SECTOR = 512

WRITER = """
import asyncio, os, sys
from context_checkpoint.learning import PreferenceService

async def write(path, rounds):
    service = await PreferenceService.open(path)
    for number in range(rounds):
        recommendation = await service.recommend(f"anime girl, word {number % 7}", ["a", "b", "c"], stage="draft")
        generation_id = await service.log_generation(recommendation, dict.fromkeys("abc", 1))
        await service.record_feedback(generation_id, {"a": 1})
        os.write(1, f"{generation_id}\\n".encode())
    os._exit(0)

asyncio.run(write(sys.argv[1], int(sys.argv[2])))
"""

WATCHED = "pwrite64,write,fsync,fdatasync,ftruncate"
CALL = re.compile(r"^\d+ +(\w+)\((\d+)<([^>]*)>(.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>")


def works() -> bool:
    """Whether there is a strace that may watch here."""
    strace = shutil.which("strace")
    return strace is not None and subprocess.run([strace, "true"], capture_output=True, check=False).returncode == 0


@dataclass(frozen=True, slots=True)
class Written:
    file: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class Synchronised:
    file: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    generation_id: str


Event = Written | Cut | Synchronised | Acknowledged


def watched(path: Path, folder: Path) -> list[Event]:
    """Everything that the writer does to the file and its write-ahead log, and what it acknowledges, in order."""
    calls = folder / "calls"
    command = ["strace", "-f", "-y", "-xx", "-s", "1000000", "-e", f"trace={WATCHED}", "-o", str(calls)]
    writer = [sys.executable, "-c", WRITER, str(path), str(ROUNDS)]
    subprocess.run([*command, *writer], stdout=subprocess.PIPE, check=True)
    return [*_events(calls.read_text("ascii").splitlines(), {str(path), f"{path}-wal"})]


def _events(lines: Sequence[str], files: set[str]) -> Iterator[Event]:
    synchronising: dict[str, str] = {}
    for line in lines:
        if (resumed := RESUMED.match(line)) and resumed[1] in synchronising:
            yield Synchronised(synchronising.pop(resumed[1]))
        call = CALL.match(line)
        if call is None:
            continue
        name, number, file, rest = call.groups()
        file = _bytes(file).decode()
        if name == "write" and number == "1":
            yield Acknowledged(_bytes(rest.split('"')[1]).decode().strip())
        if file not in files:
            continue
        if name == "pwrite64":
            _, content, places = rest.split('"')
            yield Written(file, int(re.findall(r"\d+", places)[1]), _bytes(content))
        elif name == "ftruncate":
            yield Cut(file, int(re.findall(r"\d+", rest)[0]))
        elif "unfinished" in line:
            synchronising[line.split()[0]] = file
        else:
            yield Synchronised(file)


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", "")) if escaped.startswith("\\x") else escaped.encode()


@dataclass(slots=True)
class Disk:
    """What is on it for certain, and what was written since and may be, in any part."""

    written: dict[str, bytearray]
    pending: dict[str, list[Written | Cut]] = field(default_factory=dict)

    def take(self, event: Event, *, lies: bool) -> None:
        """`lies`: it says that it has synchronised, and has not."""
        if isinstance(event, (Written, Cut)):
            self.pending.setdefault(event.file, []).append(event)
        elif isinstance(event, Synchronised) and not lies:
            for change in self.pending.pop(event.file, []):
                _apply(self.written.setdefault(event.file, bytearray()), change)

    def after_loss(self, chance: random.Random) -> dict[str, bytes]:
        left = {}
        for file in {*self.written, *self.pending}:
            content = bytearray(self.written.get(file, b""))
            arrived = chance.random()
            for change in self.pending.get(file, []):
                if isinstance(change, Cut):
                    if chance.random() < arrived:
                        _apply(content, change)
                    continue
                for start in range(0, len(change.content), SECTOR):
                    if chance.random() < arrived:
                        part = change.content[start : start + SECTOR]
                        _apply(content, Written(file, change.offset + start, part))
            left[file] = bytes(content)
        return left


def _apply(content: bytearray, change: Written | Cut) -> None:
    if isinstance(change, Cut):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    end = change.offset + len(change.content)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.content


async def lost(
    path: Path, events: Sequence[Event], before: bytes, moment: int, chance: random.Random, *, lies: bool
) -> int:
    """How many acknowledged verdicts are gone after power failed at a moment."""
    disk, acknowledged = Disk({str(path): bytearray(before)}), dict[str, str]()
    for event in events[:moment]:
        disk.take(event, lies=lies)
        if isinstance(event, Acknowledged):
            acknowledged[event.generation_id] = "a"
    for part in ("", "-wal", "-shm"):
        Path(f"{path}{part}").unlink(missing_ok=True)
    for file, content in disk.after_loss(chance).items():
        Path(file).write_bytes(content)
    service = await PreferenceService.open(path)
    known = {generation.id for generation in await service.generations(limit=500)}
    gone = len(acknowledged.keys() - known)
    gone += len(await missing(service, {each: "a" for each in acknowledged if each in known}))
    if not lies:
        assert (await service.rebuild()).corrected == 0
    await service.close()
    if not lies:
        assert backups.problem_of(path) == ""
    return gone


@pytest.mark.skipif(not works(), reason="NOT RUN: needs a Linux with strace, which may watch processes")
async def test_what_was_acknowledged_survives_a_loss_of_power_at_any_moment(
    database_file: Path, tmp_path: Path
) -> None:
    """The file is sound, and the statistics are those of the log; a disk that lies would be found out."""
    await (await PreferenceService.open(database_file)).close()
    before = database_file.read_bytes()
    events = watched(database_file, tmp_path)
    chance = random.Random(11)  # noqa: S311 - not for secrets
    acknowledged = [place for place, event in enumerate(events, 1) if isinstance(event, Acknowledged)]
    brought = [
        place
        for place, event in enumerate(events, 1)
        if isinstance(event, Written) and event.file == str(database_file)
    ]
    assert len(acknowledged) == ROUNDS
    assert len(brought) >= 30, "the log was brought into the file"

    moments = [chance.choice(places) for places in (acknowledged, brought) for _ in range(LOSSES // 4)]
    moments += [chance.randrange(len(events)) for _ in range(LOSSES - len(moments))]
    for moment in moments:
        assert await lost(database_file, events, before, moment, chance, lies=False) == 0, f"at {moment}"

    assert await lost(database_file, events, before, acknowledged[20], random.Random(1), lies=True) > 0  # noqa: S311
    print(f"{len(moments)} losses of power among {len(events)} writes, {ROUNDS} verdicts, none lost")  # noqa: T201
