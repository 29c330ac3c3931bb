"""What a folder of images holds is said before anything is learned of it."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime, timezone

import pytest

from context_checkpoint.images import survey as module
from context_checkpoint.images.hashes import ComputedHashes
from context_checkpoint.images.models import ModelFile, Models
from context_checkpoint.images.progress import Progress, Stopped
from tests.images.conftest import NOON_S, Gallery, Learner
from tests.recipes.files import making

GENERATION = "0123456789abcdef" * 2


def test_a_survey_says_what_was_read_matched_and_rated(gallery: Gallery, learner: Learner) -> None:
    """How many of how many, by which tool, which checkpoint, and what is missing."""
    gallery.add("1.png", "dream.safetensors", stars=5)
    gallery.add("2.png", "xl\\photo.safetensors", minutes=1)
    gallery.add("rejected/3.png", "dream.safetensors", minutes=2)
    gallery.add("4.png", "elsewhere.safetensors", stars=4)
    gallery.add("5.png", texts=(making.text_chunk("parameters", making.A1111),), minutes=3)
    gallery.add("6.png", None)
    gallery.add("7.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    (gallery.root / "8.jpg").write_bytes(b"GIF89a")

    report, images = learner.survey()

    assert (report.images, report.read, report.new) == (8, 5, 4)
    assert report.tools == {"ComfyUI": 4, "A1111": 1}
    assert report.matched == {"dream.safetensors": 3, "xl/photo.safetensors": 1}
    assert (report.matched_by, report.missing) == ({"name": 4}, {"elsewhere.safetensors": 1})
    assert (report.rated, report.kept, report.rejected) == ({"folder": 1, "stars": 1}, 1, 1)
    assert {each.code: (each.count, each.example) for each in report.unread} == {
        "no_metadata": (1, "6.png"),
        "cut_short": (1, "7.png"),
        "not_an_image": (1, "8.jpg"),
    }
    assert [image.relative for image in images] == ["1.png", "2.png", "rejected/3.png", "5.png"]


def test_a_survey_changes_nothing(gallery: Gallery, learner: Learner) -> None:
    """It is the dry run."""
    gallery.add("1.png")
    before = sorted((path, path.stat().st_mtime_ns) for path in gallery.root.rglob("*"))

    learner.survey()

    assert learner.do(lambda service: service.overview()).generations == 0
    assert sorted((path, path.stat().st_mtime_ns) for path in gallery.root.rglob("*")) == before


def test_a_starred_copy_is_the_image_itself(gallery: Gallery, learner: Learner) -> None:
    """SwarmUI copies what is starred; the rating is of the one image."""
    image = gallery.add("raw/1.png")
    (gallery.root / "Starred").mkdir()
    copy = gallery.root / "Starred" / "raw1.png"
    copy.write_bytes(image.read_bytes())
    gallery.date(copy, 60 * 24 * 7)

    report, images = learner.survey()

    assert (report.repeated, report.rated, len(images)) == (1, {"folder": 1}, 1)
    assert (images[0].relative, images[0].rating, images[0].made_s) == ("raw/1.png", 1.0, NOON_S)


def test_a_clock_in_the_future_is_counted(gallery: Gallery, learner: Learner) -> None:
    """The image counts as made now."""
    gallery.add("1.png", minutes=60 * 24 * 365)

    assert learner.survey()[0].in_future == 1


def test_files_that_vanish_while_they_are_read_are_counted(gallery: Gallery, learner: Learner) -> None:
    """Another program tidies up."""
    files = [gallery.add(f"{number}.png") for number in range(3)]

    def vanish(progress: Progress) -> None:
        if progress.phase == "reading" and progress.done == 0:
            files[1].unlink(missing_ok=True)

    report, images = learner.survey(on_progress=vanish)

    assert (len(images), [(each.code, each.count) for each in report.unread]) == (2, [("not_found", 1)])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no names that are no text")
def test_names_in_another_encoding_are_read_and_shown(gallery: Gallery, learner: Learner) -> None:
    """And an unreadable one is told by its escaped name."""
    gallery.add(os.fsdecode(b"\xe9t\xe9.png"))
    (gallery.root / os.fsdecode(b"\xff.png")).write_bytes(b"")

    report, images = learner.survey()

    assert (len(images), report.unread[0].example) == (1, "\\udcff.png")


def test_one_file_whose_reading_fails_does_not_end_the_survey(
    gallery: Gallery, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in a reader costs one image of a hundred thousand."""
    gallery.add("1.png")
    gallery.add("2.png")
    examine = module.examine_file

    def fails(path: object) -> object:
        if str(path).endswith("1.png"):
            raise ZeroDivisionError
        return examine(path)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "examine_file", fails)
    report, images = learner.survey()

    assert (len(images), report.unread[0].reason) == (1, "Reading it failed (ZeroDivisionError).")


