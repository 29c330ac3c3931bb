"""What every test may lean on: the package under its name, markers that skip loudly, and a real PostgreSQL.

`CC_REQUIRE=comfyui,browser,postgres,packs` (any of them) turns the skip of a test whose program is missing into a
failure, so that a machine that has everything cannot pass by quietly testing less.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from playwright.async_api import Browser

# Time is what the benchmarks measure: on a busy machine a slow example is no wrong answer.
hypothesis.settings.register_profile("without deadlines", deadline=None)
hypothesis.settings.load_profile("without deadlines")

ROOT = Path(__file__).resolve().parent.parent

# The tests start hundreds of processes of Python, each of which would compile every module again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _make_importable() -> None:
    """Import this tree as `context_checkpoint`, whatever its folder is called, installed or not."""
    found = importlib.util.find_spec("context_checkpoint")
    if found is None:
        spec = importlib.util.spec_from_file_location(
            "context_checkpoint", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        if spec is None or spec.loader is None:
            raise RuntimeError(f"{ROOT} is not a package")
        module = importlib.util.module_from_spec(spec)
        sys.modules["context_checkpoint"] = module
        spec.loader.exec_module(module)
    elif found.origin is None or Path(found.origin).resolve().parent != ROOT:
        raise pytest.UsageError(f"These tests are for {ROOT}, but context_checkpoint is installed from {found.origin}.")


_make_importable()

from context_checkpoint.demo.comfyui.installation import (  # noqa: E402
    ComfyInstallation,
    NoComfyUI,
    find_comfyui,
)

from .packing import NotARepository, build, clone  # noqa: E402


@dataclass(frozen=True, slots=True)
class Frontend:
    """ComfyUI's package for the browser: its version, and the folder that `--front-end-root` takes."""

    version: str
    static: Path


def named_frontend() -> Frontend | None:
    """Return the frontend in the folder that `COMFYUI_FRONTEND` names, into which pip has installed the package.

    Raises
    ------
    pytest.UsageError
        If that folder has no `comfyui-frontend-package`.
    """
    folder = os.environ.get("COMFYUI_FRONTEND")
    if not folder:
        return None
    for package in importlib.metadata.distributions(name=FRONTEND_PACKAGE, path=[folder]):
        return Frontend(package.version, Path(folder).resolve() / "comfyui_frontend_package" / "static")
    raise pytest.UsageError(f"COMFYUI_FRONTEND is {folder}, into which no {FRONTEND_PACKAGE} is installed.")


def what_is_tested_against() -> str:
    """Name the ComfyUI and the frontend of the tests."""
    comfyui = find_comfyui()
    if comfyui is None:
        return "no ComfyUI"
    if chosen := named_frontend():
        return f"ComfyUI {comfyui.version} with frontend {chosen.version} (COMFYUI_FRONTEND)"
    ask = f"import importlib.metadata as m; print(m.version('{FRONTEND_PACKAGE}'))"
    told = subprocess.run([comfyui.python, "-c", ask], capture_output=True, text=True, check=False)
    return f"ComfyUI {comfyui.version} with frontend {told.stdout.strip() or 'unknown'} (its own)"


@dataclass(frozen=True, slots=True)
class Needed:
    """A program that some tests need: what finds it, and what to do where it is missing."""

    find: Callable[[], object]
    advice: str


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def find_postgres() -> Path | None:
    """Return the folder with `initdb` and `pg_ctl`, which Debian keeps off the path; the newest one."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent  # a link may stand alone, without the other programs
    debian = Path("/usr/lib/postgresql")
    versions = sorted(debian.glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]), reverse=True)
    return versions[0].parent if versions else None


def other_packs() -> Path | None:
    """The folder of other people's packs, laid out like `custom_nodes`, that `CC_OTHER_PACKS` names."""
    named = os.environ.get("CC_OTHER_PACKS")
    if not named:
        return None
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        raise pytest.UsageError(f"CC_OTHER_PACKS is {folder}, which is no folder.")
    return folder


NEEDED = {
    "comfyui": Needed(find_comfyui, "set COMFYUI_PATH to a ComfyUI's folder, or run `python run.py demo` once"),
    "browser": Needed(find_chromium, "install Chromium (Debian: apt-get install chromium)"),
    "postgres": Needed(find_postgres, "install PostgreSQL (Debian: apt-get install postgresql)"),
    "packs": Needed(other_packs, "set CC_OTHER_PACKS to a folder of other packs (docs/development.md)"),
}

FRONTEND_PACKAGE = "comfyui-frontend-package"

