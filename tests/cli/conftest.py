"""The command line as a person starts it: another process, its own data folder."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint import runtime
from context_checkpoint.cli import app
from context_checkpoint.learning import PreferenceService

ROOT = Path(__file__).parents[2]
NAMES = ("epicrealismXL.safetensors", "dreamShaperXL.safetensors", "juggernautXL.safetensors")


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished command leaves."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Starts `python -m context_checkpoint` with a home of its own."""

    home: Path
    package: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "COMFYUI_"))}
        path = os.pathsep.join([str(self.package), *filter(None, [os.environ.get("PYTHONPATH")])])
        return kept | {"HOME": str(self.home), "PYTHONPATH": path, "PYTHONUTF8": "1", "COLUMNS": "100"}

    def arguments(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "context_checkpoint", *words]

    def __call__(self, *words: str, stdin: str = "") -> Done:
        done = subprocess.run(
            self.arguments(*words),
            env=self.environment,
            cwd=self.home,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def served(self, database: Path) -> Iterator[str]:
        """The address that a server printed, which must end well and in silence once interrupted."""
        serving = subprocess.Popen(
            self.arguments("serve", "--port", "0", "--database", str(database)),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert serving.stdout is not None
            yield serving.stdout.readline().split()[5]
        finally:
            if os.name == "nt":
                serving.kill()
                pytest.skip("NOT RUN: Windows has no signal that interrupts one program of several")
            serving.send_signal(signal.SIGINT)
            output, complaints = serving.communicate(timeout=20)
        assert (serving.returncode, output, complaints) == (0, "", "")


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds this tree under the package's name, whatever its own name is."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "context_checkpoint").symlink_to(ROOT, target_is_directory=True)
    return folder


@pytest.fixture
def run(tmp_path: Path, package: Path) -> CommandLine:
    home = tmp_path / "home"
    home.mkdir()
    return CommandLine(home, package)


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Done]]:
    """The same in this process, which is quicker: for what does not depend on being another one."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def main(*words: str, stdin: str = "") -> Done:
        runtime.reset()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            status = app.main(words)
        except SystemExit as ended:  # argparse's own end
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        return Done(status, printed.out, printed.err)

    yield main
    runtime.reset()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "preferences.db"


@pytest.fixture
def logged(database: Path, place_new_file: Callable[[Path], Path]) -> Callable[..., str]:
    """Log a generation of one image per checkpoint, as the sampler does, and return its id."""

    async def log(prompt: str, selected: tuple[int, ...]) -> str:
        service = await PreferenceService.open(database)
        try:
            recommendation = await service.recommend(prompt, NAMES)
            generation = await service.log_generation(recommendation, dict.fromkeys(NAMES, 1))
            if selected:
                rejected = [position for position in range(3) if position not in selected]
                await service.record_feedback(generation, selected_images=selected, rejected_images=rejected)
            return generation
        finally:
            await service.close()

    def make(prompt: str = "photorealistic portrait", selected: tuple[int, ...] = ()) -> str:
        if not database.exists():
            place_new_file(database)
        return asyncio.run(log(prompt, selected))

    return make
