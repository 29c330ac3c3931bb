"""The sessions behind `python run.py`, run in the environment that it made: nothing is installed twice.

`tests` runs all the others and pytest last, goes on after a failure, and fails if one of them did.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
TREE = ROOT / ".venv" / "tree"
QUIETLY = ("--quiet", "--disable-pip-version-check")

FRONTEND_PACKAGE = "comfyui-frontend-package"

_MOST_PROCESSES = 4  # each starts a ComfyUI, a PostgreSQL and a browser of its own

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """Everything; what follows `--` goes to pytest, and then only pytest runs."""
    if session.posargs:
        if npm := shutil.which("npm"):
            _node_packages(session, npm)
        session.run("python", "-m", "pytest", *session.posargs)
        return
    if npm := shutil.which("npm"):
        _node_packages(session, npm)
    _tree()
    checks = {"lint": _lint, "types": _types, "web": _web_tests}
    with ThreadPoolExecutor() as pool:  # each uses one core
        begun = {name: pool.submit(check, session) for name, check in checks.items()}
    failed = []
    for name, check in begun.items():
        if problem := check.exception():
            session.warn(f"{name}: {problem}")
            failed.append(name)
    try:
        _pytest(session)
    except nox.command.CommandFailed:
        failed.append("pytest")
    if failed:
        session.error(f"failed: {', '.join(failed)}")


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff, the contracts between layers, Biome; then the largest modules, as a report."""
    _lint(session)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, and tsc for the browser's code."""
    _types(session)


@nox.session
def docs(session: nox.Session) -> None:
    """The documents name every node, route, setting and command. `--write`: what says the settings, first."""
    rest = list(session.posargs)
    if "--write" in rest:
        rest.remove("--write")
        session.run("python", "tests/generated_texts.py", env=_tree())
    session.run("python", "-m", "pytest", "-q", "tests/test_documentation.py", *rest)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure; `--write` updates the page in docs. Others: `arena`, `settings`, `loras`, `scale`, `compare`."""
    if session.posargs[:1] == ["arena"]:
        _peers(session)
        session.run("python", "-m", "benchmarks.arena", *session.posargs[1:], env={"PYTHONPATH": str(ROOT)})
    elif session.posargs[:1] in (["scale"], ["compare"], ["settings"], ["loras"]):
        module = f"benchmarks.{session.posargs[0]}"
        session.run("python", "-m", module, *session.posargs[1:], env={"PYTHONPATH": str(ROOT)})
    else:
        session.run("python", "-m", "benchmarks", *session.posargs, env={"PYTHONPATH": str(ROOT)})


@nox.session
def chaos(session: nox.Session) -> None:
    """Kill writers, stop the server and damage files for a while; prints acknowledged, found and lost."""
    session.run("python", "-m", "benchmarks.chaos", *session.posargs, env={"PYTHONPATH": str(ROOT)})


def _peers(session: nox.Session) -> None:
    """Install the arena's peers, each by itself: it plays without those that have no wheel here."""
    listed = (ROOT / "benchmarks" / "arena" / "requirements.txt").read_text("utf-8").splitlines()
    only_wheels = (*QUIETLY, "--only-binary", ":all:")
    for peer in (line for line in listed if line and not line.startswith("#")):
        try:
            session.run("python", "-m", "pip", "install", *only_wheels, peer)
        except nox.command.CommandFailed:
            session.warn(f"NOT PLAYED: {peer} cannot be installed here.")


