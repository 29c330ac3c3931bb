"""An image is known by its pixels, whatever is written into its file."""

from __future__ import annotations

import pytest

from context_checkpoint.images.pixels import pixels_digest
from tests.recipes.files import making

RATING = making.xmp('xmp:Rating="5"')
TEXT = making.text_chunk("parameters", making.A1111)
XMP = making.itxt_chunk(making.XMP_IN_PNG, RATING)


@pytest.mark.parametrize(
    ("image", "rated"),
    [
        (making.png(TEXT), making.png(TEXT, XMP)),
        (making.png(TEXT), making.png(after=(XMP,))),
        (making.jpeg(), making.jpeg(making.jpeg_xmp(RATING))),
        (making.webp(), making.webp((b"XMP ", RATING))),
    ],
)
def test_a_rating_in_the_file_changes_nothing(tmp_path, image, rated):
    """So that an image that is starred later is the one that was imported."""
    (tmp_path / "a").write_bytes(image)
    (tmp_path / "b").write_bytes(rated)

    assert pixels_digest(tmp_path / "a") == pixels_digest(tmp_path / "b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (making.png(width=8), making.png(width=9)),
        (making.jpeg(end=b"a\xff\xd9"), making.jpeg(end=b"b\xff\xd9")),
        (making.webp((b"VP8 ", b"1")), making.webp((b"VP8 ", b"2"))),
        (b"", b"a"),
    ],
)
def test_other_pixels_have_another_digest(tmp_path, one, other):
    """Two images of one batch have the same texts."""
    (tmp_path / "a").write_bytes(one)
    (tmp_path / "b").write_bytes(other)

    assert pixels_digest(tmp_path / "a") != pixels_digest(tmp_path / "b")
