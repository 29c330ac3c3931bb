"""One trial: programs judge, another damages the open database, they go on, and are killed (`kill -9`).

`python -m benchmarks.chaos.damage 0 40` makes the trials of 40 seeds and prints a table. A trial is hard on nobody
else: it has a folder of its own. What must be there afterwards is every verdict that was acknowledged after the
damage, and of those before all that a program would have found that had been started at the moment of the damage.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import LearningError
from context_checkpoint.learning.service.settings import LearningSettings

from .results import Trial

SETTINGS = LearningSettings(backups_kept=7)
CANDIDATES = ["a", "b", "c"]
ROUNDS_AFTER = 30
"""Lines of a program after the damage: about twice as many as verdicts."""

_WRITER = """
import asyncio, sys
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import LearningError
from context_checkpoint.learning.service.settings import LearningSettings

async def write(path):
    service = await PreferenceService.open(path, settings=LearningSettings(backups_kept=7))
    number = 0
    while True:
        number += 1
        try:
            plan = await service.recommend(f"anime girl, word {number % 7}", ["a", "b", "c"], stage="draft")
            generation_id = await service.log_generation(plan, dict.fromkeys("abc", 1))
            print("begun", generation_id, flush=True)
            await service.record_feedback(generation_id, {"a": 1})
        except LearningError as error:
            print("refused", error.code, flush=True)
        else:
            print("done", generation_id, flush=True)