posix_only = pytest.mark.skipif(os.name == "nt", reason="NOT RUN: Windows has no POSIX permissions, limits and signals")

skipped_for = pytest.StashKey[dict[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[skipped_for] = {}
    unknown = required() - set(NEEDED) - {"node", "audit", "frontend", "fuzz", "oldest"}  # the runner's to ask for
    if unknown:
        raise pytest.UsageError(f"CC_REQUIRE names {', '.join(sorted(unknown))}; it may name {', '.join(NEEDED)}.")


def required() -> set[str]:
    return {name.strip() for name in os.environ.get("CC_REQUIRE", "").split(",") if name.strip()}


def pytest_report_header() -> str:
    return f"Tested against: {what_is_tested_against()}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what cannot run here, and put the tests on a real ComfyUI first.

    They take longest: begun last, one of the processes that share the tests would go on alone.
    """
    for name, needed in NEEDED.items():
        marked = [item for item in items if item.get_closest_marker(name)]
        if marked and needed.find() is None:
            config.stash[skipped_for][name] = len(marked)
            for item in marked:
                if name not in required():
                    item.add_marker(pytest.mark.skip(reason=f"no {name} here: {needed.advice}"))
    items.sort(key=lambda item: item.get_closest_marker("comfyui") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in item.config.stash[skipped_for]:
        if item.get_closest_marker(name) and name in required():
            pytest.fail(f"CC_REQUIRE asks for {name}, but there is none: {NEEDED[name].advice}.", pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where tests run side by side, tell the process that started the others what was skipped here."""
    told: dict[str, dict[str, int]] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["skipped_for"] = session.config.stash[skipped_for]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear of it: every process of pytest-xdist has collected all tests, so all of them say the same."""
    node.config.stash[skipped_for].update(getattr(node, "workeroutput", {}).get("skipped_for", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(f"Tested against: {what_is_tested_against()}", bold=True)
    for name, count in config.stash[skipped_for].items():
        line = f"NOT TESTED: {count} tests need {name}. To run them: {NEEDED[name].advice}."
        terminalreporter.write_line(line, yellow=True, bold=True)


@pytest.fixture(autouse=True)
def _away_from_real_preferences(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test may read or write what a person has taught."""
    monkeypatch.delenv("CONTEXT_CHECKPOINT_DATABASE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


@pytest.fixture(scope="session")
def comfy_installation() -> ComfyInstallation:
    """The ComfyUI that `COMFYUI_PATH` names or that is found; its folders are only read."""
    found = find_comfyui()
    if found is None:
        raise NoComfyUI(f"mark the test with pytest.mark.comfyui, or {NEEDED['comfyui'].advice}")
    return found


@pytest.fixture(scope="session")
def chromium_program() -> str:
    found = find_chromium()
    assert found is not None, "mark the test with pytest.mark.browser"
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium_program: str) -> AsyncIterator[Browser]:
    """One Chromium for all tests of a process; each opens a page or a context of its own, and closes it."""
    from context_checkpoint.demo.comfyui.browser import chromium  # late: most tests need no Playwright

    async with chromium(chromium_program) as started:
        yield started


@pytest.fixture
def serious_faults() -> Callable[[Any, str], Awaitable[list[str]]]:
    """Ask axe-core what within a part of a page keeps people out: each rule, and what breaks it."""
    source = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        missing = "axe-core is not installed: run `npm install`"
        if "node" in required():
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)

    async def find(page: Any, within: str) -> list[str]:
        await page.evaluate(source.read_text("utf-8"))
        found = await page.evaluate("(within) => axe.run(within)", within)
        return [
            f"{fault['id']}: {', '.join(node['html'] for node in fault['nodes'][:3])}"
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
        ]

    return find


@pytest.fixture(scope="session")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this tree as it stands."""
    try:
        return clone(tmp_path_factory.mktemp("clone") / "context-checkpoint")
    except NotARepository as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def built(cloned: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel."""
    return build(cloned, tmp_path_factory.mktemp("built"))


@contextmanager
def without_privileges() -> Iterator[None]:
    """As root every file can be written: be `nobody` for a while. Tests of permissions are `posix_only`."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """No file of this process may become larger, as on a disk that is full."""
    resource = pytest.importorskip("resource", reason="NOT RUN: Windows limits no file's size")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


LAYOUT_FAULTS = """(root) => {
  const faults = [];
  const told = (fault, element) => faults.push(`${fault}: ${element.outerHTML.slice(0, 120)}`);
  const room = root.getBoundingClientRect();
  for (const element of root.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0 || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (box.left < room.left - 1 || box.right > room.right + 1) told("beyond the edge", element);
    const style = getComputedStyle(element);
    const sideways = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
    if (sideways && ["auto", "scroll"].includes(style.overflowX)) told("scrolls sideways", element);
    if (sideways && element.matches("button, th, td, dt, dd, option, label, legend")) told("text is cut off", element);
  }
  if (root.scrollWidth > root.clientWidth + 1) told("scrolls sideways", root);
  for (const title of root.querySelectorAll("th[scope=col]")) {
    if (title.closest("table").checkVisibility() && title.innerText.trim() === "") told("no title", title);
  }
  return faults;
}"""
"""For an element of a page: what in it lies beyond its edges, scrolls sideways, or is cut off."""


@contextmanager
def recomputed_elsewhere(file: Path, generation: int) -> Iterator[None]:
    """Another process recomputes the statistics of a database file, and has come up to a generation."""

    def write(*statements: str) -> None:
        with closing(sqlite3.connect(file, timeout=30)) as database, database:
            for statement in statements:
                database.execute(statement)

    names = "(id, formula, former, generation, keyword, worker, seen_at)"
    write(
        f"INSERT INTO recomputation {names} SELECT 1, formula, 0, {generation:d}, -1, 'another', "  # noqa: S608 - a number
        "strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM learned_state"
    )
    try:
        yield
    finally:
        tables = ("recomputation", "pair_statistics_anew", "keyword_sums_anew")
        write(*(f"DELETE FROM {table}" for table in tables))  # noqa: S608 - the names are given here


@pytest.fixture(scope="session")
def place_new_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Place a database with all tables and nothing learned: a copy, for making one takes longer than most tests."""
    new = tmp_path_factory.mktemp("new") / "preferences.db"
    asyncio.run(_make_new(str(new)))

    def place(file: Path) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(new, file)
        with closing(sqlite3.connect(file)) as database, database:
            database.execute("UPDATE learned_state SET identity = lower(hex(randomblob(16)))")
        return file

    return place


async def _make_new(address: str) -> None:
    from context_checkpoint.learning import PreferenceService

    await (await PreferenceService.open(address)).close()


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server of our own: its programs, the folder of its socket, and who it runs as."""

    programs: Path
    folder: Path
    port: int
    user: str | None

    def command(self, program: str, *arguments: str) -> str:
        """Run one of PostgreSQL's programs as the server's owner and return what it printed."""
        done = subprocess.run(
            [str(self.programs / program), *arguments],
            user=self.user,
            cwd=self.folder,
            env={**os.environ, "PGHOST": str(self.folder), "PGPORT": str(self.port), "PGUSER": "postgres"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")
        return done.stdout

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -F"
        data, told = str(self.folder / "data"), str(self.folder / "log")
        self.command("pg_ctl", "-D", data, "-o", options, "-l", told, "-w", "start")

    def stop(self) -> None:
        """At once, cutting every connection."""
        self.command("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def create_database(self, *options: str) -> tuple[str, str]:
        """Create a database; return its name, and its address as SQLAlchemy has it."""
        name = f"test_{uuid.uuid4().hex}"
        self.command("createdb", *options, name)
        return name, f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A PostgreSQL in a folder of ours, on a free port of the loopback interface."""
    from context_checkpoint.demo.comfyui.server import free_port

    programs = find_postgres()
    assert programs is not None, "mark the test with pytest.mark.postgres"
    # The path of a socket may have about 100 characters: pytest's own folders can be longer.
    folder = Path(f"/tmp/cc-postgres-{uuid.uuid4().hex[:8]}")  # noqa: S108 - made fresh, with a random name
    folder.mkdir(mode=0o700)
    # PostgreSQL refuses to run as root; Debian's package makes a user for it.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    server = PostgresServer(programs, folder, free_port(), "postgres" if is_root else None)
    if is_root:
        shutil.chown(folder, "postgres")
    data = str(folder / "data")
    try:
        server.command("initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8")
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """A database without any table."""
    return postgres_server.create_database()[1]


@pytest.fixture(scope="session")
def _new_on_postgres(postgres_server: PostgresServer) -> str:
    """The name of a database with all tables and nothing learned."""
    name, address = postgres_server.create_database()
    asyncio.run(_make_new(address))
    return name


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer, _new_on_postgres: str) -> str:
    """A database with all tables and nothing learned: a copy of one, as of a file."""
    name, address = postgres_server.create_database("--template", _new_on_postgres)
    renewed = "UPDATE learned_state SET identity = md5(random()::text)"
    postgres_server.command("psql", "--no-psqlrc", "--command", renewed, name)
    return address
