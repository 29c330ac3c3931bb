"""The package as others get it: cheap to import, layered, complete, at home under any folder name."""

from __future__ import annotations

import ast
import itertools
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import context_checkpoint

from .packing import make_zip, packed_files
from .test_documentation import FENCE, LINK

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROOMS = ("api", "checkpoints", "cli", "demo", "images", "learning", "nodes", "recipes", "runtime")
NOT_SHIPPED = {"tests", "benchmarks", "node_modules", "demo-output", "test-output", "build", "dist"}

LOAD_AS_COMFYUI_DOES = """
import importlib.util, sys
folder = sys.argv[1]
before = set(sys.modules)
spec = importlib.util.spec_from_file_location(
    folder.replace(".", "_x_"), folder + "/__init__.py", submodule_search_locations=[folder]
)
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
"""


def run_python(code: str, *arguments: str, path: Path | None = None, cwd: Path | None = None) -> str:
    """Run code in a fresh interpreter (with one folder on its path, if given) and return what it printed."""
    environment = {"PYTHONPATH": str(path)} if path else {}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={"PATH": "", "SYSTEMROOT": "C:\\Windows", **environment},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_pack_loads_almost_nothing(tmp_path: Path) -> None:
    """ComfyUI imports every pack at its start: ours brings itself and what Python has loaded in a moment."""
    code = LOAD_AS_COMFYUI_DOES + "print('\\n'.join(sorted(set(sys.modules) - before)))"

    loaded = set(run_python(code, str(ROOT), cwd=tmp_path).split())

    assert not {"numpy", "sqlalchemy", "alembic", "pydantic", "aiohttp", "torch", "asyncio"} & loaded
    assert len(loaded) <= 10


def test_what_comfyuis_start_sets_up_needs_no_schema_and_no_database(tmp_path: Path) -> None:
    """Routes, data and pools, which are all that can be loaded without ComfyUI; the rest is tested in it."""
    (tmp_path / "context_checkpoint").symlink_to(ROOT, target_is_directory=True)
    parts = (
        "api.lazy_routes",
        "runtime",
        "checkpoints.inventory",
        "runtime.pending_picks",
        "checkpoints.pool",
    )
    lines = [f"import context_checkpoint.{part}" for part in parts]

    loaded = set(run_python("\n".join([*lines, "import sys; print(*sys.modules)"]), path=tmp_path).split())

    assert "context_checkpoint.api.lazy_routes" in loaded
    assert not {"numpy", "sqlalchemy", "alembic", "aiosqlite", "pydantic"} & loaded


def test_learning_needs_neither_torch_nor_the_web_nor_comfyui(tmp_path: Path) -> None:
    """A script can learn and recommend where none of them is installed."""
    link = tmp_path / "context_checkpoint"
    link.symlink_to(ROOT, target_is_directory=True)
    code = "import sys, context_checkpoint.learning as c; c.PreferenceService; print(*sys.modules)"

    loaded = set(run_python(code, path=tmp_path, cwd=tmp_path).split())

    assert "context_checkpoint.learning.service" in loaded
    roots = {name.partition(".")[0] for name in loaded}
    assert not {"torch", "aiohttp", "comfy", "comfy_api", "folder_paths", "server", "PIL"} & roots
    assert not {"context_checkpoint.nodes", "context_checkpoint.runtime", "context_checkpoint.api"} & loaded


@pytest.mark.parametrize("name", ["Context Checkpoint-main", "ctx.ckpt.v2", "上下文", "nodes", "learning"])
def test_the_folder_may_have_any_name(name: str, tmp_path: Path) -> None:
    """A download, a clone and the registry all name it differently, and nothing inside refers to the name."""
    folder = tmp_path / "custom_nodes" / name
    folder.parent.mkdir()
    folder.symlink_to(ROOT, target_is_directory=True)
    code = LOAD_AS_COMFYUI_DOES + (
        "import importlib, pathlib\n"
        "for part in ('runtime', 'api.routes', 'learning.service', 'checkpoints.pool'):\n"
        "    importlib.import_module('.' + part, spec.name)\n"
        "print(pathlib.Path(module.__file__).parent.joinpath(module.WEB_DIRECTORY).is_dir())"
    )

    assert run_python(code, str(folder), cwd=tmp_path).strip() == "True"


