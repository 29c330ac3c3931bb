"""One memory per user, and only so many open at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from context_checkpoint import runtime
from context_checkpoint.learning import PreferenceService
from context_checkpoint.runtime.runtime import Runtime
from context_checkpoint.runtime.users import FOLDER, UnknownUser, Users


async def taught(service: PreferenceService) -> None:
    recommendation = await service.recommend("anime girl", ["a", "b"])
    await service.log_generation(recommendation, {"a": 1})


async def counted(service: PreferenceService) -> int:
    return (await service.overview()).generations


def test_only_so_many_databases_are_open_and_a_closed_one_opens_again(tmp_path: Path) -> None:
    """Whose was not used for longest is closed; nothing of it is lost."""
    base = Runtime(tmp_path)
    users = Users(tmp_path, base.sibling, most_open=2)
    try:
        for name in ("anna", "ben", "cleo", "dora"):
            users.of(name).run_blocking(taught)
        least_recent = [users.of(name) for name in ("anna", "ben")]
        deadline = time.monotonic() + 5
        while any(each.is_open for each in least_recent) and time.monotonic() < deadline:
            time.sleep(0.01)

        assert not any(each.is_open for each in least_recent)
        assert users.of("dora").is_open
        assert [users.of(name).run_blocking(counted) for name in ("anna", "ben", "cleo", "dora")] == [1] * 4
    finally:
        users.close()
        base.close()


@pytest.mark.parametrize("user", ["../../etc", "a/b\\c", "..", "C:", "名前", "default"])
def test_whatever_an_id_holds_it_is_one_folder_below_ours(tmp_path: Path, user: str) -> None:
    """No id leads out of the folder, and no two ids into one."""
    base = Runtime(tmp_path / "data")
    users = Users(tmp_path / "data", base.sibling)
    try:
        users.of(user).run_blocking(taught)
        users.of("somebody else").run_blocking(taught)

        files = sorted(tmp_path.glob("**/preferences.db"))
        assert [file.parent.parent for file in files] == [tmp_path / "data" / FOLDER] * 2
        assert users.of(user).run_blocking(counted) == 1
    finally:
        users.close()
        base.close()


def test_nobody_in_particular_has_the_shared_settings_and_no_memory(tmp_path: Path) -> None:
    """Where users are kept apart, what cannot be told apart is refused and not mixed."""

    def nobody() -> str:
        raise UnknownUser("mallory")

    runtime.configure(tmp_path)
    try:
        runtime.shared().change_settings(policy="ucb")
        runtime.keep_apart(nobody)
        with pytest.raises(UnknownUser, match="mallory"):
            runtime.current()
        assert runtime.current_settings().policy == "ucb"

        runtime.keep_apart(lambda: "anna")
        assert runtime.current().data_directory == tmp_path / FOLDER / "anna"
        assert runtime.current_settings().policy == "bayesian"
    finally:
        runtime.reset()
