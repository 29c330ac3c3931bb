"""A folder is walked once, in order, whatever is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from context_checkpoint.images import folder as module
from context_checkpoint.images.folder import walk


def walked(root: Path) -> tuple[list[str], list[tuple[str, str]]]:
    unread: list[tuple[str, str]] = []
    images = [image.relative for image in walk(root, lambda path, code, reason: unread.append((path, code)))]
    return images, unread


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_images_come_in_the_order_of_names_one_folder_after_the_other(tmp_path):
    """So that the same folder is read in the same order everywhere."""
    write(tmp_path, "b.png", "a.JPG", "later/1.webp", "earlier/2.avif", "notes.txt", "film.mp4")

    assert walked(tmp_path) == (["a.JPG", "b.png", "earlier/2.avif", "later/1.webp"], [])


def test_hidden_files_and_caches_of_other_programs_are_left_out(tmp_path):
    """Thumbnails are no images of the person's, and a recycle bin has what was deleted anywhere."""
    write(tmp_path, ".hidden/a.png", "_mjr_index/thumb.png", "@eaDir/b.png", "$RECYCLE.BIN/c.png", "._d.png", "e.png")

    assert walked(tmp_path) == (["e.png"], [])


def test_links_are_followed_and_cycles_end(tmp_path):
    """People link folders of other disks into ComfyUI's; some lead back."""
    write(tmp_path / "disk", "a.png", "more/b.png")
    root = tmp_path / "output"
    root.mkdir()
    (root / "linked").symlink_to(tmp_path / "disk")
    (root / "again").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "more" / "back").symlink_to(root)
    (root / "gone.png").symlink_to(tmp_path / "nothing")

    assert walked(root) == (["again/a.png", "again/more/b.png"], [])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no names that are no text")
def test_names_that_are_no_text_are_walked(tmp_path):
    """Unpacked from an archive of another system."""
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9t\xe9.png"))).touch()

    assert walked(tmp_path) == (["\udce9t\udce9.png"], [])


def test_folders_that_cannot_be_read_are_told_and_the_walk_goes_on(tmp_path):
    """One that vanished, and one that is too deep."""
    deep = "/".join("d" * (module.DEEPEST + 1))
    write(tmp_path, "a.png", f"{deep}/b.png")

    assert walked(tmp_path) == (["a.png"], [("/".join("d" * (module.DEEPEST + 1)), "too_deep")])
    assert walked(tmp_path / "nothing") == ([], [("", "not_found")])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_told(tmp_path):
    """Its images are not read, the others are."""
    write(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a").chmod(0)
    try:
        assert walked(tmp_path) == (["b/2.png"], [("a", "no_permission")])
    finally:
        (tmp_path / "a").chmod(0o700)


def test_more_images_than_an_import_takes_are_told(tmp_path, monkeypatch):
    """The walk ends there."""
    monkeypatch.setattr(module, "MOST_IMAGES", 2)
    write(tmp_path, "1.png", "2.png", "3.png")

    assert walked(tmp_path) == (["1.png", "2.png"], [("", "too_many")])
