"""Which checkpoint a recipe names: by content, by hash, by name; never by a guess."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from context_checkpoint.images.hashes import ComputedHashes
from context_checkpoint.images.models import Match, ModelFile, Models
from context_checkpoint.recipes import Recipe

FILES = ("dream.safetensors", "xl/photo_v2.safetensors", "sd15/toon.safetensors", "xl/toon.safetensors", "a.ckpt")


def models(*names: str) -> Models:
    return Models(ModelFile(name) for name in names or FILES)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("dream.safetensors", "dream.safetensors"),
        ("Dream", "dream.safetensors"),
        ("photo_v2", "xl/photo_v2.safetensors"),
        ("xl\\photo_v2.safetensors", "xl/photo_v2.safetensors"),
        ("xl_photo_v2", "xl/photo_v2.safetensors"),
        ("C:/models/checkpoints/xl/photo_v2.safetensors", "xl/photo_v2.safetensors"),
        ("moved/photo_v2.safetensors", "xl/photo_v2.safetensors"),
        ("xl/toon", "xl/toon.safetensors"),
        ("sd15_toon", "sd15/toon.safetensors"),
        ("toon", None),
        ("old/toon.safetensors", None),
        ("a.safetensors", "a.ckpt"),
        ("other", None),
        ("", None),
    ],
)
def test_names_are_compared_without_folder_ending_and_case(written, expected):
    """As each tool writes them; two files of one name are told apart by their folders, or not at all."""
    found = models().match(Recipe(model=written))

    assert (found and found.name) == expected
    assert found is None or found.by == "name"


def test_a_name_in_the_root_is_exact():
    """ComfyUI writes the folder, so a name without one is the file without one."""
    there = models("toon.safetensors", "xl/toon.safetensors", "toon.ckpt")

    assert there.match(Recipe(model="toon.safetensors")) == Match("toon.safetensors", "name")
    assert there.match(Recipe(model="toon.ckpt")) == Match("toon.ckpt", "name")
    assert there.match(Recipe(model="toon")) is None


def test_names_of_another_unicode_form_match():
    """macOS takes letters apart."""
    assert models("caf\u00e9.safetensors").match(Recipe(model="cafe\u0301")) is not None


def with_files(folder: Path, **contents: bytes) -> list[ModelFile]:
    files = []
    for name, content in contents.items():
        (folder / f"{name}.safetensors").write_bytes(content)
        files.append(ModelFile(f"{name}.safetensors", folder / f"{name}.safetensors"))
    return files


def test_a_hash_in_a_sidecar_goes_before_the_name(tmp_path):
    """The file was renamed, and another one has its name now."""
    files = with_files(tmp_path, renamed=b"one", dream=b"two")
    for name, content in (("renamed", b"one"), ("dream", b"two")):
        digest = hashlib.sha256(content).hexdigest()
        (tmp_path / f"{name}.metadata.json").write_text(json.dumps({"sha256": digest}), "utf-8")
    short = hashlib.sha256(b"one").hexdigest()[:10]

    assert Models(files).match(Recipe(model="dream", model_hash=short)) == Match("renamed.safetensors", "hash")
    assert Models(files).match(Recipe(model="x", model_hash=short.upper())) == Match("renamed.safetensors", "hash")


def test_a_name_whose_file_is_known_to_be_another_is_no_match(tmp_path):
    """A newer version under the same name did not make the image. An old hash of eight digits says nothing."""
    files = with_files(tmp_path, dream=b"new version")
    (tmp_path / "dream.sha256").write_text(hashlib.sha256(b"new version").hexdigest(), "utf-8")

    assert Models(files).match(Recipe(model="dream", model_hash="0123456789")) is None
    assert Models(files).match(Recipe(model="dream", model_hash="01234567")) == Match("dream.safetensors", "name")


def test_our_own_chunk_knows_a_file_by_its_content():
    """Also after it was renamed."""
    there = Models([ModelFile("new name.safetensors", fingerprint="f" * 32), ModelFile("dream.safetensors")])

    assert there.match(Recipe(model="dream.safetensors"), "f" * 32) == Match("new name.safetensors", "content")


def test_swarmuis_hash_of_the_tensors_is_in_the_header(tmp_path):
    """It writes that hash into the images, and into the file."""
    header = {
        "__metadata__": {"modelspec.hash_sha256": "0x" + "AB" * 32},
        "weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    }
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + bytes(4)

    there = Models(with_files(tmp_path, renamed=content, broken=b"nothing"))

    assert there.match(Recipe(model="x", model_hash="0x" + "ab" * 32)) == Match("renamed.safetensors", "hash")


def test_computed_hashes_are_remembered_until_the_file_changes(tmp_path):
    """In a file of the data folder."""
    files = with_files(tmp_path, renamed=b"one")
    path, short = tmp_path / "renamed.safetensors", hashlib.sha256(b"one").hexdigest()[:10]
    ComputedHashes(tmp_path / "hashes.json").compute([path], lambda done, of: None)

    later = ComputedHashes(tmp_path / "hashes.json")
    assert Models(files, later.known).match(Recipe(model="x", model_hash=short)) == Match("renamed.safetensors", "hash")
    path.write_bytes(b"other")
    assert later.known(path) is None


def test_a_file_that_cannot_be_hashed_is_told_and_the_others_are_hashed(tmp_path):
    """It may be on a disk that was taken out."""
    (tmp_path / "b").write_bytes(b"two")
    (tmp_path / "hashes.json").write_text("{broken", "utf-8")
    hashes, told = ComputedHashes(tmp_path / "hashes.json"), []

    failed = hashes.compute([tmp_path / "a", tmp_path / "b"], lambda done, of: told.append((done, of)))

    assert [path.name for path, _ in failed] == ["a"]
    assert hashes.known(tmp_path / "b") == hashlib.sha256(b"two").hexdigest()
    assert told == [(3, 3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "hashes.json"]
