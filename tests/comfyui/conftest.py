"""A real ComfyUI for the tests in this folder, with tiny checkpoints whose images have a known colour.

A start takes longer than most tests. So they share one server, whose learned data is deleted between tests, and other
checkpoints are put into its folder (`other_checkpoints`). Tests that need other flags or other variables start one of
their own with `comfy_factory`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from context_checkpoint.demo.comfyui.installation import ComfyInstallation
from context_checkpoint.demo.comfyui.server import ComfyServer, Picture
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from context_checkpoint.demo.tiny_models.networks import Color
from context_checkpoint.learning.database.schema import VERSION_TABLE
from tests.conftest import other_packs

HERE = Path(__file__).parent

COLORS: Mapping[str, Color] = {
    **{f"{name}.safetensors": color for name, color in tiny_checkpoints.NINE_COLORS.items()},
    "text/ink.safetensors": (0.35, 0.60, 0.45),
    "sd15/paint.safetensors": (0.60, 0.30, 0.35),
}
"""Every checkpoint of the shared server.

The first nine are `sd3`: quick, and the prompt's text is ignored. Those under `text/` (`sd3_text`) and `sd15/` depend
on the prompt.
"""

ComfyFactory = Callable[..., ComfyServer]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.comfyui)


def family_of(name: str) -> tiny_checkpoints.Family:
    if name.startswith("text/"):
        return "sd3_text"
    return "sd15" if name.startswith("sd15/") else "sd3"


@pytest.fixture(scope="session")
def checkpoint_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All checkpoints of `COLORS`, written once and linked into each server."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for seed, (name, color) in enumerate(COLORS.items()):
        tiny_checkpoints.write(folder / name, family_of(name), color=color, seed=seed)
    return folder


def _link_checkpoints(source: Path, target: Path) -> None:
    for file in source.rglob("*.safetensors"):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(file)


def add_other_packs(server: ComfyServer) -> None:
    """Loaders, savers and stackers as other packs have them, and a pack that counts what is really loaded."""
    for name in ("loader_calls.py", "other_pack.py", "other_savers.py", "other_stackers.py"):
        shutil.copyfile(HERE / name, server.base_directory / "custom_nodes" / name)


def with_other_packs(server: ComfyServer) -> ComfyServer:
    """A server with the packs that `CC_OTHER_PACKS` names, and a home of its own, where some of them write."""
    source, base = other_packs(), server.base_directory
    assert source is not None, "mark the test with pytest.mark.packs"
    for pack in source.iterdir():
        if (pack / "__init__.py").exists():
            shutil.copytree(pack, base / "custom_nodes" / pack.name)
    # Some packs import themselves as `custom_nodes.<their folder>`.
    paths = (server.environment["PYTHONPATH"], str(source / "site-packages"), str(base))
    server.environment["PYTHONPATH"] = os.pathsep.join(paths)
    server.environment["HOME"] = str(base)
    server.environment.pop("PYTEST_CURRENT_TEST", None)  # a pack that sees it loads no nodes
    return server


@pytest.fixture(scope="module")
def comfy_factory(
    comfy_installation: ComfyInstallation, checkpoint_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyFactory]:
    """Start further servers: `comfy_factory("--cache-classic")`; they end with the module.

    `environment={...}` adds variables, and `start=False` hands it over before it runs.
    """
    with ExitStack() as servers:

        def make(*flags: str, environment: Mapping[str, str | None] | None = None, start: bool = True) -> ComfyServer:
            base = tmp_path_factory.mktemp("comfyui")
            server = ComfyServer(base, flags, installation=comfy_installation, environment=environment)
            _link_checkpoints(checkpoint_folder, server.checkpoints)
            add_other_packs(server)
            servers.callback(server.stop)
            return server.start() if start else server

        yield make


@pytest.fixture(scope="session")
def shared_comfy(
    comfy_installation: ComfyInstallation, checkpoint_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyServer]:
    server = ComfyServer(tmp_path_factory.mktemp("comfyui"), installation=comfy_installation)
    _link_checkpoints(checkpoint_folder, server.checkpoints)
    add_other_packs(server)
    with server:
        yield server


@pytest.fixture
def comfy(shared_comfy: ComfyServer) -> ComfyServer:
    """The shared server (default cache), which has learned nothing yet."""
    forget(shared_comfy)
    return shared_comfy


@contextmanager
def other_checkpoints(server: ComfyServer) -> Iterator[Path]:
    """An empty folder in the place of a server's checkpoints, which come back afterwards."""
    folder = server.checkpoints
    aside = folder.rename(tempfile.mkdtemp(dir=folder.parent) + "/aside")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        aside.rename(folder)


def preferences_file(server: ComfyServer) -> Path:
    """Where a server keeps what it has learned: in ComfyUI's system user directory, out of HTTP's reach."""
    return server.base_directory / "user" / "__context_checkpoint" / "preferences.db"


def forget(server: ComfyServer) -> None:
    """Delete all that a running server has learned, behind its back, as another process may."""
    file = preferences_file(server)
    if not file.exists():
        return
    # A test may have kept the server from its database: until what waits is delivered, new entries wait too.
    end = time.monotonic() + 30
    while server.get("/context_checkpoint/health")["waiting"] and time.monotonic() < end:
        time.sleep(0.1)
    with closing(sqlite3.connect(file, timeout=30)) as database, database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (name,) in tables.fetchall():
            if name not in (VERSION_TABLE, "learned_state") and not name.startswith("sqlite_"):
                database.execute(f'DELETE FROM "{name}"')  # noqa: S608 - the name is the database's own
        # the keyword that every database begins with: its statistics are the checkpoints' general effect
        database.execute("INSERT INTO keywords (id, text, rounds) VALUES (0, '', 0)")
        # another identity, as another database has: else "ten verdicts" before and after look alike to caches
        database.execute("UPDATE learned_state SET identity = lower(hex(randomblob(16)))")


def assert_same(ours: Sequence[Picture], theirs: Sequence[Picture]) -> None:
    """Equal pixel for pixel, and not black."""
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.pixels.std() > 0
        np.testing.assert_array_equal(mine.pixels, other.pixels)
