"""The hash of a model's file as other programs have written it beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from context_checkpoint.checkpoints.known_hash import known_sha256, short_hashes

SHA256 = "0123456789ABCDEF" * 4
SIZE = 5000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "写真 v1.safetensors"
    path.write_bytes(b"x" * SIZE)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("写真 v1.sha256", SHA256),
        ("写真 v1.safetensors.sha256", f"{SHA256}  写真 v1.safetensors\n"),
        ("写真 v1.metadata.json", json.dumps({"file_name": "写真 v1", "size": SIZE, "sha256": SHA256.lower()})),
        (
            "写真 v1.civitai.info",
            json.dumps(
                {
                    "files": [
                        {"sizeKB": 9.9, "hashes": {"SHA256": "f" * 64}},
                        {"sizeKB": SIZE / 1024, "hashes": {"AutoV2": "0123456789", "SHA256": SHA256}},
                    ]
                }
            ),
        ),
    ],
    ids=["text", "text with a name", "Lora-Manager", "Civitai"],
)
def test_a_hash_beside_the_file_is_found(model: Path, name: str, content: str) -> None:
    """In whichever form it was written."""
    (model.parent / name).write_text(content, "utf-8")

    assert known_sha256(model) == SHA256.lower()
    assert short_hashes([("a", model), ("b", None)]) == {"a": "0123456789"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("写真 v1.metadata.json", json.dumps({"size": SIZE + 1, "sha256": SHA256})),
        ("写真 v1.metadata.json", json.dumps({"size": SIZE, "sha256": "abc"})),
        ("写真 v1.metadata.json", "[" * 100_000),
        ("写真 v1.metadata.json", "{"),
        ("写真 v1.civitai.info", json.dumps({"files": [{"sizeKB": 9.9, "hashes": {"SHA256": SHA256}}]})),
        ("写真 v1.civitai.info", json.dumps({"files": {"a": [1]}})),
        ("写真 v1.sha256", "not known yet"),
    ],
    ids=["another size", "no hash", "nested", "cut short", "another file", "another form", "words"],
)
def test_what_is_of_another_file_or_cannot_be_read_is_no_hash(model: Path, name: str, content: str) -> None:
    """And no failure."""
    (model.parent / name).write_text(content, "utf-8")

    assert known_sha256(model) is None


def test_a_file_alone_has_no_known_hash_and_is_not_read(model: Path) -> None:
    """Reading gigabytes has no place in saving an image."""
    assert known_sha256(model) is None
    assert known_sha256(model.with_name("gone.safetensors")) is None
