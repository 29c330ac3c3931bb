"""`import-images`, and `feedback` with files, as a person types them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.images.conftest import Gallery

from .conftest import NAMES, CommandLine, Done

Call = Callable[..., Done]


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """A ComfyUI with three checkpoints and an output folder, which the commands find."""
    root = tmp_path / "ComfyUI"
    for folder in ("output", "custom_nodes", "models/checkpoints"):
        (root / folder).mkdir(parents=True)
    (root / "main.py").touch()
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    for number, name in enumerate(NAMES):
        weights = len(header).to_bytes(8, "little") + header + bytes([number] * 4)
        (root / "models" / "checkpoints" / name).write_bytes(weights)
    return Gallery(root / "output")


@pytest.fixture
def here(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is ComfyUI's."""
    monkeypatch.setenv("COMFYUI_PATH", str(gallery.root.parent))
    monkeypatch.chdir(gallery.root.parent)
    return gallery.root.parent


def fill(gallery: Gallery) -> None:
    for number, (name, stars) in enumerate(zip((*NAMES, "gone.safetensors"), (5, 1, None, None), strict=True)):
        gallery.add(f"{number}.png", name, stars=stars, minutes=number, prompt="castle, tower")


def test_a_dry_run_says_what_is_there_and_changes_nothing(call: Call, gallery: Gallery, here: Path) -> None:
    """Which checkpoints are here and which are missing, and how many images are rated."""
    fill(gallery)

    done = call("import-images", "output", "--dry-run")

    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == [
        "4 of 4 images say what made them: ComfyUI 4.",
        "3 were made by checkpoints that are here (3 by name):",
        "        1  dreamShaperXL.safetensors",
        "        1  epicrealismXL.safetensors",
        "        1  juggernautXL.safetensors",
        "1 were made by checkpoints that are not here, or not certain:",
        "        1  gone.safetensors",
        "2 are rated: 1 kept, 1 not kept (2 by stars).",
        "Nothing was changed: an import adds 3 images.",
    ]
    assert call("import-images", "--list").out == "No images were imported.\n"


def test_an_import_is_learned_listed_and_undone(call: Call, gallery: Gallery, here: Path) -> None:
    """The same again adds nothing."""
    fill(gallery)

    done = call("import-images", "output", "--batch", "my images")
    again = call("import-images", "output", "--json")

    assert "3 images learned, 2 of them rated. To take it back:" in done.out
    assert '--undo "my images"' in done.out
    assert again.json["learned"]["added"] == 0
    assert again.json["survey"]["known"] == 3
    [listed] = call("import-images", "--list", "--json").json["imports"]
    assert (listed["name"], listed["images"], listed["rated"]) == ("my images", 3, 2)
    assert call("recommend", "castle, tower", *NAMES).out.splitlines()[0] == NAMES[0]
    assert call("import-images", "--undo", "my images").out == "my images was taken back: 1 generations.\n"
    assert call("import-images", "--undo", "my images").status == 1


def test_an_import_also_takes_verdicts_on_images_of_the_log(call: Call, gallery: Gallery, here: Path) -> None:
    """They were starred since."""
    fill(gallery)
    call("import-images", "output")
    (gallery.root / "keep").mkdir()
    shutil.move(gallery.root / "2.png", gallery.root / "keep")

    done = call("import-images", "output")

    assert "1 verdicts on images of the log were taken from their files." in done.out


def test_checkpoints_may_lie_anywhere(call: Call, gallery: Gallery, here: Path, tmp_path: Path) -> None:
    """With names below the folder that is given."""
    gallery.add("1.png", "xl\\photo.safetensors")
    (tmp_path / "disk" / "xl").mkdir(parents=True)
    (tmp_path / "disk" / "xl" / "photo.safetensors").write_bytes(b"weights")

    done = call("import-images", "output", "--dry-run", "--checkpoints", str(tmp_path / "disk"), "--json")

    assert done.json["survey"]["matched"] == [{"name": "xl/photo.safetensors", "images": 1}]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "Name the folder of images"),
        (("nothing",), "nothing is not a folder."),
        (("output", "--undo", "x"), "Give a FOLDER to import, or --list, or --undo NAME."),
        (("output", "--checkpoints", "nothing"), "nothing is not a folder."),
    ],
)
def test_a_wrong_import_says_what_to_give(
    call: Call, gallery: Gallery, here: Path, words: tuple[str, ...], complaint: str
) -> None:
    """And is wrong use."""
    done = call("import-images", *words)

    assert done.status == 2
    assert complaint in done.err


