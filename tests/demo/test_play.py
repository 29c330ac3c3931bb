"""The demonstration does what it claims: branches go down, images are saved, and it says what it ran on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from context_checkpoint.demo import contact_sheet, report
from context_checkpoint.demo.backends import COLORS, CoreBackend
from context_checkpoint.demo.person import SUBJECTS, Person
from context_checkpoint.demo.play import CORE_ONLY, main, play
from context_checkpoint.demo.report import JudgedPrompt, summary
from tests.conftest import posix_only

DEMO = [sys.executable, "-u", "-m", "context_checkpoint.demo"]


@pytest.fixture(scope="module")
def core_rounds(tmp_path_factory: pytest.TempPathFactory) -> tuple[CoreBackend, Person, list[JudgedPrompt]]:
    """All prompts once, with one person, on the learning core."""
    backend = CoreBackend(tmp_path_factory.mktemp("core"))
    person = Person(list(COLORS), seed=0)
    played = play(backend, person, 48)
    backend.runtime.close()
    return backend, person, played


def test_the_branches_go_from_three_to_one(core_rounds: tuple[CoreBackend, Person, list[JudgedPrompt]]) -> None:
    """It begins with three each time, and ends with single checkpoints that the person likes best."""
    _, person, played = core_rounds

    assert {judged.branches for judged in played[:8]} == {3}
    sure = [judged for judged in played if judged.branches == 1]
    assert len(sure) >= 4
    right = [judged.generated.made_by[0] == person.favourite(judged.prompt.kind) for judged in sure]
    assert sum(right) / len(right) >= 0.75


def test_images_are_saved_while_the_favourite_is_shown_more_often(
    core_rounds: tuple[CoreBackend, Person, list[JudgedPrompt]],
) -> None:
    """Fewer but worse images would be no saving."""
    _, person, played = core_rounds

    first, last = summary(played[:12], person), summary(played[-12:], person)

    assert last.images < first.images
    assert last.favourite_shown > first.favourite_shown


def test_the_summary_counts_what_was_played(core_rounds: tuple[CoreBackend, Person, list[JudgedPrompt]]) -> None:
    """The numbers in the text are those of the rounds."""
    _, person, played = core_rounds
    images = sum(len(judged.generated.made_by) for judged in played)

    text = "\n".join(report.saving_lines(played, person))

    assert f"{images} images instead of 144 with always three: {1 - images / 144:.0%} saved" in text


def test_a_kind_never_repeats_a_prompt_before_all_were_used() -> None:
    """All prompts of the demonstration differ: what helps is the kind, not the repetition."""
    prompts = Person(list(COLORS), seed=5).prompts(48)

    assert len({prompt.text for prompt in prompts}) == 48
    assert {kind: sum(prompt.kind == kind for prompt in prompts) for kind in SUBJECTS} == dict.fromkeys(SUBJECTS, 12)


def test_the_contact_sheet_shows_the_checkpoint_and_the_verdict(
    core_rounds: tuple[CoreBackend, Person, list[JudgedPrompt]], tmp_path: Path
) -> None:
    """Each selected image has its checkpoint's colour and a green frame; without images there are swatches."""
    _, _, played = core_rounds
    selected = next(judged for judged in played if judged.prompt.kind == "portrait" and judged.verdict.selected)
    position = selected.verdict.selected[0]

    path = contact_sheet.save([selected], COLORS, "one round", tmp_path / "sheet.png")

    left = contact_sheet.MARGIN + position * (contact_sheet.THUMB + contact_sheet.GAP)
    sheet = np.asarray(Image.open(path).convert("RGB"))
    middle = sheet[contact_sheet.HEAD + 30, left + 30]
    assert np.allclose(middle / 255, COLORS[selected.generated.made_by[position]], atol=0.01)
    assert tuple(sheet[contact_sheet.HEAD + 30, left - 1]) == contact_sheet.SELECTED


def test_without_comfyui_it_says_so_and_ends_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything without images is labelled: in the terminal and on the sheet."""
    code = main(["--core-only", "--no-serve", "--prompts", "8", "--output", str(tmp_path)])

    said = capsys.readouterr().out
    assert code == 0
    assert CORE_ONLY in said
    assert "What was learned" in said
    assert (tmp_path / "contact-sheet.png").exists()


def test_a_terminal_is_never_waited_for_where_there_is_none(tmp_path: Path) -> None:
    """No ComfyUI, no terminal: it does not ask whether to install one, it goes on without."""
    command = [*DEMO, "--no-serve", "--prompts", "4", "--output", "out"]
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("COMFYUI_PATH", None)
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "--yes installs one" in done.stdout
    assert CORE_ONLY in done.stdout


def test_a_wrong_comfyui_path_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing mistake must not quietly become another ComfyUI."""
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "nowhere"))

    assert main(["--no-serve", "--prompts", "4", "--output", str(tmp_path)]) == 0

    assert "COMFYUI_PATH is" in capsys.readouterr().out


@posix_only
def test_it_stays_open_and_shows_what_was_learned_until_it_is_ended(tmp_path: Path) -> None:
    """It prints the page's address, the page answers with the same database, and Ctrl-C ends it."""
    command = [*DEMO, "--core-only", "--prompts", "4", "--output", "out"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        announced = next(line for line in process.stdout if line.startswith("What was learned: http"))
        address = announced.split()[3]
        with urllib.request.urlopen(f"{address}context_checkpoint/statistics", timeout=20) as answer:  # noqa: S310 - our own
            assert b'"generations":4' in answer.read().replace(b": ", b":")
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Ended." in rest