@nox.session
def audit(session: nox.Session) -> None:
    """Known weaknesses in what `requirements.txt` and the extras bring along, by pip-audit."""
    options = ("-r", "requirements.txt", "--format", "json", "--progress-spinner", "off")
    try:
        session.run("python", "-m", "pip", "install", *QUIETLY, "pip-audit>=2.7,<3")
        output = session.run("python", "-m", "pip_audit", *options, silent=True, success_codes=[0, 1])
        report = json.loads(next(line for line in str(output).splitlines() if line.startswith("{")))
    except (nox.command.CommandFailed, StopIteration, ValueError):
        _not_audited(session, "pip-audit cannot be installed, or gave no result")
        return
    unknown = [package["name"] for package in report["dependencies"] if "skip_reason" in package]
    weak = [package for package in report["dependencies"] if package.get("vulns")]
    for package in weak:
        names = ", ".join(weakness["id"] for weakness in package["vulns"])
        session.log(f"{package['name']} {package['version']}: {names}")
    if unknown:  # pip-audit itself ends with 0 then
        _not_audited(session, f"nothing is known of {', '.join(unknown)}")
    if weak:
        session.error(f"known weaknesses in {len(weak)} packages")
    if not unknown:
        session.log(f"{len(report['dependencies'])} packages, no known weakness.")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Schemathesis against the server: every route, from its OpenAPI description. Options go to it."""
    try:
        session.run("python", "-m", "pip", "install", *QUIETLY, "schemathesis>=4.32,<5")
    except nox.command.CommandFailed:
        if "fuzz" in os.environ.get("CC_REQUIRE", "").split(","):
            session.error("CC_REQUIRE asks for fuzz: Schemathesis cannot be installed")
        session.warn("NOT FUZZED: Schemathesis cannot be installed.")
        return
    session.run("python", "tests/api/fuzzing.py", *session.posargs, env=_tree())


@nox.session(name="release-check")
def release_check(session: nox.Session) -> None:
    """What a release needs; one line for each check, `ok` or what to do next."""
    folder = ROOT / ".release"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    tools = ("comfy-cli>=1.23,<2", "twine>=6.1", "check-jsonschema>=0.33,<1")
    if not python.exists():
        session.run("python", "-m", "venv", str(folder))
    session.run(str(python), "-m", "pip", "install", *QUIETLY, *tools, external=True)
    session.run("python", "tests/release_check.py", env={"RELEASE_TOOLS": str(folder)})


@nox.session
def oldest(session: nox.Session) -> None:
    """The tests of learning/ and cli/, with the oldest versions that pyproject.toml allows."""
    folder = ROOT / ".oldest"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    allowed = re.findall(r'^(?:  |\w+ = \[)"([\w\[\]-]+)>=([\d.]+)', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    # mcp asks for a newer pydantic than the pack does, so it is tried with the newest versions only.
    lowest = [f"{name}=={version}" for name, version in allowed if name not in ("setuptools", "mcp")]
    tools = [
        line.partition("  #")[0]
        for line in (ROOT / "dev-requirements.txt").read_text("utf-8").splitlines()
        if line.startswith(("pytest", "hypothesis", "jsonschema"))
    ]
    try:
        session.run("python", "-m", "venv", str(folder))
        installing = ("-m", "pip", "install", *QUIETLY, "--only-binary", ":all:")
        session.run(str(python), *installing, *lowest, *tools, "pillow>=10", external=True)
    except nox.command.CommandFailed:
        if "oldest" in os.environ.get("CC_REQUIRE", "").split(","):
            session.error("CC_REQUIRE asks for oldest: those versions cannot be installed")
        session.warn("NOT TRIED: the oldest versions have no wheels for this Python; 3.10 and 3.11 have them.")
        return
    # An older pydantic writes the same schema in other words.
    published = "tests/learning/exchange/test_line_format.py::test_the_published_schema_is_what_is_read"
    usual = ["-m", "not browser and not comfyui", "--deselect", published, "tests/learning", "tests/cli"]
    chosen = session.posargs or usual
    session.run(str(python), "-m", "pytest", "-q", *chosen, env=_tree(), external=True)


@nox.session
def frontend(session: nox.Session) -> None:
    """The tests in ComfyUI's page, with the newest frontend that pip finds. `1.53.10`: that version."""
    named = session.posargs[:1] if session.posargs and session.posargs[0][0].isdigit() else []
    folder = ROOT / ".frontend"
    shutil.rmtree(folder, ignore_errors=True)  # pip leaves an older version beside a newer one
    installing = ("--no-deps", "--only-binary", ":all:", "--target", str(folder))
    try:
        session.run("python", "-m", "pip", "install", *QUIETLY, *installing, "==".join([FRONTEND_PACKAGE, *named]))
    except nox.command.CommandFailed:
        if "frontend" in os.environ.get("CC_REQUIRE", "").split(","):
            session.error(f"CC_REQUIRE asks for frontend: pip finds no {FRONTEND_PACKAGE}")
        session.warn(f"NOT TRIED: another frontend. pip finds no {' '.join([FRONTEND_PACKAGE, *named])}.")
        return
    (installed,) = folder.glob("comfyui_frontend_package-*.dist-info")
    session.log(f"TESTED WITH ANOTHER FRONTEND THAN COMFYUI'S OWN: {installed.stem}")
    chosen = session.posargs[len(named) :] or ["tests/browser"]
    session.run("python", "-m", "pytest", "-q", *chosen, env={"COMFYUI_FRONTEND": str(folder)})