def test_a_survey_can_be_stopped(gallery: Gallery, learner: Learner) -> None:
    """After at most some dozen files."""
    for number in range(3):
        gallery.add(f"{number}.png")

    def stop(progress: Progress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        learner.survey(on_progress=stop)


def test_images_of_logged_generations_are_not_imported(gallery: Gallery, learner: Learner) -> None:
    """They are in the log already; of a database that was deleted they are images like others."""
    recommendation = learner.do(lambda service: service.recommend("a castle", learner.names))
    logged = learner.do(lambda service: service.log_generation(recommendation, {"dream.safetensors": 1}))
    for generation, name in ((logged, "1.png"), (GENERATION, "2.png")):
        chunk = {"version": 1, "generation": generation, "position": 0, "checkpoint": "real.safetensors"}
        gallery.add(name, None, chunk=chunk)

    report, images = learner.survey()

    assert (report.logged, [(image.relative, image.model) for image in images]) == (1, [("2.png", "real.safetensors")])


def test_stock_files_of_a_generation_are_told_apart_by_their_numbers(gallery: Gallery, learner: Learner) -> None:
    """If all of them are there; else which checkpoint made them is not certain."""
    names = ["dream.safetensors", "real.safetensors", "real.safetensors"]
    for number, generation in enumerate((GENERATION, "f" * 32)):
        chunk = {"version": 1, "generations": [{"generation": generation, "checkpoints": names}]}
        for image in range(3 - number):
            gallery.add(f"{'favorites/' if image == 1 else ''}{number}_{image:05}_.png", None, chunk=chunk)

    report, images = learner.survey()

    assert [(image.relative, image.model) for image in sorted(images, key=lambda image: image.model)] == [
        ("0_00000_.png", "dream.safetensors"),
        ("0_00002_.png", "real.safetensors"),
        ("favorites/0_00001_.png", "real.safetensors"),
    ]
    assert report.without_model == 2


def test_files_that_name_their_checkpoints_are_believed_whatever_their_order(
    gallery: Gallery, learner: Learner
) -> None:
    """Other packs' savers put the checkpoint or the time into the file's name, and sort by that."""
    names = ["real.safetensors", "dream.safetensors"]
    chunk = {"version": 1, "generations": [{"generation": GENERATION, "checkpoints": names}]}
    for name in names:
        gallery.add(f"{name.removesuffix('.safetensors')}.png", name, chunk=chunk)

    _, images = learner.survey()

    assert {image.relative: image.model for image in images} == {
        "dream.png": "dream.safetensors",
        "real.png": "real.safetensors",
    }


def test_numbers_without_zeros_before_them_count_as_numbers(gallery: Gallery, learner: Learner) -> None:
    """The tenth image comes after the ninth."""
    names = [*["dream.safetensors"] * 9, "real.safetensors"]
    chunk = {"version": 1, "generations": [{"generation": GENERATION, "checkpoints": names}]}
    for number in range(1, 11):
        gallery.add(f"image_{number}.png", None, chunk=chunk)

    _, images = learner.survey()

    assert [image.relative for image in images if image.model == "real.safetensors"] == ["image_10.png"]


def test_missing_checkpoints_are_found_by_their_hash_where_a_person_asks(gallery: Gallery, learner: Learner) -> None:
    """Only then are files hashed, and once."""
    file = learner.output.parent / "renamed.safetensors"
    file.write_bytes(b"weights")
    text = making.A1111.replace("0123456789", hashlib.sha256(b"weights").hexdigest()[:10]).replace("dream", "gone")
    gallery.add("1.png", texts=(making.text_chunk("parameters", text),))
    hashes = ComputedHashes(learner.output.parent / "hashes.json")
    learner.models = Models([ModelFile("renamed.safetensors", file)], hashes.known)
    phases: list[str] = []

    assert learner.survey()[0].missing == {"gone": 1}
    learner.folder_of["hashes"] = hashes
    report, _ = learner.survey(on_progress=lambda progress: phases.append(progress.phase))
    assert (report.matched_by, "hashing" in phases) == ({"hash": 1}, True)
    del learner.folder_of["hashes"]
    learner.models = Models([ModelFile("renamed.safetensors", file)], ComputedHashes(hashes._store).known)
    assert learner.survey()[0].matched_by == {"hash": 1}


def test_an_image_is_placed_where_comfyui_shows_it(gallery: Gallery, learner: Learner) -> None:
    """By type, subfolder and name, with `/` between folders."""
    folder = learner.folder(gallery.root / "a")

    assert folder.place("b/c.png") == ("output", "a/b", "c.png")
    assert learner.folder().place("c.png") == ("output", "", "c.png")
    assert learner.folder(gallery.root.parent).place("c.png") == ("", "", "")


def test_recipes_with_impossible_times_count_as_written_now_and_then(gallery: Gallery, learner: Learner) -> None:
    """The time of the file is used."""
    graph = json.dumps(making.graph())
    gallery.add("1.png", texts=(making.text_chunk("prompt", graph),))
    os.utime(gallery.root / "1.png", (0, 0))

    _, [image] = learner.survey(now=datetime(2026, 1, 1, tzinfo=timezone.utc))

    assert image.made_s == 0
