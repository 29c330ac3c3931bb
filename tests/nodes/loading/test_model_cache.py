"""Which checkpoints stay in memory between prompts and which are dropped, with strings for checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from context_checkpoint.nodes.loading.model_cache import Bounds, FileState, ModelCache

GB = 10**9


def file(name: str, size_bytes: int = 2 * GB) -> FileState:
    return FileState(f"/models/{name}.safetensors", size_bytes, mtime_ns=1)


class Machine:
    """Bounds and free memory that a test can change."""

    def __init__(self, number: int = 3, memory_bytes: int = 6 * GB, available_bytes: int = 16 * GB) -> None:
        self.bounds = Bounds(number, memory_bytes)
        self.available_bytes = available_bytes
        self.cache: ModelCache[str] = ModelCache(lambda: self.bounds, lambda: self.available_bytes)

    def branch(self, name: str, size_bytes: int = 2 * GB) -> bool:
        """Do what a branch does, and return whether the checkpoint had to be loaded."""
        state = file(name, size_bytes)
        must_load = self.cache.get(state) is None
        if must_load:
            self.cache.make_room(size_bytes)
            self.cache.put(state, name, size_bytes)
        self.cache.apply_bounds()
        return must_load

    def cached(self, *names: str) -> list[str]:
        return [name for name in names if self.cache.peek(file(name)) is not None]


def test_a_checkpoint_is_loaded_once_while_it_is_cached() -> None:
    """The second prompt finds what the first has loaded."""
    machine = Machine()

    assert [machine.branch("a"), machine.branch("a")] == [True, False]


def test_the_least_recently_used_is_dropped_when_the_number_is_reached() -> None:
    """Number bound: the fourth of three replaces the one that was used longest ago."""
    machine = Machine(number=3, memory_bytes=100 * GB)
    for name in "abc":
        machine.branch(name)
    machine.branch("a")

    machine.branch("d")

    assert machine.cached("a", "b", "c", "d") == ["a", "c", "d"]


def test_room_is_made_before_loading_so_that_memory_never_holds_more_than_the_bound() -> None:
    """Memory bound: what must be dropped is dropped before the next one is read."""
    machine = Machine(memory_bytes=5 * GB)
    machine.branch("a")
    machine.branch("b")

    released = machine.cache.make_room(2 * GB)

    assert released.paths == (file("a").path,)
    assert released.memory_bytes == 2 * GB


def test_room_is_made_when_the_machine_itself_is_short_of_memory() -> None:
    """Within the bounds, but other programs have taken the memory: cached ones are dropped all the same."""
    machine = Machine()
    machine.branch("a")
    machine.branch("b")
    machine.available_bytes = 1 * GB

    machine.cache.make_room(2 * GB)

    assert machine.cached("a", "b") == []


def test_only_the_one_used_last_stays_when_the_machine_has_too_little_left() -> None:
    """Room for the system and for ComfyUI comes before cached checkpoints."""
    machine = Machine()
    for name in "abc":
        machine.branch(name)
    machine.bounds = replace(machine.bounds, spare_bytes=2 * GB)
    machine.available_bytes = 1 * GB

    machine.cache.apply_bounds()

    assert machine.cached("a", "b", "c") == ["c"]


def test_a_checkpoint_beyond_the_bound_stays_until_its_branch_has_ended() -> None:
    """With a bound of none, a branch can still use its checkpoint twice."""
    machine = Machine(number=0)
    machine.cache.make_room(2 * GB)
    machine.cache.put(file("a"), "a", 2 * GB)

    during = machine.cache.get(file("a"))
    machine.cache.apply_bounds()

    assert during == "a"
    assert machine.cache.get(file("a")) is None


def test_a_file_that_changed_is_another_checkpoint_and_the_former_is_dropped() -> None:
    """A replaced file is loaded again, and the old weights do not stay."""
    machine = Machine()
    machine.branch("a")
    changed = replace(file("a"), mtime_ns=2)

    assert machine.cache.get(changed) is None
    assert machine.cached("a") == []


def test_release_drops_all_and_returns_what_it_was() -> None:
    """The way to get the memory back."""
    machine = Machine()
    machine.branch("a", 1 * GB)
    machine.branch("b", 2 * GB)

    released = machine.cache.release()

    assert released.memory_bytes == 3 * GB
    assert released.paths == (file("a").path, file("b").path)
    assert machine.cache.release().paths == ()


def test_a_release_during_a_prompt_holds_until_that_prompt_has_ended() -> None:
    """Memory that is freed during branch one is not full again after branch three."""
    machine = Machine()
    machine.branch("a")

    machine.cache.release("prompt 1")
    machine.cache.put(file("b"), "b", 2 * GB)
    machine.cache.apply_bounds("prompt 1")
    after_first = machine.cached("a", "b")
    machine.cache.put(file("b"), "b", 2 * GB)
    machine.cache.apply_bounds("prompt 2")

    assert after_first == []
    assert machine.cached("b") == ["b"]


@pytest.mark.parametrize(
    ("size_gb", "cached"),
    [(2.0, ["a", "b", "c"]), (3.0, ["b", "c"]), (7.0, ["c"])],
    ids=["three SD 1.5", "two of 3 GB", "one SDXL"],
)
def test_the_default_bounds_keep_this_many_on_sixteen_gigabytes(size_gb: float, cached: list[str]) -> None:
    """40 % of 16 GB, and always the one used last, so that it need not be loaded for each prompt."""
    machine = Machine(number=3, memory_bytes=int(0.4 * 16 * GB))
    size_bytes = int(size_gb * GB)

    for name in "abc":
        machine.branch(name, size_bytes)

    assert [name for name in "abc" if machine.cache.peek(file(name, size_bytes))] == cached


def test_a_checkpoint_larger_than_the_bound_is_alone_in_memory() -> None:
    """Room for it is made before it loads, and by it before the next one does."""
    machine = Machine(memory_bytes=6 * GB)
    machine.branch("small")

    before_large = machine.cache.make_room(9 * GB)
    machine.cache.put(file("large", 9 * GB), "large", 9 * GB)
    machine.cache.apply_bounds()
    before_small = machine.cache.make_room(2 * GB)

    assert before_large.paths == (file("small").path,)
    assert before_small.paths == (file("large", 9 * GB).path,)


def test_a_changed_setting_holds_from_the_next_branch_on() -> None:
    """Bounds are read each time."""
    machine = Machine(number=3)
    for name in "abc":
        machine.branch(name)
    machine.bounds = Bounds(1, 6 * GB)

    machine.branch("c")

    assert machine.cached("a", "b", "c") == ["c"]


def test_a_rewritten_file_has_another_state(tmp_path: Path) -> None:
    """Size or time of change differ."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"one")
    before = FileState.of(path)
    path.write_bytes(b"three")

    assert FileState.of(path) != before