def expected_files() -> set[str]:
    """Everything that a running pack reads: its modules, the browser's part, translations, examples."""
    files = {file for pattern in ("*.py", *(f"{room}/**/*.py" for room in ROOMS)) for file in ROOT.glob(pattern)}
    files -= {ROOT / name for name in ("run.py", "noxfile.py", "setup.py")}
    for folder in ("web", "locales", "example_workflows", "subgraphs"):
        files |= {file for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix != ".ts"}
    return {file.relative_to(ROOT).as_posix() for file in files if "__pycache__" not in file.parts}


def test_the_wheel_has_all_that_a_running_pack_reads(built: Path) -> None:
    """Modules, migrations, web, locales, example workflows and the blueprint; and no tests."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = {name.removeprefix("context_checkpoint/") for name in archive.namelist()}

    assert {name for name in inside if ".dist-info/" not in name} == expected_files() | {"requirements.txt"}


def test_the_zip_has_what_people_use_and_nothing_else(cloned: Path) -> None:
    """All that runs, with its documentation; no tests, no measurements, no tools, and nothing that git or CI read."""
    packed = set(packed_files(cloned))
    beside = {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "requirements.txt", "run.py", "setup.py"}

    assert expected_files() | beside <= packed
    others = {name for name in packed - expected_files() - beside if not name.startswith("docs/")}
    assert others == set()
    assert sum((cloned / name).stat().st_size for name in packed) < 4_000_000


def test_what_is_packed_links_only_to_what_is_packed_or_for_engineers(cloned: Path) -> None:
    """The readme is the way to the rest as well, so its links to what engineers read may leave the zip."""
    packed = packed_files(cloned)
    left_out = {line[1:] for line in (cloned / ".comfyignore").read_text("utf-8").splitlines() if line.endswith(".md")}
    outside = set()
    for page in (name for name in packed if name.endswith(".md") and name != "CHANGELOG.md"):
        for link in LINK.findall(FENCE.sub("", (cloned / page).read_text("utf-8"))):
            if path := link.partition("#")[0]:
                target = (cloned / page).parent.joinpath(path).resolve().relative_to(cloned.resolve()).as_posix()
                if target not in packed and not (cloned / target).is_dir():
                    outside.add(target)

    assert left_out >= {"CONTRIBUTING.md", "docs/architecture.md", "docs/arena.md"}
    assert outside <= left_out


def test_the_sdist_has_what_the_zip_has(built: Path, cloned: Path) -> None:
    """Beside what setuptools writes: whoever unpacks it has the same pack."""
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {entry.name.partition("/")[2] for entry in archive.getmembers() if entry.isfile()}

    written = {"MANIFEST.in", "PKG-INFO", "setup.cfg"}
    assert {name for name in inside - written if ".egg-info/" not in name} == set(packed_files(cloned))


def test_the_page_on_pypi_has_no_link_that_leads_nowhere_there(built: Path) -> None:
    """PyPI shows the readme without the files beside it."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        page = archive.read(name).decode()

    assert LINK.findall(page) == []
    assert page.count("/blob/main/docs/") > 10


def test_the_packed_commands_say_where_the_tests_are(cloned: Path, tmp_path: Path) -> None:
    """Only the demo can be run there; whatever else is asked for, the answer is the way to a clone."""
    with zipfile.ZipFile(make_zip(cloned, tmp_path / "node.zip")) as archive:
        archive.extractall(tmp_path / "pack")  # noqa: S202 - our own
    for command in ("tests", "bench", "lint", "release-check"):
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(tmp_path / "pack" / "run.py"), command],
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 1
        assert f"git clone {PROJECT['project']['urls']['Repository']}" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "pack" / ".venv").exists()