def test_without_any_checkpoint_the_import_asks_for_their_folder(
    call: Call, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing could be matched."""
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "nowhere"))

    done = call("import-images", str(gallery.root))

    assert done.status == 1
    assert "--checkpoints DIR" in done.err


def save(gallery: Gallery, name: str, generation: str, position: int, **more: int) -> Path:
    chunk = {"version": 1, "generation": generation, "position": position, "checkpoint": NAMES[position]}
    return gallery.add(name, None, chunk=chunk, **more)


def test_one_file_is_a_verdict(run: CommandLine, gallery: Gallery, database: Path, logged: Callable[..., str]) -> None:
    """`feedback image.png --select`, weeks later too; another one adds to it."""
    generation = logged()
    files = [str(save(gallery, f"{position}.png", generation, position)) for position in range(3)]

    done = run("feedback", files[0], "--select", "--database", str(database))
    run("feedback", files[1], files[2], "--reject", "--database", str(database))

    assert (done.status, done.err) == (0, "")
    assert done.out == "1 of 1 files are images of the log: 1 selected and 0 rejected recorded.\n"
    again = run("feedback", *files, "--dry-run", "--select", "--json", "--database", str(database))
    assert [(each["position"], each["former"]) for each in again.json["recorded"]] == [(1, "rejected"), (2, "rejected")]
    assert again.json["unchanged"] == 1


def test_a_folder_says_its_verdicts_after_a_dry_run(
    call: Call, gallery: Gallery, database: Path, logged: Callable[..., str]
) -> None:
    """By stars and folders; a verdict of the gallery stays unless it is asked for."""
    generation = logged(selected=(2,))
    save(gallery, "a.png", generation, 0, stars=4)
    save(gallery, "trash/c.png", generation, 2)
    words = ("feedback", str(gallery.root), "--database", str(database))

    shown = call(*words, "--replace", "--dry-run")
    assert shown.out.splitlines() == [
        "selected: a.png (by stars)",
        "rejected: trash/c.png (by the folder's name)",
        "2 of 2 files are images of the log: 1 selected and 1 rejected would be recorded.",
    ]
    assert "2 have another verdict, which stays" in call(*words, "--dry-run").out
    done = call(*words, "--replace")
    assert "1 selected and 1 rejected recorded." in done.out
    assert "2 have that verdict already." in call(*words).out


def test_deleted_images_are_rejected_only_on_demand(call: Call, gallery: Gallery, here: Path) -> None:
    """And only of a folder."""
    fill(gallery)
    call("import-images", "output")
    (gallery.root / "2.png").unlink()

    assert "1 images of the log are not there any more." in call("feedback", "output").out
    assert "rejected: 2.png (by being deleted)" in call("feedback", "output", "--deleted-are-rejected").out
    assert call("feedback", "output/0.png", "--deleted-are-rejected").status == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("no/such.png",), "is no generation's id, and there is no such file or folder"),
        (("0.png", "--selected-images", "0"), "Counts and positions are for a generation's id"),
        (("0.png", "--withdraw"), "--withdraw takes a generation's id"),
        (("a" * 32, "--select"), "--select is for image files"),
        (("a" * 32, "b" * 32, "--withdraw"), "one generation at a time"),
    ],
)
def test_wrong_feedback_says_what_to_give(
    call: Call, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], complaint: str
) -> None:
    """Files and ids are not mixed up."""
    gallery.add("0.png")
    monkeypatch.chdir(gallery.root)

    done = call("feedback", *words)

    assert done.status == 2
    assert complaint in done.err


def test_json_has_the_shape_of_the_route(call: Call, gallery: Gallery, here: Path) -> None:
    """A script can move between both."""
    fill(gallery)

    result = json.loads(call("import-images", "output", "--json").out)

    assert set(result) == {"survey", "verdicts", "learned"}
