"""Files that Pillow writes, the library that most tools save with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin, features

from context_checkpoint.recipes import examine_file

from .. import making
from ..making import A1111, IMAGE_DESCRIPTION, MODEL, SOFTWARE, USER_COMMENT

CHUNK = {"version": 1, "generation": "ab" * 16, "position": 3, "checkpoint": "dream.safetensors", "fingerprint": ""}


def save(file: Path, tags: dict[int, str | bytes], **options: object) -> None:
    if file.suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    picture = Image.new("RGB", (96, 64), (200, 120, 40))
    exif = picture.getexif()
    for tag, value in tags.items():
        (exif.get_ifd(0x8769) if tag == USER_COMMENT else exif)[tag] = value
    picture.save(file, exif=exif, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif", "a.png"])
def test_graph_chunk_and_rating_are_read_together(tmp_path, name):
    """In each format that has EXIF and XMP."""
    file = tmp_path / name
    tags = {MODEL: f"prompt:{json.dumps(making.graph())}", IMAGE_DESCRIPTION: f"context_checkpoint:{json.dumps(CHUNK)}"}
    options = {} if name == "a.png" else {"xmp": making.xmp('xmp:Rating="4"')}
    if name == "a.png":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt(making.XMP_IN_PNG, making.xmp('xmp:Rating="4"').decode(), zip=True)
        options = {"pnginfo": texts}

    save(file, tags, **options)

    reading = examine_file(file)
    assert reading.recipe is not None
    assert (reading.recipe.model, reading.recipe.positive, reading.rating) == ("dream.safetensors", "a castle", 4)
    assert reading.provenance is not None
    assert (reading.provenance.position, reading.width, reading.height) == (3, 96, 64)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif", "a.png"])
@pytest.mark.parametrize("comment", [A1111, making.user_comment(A1111)], ids=["a plain text", "UTF-16"])
def test_a_user_comment_is_read_as_pillow_writes_it(tmp_path, name, comment):
    """Fooocus gives it a plain text, A1111 one with the name of its encoding."""
    # Pillow leaves out EXIF of a PNG that has only an inner directory.
    save(tmp_path / name, {SOFTWARE: "a tool", USER_COMMENT: comment})

    reading = examine_file(tmp_path / name)

    assert reading.recipe is not None
    assert (reading.recipe.model, reading.recipe.seed) == ("dream", 7)
