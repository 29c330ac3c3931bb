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
from context_checkpoint.learning.values import Recommendation
from context_checkpoint.runtime.runtime import Runtime


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Runtime]:
    one = Runtime(tmp_path / "data")
    yield one
    one.close()


@pytest.fixture
def _fresh_process() -> Iterator[None]:
    """`current()` is one per process; leave none behind."""
    runtime.reset()
    yield
    runtime.reset()


async def round_of(service: PreferenceService) -> str:
    plan = await service.recommend("anime girl", ["a", "b"])
    generation_id = await service.log_generation(plan, {"a": 1, "b": 1})
    await service.record_feedback(generation_id, {"a": 1}, {"b": 1})
    return generation_id


def judged(one: Runtime) -> int:
    return one.run_blocking(lambda service: service.statistics()).overview.judged


class TestRunning:
    def test_every_prompt_in_a_loop_of_its_own_shares_one_service(self, made: Runtime) -> None:
        """ComfyUI runs each prompt in a new loop."""
        services = [asyncio.run(made.run(_itself)) for _ in range(3)]

        assert services[0] is services[1] is services[2]

    def test_threads_routes_and_prompts_at_once(self, made: Runtime) -> None:
        """Twelve at a time, and not one verdict is lost."""
        failures: list[BaseException] = []

        def prompt() -> None:
            try:
                asyncio.run(made.run(round_of))
                made.run_blocking(round_of)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=prompt) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert failures == []
        assert judged(made) == 24

    def test_a_prompt_cancelled_in_the_middle_hurts_nobody(self, made: Runtime) -> None:
        """The interrupted prompt's loop is gone; the next one is served, and the sums fit the log."""

        async def interrupted(after_s: float) -> None:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(made.run(_slow_round), after_s)

        for number in range(8):
            asyncio.run(interrupted(0.001 + number * 0.002))

        asyncio.run(made.run(round_of))
        assert made.run_blocking(lambda service: service.rebuild()).corrected == 0

    async def test_errors_reach_the_caller_as_they_are(self, made: Runtime) -> None:
        """With their code and their message."""
        with pytest.raises(UnknownGeneration, match="is logged"):
            await made.run(lambda service: service.generation("nobody"))

    async def test_a_database_that_cannot_be_opened_is_tried_again(self, tmp_path: Path) -> None:
        """Mended while ComfyUI runs, it works without a restart."""
        database = tmp_path / "preferences.db"
        database.write_text("not a database" * 100)
        one = Runtime(tmp_path, str(database))
        with pytest.raises(StoreUnavailable):
            await one.run(round_of)

        database.unlink()

        assert await one.run(round_of)
        one.close()

    def test_closing_lets_go_and_the_next_use_opens_again(self, made: Runtime) -> None:
        """Nothing is left beside the file but the folder of its backups."""
        made.run_blocking(round_of)
        made.close()
        made.close()
        assert sorted(path.name for path in made.data_directory.iterdir()) == ["backups", "preferences.db"]

        assert judged(made) == 1

    def test_closing_waits_for_operations_under_way(self, made: Runtime) -> None:
        """A prompt that is recording while ComfyUI ends comes to its end."""
        recording = threading.Thread(target=lambda: made.run_blocking(_some_rounds))
        recording.start()
        while not made._operating:
            pass

        made.close()
        recording.join(10)

        assert judged(made) == 5

    async def test_an_operation_that_lacks_a_package_names_the_command(self, made: Runtime) -> None:
        """Some packages are imported on first use only, long after the database was opened."""

        async def lacking(service: PreferenceService) -> None:
            raise ImportError("needs greenlet") from ModuleNotFoundError("No module", name="greenlet")

        with pytest.raises(StoreUnavailable, match=r"'greenlet' is not installed.*pip install -r .*requirements\.txt"):
            await made.run(lacking)

    async def test_a_module_of_our_own_that_is_missing_is_no_missing_package(
        self, made: Runtime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is a bug, and shown as one."""
        monkeypatch.setitem(sys.modules, "context_checkpoint.learning.service.service", None)

        with pytest.raises(ModuleNotFoundError):
            await made.run(round_of)


async def _itself(service: PreferenceService) -> PreferenceService:
    return service


async def _some_rounds(service: PreferenceService) -> None:
    for _ in range(5):
        await round_of(service)


async def _slow_round(service: PreferenceService) -> None:
    for _ in range(20):
        await round_of(service)


class TestSettings:
    def test_the_default_policy_follows_the_settings(self, made: Runtime) -> None:
        """Also after they have changed."""

        def recommended() -> Recommendation:
            return made.run_blocking(lambda service: service.recommend("anime", ["a", "b"]))

        before = recommended().policy
        made.change_settings(policy="counts")

        assert (before, recommended().policy) == ("bayesian", "counts")

    def test_changes_are_remembered(self, made: Runtime) -> None:
        """In the data directory."""
        changed = made.change_settings(kept_loaders=1, exploit_threshold=0.6)

        assert made.settings == changed == Runtime(made.data_directory).settings
        with pytest.raises(ValueError, match="wrong way round"):
            made.change_settings(exploit_threshold=0.1)
        assert made.settings == changed

    def test_settings_that_cannot_be_saved_are_told(self, tmp_path: Path) -> None:
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
        first.run_blocking(round_of)
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
        one.run_blocking(round_of)
        connection = sqlite3.connect(tmp_path / "preferences.db")

        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

        connection.close()
        one.close()
