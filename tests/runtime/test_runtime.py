"""The composition root: one service for every thread and loop, in the right place."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from context_checkpoint import runtime
from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.errors import LearningError, StoreUnavailable, UnknownGeneration
from context_checkpoint.learning.recommendation.pins import Curation
from context_checkpoint.learning.service.settings import LearningSettings
from context_checkpoint.learning.values import Recommendation, Thresholds
from context_checkpoint.runtime.runtime import Runtime


@pytest.fixture
def new_runtime(tmp_path: Path) -> Iterator[Runtime]:
    one = Runtime(tmp_path / "data")
    yield one
    one.close()


@pytest.fixture
def _fresh_process() -> Iterator[None]:
    """`current()` is one per process; leave none behind."""
    runtime.reset()
    yield
    runtime.reset()


async def one_generation(service: PreferenceService) -> str:
    plan = await service.recommend("anime girl", ["a", "b"])
    generation_id = await service.log_generation(plan, {"a": 1, "b": 1})
    await service.record_feedback(generation_id, {"a": 1}, {"b": 1})
    return generation_id


def judged(one: Runtime) -> int:
    return one.run_blocking(lambda service: service.statistics()).overview.judged


class TestRunning:
    def test_every_prompt_in_a_loop_of_its_own_shares_one_service(self, new_runtime: Runtime) -> None:
        """ComfyUI runs each prompt in a new loop."""
        services = [asyncio.run(new_runtime.run(_itself)) for _ in range(3)]

        assert services[0] is services[1] is services[2]

    def test_threads_routes_and_prompts_at_once(self, new_runtime: Runtime) -> None:
        """Twelve at a time, and no verdict is lost."""
        failures: list[BaseException] = []

        def prompt() -> None:
            try:
                asyncio.run(new_runtime.run(one_generation))
                new_runtime.run_blocking(one_generation)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=prompt) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert failures == []
        assert judged(new_runtime) == 24

    def test_a_prompt_cancelled_in_the_middle_hurts_nobody(self, new_runtime: Runtime) -> None:
        """The interrupted prompt's loop is gone; the next one is served, and the sums fit the log."""

        async def interrupted(after_s: float) -> None:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(new_runtime.run(_many_generations), after_s)

        for number in range(8):
            asyncio.run(interrupted(0.001 + number * 0.002))

        asyncio.run(new_runtime.run(one_generation))
        assert new_runtime.run_blocking(lambda service: service.rebuild()).corrected == 0

    async def test_errors_reach_the_caller_as_they_are(self, new_runtime: Runtime) -> None:
        """With their code and their message."""
        with pytest.raises(UnknownGeneration, match="is logged"):
            await new_runtime.run(lambda service: service.generation("nobody"))

    async def test_a_database_that_cannot_be_opened_is_tried_again(self, tmp_path: Path) -> None:
        """Mended while ComfyUI runs, it works without a restart."""
        database = tmp_path / "preferences.db"
        database.write_text("not a database" * 100)
        one = Runtime(tmp_path, str(database))
        with pytest.raises(StoreUnavailable):
            await one.run(one_generation)

        database.unlink()

        assert await one.run(one_generation)
        one.close()

    def test_closing_lets_go_and_the_next_use_opens_again(self, new_runtime: Runtime) -> None:
        """Nothing is left next to the file but the folder of its backups."""
        new_runtime.run_blocking(one_generation)
        new_runtime.close()
        new_runtime.close()
        assert sorted(path.name for path in new_runtime.data_directory.iterdir()) == ["backups", "preferences.db"]

        assert judged(new_runtime) == 1

    def test_closing_waits_for_operations_under_way(self, new_runtime: Runtime) -> None:
        """A prompt that is recording while ComfyUI ends comes to its end."""
        recording = threading.Thread(target=lambda: new_runtime.run_blocking(_some_generations))
        recording.start()
        while not new_runtime._operating:
            pass

        new_runtime.close()
        recording.join(10)

        assert judged(new_runtime) == 5

    async def test_an_operation_that_lacks_a_package_names_the_command(self, new_runtime: Runtime) -> None:
        """Some packages are imported on first use only, long after the database was opened."""

        async def lacking(service: PreferenceService) -> None:
            raise ImportError("needs greenlet") from ModuleNotFoundError("No module", name="greenlet")

        with pytest.raises(StoreUnavailable, match=r"'greenlet' is not installed.*pip install -r .*requirements\.txt"):
            await new_runtime.run(lacking)

    async def test_a_module_of_our_own_that_is_missing_is_no_missing_package(
        self, new_runtime: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is a bug, and shown as one."""
        monkeypatch.setitem(sys.modules, "context_checkpoint.learning.service.service", None)

        with pytest.raises(ModuleNotFoundError):
            await new_runtime.run(one_generation)


async def _itself(service: PreferenceService) -> PreferenceService:
    return service


async def _some_generations(service: PreferenceService) -> None:
    for _ in range(5):
        await one_generation(service)


async def _many_generations(service: PreferenceService) -> None:
    for _ in range(20):
        await one_generation(service)


class TestSettings:
    def test_the_default_policy_follows_the_settings(self, new_runtime: Runtime) -> None:
        """Also after they have changed."""

        def recommended() -> Recommendation:
            return new_runtime.run_blocking(lambda service: service.recommend("anime", ["a", "b"]))

        before = recommended().policy
        new_runtime.change_settings(policy="counts")

        assert (before, recommended().policy) == ("bayesian", "counts")

    def test_every_setting_of_learning_reaches_the_service(self, new_runtime: Runtime) -> None:
        """Those that the person has changed, and no other."""
        changes = {
            "policy": "ucb",
            "exploit_threshold": 0.9,
            "explore_threshold": 0.8,
            "half_life": 11,
            "backups_kept": 2,
            "keep_prompts": False,
            "retention_days": 400,
            "pinned": ["a"],
            "banned": ["b"],
        }
        new_runtime.change_settings(**changes)

        assert new_runtime._learning_settings("decisions") == LearningSettings(
            policy="ucb",
            thresholds=Thresholds(exploit=0.9, explore=0.8),
            half_life=11.0,
            curation=Curation(pinned=("a",), banned=("b",)),
            keep_prompts=False,
            retention_days=400,
            backups_kept=2,
            decision_log="decisions",
        )

    def test_changes_are_remembered(self, new_runtime: Runtime) -> None:
        """In the data directory."""
        changed = new_runtime.change_settings(kept_loaders=1, exploit_threshold=0.6)

        assert new_runtime.settings == changed == Runtime(new_runtime.data_directory).settings
        with pytest.raises(ValueError, match="wrong way round"):
            new_runtime.change_settings(exploit_threshold=0.1)
        assert new_runtime.settings == changed

    def test_settings_that_cannot_be_saved_are_an_error(self, tmp_path: Path) -> None:
        """And do not seem to be saved."""
        (tmp_path / "file").write_text("in the way")
        one = Runtime(tmp_path / "file")

        with pytest.raises(LearningError, match="Make that folder writable"):
            one.change_settings(kept_loaders=1)

        assert one.settings.kept_loaders == 3


@pytest.mark.usefixtures("_fresh_process")
class TestWhereTheDataLies:
    def test_one_runtime_per_process(self, tmp_path: Path) -> None:
        """Made on first use, in the configured folder."""
        runtime.configure(tmp_path / "here")

        assert runtime.current() is runtime.current()
        assert runtime.current().data_directory == tmp_path / "here"
        assert runtime.current().database == str(tmp_path / "here" / "preferences.db")

    def test_configuring_the_same_again_keeps_it_and_other_data_replaces_it(self, tmp_path: Path) -> None:
        """Several extensions may load; a test or a script may move on."""
        runtime.configure(tmp_path / "one")
        first = runtime.current()
        first.run_blocking(one_generation)
        runtime.configure(tmp_path / "one")
        assert runtime.current() is first

        runtime.configure(tmp_path / "two")

        assert runtime.current() is not first
        assert judged(runtime.current()) == 0

    def test_the_environment_names_another_database(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It wins over the file in the data directory; an explicit one wins over both."""
        monkeypatch.setenv("CONTEXT_CHECKPOINT_DATABASE", str(tmp_path / "studio.db"))
        runtime.configure(tmp_path)
        assert runtime.current().database == str(tmp_path / "studio.db")

        runtime.configure(tmp_path, str(tmp_path / "mine.db"))
        assert runtime.current().database == str(tmp_path / "mine.db")

    def test_a_password_is_not_shown(self, tmp_path: Path) -> None:
        """Health, doctor and logs show the database's name."""
        one = Runtime(tmp_path, "postgresql://painter:sec:ret@host:5432/studio")

        assert one.database_name == "postgresql://painter:***@host:5432/studio"
        assert Runtime(tmp_path, "/data/a@b.db").database_name == "/data/a@b.db"

    def test_outside_comfyui_the_data_of_a_comfyui_is_found(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The command line reads what ComfyUI has learned."""
        comfyui = tmp_path / "ComfyUI"
        (comfyui / "custom_nodes").mkdir(parents=True)
        (comfyui / "main.py").touch()
        monkeypatch.setenv("COMFYUI_PATH", str(comfyui))

        assert runtime.find_data_directory() == comfyui / "user" / "__context_checkpoint"

    def test_without_any_comfyui_it_is_the_users_own_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As the system has it."""
        monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "nothing here"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
        monkeypatch.setattr("sys.platform", "linux")

        assert runtime.find_data_directory() == tmp_path / "share" / "context_checkpoint"

    def test_foreign_keys_and_wal_are_on(self, tmp_path: Path) -> None:
        """What the data directory holds is a database in WAL mode."""
        one = Runtime(tmp_path)
        one.run_blocking(one_generation)
        connection = sqlite3.connect(tmp_path / "preferences.db")

        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

        connection.close()
        one.close()
