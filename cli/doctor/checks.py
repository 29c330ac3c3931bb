"""What is wrong and how to repair it: versions, requirements, database, pools, settings.

Separate from the other commands because it must run where they cannot: it imports only the standard library
and what needs no more, and imports the rest inside the check that needs it. It changes nothing, except with
`--rebuild`.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path

from ... import __version__, install
from ...learning.database.disk import problem_writing
from ...learning.errors import LearningError
from ...learning.requirements import missing_requirement
from ...runtime.process import configure, current
from ...runtime.runtime import Runtime
from ..outcome import Outcome
from .report import Check, Report, State, copy_line, recomputing
from .sqlite_file import check_sqlite, checkpoint_names, not_writable


def doctor(arguments: argparse.Namespace) -> Outcome:
    """Make all checks; with `--rebuild`, recompute the statistics first."""
    if arguments.database is not None:
        configure(database=arguments.database)
    checks = [*_own_versions(), *_requirements()]
    try:
        runtime = current()
        if arguments.rebuild:
            checks += _rebuild(runtime)
        checks += [*_comfyui_version(runtime), *_database(runtime), *_pools(runtime), *_settings(runtime)]
    except ImportError as error:
        missing = missing_requirement(error)
        if missing is None:
            raise
        checks.append(Check("requirements", error.name or "import", "the rest was not checked", "bad", missing.message))
    report = Report(tuple(checks))
    return Outcome(report.as_json(), report.as_text(), report.good)


def _rebuild(runtime: Runtime) -> Iterator[Check]:
    try:
        report = runtime.run_blocking(lambda service: service.rebuild())
    except LearningError as error:
        yield Check("rebuilding", "statistics", "not rebuilt", "bad", error.message)
        return
    counts = f"{report.pairs:,} pairs out of {report.generations:,} judged generations"
    state: State = "note" if report.corrected else "good"
    yield Check("rebuilding", "statistics", f"{counts}; {report.corrected:,} had been wrong", state)


# --- versions, requirements


def _own_versions() -> Iterator[Check]:
    yield Check("versions", "Context Checkpoint", __version__)
    problem = install.python_problem()
    yield Check("versions", "Python", platform.python_version(), "bad" if problem else "good", problem or "")


def _comfyui_version(runtime: Runtime) -> Iterator[Check]:
    area = "ComfyUI"
    folder = _comfyui(runtime)
    if folder is None:
        none = "none found; the command line works without. COMFYUI_PATH names one that is elsewhere"
        yield Check(area, "version", none, "note")
        return
    version = install.comfyui_version(folder)
    problem = install.comfyui_problem(version) if version else "Its comfyui_version.py cannot be read."
    result = f"{version or 'unknown'} in {folder}"
    yield Check(area, "version", result, "bad" if problem else "good", problem or "")


def _comfyui(runtime: Runtime) -> Path | None:
    """The ComfyUI whose data this is: its system user directories are in `<ComfyUI>/user`."""
    folder = runtime.data_directory.parent.parent
    return folder if (folder / "main.py").is_file() else None


def _requirements() -> Iterator[Check]:
    """Versions by their metadata, and whether each can be imported: half an installation has the first."""
    for state in install.requirement_states():
        problem = "" if state.ok else f"needed {state.wanted or 'in any version'}"
        if state.ok:
            try:
                import_module(state.name)
            except Exception as error:  # foreign code, which may fail in any way: that is the result
                problem = f"cannot be imported ({type(error).__name__}: {error})"
        result = f"{state.installed or 'missing'}{', ' if problem else ''}{problem}"
        remedy = f'"{sys.executable}" -m pip install --upgrade "{state.name}{state.wanted}"' if problem else ""
        yield Check("requirements", state.name, result, "bad" if problem else "good", remedy)


# --- database


def _database(runtime: Runtime) -> Iterator[Check]:
    if _is_server(runtime):
        yield from _server(runtime)
        yield from _outbox(runtime)
        return
    path = Path(runtime.database.rpartition(":///")[2]).expanduser()
    try:
        from ...learning.database.schema import REVISION, VERSION_TABLE
    except ImportError:
        yield Check("database", "file", f"{path}; not checked until the requirements are installed", "note")
        return
    yield from check_sqlite(path, revision=REVISION, version_table=VERSION_TABLE)
    if path.exists():
        yield from _backups(path, runtime)
    yield from _outbox(runtime)


def _outbox(runtime: Runtime) -> Iterator[Check]:
    """What waits until the database can be written."""
    from ...learning.outbox.delivery import outbox_of

    try:
        outbox = outbox_of(runtime.database, runtime.data_directory)
        waiting, refused = outbox.count(), outbox.refused()
    except (LearningError, OSError, sqlite3.Error) as error:
        yield Check("database", "outbox", str(error), "bad", "See the message; what waits there is not delivered.")
        return
    if waiting:
        remedy = "They are added by the next use of the database that can write it."
        yield Check("database", "outbox", f"{waiting:,} entries wait in {outbox.path}", "note", remedy)
    if refused:
        remedy = f"Report it, with that file; {outbox.path.name} keeps them."
        yield Check("database", "outbox", f"{refused:,} entries of {outbox.path} are not taken", "bad", remedy)
    for damaged in outbox.damaged():
        remedy = "Delete it when you no longer need it; what could be read was delivered."
        yield Check("database", "outbox", f"{damaged} was damaged", "note", remedy)


def _backups(path: Path, runtime: Runtime) -> Iterator[Check]:
    """The copies, and the damaged files that one of them replaced."""
    from ...learning.database.files import backups

    path = path.resolve()  # behind links, which is where the store keeps them
    described = backups.described(path, datetime.now(timezone.utc))
    copies = [copy for copy in described if copy.kind != "damaged"]
    if copies:
        newest = f"{copies[0].made_at:%Y-%m-%d %H:%M} UTC"
        yield Check("database", "backups", f"{len(copies)} beside {path}, the newest of {newest}")
    elif runtime.settings.backups_kept:
        yield Check("database", "backups", "none yet; the next verdict makes one", "note")
    else:
        yield Check("database", "backups", "none: the setting backups_kept is 0", "note")
    for copy in copies:
        remedy = "It is never restored; delete it when you no longer need it." if copy.problem else ""
        yield Check("database", "backup", copy_line(copy), "note" if copy.problem else "good", remedy)
    for damaged in described[len(copies) :]:
        remedy = "It was quarantined and a copy restored. Check what is missing; delete it when you no longer need it."
        yield Check("database", "damaged", copy_line(damaged), "note", remedy)


def _server(runtime: Runtime) -> Iterator[Check]:
    try:
        report = runtime.run_blocking(lambda service: service.database_report())
    except LearningError as error:
        yield Check("database", "address", runtime.database_name, "bad", error.message)
        return
    yield Check("database", "address", report.name)
    yield Check("database", "schema", f"revision {report.revision}")
    if report.problem:
        yield Check("database", "state", report.problem, "bad", "See the message; until then nothing is stored.")
    yield Check("database", "writable", "yes" if report.writable else "no", "good" if report.writable else "bad")
    yield Check("database", "generations", f"{report.generations:,}, {report.judged:,} of them judged")
    if report.recomputing:
        yield recomputing(str(report.recomputing))


# --- pools, settings


def _pools(runtime: Runtime) -> Iterator[Check]:
    """What is known of the checkpoint files. ComfyUI's own model detection finds the families."""
    area = "pools"
    folder = _comfyui(runtime)
    if folder is not None:
        checkpoints = folder / "models" / "checkpoints"
        state: State = "good" if checkpoints.is_dir() else "note"
        yield Check(area, "folder", f"{checkpoints}{'' if checkpoints.is_dir() else ' does not exist'}", state)
        if (folder / "extra_model_paths.yaml").is_file():
            yield Check(area, "folders", "extra_model_paths.yaml names more, which ComfyUI reads", "note")
    inventory = runtime.data_directory / "checkpoint_files.json"
    try:
        files = json.loads(inventory.read_text(encoding="utf-8"))["files"]
        families = Counter(str(entry["family"]) for entry in files.values() if not entry["broken"])
        broken = {path: str(entry["broken"]) for path, entry in files.items() if entry["broken"]}
    except FileNotFoundError:
        yield Check(area, "known files", "none yet; a recommender in ComfyUI reads them", "note")
        return
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        yield Check(area, "known files", f"{inventory} cannot be read ({error}); it is recreated", "note")
        return
    yield Check(area, "families", ", ".join(f"{count} {family}" for family, count in families.most_common()) or "none")
    for path, reason in broken.items():
        if Path(path).exists():
            yield Check(area, "broken", f"{path}: {reason}", "note", "Replace the file; it is tried again then.")
    yield from _orphans(runtime, [path for path in files if Path(path).exists()])