asyncio.run(write(sys.argv[1]))
"""


@dataclass(frozen=True, slots=True)
class Damaged:
    """The outcome of one; ids of generations whose verdict was acknowledged.

    Attributes
    ----------
    found
        Those that are there afterwards.
    lost
        Those that had to be there and are not.
    out_of_reach
        Those from before the damage that could be read nowhere any more, and are not there.
    refused
        How many verdicts were refused, by the code of the error.
    ended
        How many programs ended by themselves: the system ends one whose mapped file is cut off.
    """

    seed: int
    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    found: tuple[str, ...]
    lost: tuple[str, ...]
    out_of_reach: tuple[str, ...]
    refused: dict[str, int]
    ended: int

    @property
    def acknowledged(self) -> tuple[str, ...]:
        return self.before + self.after


Damage = Callable[[Path, random.Random], None]


def _cut_off(file: Path, chance: random.Random) -> None:
    os.truncate(file, chance.randrange(file.stat().st_size))


def _fill_the_middle(file: Path, chance: random.Random) -> None:
    size = file.stat().st_size
    begin = chance.randrange(size // 8, size * 3 // 4)
    _write_at(file, begin, chance.randbytes(chance.randrange(1, max(2, (size - begin) // 2))))


def _fill(file: Path, chance: random.Random) -> None:
    _write_at(file, 0, chance.randbytes(file.stat().st_size))


def _write_at(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(content)


def _delete(file: Path, chance: random.Random) -> None:
    file.unlink()


def _replace(file: Path, chance: random.Random) -> None:
    rubbish = file.with_name("rubbish")
    rubbish.write_bytes(chance.randbytes(chance.randrange(200_000)))
    rubbish.replace(file)


_FILES = {"database": "", "log": "-wal", "index": "-shm"}
_DONE: dict[str, Damage] = {
    "cut off": _cut_off,
    "filled with rubbish in the middle": _fill_the_middle,
    "filled with rubbish": _fill,
    "deleted": _delete,
    "replaced by rubbish": _replace,
}
KINDS = tuple((file, done) for done in _DONE for file in _FILES)
"""Every damage to every file; seed by seed, all of them in turn."""


def run(seed: int) -> Trial:
    """Make one trial, and count."""
    trial = damaged(seed)
    return Trial(len(trial.acknowledged), tuple(f"seed {seed}, {trial.what}: {each}" for each in trial.lost))


def damaged(seed: int, *, programs: int = 1, more_than: int = 90) -> Damaged:
    """Make one trial.

    Parameters
    ----------
    seed
        Chooses the damage (`KINDS`) and its moment; when the processes run is not in its hands.
    programs
        How many judge at once.
    more_than
        From how many verdicts on, at random, the damage is done: SQLite brings the log into the file after about 60.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    which, done = KINDS[seed % len(KINDS)]
    folder = Path(tempfile.mkdtemp(prefix="cc-chaos-"))
    try:
        file = folder / "preferences.db"
        acknowledged = asyncio.run(_teach(file, chance.randrange(1, 20)))
        moment = len(acknowledged) + chance.randrange(more_than)

        def damage() -> None:
            _DONE[done](Path(f"{file}{_FILES[which]}"), chance)

        before, after, refused, ended = _judge(file, programs, moment - len(acknowledged), damage)
        readable = _readable(folder / "moment" / file.name)
        found = _verdicts(file)
        before = acknowledged + before
        missing = [each for each in before if each not in found]
        lost = [each for each in missing if each in readable] + [each for each in after if each not in found]
        return Damaged(
            seed=seed,
            what=f"the {which} {done}",
            before=tuple(before),
            after=tuple(after),
            found=tuple(each for each in before + after if each in found),
            lost=tuple(lost),
            out_of_reach=tuple(each for each in missing if each not in readable),
            refused=dict(refused),
            ended=ended,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _teach(file: Path, rounds: int) -> list[str]:
    service = await PreferenceService.open(file, settings=SETTINGS)
    try:
        ids = []
        for _ in range(rounds):
            plan = await service.recommend("anime girl", CANDIDATES, stage="draft")
            ids.append(await service.log_generation(plan, dict.fromkeys(CANDIDATES, 1)))
            await service.record_feedback(ids[-1], {"a": 1})
        return ids
    finally:
        await service.close()


class _Writer:
    """A program that judges, and a thread that reads what it prints."""

    def __init__(self, file: Path) -> None:
        command = [sys.executable, "-c", _WRITER, str(file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.lines: list[tuple[str, str]] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n"):
                what, _, which = line.strip().partition(" ")
                self.lines.append((what, which))

    def of(self, what: str, begin: int = 0) -> list[str]:
        return [which for each, which in self.lines[begin:] if each == what]

    def stop(self) -> int:
        """Let it stand still; how many lines it has printed."""
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)  # for what is in the pipe
        return len(self.lines)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _judge(
    file: Path, programs: int, rounds: int, damage: Callable[[], None]
) -> tuple[list[str], list[str], Counter[str], int]:
    """Let programs judge, damage the file after some rounds while they stand still, and kill them after more."""
    writers = [_Writer(file) for _ in range(programs)]
    try:
        _wait(writers, lambda: all(len(writer.of("done")) >= rounds // programs for writer in writers))
        stopped = [writer.stop() for writer in writers]
        damage()
        _copy(file, file.parent / "moment")
        for writer in writers:
            writer.process.send_signal(signal.SIGCONT)
        ends = [stop + ROUNDS_AFTER for stop in stopped]
        _wait(writers, lambda: all(len(writer.lines) >= end for writer, end in zip(writers, ends, strict=True)))
        ended = sum(writer.process.poll() is not None for writer in writers)
    finally:
        for writer in writers:
            writer.kill()
    before: list[str] = []
    after: list[str] = []
    refused: Counter[str] = Counter()
    for writer, stop in zip(writers, stopped, strict=True):
        # One that was being stored just then may have been in the file already: it counts as one before.
        begun = set(writer.of("begun", stop))
        before += [each for each in writer.of("done") if each not in begun]
        after += [each for each in writer.of("done") if each in begun]
        refused.update(writer.of("refused"))
    return before, after, refused, ended


def _wait(writers: list[_Writer], is_reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 180
    while not is_reached():
        if any(writer.process.poll() is not None for writer in writers):
            return
        if time.monotonic() > end:
            raise RuntimeError(f"A program stands still: {[writer.lines[-3:] for writer in writers]}")
        time.sleep(0.005)


def _copy(file: Path, folder: Path) -> None:
    """What a program would find that were started now."""
    folder.mkdir()
    for part in ("", "-wal"):
        if Path(f"{file}{part}").exists():
            shutil.copy(f"{file}{part}", folder)
    shutil.copytree(file.parent / "backups", folder / "backups")


def _verdicts(file: Path) -> set[str]:
    return asyncio.run(_judged(file))


def _readable(file: Path) -> set[str]:
    try:
        return _verdicts(file)
    except LearningError:
        return set()


async def _judged(file: Path) -> set[str]:
    service = await PreferenceService.open(file, settings=SETTINGS)
    try:
        corrected = (await service.rebuild()).corrected
        if corrected:
            raise AssertionError(f"{corrected} statistics are not those of the log")
        return {each.id for each in await service.generations(limit=100_000) if each.judged_at is not None}
    finally:
        await service.close()


def main() -> int:
    """`FIRST LAST [PROGRAMS]`: all seeds from the first to before the last."""
    first, last, programs = (int(word) for word in [*sys.argv[1:], "1"][:3])
    lost = 0
    print("| seed | what | before | after | lost | out of reach | refused | ended |")
    print("|---|---|---|---|---|---|---|---|")
    for seed in range(first, last):
        trial = damaged(seed, programs=programs)
        lost += len(trial.lost)
        counts = [*map(len, (trial.before, trial.after, trial.lost, trial.out_of_reach)), trial.refused, trial.ended]
        print(f"| {seed} | {trial.what} | {' | '.join(map(str, counts))} |", flush=True)
    return 1 if lost else 0


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # what is said of the damage
    raise SystemExit(main())
