"""Every command, started as a person starts it."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import NAMES, CommandLine


def test_recommend_names_checkpoints_and_reason(run: CommandLine, database: Path) -> None:
    """The first lines are the checkpoints, best first; nothing goes to stderr."""
    done = run("recommend", "anime girl", *NAMES, "--database", str(database), "--images", "20")

    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert sorted(line.split()[0] for line in lines[:3]) == sorted(NAMES)
    assert [line.split()[1] for line in lines[:3]] == ["x7", "x7", "x6"]
    assert "confidence 0.00" in done.out


def test_recommend_prints_the_shape_of_the_route(run: CommandLine, database: Path) -> None:
    """A script moves between both without learning another shape."""
    done = run(
        "recommend", "-", *NAMES, "--database", str(database), "--json", "--seed", "5", stdin="画 " * 50_000
    )

    assert (done.status, done.err) == (0, "")
    assert done.json["seed"] == 5
    assert set(done.json["scores"]) == set(NAMES)


def test_recommend_chooses_among_the_files_of_a_folder(
    run: CommandLine, database: Path, tmp_path: Path
) -> None:
    """Subfolders and globs as in a pool; a file that cannot be a checkpoint is left out and named."""
    folder = tmp_path / "models"
    (folder / "sub folder").mkdir(parents=True)
    for name in ("a.ckpt", "b.ckpt", "sub folder/ç.ckpt", "notes.txt"):
        (folder / name).write_bytes(b"")
    (folder / "cut.safetensors").write_bytes(b"\x10")

    done = run(
        "recommend",
        "anime",
        "--folder",
        str(folder),
        "--exclude",
        "b*",
        "--json",
        "--database",
        str(database),
    )

    assert done.status == 0
    assert set(done.json["scores"]) == {"a.ckpt", "sub folder/ç.ckpt"}
    assert "cut.safetensors" in done.err


def test_a_verdict_is_recorded_replaced_and_withdrawn(
    run: CommandLine, database: Path, logged: Callable[..., str]
) -> None:
    """By counts, by positions, and taken back."""
    generation = logged()
    place = ("--database", str(database))

    counted = run(
        "feedback", generation, "--selected", f"{NAMES[0]}=1", "--rejected", f"{NAMES[1]}=1", *place
    )
    placed = run(
        "feedback", generation, "--selected-images", "2", "--rejected-images", "0", "1", "--json", *place
    )
    withdrawn = run("feedback", generation, "--withdraw", *place)

    assert counted.out == f"{generation}: 1 selected, 1 rejected, 1 without a verdict.\n"
    assert [image["verdict"] for image in placed.json["images"]] == ["rejected", "rejected", "selected"]
    assert withdrawn.out == f"{generation}: 0 selected, 0 rejected, 3 without a verdict.\n"


def test_stats_shows_what_was_learned(run: CommandLine, database: Path, logged: Callable[..., str]) -> None:
    """A table to read, and the same as JSON."""
    logged(selected=(1,))

    told = run("stats", "--keyword", "portrait", "--database", str(database))
    answer = run("stats", "--json", "--database", str(database)).json

    assert "1 of 1 rounds judged, 1 images selected, 2 rejected." in told.out
    assert any(line.split()[:2] == ["portrait", NAMES[1]] for line in told.out.splitlines())
    assert answer["overview"]["judged"] == 1


def test_explain_says_why(run: CommandLine, database: Path, logged: Callable[..., str]) -> None:
    """In words, and in full as JSON."""
    logged(selected=(1,))

    told = run("explain", "photorealistic landscape", *NAMES, "--database", str(database))
    answer = run("explain", "photorealistic landscape", *NAMES, "--json", "--database", str(database))

    assert (told.status, answer.status) == (0, 0)
    assert NAMES[1] in told.out
    assert answer.json


def test_settings_are_shown_and_changed(run: CommandLine) -> None:
    """A change is there for the next process."""
    changed = run("settings", "policy=counts", "exploit_threshold=0.6")

    assert changed.status == 0
    assert "policy=counts" in run("settings").out
    assert run("settings", "--json").json["exploit_threshold"] == 0.6


def test_doctor_finds_nothing_wrong_with_a_fresh_place(run: CommandLine, database: Path) -> None:
    """And makes nothing."""
    done = run("doctor", "--database", str(database))

    assert done.status == 0, done.out
    assert "is not there yet" in done.out
    assert "sqlalchemy" in done.out.lower()
    assert done.out.rstrip().endswith("All is well.")
    assert not database.exists()


def test_doctor_says_what_is_wrong_and_how_to_mend_it(run: CommandLine, database: Path) -> None:
    """Exit status 1, and the same as JSON."""
    database.write_bytes(b"no database at all" * 200)

    done = run("doctor", "--database", str(database), "--json")

    assert done.status == 1
    assert done.json["good"] is False
    [bad] = [check for check in done.json["checks"] if check["state"] == "bad"]
    assert bad["area"] == "database"
    assert bad["mend"]


def test_doctor_rebuilds_the_statistics(run: CommandLine, database: Path, logged: Callable[..., str]) -> None:
    """From the log; they come out as they were."""
    logged(selected=(0,))

    done = run("doctor", "--rebuild", "--database", str(database))

    assert done.status == 0, done.out
    assert "out of 1 judged generations; 0 had been wrong" in done.out


def test_serve_answers_until_interrupted(run: CommandLine, database: Path) -> None:
    """The printed address answers; Ctrl+C is the normal end."""
    serving = subprocess.Popen(
        run.arguments("serve", "--port", "0", "--database", str(database)),
        env=run.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        address = serving.stdout.readline().split()[5]
        with urllib.request.urlopen(f"{address}context_checkpoint/health", timeout=10) as answer:  # noqa: S310
            assert json.load(answer)["status"] == "ok"
        with urllib.request.urlopen(address, timeout=10) as page:  # noqa: S310
            assert b"<title>Context Checkpoint</title>" in page.read()
    finally:
        serving.send_signal(signal.SIGINT)
        out, err = serving.communicate(timeout=20)

    assert (serving.returncode, out, err) == (0, "", "")


def test_demo_has_its_own_options(run: CommandLine) -> None:
    """They are the demonstration's, not the parser's."""
    done = run("demo", "--help")

    assert done.status == 0
    assert "--no-serve" in done.out


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ([], "COMMAND"),
        (["recomend"], "invalid choice"),
        (["recommend", "anime"], "--folder"),
        (["recommend", "anime", "a.safetensors", "--folder", "."], "not both"),
        (["recommend", "anime", "--folder", "/does/not/exist"], "not a folder"),
        (["recommend", "anime", "a", "--include", "b*"], "--folder"),
        (["recommend", "anime", "a", "--stage", "finale"], "invalid choice"),
        (["recommend", "anime", "a", "--exploit-threshold", "0.1"], "wrong way round"),
        (["recommend", "anime", "a", "--images", "0"], "--images"),
        (["feedback", "1234"], "--withdraw"),
        (["feedback", "1234", "--selected", "a"], "CHECKPOINT=COUNT"),
        (["feedback", "1234", "--selected", "a=1", "--selected-images", "0"], "not both"),
        (["feedback", "1234", "--selected-images", "0", "--withdraw"], "--withdraw"),
        (["settings", "policy"], "NAME=VALUE"),
        (["settings", "policy=guess"], "bayesian"),
        (["settings", "colour=red"], "colour"),
        (["stats", "--limit", "0"], "--limit"),
        (["serve", "--port", "70000"], "--port"),
    ],
)
def test_wrong_use_is_told_on_stderr(
    given: list[str],
    part: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit status 2 and no trace. (In this process, for speed; the exit status of another one is tested
    below.)"""
    from context_checkpoint import runtime
    from context_checkpoint.cli import main

    monkeypatch.setenv("HOME", str(tmp_path))
    runtime.reset()
    try:
        status = main(given)
    except SystemExit as ended:  # argparse's own end
        status = ended.code
    finally:
        runtime.reset()

    told = capsys.readouterr()
    assert status == 2
    assert part in told.err
    assert told.out == ""
    assert "Traceback" not in told.err


def test_the_exit_status_tells_wrong_use_from_failure(run: CommandLine, database: Path) -> None:
    """2 and 1, without a trace, also for what nobody expected unless --debug asks."""
    database.write_bytes(b"no database at all" * 200)
    place = ("--database", str(database))

    wrong = run("feedback", "1234", *place)
    failed = run("feedback", "1234", "--withdraw", *place)

    assert (wrong.status, failed.status) == (2, 1)
    assert str(database) in failed.err
    assert "Traceback" not in wrong.err + failed.err
    assert wrong.out + failed.out == ""


def test_an_unknown_generation_is_a_failure_that_says_where_ids_are(run: CommandLine, database: Path) -> None:
    """Exit status 1."""
    done = run("feedback", "1234", "--withdraw", "--database", str(database))

    assert done.status == 1
    assert "1234" in done.err
    assert "Traceback" not in done.err


def test_a_reader_that_has_enough_is_no_failure(run: CommandLine, database: Path) -> None:
    """`context-checkpoint ... | head -1`."""
    done = subprocess.run(
        [
            "bash",
            "-c",
            'set -o pipefail; "$@" | true',
            "bash",
            *run.arguments("stats", "--database", str(database)),
        ],
        env=run.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
