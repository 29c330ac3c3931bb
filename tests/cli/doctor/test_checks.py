"""What the doctor says of requirements, pools and settings, and of several things wrong at once."""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from context_checkpoint import install, runtime
from context_checkpoint.cli.doctor.checks import doctor
from context_checkpoint.cli.outcome import Outcome
from context_checkpoint.learning import PreferenceService
from tests.cli.conftest import CommandLine


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    """The folders of a ComfyUI, as far as the doctor looks at them."""
    folder = tmp_path / "ComfyUI"
    for part in ("custom_nodes", "models/checkpoints", "user/__context_checkpoint"):
        (folder / part).mkdir(parents=True)
    (folder / "main.py").touch()
    (folder / "comfyui_version.py").write_text('__version__ = "0.33.0"\n')
    return folder


@pytest.fixture
def data(comfyui: Path) -> Iterator[Path]:
    """The data folder in it, which the runtime uses."""
    runtime.configure(data_directory=comfyui / "user" / "__context_checkpoint")
    yield runtime.current().data_directory
    runtime.reset()


def examined(*, rebuild: bool = False) -> Outcome:
    return doctor(Namespace(database=None, rebuild=rebuild))


def checks_of(outcome: Outcome, area: str) -> list[dict[str, str]]:
    return [check for check in outcome.value["checks"] if check["area"] == area]


def test_all_is_well_in_a_fresh_comfyui(data: Path) -> None:
    """Every area is checked, nothing is created, nothing is bad."""
    outcome = examined()

    assert outcome.good
    areas = [check["area"] for check in outcome.value["checks"]]
    assert list(dict.fromkeys(areas)) == [
        "versions",
        "requirements",
        "ComfyUI",
        "database",
        "pools",
        "settings",
    ]
    assert list(data.iterdir()) == []


def test_every_requirement_is_listed_with_its_version(data: Path) -> None:
    """As install.py reads them from requirements.txt."""
    listed = {check["name"]: check["found"] for check in checks_of(examined(), "requirements")}

    assert listed == {state.name: state.installed for state in install.requirement_states()}


def test_where_requirements_are_missing_it_says_how_to_install_them(run: CommandLine) -> None:
    """A Python without any packages (-S): the doctor runs there, the other commands point to it."""

    def bare(*words: str) -> subprocess.CompletedProcess[str]:
        environment = run.environment | {"PYTHONPATH": str(run.package)}
        arguments = [sys.executable, "-S", "-m", "context_checkpoint", *words]
        return subprocess.run(arguments, env=environment, cwd=run.home, capture_output=True, text=True, check=False)

    report = bare("doctor", "--json")
    refused = bare("stats")

    checks = [check for check in json.loads(report.stdout)["checks"] if check["name"] == "aiosqlite"]
    assert report.returncode == 1
    assert checks[0]["state"] == "bad"
    assert '-m pip install --upgrade "aiosqlite' in checks[0]["mend"]
    assert refused.returncode == 1
    assert "context-checkpoint doctor" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_too_old_a_comfyui_is_bad(comfyui: Path, data: Path) -> None:
    """With the version that is needed."""
    (comfyui / "comfyui_version.py").write_text('__version__ = "0.25.1"\n')

    [version] = checks_of(examined(), "ComfyUI")

    assert version["state"] == "bad"
    assert "0.26" in version["mend"]


def test_families_and_broken_files_are_listed_as_comfyui_found_them(comfyui: Path, data: Path) -> None:
    """A broken file that was deleted since is of no interest."""
    cut = comfyui / "models" / "checkpoints" / "cut.safetensors"
    cut.touch()
    entry = {"size": 0, "mtime_ns": 0, "broken": ""}
    files = {
        "/a.safetensors": entry | {"family": "sdxl"},
        "/b.safetensors": entry | {"family": "sdxl"},
        str(cut): entry | {"family": "unknown", "broken": "the file has only 0 bytes"},
        "/gone.safetensors": entry | {"family": "unknown", "broken": "the file has only 0 bytes"},
    }
    (data / "checkpoint_files.json").write_text(json.dumps({"detector": "ComfyUI", "files": files}))

    pools = {check["name"]: check for check in checks_of(examined(), "pools")}

    assert pools["families"]["found"] == "2 sdxl"
    assert pools["broken"]["found"] == f"{cut}: the file has only 0 bytes"
    assert pools["broken"]["mend"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"files": 3}', '{"files": {"a": 1}}'])
def test_a_garbled_memory_of_files_is_only_noted(data: Path, content: str) -> None:
    """ComfyUI recreates it."""
    (data / "checkpoint_files.json").write_text(content)

    outcome = examined()

    assert outcome.good
    assert "it is recreated" in outcome.text


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "settings.json"),
        ("[1]", "no table"),
        ('{"policy": "guess"}', "bayesian"),
        ('{"colour": 1}', "colour"),
    ],
)
def test_a_wrong_settings_file_is_bad(data: Path, content: str, part: str) -> None:
    """The runtime goes on with defaults; the doctor reports it."""
    (data / "settings.json").write_text(content)

    outcome = examined()

    [bad] = [check for check in checks_of(outcome, "settings") if check["state"] == "bad"]
    assert part in bad["found"]
    assert not outcome.good


def test_settings_are_shown_as_they_are(data: Path) -> None:
    """Those of the file, not the defaults."""
    runtime.current().change_settings(policy="counts", kept_loaders=1)

    results = {check["name"]: check["found"] for check in checks_of(examined(), "settings")}

    assert results["policy"] == "counts"
    assert results["kept loaders"].startswith("1,")


def test_a_rebuild_that_fails_is_reported_among_the_rest(data: Path) -> None:
    """The other checks say why."""
    (data / "preferences.db").write_bytes(b"no database" * 500)

    outcome = examined(rebuild=True)

    assert [check["state"] for check in checks_of(outcome, "rebuilding")] == ["bad"]
    assert "bad" in [check["state"] for check in checks_of(outcome, "database")]


def test_backups_and_what_they_replaced_are_listed(data: Path) -> None:
    """How many, and which damaged file somebody should look at."""
    data.mkdir(parents=True, exist_ok=True)
    names = {check["name"]: check for check in checks_of(examined(), "database")}
    assert "backups" not in names  # there is no database yet

    runtime.current().run_blocking(_taught)
    runtime.reset(keep_configuration=True)
    (data / "preferences.damaged-20260131-120000.db").touch()
    names = {check["name"]: check for check in checks_of(examined(), "database")}

    assert names["backups"]["found"].startswith("1 beside ")
    assert "daily, 1 generations, 1 verdicts, sound: backups/preferences-" in names["backup"]["found"]
    assert names["damaged"]["state"] == "note"
    assert "? generations, ? verdicts, not sound" in names["damaged"]["found"]
    assert "preferences.damaged-20260131-120000.db" in names["damaged"]["found"]


async def _taught(service: PreferenceService) -> None:
    recommendation = await service.recommend("portrait", ["a", "b"])
    generation_id = await service.log_generation(recommendation, {"a": 1, "b": 1})
    await service.record_feedback(generation_id, {"a": 1})
