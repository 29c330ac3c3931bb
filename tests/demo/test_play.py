"""The demonstration does what it claims: branches go down, pictures are saved, and it says what it ran on."""

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

from context_checkpoint.demo import contact_sheet, story
from context_checkpoint.demo.person import SUBJECTS, Person
from context_checkpoint.demo.play import CORE_ONLY, main, play
from context_checkpoint.demo.story import Played, summary
from context_checkpoint.demo.studios import COLORS, CoreStudio

DEMO = [sys.executable, "-u", "-m", "context_checkpoint.demo"]


@pytest.fixture(scope="module")
def core_rounds(tmp_path_factory: pytest.TempPathFactory) -> tuple[CoreStudio, Person, list[Played]]:
    """All prompts once, with one person, on the learning core."""
    studio = CoreStudio(tmp_path_factory.mktemp("core"))
    person = Person(list(COLORS), seed=0)
    played = play(studio, person, 48)
    studio.runtime.close()
    return studio, person, played


def test_the_branches_go_from_three_to_one(core_rounds: tuple[CoreStudio, Person, list[Played]]) -> None:
    """It begins with three each time, and ends with single checkpoints that the person likes best."""
    _, person, played = core_rounds

    assert {round_.branches for round_ in played[:8]} == {3}
    sure = [round_ for round_ in played if round_.branches == 1]
    assert len(sure) >= 4
    right = [round_.drawn.drawn_by[0] == person.favourite(round_.wish.kind) for round_ in sure]
    assert sum(right) / len(right) >= 0.75


def test_pictures_are_saved_while_the_favourite_is_shown_more_often(
    core_rounds: tuple[CoreStudio, Person, list[Played]],
) -> None:
    """Saving by showing worse pictures would be no saving."""
    _, person, played = core_rounds

    first, last = summary(played[:12], person), summary(played[-12:], person)

    assert last.pictures < first.pictures
    assert last.favourite_shown > first.favourite_shown


def test_the_summary_counts_what_was_played(core_rounds: tuple[CoreStudio, Person, list[Played]]) -> None:
    """The numbers in the text are those of the rounds."""
    _, person, played = core_rounds
    pictures = sum(len(round_.drawn.drawn_by) for round_ in played)

    text = "\n".join(story.saving_lines(played, person))

    assert f"{pictures} pictures instead of 144 with always three: {1 - pictures / 144:.0%} saved" in text


def test_a_kind_never_repeats_a_prompt_before_all_were_used() -> None:
    """All prompts of the demonstration differ: what helps is the kind, not the repetition."""
    wishes = Person(list(COLORS), seed=5).wishes(48)

    assert len({wish.prompt for wish in wishes}) == 48
    assert {kind: sum(wish.kind == kind for wish in wishes) for kind in SUBJECTS} == dict.fromkeys(SUBJECTS, 12)


def test_the_contact_sheet_shows_who_drew_and_what_was_kept(
    core_rounds: tuple[CoreStudio, Person, list[Played]], tmp_path: Path
) -> None:
    """Each kept image has its checkpoint's colour and a green frame; without pictures there are swatches."""
    _, _, played = core_rounds
    kept = next(round_ for round_ in played if round_.wish.kind == "portrait" and round_.verdict.selected)
    position = kept.verdict.selected[0]

    path = contact_sheet.save([kept], COLORS, "one round", tmp_path / "sheet.png")

    left = contact_sheet.MARGIN + position * (contact_sheet.THUMB + contact_sheet.GAP)
    sheet = np.asarray(Image.open(path).convert("RGB"))
    middle = sheet[contact_sheet.HEAD + 30, left + 30]
    assert np.allclose(middle / 255, COLORS[kept.drawn.drawn_by[position]], atol=0.01)
    assert tuple(sheet[contact_sheet.HEAD + 30, left - 1]) == contact_sheet.KEPT


def test_without_comfyui_it_says_so_and_ends_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that has no pictures is labelled: in the terminal and on the sheet."""
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
    assert "--yes would install one" in done.stdout
    assert CORE_ONLY in done.stdout


def test_a_wrong_comfyui_path_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing mistake must not quietly become another ComfyUI."""
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "nowhere"))

    assert main(["--no-serve", "--prompts", "4", "--output", str(tmp_path)]) == 0

    assert "COMFYUI_PATH is" in capsys.readouterr().out


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