def test_the_folder_itself_is_the_command_line(cloned: Path, tmp_path: Path) -> None:
    """Whoever installed the pack into ComfyUI has no other program: `python custom_nodes/<any name>`."""
    folder = tmp_path / "any name"
    shutil.copytree(cloned, folder)
    command = [sys.executable, str(folder), "--version"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (0, f"context-checkpoint {context_checkpoint.__version__}\n"), done.stderr


def test_the_wheel_works_where_it_is_installed(built: Path, tmp_path: Path) -> None:
    """Installed elsewhere, it makes a database (so the migrations are in it) and finds its web folder."""
    (wheel,) = built.glob("*.whl")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(tmp_path),
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    code = """
import asyncio, pathlib, sys
import context_checkpoint
from context_checkpoint.learning import PreferenceService

async def make():
    service = await PreferenceService.open(sys.argv[1])
    print((await service.recommend("a cat", ["a", "b"])).strategy)
    await service.close()

asyncio.run(make())
print(pathlib.Path(context_checkpoint.__file__).parent)
"""

    strategy, place = run_python(code, str(tmp_path / "new.db"), path=tmp_path, cwd=tmp_path).split("\n")[:2]

    assert strategy == "explore"
    assert Path(place) == tmp_path / "context_checkpoint"


def test_every_package_is_listed_for_the_wheel() -> None:
    """setuptools ships what is listed: a new folder that nobody added would be missing in silence."""
    packages = {"context_checkpoint"}
    for module in ROOT.rglob("__init__.py"):
        parts = module.parent.relative_to(ROOT).parts
        if parts and parts[0] not in NOT_SHIPPED and not parts[0].startswith("."):
            packages.add(".".join(("context_checkpoint", *parts)))

    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages


def test_requirements_are_the_same_for_the_manager_and_for_pip() -> None:
    """ComfyUI-Manager reads requirements.txt, pip reads pyproject.toml; numpy comes with every ComfyUI."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    manager = {line for line in lines if line and not line.startswith("#")}
    pip = {line for line in PROJECT["project"]["dependencies"] if not line.startswith("numpy")}

    assert manager == pip


def test_every_requirement_has_bounds_and_a_reason() -> None:
    """What a new release may break is not installed by itself; ComfyUI's own NumPy and Pillow are free."""
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    extras = PROJECT["project"]["optional-dependencies"].values()
    requirements = [*PROJECT["project"]["dependencies"], *itertools.chain(*extras)]

    for line in requirements:
        assert ">=" in line
        assert ",<" in line or line.startswith(("numpy", "pillow")), line
    for above, line in itertools.pairwise(lines):
        assert line.startswith("#") or above.startswith("# "), line


def test_there_is_one_version() -> None:
    """The package, the project file and the registry speak of the same release."""
    assert context_checkpoint.__version__ == PROJECT["project"]["version"]


def written_tests() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every test function under `tests/`, with its place."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for function in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if function.name.startswith("test_"):
                yield f"{file.relative_to(ROOT)}::{function.name}", function


def test_no_test_exists_twice() -> None:
    """Two tests with the same body are one test and an illusion."""
    places: dict[str, list[str]] = defaultdict(list)
    for place, function in written_tests():
        body = function.body[1:] if ast.get_docstring(function) else function.body
        places["".join(map(ast.dump, [function.args, *function.decorator_list, *body]))].append(place)

    assert [names for names in places.values() if len(names) > 1] == []


def test_every_test_says_what_it_holds() -> None:
    """A test's docstring is the rule; its name is the rule in short."""
    assert [place for place, function in written_tests() if not ast.get_docstring(function)] == []
