"""What stays in memory between prompts, and what goes: `nodes.kept_loaders`, with strings for checkpoints."""

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
        self.kept: ModelCache[str] = ModelCache(lambda: self.bounds, lambda: self.available_bytes)

    def branch(self, name: str, size_bytes: int = 2 * GB) -> bool:
        """Do what a branch does, and say whether the checkpoint had to be loaded."""
        state = file(name, size_bytes)
        must_load = self.kept.get(state) is None
        if must_load:
            self.kept.make_room(size_bytes)
            self.kept.keep(state, name, size_bytes)
        self.kept.settle()
        return must_load

    def holds(self, *names: str) -> list[str]:
        return [name for name in names if self.kept.peek(file(name)) is not None]


def test_a_checkpoint_is_loaded_once_while_it_is_kept() -> None:
    """The second prompt finds what the first has loaded."""
    machine = Machine()

    assert [machine.branch("a"), machine.branch("a")] == [True, False]


def test_the_least_recently_used_goes_when_the_number_is_reached() -> None:
    """Number bound: a fourth of three pushes out the one that was used longest ago."""
    machine = Machine(number=3, memory_bytes=100 * GB)
    for name in "abc":
        machine.branch(name)
    machine.branch("a")

    machine.branch("d")

    assert machine.holds("a", "b", "c", "d") == ["a", "c", "d"]


def test_room_is_made_before_loading_so_that_memory_never_holds_more_than_the_bound() -> None:
    """Memory bound: what must go is gone before the next one is read."""
    machine = Machine(memory_bytes=5 * GB)
    machine.branch("a")
    machine.branch("b")

    gone = machine.kept.make_room(2 * GB)

    assert gone.paths == (file("a").path,)
    assert gone.memory_bytes == 2 * GB


def test_room_is_made_when_the_machine_itself_is_short_of_memory() -> None:
    """Within the bounds, but other programs have taken the memory: kept ones go all the same."""
    machine = Machine()
    machine.branch("a")
    machine.branch("b")
    machine.available_bytes = 1 * GB

    machine.kept.make_room(2 * GB)

    assert machine.holds("a", "b") == []


def test_only_the_one_used_last_stays_when_the_machine_has_too_little_left() -> None:
    """Room for the system and for ComfyUI comes before warm loaders."""
    machine = Machine()
    for name in "abc":
        machine.branch(name)
    machine.bounds = replace(machine.bounds, spare_bytes=2 * GB)
    machine.available_bytes = 1 * GB

    machine.kept.settle()

    assert machine.holds("a", "b", "c") == ["c"]


def test_a_checkpoint_beyond_the_bound_is_held_until_its_branch_has_ended() -> None:
    """Keeping none still lets a branch ask for its checkpoint twice."""
    machine = Machine(number=0)
    machine.kept.make_room(2 * GB)
    machine.kept.keep(file("a"), "a", 2 * GB)

    during = machine.kept.get(file("a"))
    machine.kept.settle()

    assert during == "a"
    assert machine.kept.get(file("a")) is None


def test_a_file_that_changed_is_another_checkpoint_and_the_former_is_let_go() -> None:
    """A replaced file is loaded anew, and the old weights do not stay."""
    machine = Machine()
    machine.branch("a")
    changed = replace(file("a"), mtime_ns=2)

    assert machine.kept.get(changed) is None
    assert machine.holds("a") == []


def test_release_lets_all_go_and_says_what_it_was() -> None:
    """The way to get the memory back."""
    machine = Machine()
    machine.branch("a", 1 * GB)
    machine.branch("b", 2 * GB)

    gone = machine.kept.release()

    assert gone.memory_bytes == 3 * GB
    assert gone.paths == (file("a").path, file("b").path)
    assert machine.kept.release().paths == ()


def test_a_release_during_a_prompt_holds_until_that_prompt_has_ended() -> None:
    """Who frees the memory while branch one draws does not find it full again after branch three."""
    machine = Machine()
    machine.branch("a")

    machine.kept.release("prompt 1")
    machine.kept.keep(file("b"), "b", 2 * GB)
    machine.kept.settle("prompt 1")
    after_first = machine.holds("a", "b")
    machine.kept.keep(file("b"), "b", 2 * GB)
    machine.kept.settle("prompt 2")

    assert after_first == []
    assert machine.holds("b") == ["b"]


@pytest.mark.parametrize(
    ("size_gb", "kept"),
    [(2.0, ["a", "b", "c"]), (3.0, ["b", "c"]), (7.0, ["c"])],
    ids=["three SD 1.5", "two of 3 GB", "one SDXL"],
)
def test_the_default_bounds_keep_this_many_on_sixteen_gigabytes(size_gb: float, kept: list[str]) -> None:
    """40 % of 16 GB, and always the one used last, so that it need not be loaded for each prompt."""
    machine = Machine(number=3, memory_bytes=int(0.4 * 16 * GB))
    size_bytes = int(size_gb * GB)

    for name in "abc":
        machine.branch(name, size_bytes)

    assert [name for name in "abc" if machine.kept.peek(file(name, size_bytes))] == kept


def test_a_checkpoint_larger_than_the_bound_is_alone_in_memory() -> None:
    """Room for it is made before it loads, and by it before the next one does."""
    machine = Machine(memory_bytes=6 * GB)
    machine.branch("small")

    before_large = machine.kept.make_room(9 * GB)
    machine.kept.keep(file("large", 9 * GB), "large", 9 * GB)
    machine.kept.settle()
    before_small = machine.kept.make_room(2 * GB)

    assert before_large.paths == (file("small").path,)
    assert before_small.paths == (file("large", 9 * GB).path,)


def test_a_changed_setting_holds_from_the_next_branch_on() -> None:
    """Bounds are asked each time."""
    machine = Machine(number=3)
    for name in "abc":
        machine.branch(name)
    machine.bounds = Bounds(1, 6 * GB)

    machine.branch("c")

    assert machine.holds("a", "b", "c") == ["c"]


def test_a_file_state_tells_a_rewritten_file_from_the_former(tmp_path: Path) -> None:
    """Size or time of change differ."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"one")
    before = FileState.of(path)
    path.write_bytes(b"three")

    assert FileState.of(path) != before
