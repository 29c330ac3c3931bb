"""Files beside an image: settings where the image has none, and ratings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from context_checkpoint.recipes import Unreadable, examine_file, read_file

from . import making
from .making import A1111, exif, jpeg, jpeg_exif, jpeg_xmp, png


def rating_of(file: Path) -> int | None:
    return examine_file(file).rating


@pytest.mark.parametrize("name", ["image.txt", "image.png.txt"])
def test_a_text_beside_an_image_counts_where_it_has_settings(tmp_path, name):
    """A1111 can write them there."""
    (tmp_path / "image.png").write_bytes(png())
    (tmp_path / name).write_text(A1111, "utf-8")

    reading = examine_file(tmp_path / "image.png")

    assert reading.recipe is not None
    assert (reading.recipe.model, reading.found_in) == ("dream", "sidecar")


def test_a_caption_beside_an_image_is_not_its_prompt(tmp_path):
    """Training data has a description beside each image."""
    (tmp_path / "image.png").write_bytes(png())
    (tmp_path / "image.txt").write_text("1girl, solo, castle", "utf-8")

    with pytest.raises(Unreadable) as caught:
        read_file(tmp_path / "image.png")

    assert caught.value.code == "no_metadata"


def test_json_beside_an_image_is_read_and_may_be_asked_for_by_itself(tmp_path):
    """Easy Diffusion writes it."""
    settings = {"prompt": "a castle", "seed": 7, "num_inference_steps": 20, "use_stable_diffusion_model": "dream"}
    (tmp_path / "image.jpeg").write_bytes(jpeg())
    (tmp_path / "image.json").write_text(json.dumps(settings), "utf-8")

    assert read_file(tmp_path / "image.jpeg") == read_file(tmp_path / "image.json")
    assert read_file(tmp_path / "image.json").tool == "Easy Diffusion"


def test_what_the_image_says_goes_before_what_is_beside_it(tmp_path):
    """A sidecar may be of an earlier image with this name."""
    (tmp_path / "image.png").write_bytes(png(making.text_chunk("parameters", A1111)))
    (tmp_path / "image.txt").write_text(A1111.replace("dream", "other"), "utf-8")

    assert read_file(tmp_path / "image.png").model == "dream"


@pytest.mark.parametrize(
    ("written", "rating"), [("-1", -1), ("0", 0), ("5", 5), ("3.0", 3), ("6", None), ("many", None), ("", None)]
)
def test_a_rating_is_read_as_xmp_defines_it(tmp_path, written, rating):
    """-1 is rejected, 0 none, 1 to 5 stars; anything else is none."""
    packet = making.xmp(f'xmp:Rating="{written}"')
    files = {
        "a.png": png(making.itxt_chunk(making.XMP_IN_PNG, packet)),
        "b.jpg": jpeg(jpeg_xmp(packet)),
        "c.webp": making.webp((b"XMP ", packet)),
        "d.avif": making.avif(xmp=packet),
        "e.png": png(making.itxt_chunk(making.XMP_IN_PNG, making.xmp(elements=f"<xmp:Rating>{written}</xmp:Rating>"))),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    assert [rating_of(tmp_path / name) for name in files] == [rating] * 5


@pytest.mark.parametrize("name", ["image.xmp", "image.png.xmp"])
def test_a_rating_beside_the_image_goes_before_the_one_in_it(tmp_path, name):
    """Programs that may not change images write beside them, later."""
    (tmp_path / "image.png").write_bytes(png(making.itxt_chunk(making.XMP_IN_PNG, making.xmp('xmp:Rating="1"'))))
    (tmp_path / name).write_bytes(making.xmp('xmp:Rating="4"', before='<?xml version="1.0"?>'))

    assert rating_of(tmp_path / "image.png") == 4


def test_windows_stars_are_read_from_exif(tmp_path):
    """Explorer writes tag 0x4746."""
    file = tmp_path / "image.jpg"
    file.write_bytes(jpeg(jpeg_exif(exif({0x4746: b"\0\3"}, kinds={0x4746: 3}))))

    assert rating_of(file) == 3


def test_entities_in_xmp_are_refused_and_the_image_is_read(tmp_path):
    """A few of them make gigabytes."""
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    chunks = (making.itxt_chunk(making.XMP_IN_PNG, making.xmp('xmp:Rating="4"', before=bomb)),)
    (tmp_path / "image.png").write_bytes(png(making.text_chunk("parameters", A1111), *chunks))

    reading = examine_file(tmp_path / "image.png")

    assert (reading.rating, reading.recipe is not None) == (None, True)
    assert [problem.code for problem in reading.unread] == ["damaged"]


def test_a_damaged_rating_beside_the_image_is_none(tmp_path):
    """What is no XML, and what is too long."""
    (tmp_path / "image.png").write_bytes(png(making.text_chunk("parameters", A1111)))
    for data in (b"\0\1\2", b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", b"<?xml ?>" + b" " * 2**21):
        (tmp_path / "image.xmp").write_bytes(data)
        assert rating_of(tmp_path / "image.png") is None