def _orphans(runtime: Runtime, paths: Sequence[str]) -> Iterator[Check]:
    """Checkpoints that have statistics but no file; with a file of the same last name, if there is one."""
    files = [Path(path).as_posix() for path in paths]
    for name in _known_checkpoints(runtime):
        if any(file.endswith(f"/{name}") for file in files):
            continue
        last = name.rpartition("/")[2]
        namesake = next((file for file in files if file.rpartition("/")[2] == last), None)
        remedy = f'If it is {namesake}: context-checkpoint join "{name}" NAME, with its NAME in ComfyUI\'s list.'
        if namesake is None:
            remedy = f'If it has another name now: context-checkpoint join "{name}" NAME.'
        yield Check("pools", "no file", f"{name}: what was learned of it is kept", "note", remedy)


def _known_checkpoints(runtime: Runtime) -> list[str]:
    """The checkpoints that have statistics; none where the database cannot be read, which another check says."""
    if not _is_server(runtime):
        path = Path(runtime.database.rpartition(":///")[2]).expanduser()
        return checkpoint_names(path) if path.is_file() else []
    try:
        return [row.checkpoint for row in runtime.run_blocking(lambda service: service.checkpoints())]
    except LearningError:
        return []


def _is_server(runtime: Runtime) -> bool:
    return "://" in runtime.database and not runtime.database.startswith("sqlite")


def _settings(runtime: Runtime) -> Iterator[Check]:
    """Read the file by itself: the runtime would quietly use defaults for what is wrong in it."""
    from ...runtime.settings import default_settings

    area = "settings"
    folder = runtime.data_directory
    problem = problem_writing(folder) if folder.is_dir() else None
    if problem is not None:  # with a database elsewhere, settings and a server's standby file still go here
        yield not_writable(area, "folder", folder, problem)
    path = folder / "settings.json"
    settings = default_settings()
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("it holds no table of settings")
        settings = settings.changed(**values)
    except FileNotFoundError:
        yield Check(area, "file", f"{path} does not exist: all settings have their defaults")
    except (OSError, ValueError) as error:
        yield Check(
            area,
            "file",
            f"{path}: {error}",
            "bad",
            "Correct or delete it; until then what is wrong has its default, and no prompt may be stored.",
        )
    else:
        yield Check(area, "file", str(path))
    yield Check(area, "policy", settings.policy)
    yield Check(area, "thresholds", f"{settings.exploit_threshold:g} and {settings.explore_threshold:g}")
    yield Check(
        area,
        "kept loaders",
        f"{settings.kept_loaders}, within {settings.kept_loaders_memory_share:.0%} of all memory",
    )
