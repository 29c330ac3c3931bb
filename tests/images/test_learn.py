"""An import learns from a folder once, goes on where it stopped, and is taken back."""

from __future__ import annotations

import shutil

import pytest

from context_checkpoint.images import learn as module
from context_checkpoint.images.progress import Progress, Stopped
from context_checkpoint.learning.errors import StoreUnavailable
from context_checkpoint.learning.values import ImageFile
from tests.images.conftest import Gallery, Learner


def fill(gallery: Gallery, days: int = 6) -> None:
    """Each day a castle by two checkpoints, of which the person starred the first; and one without a rating."""
    for day in range(days):
        start = 60 * 24 * day
        gallery.add(f"{day}_1.png", "dream.safetensors", minutes=start, stars=5, prompt=f"castle, tower {day}")
        gallery.add(f"{day}_2.png", "real.safetensors", minutes=start + 1, stars=1, prompt=f"castle, tower {day}")
        gallery.add(f"{day}_3.png", "xl/photo.safetensors", minutes=start + 90, prompt=f"street, house {day}")


def test_what_is_imported_leads_the_next_prompt(gallery: Gallery, learner: Learner) -> None:
    """The starred checkpoint is first, where a cold start knows none."""
    fill(gallery)
    cold = learner.do(lambda service: service.recommend("castle, tower", learner.names, seed=1))

    learned = learner.learn()

    warm = learner.do(lambda service: service.recommend("castle, tower", learner.names, seed=1))
    assert (learned.imported.added, learned.imported.rated, learned.vanished) == (18, 12, 0)
    assert warm.checkpoints[0] == "dream.safetensors"
    assert warm.confidence > cold.confidence


def test_the_same_folder_again_changes_nothing(gallery: Gallery, learner: Learner) -> None:
    """Also where files were renamed, moved or starred since."""
    fill(gallery, 2)
    learner.learn()
    shutil.move(gallery.root / "0_1.png", gallery.root / "renamed.png")
    version = learner.do(lambda service: service.learned_version())

    report, images = learner.survey()
    learned = learner.learn("another name")

    assert (report.known, report.new, images, learned.imported.added) == (6, 0, [], 0)
    assert learner.do(lambda service: service.learned_version()) == version


def test_an_import_that_is_stopped_goes_on(gallery: Gallery, learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in stays, and the rest follows; nothing twice."""
    fill(gallery)
    monkeypatch.setattr(module, "_PAGE", 3)

    def stop(progress: Progress) -> None:
        if progress.phase == "learning" and progress.done >= 6:
            raise Stopped

    with pytest.raises(Stopped):
        learner.learn(on_progress=stop)
    [batch] = learner.do(lambda service: service.imports())
    assert 0 < batch.images < 18

    learner.learn()
    [batch] = learner.do(lambda service: service.imports())
    assert (batch.images, batch.rated) == (18, 12)


def test_a_full_disk_is_told_and_the_same_again_goes_on(
    gallery: Gallery, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored before stays."""
    fill(gallery)
    monkeypatch.setattr(module, "_PAGE", 3)
    service = learner.do(_itself)
    database, write, left = service._database, service._database.write, iter([True] * 2)

    async def full(operation: object, **more: object) -> object:
        if next(left, False):
            return await write(operation, **more)
        raise StoreUnavailable("store_full", "The disk is full.", temporary=True)

    monkeypatch.setattr(database, "write", full)
    with pytest.raises(StoreUnavailable, match="full"):
        learner.learn()
    monkeypatch.undo()

    learner.learn()
    assert learner.do(lambda service: service.imports())[0].images == 18


async def _itself(service: object) -> object:
    return service


def test_pages_end_where_nothing_was_made_for_an_hour(
    gallery: Gallery, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that images of one prompt and time stay one comparison."""
    fill(gallery)
    monkeypatch.setattr(module, "_PAGE", 1)

    learner.learn()

    judged = learner.do(lambda service: service.generations(judged=True))
    assert [len(generation.images) for generation in judged] == [2] * 6


def test_files_that_vanish_after_the_survey_are_counted(gallery: Gallery, learner: Learner) -> None:
    """The others are learned."""
    fill(gallery, 1)
    _, images = learner.survey()
    (gallery.root / "0_3.png").unlink()

    learned = module.learn(learner.folder(), images, "mine", learner.runtime, lambda progress: None)

    assert (learned.imported.added, learned.vanished) == (2, 1)


def test_imported_images_are_known_by_their_place(gallery: Gallery, learner: Learner) -> None:
    """ComfyUI shows them by type, subfolder and name."""
    gallery.add("2026/1.png", stars=5)
    learner.learn()

    [generation] = learner.do(lambda service: service.generations(judged=True))
    file = generation.images[0].file
    assert file == ImageFile("dream.safetensors", "1.png", "2026", "output", file.settings, file.source_id)


def test_an_import_is_taken_back(gallery: Gallery, learner: Learner) -> None:
    """As if it had never been."""
    fill(gallery, 2)
    learner.learn()

    learner.do(lambda service: service.undo_import("mine"))

    assert learner.do(lambda service: service.imports()) == ()
    assert learner.survey()[0].new == 6