def _not_audited(session: nox.Session, why: str) -> None:
    """Warn, or fail where `CC_REQUIRE` names audit."""
    if "audit" in os.environ.get("CC_REQUIRE", "").split(","):
        session.error(f"CC_REQUIRE asks for audit: {why}")
    session.warn(f"NOT AUDITED: {why}. It needs the network and PyPI's list of known weaknesses.")


def _lint(session: nox.Session) -> None:
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", env=_tree())
    _npm(session, "lint")
    _report_largest_modules(session)


def _report_largest_modules(session: nox.Session, count: int = 10) -> None:
    """A module is one concept, however long: nothing fails here, but these are the first to ask about."""
    listed = subprocess.run(
        ["git", "ls-files", "--", "*.py", "*.js", "*.mjs", ":!tests", ":!benchmarks"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lengths = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in listed.stdout.splitlines()}
    largest = sorted(lengths.items(), key=lambda entry: entry[1], reverse=True)[:count]
    session.log("The largest modules, in lines: " + ", ".join(f"{name} {lines}" for name, lines in largest))


def _types(session: nox.Session) -> None:
    session.run("mypy", env=_tree())
    _npm(session, "types")


def _pytest(session: nox.Session) -> None:
    """In several processes, file by file: a file's tests share what takes long to start."""
    processes = min(_MOST_PROCESSES, os.cpu_count() or 1)
    session.run("python", "-m", "pytest", f"--numprocesses={processes}", "--dist=loadfile")


def _web_tests(session: nox.Session) -> None:
    node = shutil.which("node")
    if node:
        session.run(node, "--test", "tests/web/", external=True)
    else:
        _not_checked(session, "the browser's code: there is no node")


def _npm(session: nox.Session, script: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        _not_checked(session, f"npm run {script}: there is no npm")
        return
    _node_packages(session, npm)
    session.run(npm, "run", "--silent", script, external=True)


def _node_packages(session: nox.Session, npm: str) -> None:
    """The tools that check the browser's code and its pages."""
    installed = ROOT / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (ROOT / "package.json").stat().st_mtime:
        session.run(npm, "install", "--no-package-lock", "--no-audit", "--no-fund", external=True)


def _not_checked(session: nox.Session, what: str) -> None:
    """Warn of what was left out, or fail where `CC_REQUIRE` names node."""
    if "node" in os.environ.get("CC_REQUIRE", "").split(","):
        session.error(f"CC_REQUIRE asks for node: {what}")
    session.warn(f"NOT CHECKED: {what}. Install Node.js 20 or newer.")


def _tree() -> dict[str, str]:
    """Where mypy and import-linter find the tree as `context_checkpoint`: neither sees editable installs."""
    TREE.mkdir(parents=True, exist_ok=True)
    link = TREE / "context_checkpoint"
    if not link.exists():
        link.symlink_to(ROOT, target_is_directory=True)
    return {"PYTHONPATH": str(TREE), "MYPYPATH": str(TREE)}
