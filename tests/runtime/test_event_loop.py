"""The owner's loop: what ComfyUI does to loops and threads takes nothing with it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from context_checkpoint.runtime.event_loop import OwnerLoop


@pytest.fixture
def owner() -> Iterator[OwnerLoop]:
    loop = OwnerLoop("owner of a test")
    yield loop
    loop.stop()


class Operation:
    """Takes a while, and tells how far it came."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    async def __call__(self) -> str:
        self.begun.set()
        await asyncio.sleep(0.2)
        self.ended.set()
        return threading.current_thread().name


async def test_an_operation_runs_in_the_owners_thread(owner: OwnerLoop) -> None:
    """Whoever awaits it, from whichever loop."""
    assert await owner.run(Operation()) == "owner of a test"


def test_a_thread_without_a_loop_may_wait(owner: OwnerLoop) -> None:
    """The command line has none."""
    assert owner.run_blocking(Operation()) == "owner of a test"


async def test_what_an_operation_raises_reaches_its_caller(owner: OwnerLoop) -> None:
    """With its type and its message."""

    async def fails() -> None:
        raise LookupError("not here")

    with pytest.raises(LookupError, match="not here"):
        await owner.run(fails)


async def test_a_cancelled_caller_does_not_cancel_the_operation(owner: OwnerLoop) -> None:
    """An interrupted prompt must not cut a transaction in half."""
    operation = Operation()
    caller = asyncio.ensure_future(owner.run(operation))
    await asyncio.to_thread(operation.begun.wait)

    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller

    assert await asyncio.to_thread(operation.ended.wait, 5)
    assert await owner.run(Operation()) == "owner of a test"


def test_a_callers_loop_may_be_closed_in_the_middle(owner: OwnerLoop) -> None:
    """ComfyUI closes the loop of a prompt; the operation ends and the next prompt is served."""
    operation = Operation()
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(owner.run(operation))
    loop.run_until_complete(asyncio.sleep(0.05))
    operation.begun.wait(5)
    waiting.cancel()
    loop.run_until_complete(asyncio.gather(waiting, return_exceptions=True))
    loop.close()

    assert operation.ended.wait(5)
    assert asyncio.run(owner.run(Operation())) == "owner of a test"


def test_many_loops_and_threads_at_once_are_all_served(owner: OwnerLoop) -> None:
    """Prompts, routes and scripts share one owner."""
    answers: list[str] = []

    def in_a_loop_of_its_own() -> None:
        answers.append(asyncio.run(owner.run(Operation())))

    threads = [threading.Thread(target=in_a_loop_of_its_own) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert answers == ["owner of a test"] * 10


def test_it_can_be_stopped_and_used_again(owner: OwnerLoop) -> None:
    """Its thread ends with it, and the next use starts another."""
    owner.run_blocking(Operation())
    owner.stop()
    assert "owner of a test" not in [thread.name for thread in threading.enumerate()]

    assert owner.run_blocking(Operation()) == "owner of a test"
    owner.stop()
    owner.stop()


async def test_waiting_for_oneself_is_refused(owner: OwnerLoop) -> None:
    """It would never end."""

    async def nested() -> str:
        return await owner.run(Operation())

    with pytest.raises(RuntimeError, match="would wait for itself"):
        await owner.run(nested)


_PROGRAM = """
import asyncio, sys
from context_checkpoint import runtime
runtime.configure(database=sys.argv[1])

async def log(service):
    made = await service.recommend("anime", ["a", "b"])
    return await service.log_generation(made, {"a": 1})

asyncio.run(runtime.current().run(log))
print("logged")
"""


def test_a_program_that_never_closes_anything_still_ends(tmp_path: Path) -> None:
    """No thread of ours keeps the interpreter from ending, and what was logged is in the file."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _PROGRAM, str(tmp_path / "p.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"SYSTEMROOT": "C:\\Windows", "PYTHONPATH": _package_parent(tmp_path), "HOME": str(tmp_path)},
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "logged\n", "")
    assert sorted(path.name for path in tmp_path.glob("p.db*")) == ["p.db"]


def _package_parent(folder: Path) -> str:
    """A folder from which this tree can be imported as `context_checkpoint`, whatever its own is called."""
    import context_checkpoint

    parent = folder / "importable"
    parent.mkdir()
    (parent / "context_checkpoint").symlink_to(Path(context_checkpoint.__file__).resolve().parent)
    return str(parent)
