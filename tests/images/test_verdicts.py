"""Verdicts from files: what was kept, moved, starred or deleted since."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from context_checkpoint.images.folder import ImagePath
from context_checkpoint.images.progress import silent
from context_checkpoint.images.survey import read_images
from context_checkpoint.images.verdicts import Rules, VerdictsOfFiles, take_verdicts
from context_checkpoint.learning.values import ImageFile
from tests.images.conftest import Gallery, Learner

NAMES = ("dream.safetensors", "real.safetensors", "xl/photo.safetensors")


def logged(learner: Learner, images: int = 3) -> str:
    """The id of a generation that was logged: an image of each checkpoint."""
    recommendation = learner.do(lambda service: service.recommend("a castle", NAMES))
    return str(learner.do(lambda service: service.log_generation(recommendation, dict.fromkeys(NAMES[:images], 1))))


def save(gallery: Gallery, name: str, generation: str, position: int, **more: int) -> Path:
    chunk = {"version": 1, "generation": generation, "position": position, "checkpoint": NAMES[position]}
    return gallery.add(name, None, chunk=chunk, **more)


def take(learner: Learner, *only: str, **rules: object) -> VerdictsOfFiles:
    folder = learner.folder()
    images = read_images(folder, silent, [ImagePath(name, 0.0) for name in only] or None, with_recipe=False)
    return take_verdicts(folder, images, learner.runtime, Rules(**rules), silent, whole=not only)  # type: ignore[arg-type]


def marks(learner: Learner, generation: str) -> list[str | None]:
    found = learner.do(lambda service: service.generation(generation))
    return [image.verdict for image in found.images]


def test_files_that_were_moved_and_starred_are_verdicts(gallery: Gallery, learner: Learner) -> None:
    """Weeks later too; an image of which the files say nothing has no verdict."""
    generation = logged(learner)
    save(gallery, "favorites/a.png", generation, 0)
    save(gallery, "trash/b.png", generation, 1)
    save(gallery, "c.png", generation, 2)
    gallery.add("foreign.png", stars=5)

    report = take(learner)

    assert marks(learner, generation) == ["selected", "rejected", None]
    assert (report.images, report.logged, report.without_verdict) == (4, 3, 1)
    assert [(each.file, each.verdict, each.source) for each in report.recorded] == [
        ("favorites/a.png", "selected", "folder"),
        ("trash/b.png", "rejected", "folder"),
    ]


def test_a_dry_run_records_nothing(gallery: Gallery, learner: Learner) -> None:
    """It says what would be recorded."""
    generation = logged(learner)
    save(gallery, "a.png", generation, 0, stars=5)

    assert len(take(learner, record=False).recorded) == 1
    assert marks(learner, generation) == [None, None, None]


def test_the_same_again_changes_nothing(gallery: Gallery, learner: Learner) -> None:
    """The verdict is there."""
    generation = logged(learner)
    save(gallery, "a.png", generation, 0, stars=5)
    take(learner)

    report = take(learner)

    assert (report.recorded, report.unchanged) == ((), 1)


def test_a_verdict_of_the_gallery_stays_unless_it_is_asked_for(gallery: Gallery, learner: Learner) -> None:
    """When a file was moved is not known. Verdicts of its other images are kept either way."""
    generation = logged(learner)
    learner.do(lambda service: service.record_feedback(generation, selected_images=[0], rejected_images=[1]))
    save(gallery, "a.png", generation, 0, stars=-1)

    assert take(learner).others_kept == 1
    assert marks(learner, generation) == ["selected", "rejected", None]
    assert take(learner, replace=True).recorded[0].former == "selected"
    assert marks(learner, generation) == ["rejected", "rejected", None]


def test_a_person_can_say_the_verdict_of_one_file(gallery: Gallery, learner: Learner) -> None:
    """That is the newest one."""
    generation = logged(learner)
    save(gallery, "a.png", generation, 0, stars=5)
    save(gallery, "b.png", generation, 1)
    learner.do(lambda service: service.record_feedback(generation, selected_images=[1]))

    take(learner, "b.png", verdict="rejected")

    assert marks(learner, generation) == [None, "rejected", None]


def test_imported_images_are_judged_by_their_pixels(gallery: Gallery, learner: Learner) -> None:
    """They were starred after the import, or moved."""
    gallery.add("1.png", "dream.safetensors")
    gallery.add("2.png", "real.safetensors", minutes=1)
    learner.learn()
    (gallery.root / "keep").mkdir()
    shutil.move(gallery.root / "1.png", gallery.root / "keep" / "new name.png")

    report = take(learner)

    assert [(each.file, each.verdict) for each in report.recorded] == [("keep/new name.png", "selected")]
    [generation] = learner.do(lambda service: service.generations(judged=True))
    assert [image.verdict for image in generation.images] == ["selected", None]


def test_an_image_is_known_by_the_name_that_the_log_has(gallery: Gallery, learner: Learner) -> None:
    """Other programs log where they save, perhaps without a text in the file."""
    generation = logged(learner)
    files = [ImageFile("", "a.png", "day\\one", "output"), ImageFile("", "b.png", "", "temp")]
    learner.do(lambda service: service.attach_files(generation, files))
    gallery.add("day/one/a.png", None, stars=5)
    gallery.add("b.png", stars=5)

    take(learner)

    assert marks(learner, generation) == ["selected", None, None]


def test_deleted_images_are_rejected_where_a_person_says_so(gallery: Gallery, learner: Learner) -> None:
    """Else they are only counted; one that was moved is not deleted."""
    for number, model in enumerate(NAMES):
        gallery.add(f"{number}.png", model, minutes=number)
    learner.learn()
    (gallery.root / "0.png").unlink()
    (gallery.root / "other").mkdir()
    shutil.move(gallery.root / "1.png", gallery.root / "other" / "1.png")

    assert (take(learner).deleted, take(learner).recorded) == (1, ())
    report = take(learner, deleted_are_rejected=True)

    assert [(each.file, each.verdict, each.source) for each in report.recorded] == [("0.png", "rejected", "deleted")]


def test_stock_files_are_placed_by_number_or_not_at_all(gallery: Gallery, learner: Learner) -> None:
    """All of a generation's files tell their order; of some of them nothing is guessed."""
    generation = logged(learner)
    chunk = {"version": 1, "generations": [{"generation": generation, "checkpoints": list(NAMES)}]}
    files = [gallery.add(f"{'keep/' if number == 1 else ''}x_{number:05}_.png", None, chunk=chunk) for number in (0, 1)]

    assert (take(learner).uncertain, marks(learner, generation)) == (2, [None, None, None])
    gallery.add("x_00002_.png", None, chunk=chunk)
    assert take(learner).uncertain == 0
    assert marks(learner, generation) == [None, "selected", None]
    assert files[1].exists()


@pytest.mark.parametrize("generation", ["f" * 32, ""])
def test_files_of_a_generation_that_is_not_logged_are_none_of_ours(
    gallery: Gallery, learner: Learner, generation: str
) -> None:
    """Of another person, or of a database that was deleted."""
    save(gallery, "a.png", generation or logged(learner, 1), 2, stars=5)

    report = take(learner)

    assert report.recorded == ()
    assert (report.logged, report.uncertain) == (0, 0 if generation else 1)
