"""What is in a file that was saved: pixels and texts, read back with Pillow and by hand."""

from __future__ import annotations

import io
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from context_checkpoint.nodes.saving.image_bytes import OWN_KEY, Encoding, encode

PIXELS = np.random.default_rng(1).integers(0, 256, (16, 24, 3), dtype=np.uint8)
TEXTS = {
    "prompt": json.dumps({"1": {"class_type": "KSampler", "inputs": {}}}),
    "workflow": json.dumps({"nodes": [], "title": "写真"}),
    OWN_KEY: json.dumps({"version": 1, "checkpoint": "写真.safetensors"}),
    "parameters": "a castle, 城\nNegative prompt: blurry\nSteps: 4",
}


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def png_texts(content: bytes) -> dict[str, str]:
    """By hand, as the file's specification says: tEXt is Latin-1, iTXt is UTF-8."""
    found, at = {}, 8
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        body = content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        key, _, rest = body.partition(b"\0")
        if kind == b"tEXt":
            found[key.decode("latin-1")] = rest.decode("latin-1")
        if kind == b"iTXt":
            found[key.decode("latin-1")] = rest[2:].split(b"\0", 2)[2].decode("utf-8")
        at += 12 + length
    return found


def test_png_holds_every_pixel_and_every_text() -> None:
    """Each text is one chunk under its own key."""
    content = encode(Image.fromarray(PIXELS), TEXTS, Encoding("png")).content

    assert png_texts(content) == TEXTS
    assert opened(content).info == TEXTS
    assert np.array_equal(np.asarray(opened(content)), PIXELS)


@pytest.mark.parametrize("encoding", [Encoding("webp"), Encoding("webp", 80, lossless=False), Encoding("jpeg")])
def test_webp_and_jpeg_hold_the_texts_as_exif(encoding: Encoding) -> None:
    """`key:value` in ASCII tags, as ComfyUI writes WebP; A1111's text in UserComment, as A1111 writes it."""
    image = opened(encode(Image.fromarray(PIXELS), TEXTS, encoding).content)
    exif = image.getexif()

    assert exif[0x0110] == f"prompt:{TEXTS['prompt']}"
    assert exif[0x010F] == f"workflow:{TEXTS['workflow']}"
    assert exif[0x010E] == f"{OWN_KEY}:{TEXTS[OWN_KEY]}"
    comment = exif.get_ifd(0x8769)[0x9286]
    assert comment.removeprefix(b"UNICODE\0").decode("utf-16-be") == TEXTS["parameters"]


@pytest.mark.parametrize("format_name", ["png", "webp"])
def test_png_and_lossless_webp_hold_every_pixel(format_name: str) -> None:
    """Also the colours where a picture is transparent."""
    transparent = np.dstack([PIXELS, np.zeros((16, 24), np.uint8)])
    transparent[:, 12:, 3] = 255

    for pixels in (PIXELS, transparent):
        content = encode(Image.fromarray(pixels), TEXTS, Encoding(format_name)).content

        assert np.array_equal(np.asarray(opened(content)), pixels)


def test_a_jpeg_leaves_out_the_workflow_that_it_has_no_room_for() -> None:
    """The small text and what else fits stay, and the caller learns what is missing."""
    large = TEXTS | {"workflow": json.dumps({"nodes": ["x" * 5_000_000]})}

    encoded = encode(Image.fromarray(PIXELS), large, Encoding("jpeg"))

    exif = opened(encoded.content).getexif()
    assert encoded.left_out == ("workflow",)
    assert exif[0x0110] == f"prompt:{TEXTS['prompt']}"
    assert f"{OWN_KEY}:{TEXTS[OWN_KEY]}" in exif.values()


def test_the_small_text_stays_when_nothing_else_has_room() -> None:
    """Workflow, prompt, another pack's text and A1111's are all too large."""
    large = {"prompt": "x" * 70_000, "workflow": "x" * 70_000, "other": "x" * 70_000, "parameters": "x" * 70_000}

    encoded = encode(Image.fromarray(PIXELS), large | {OWN_KEY: TEXTS[OWN_KEY]}, Encoding("jpeg"))

    assert encoded.left_out == ("workflow", "prompt", "other", "parameters")
    assert list(opened(encoded.content).getexif().values()) == [f"{OWN_KEY}:{TEXTS[OWN_KEY]}"]


@pytest.mark.parametrize("format_name", ["png", "webp"])
def test_png_and_webp_have_room_for_a_large_workflow(format_name: str) -> None:
    """Five megabytes come back whole."""
    large = TEXTS | {"workflow": json.dumps({"nodes": ["x" * 5_000_000]})}

    encoded = encode(Image.fromarray(PIXELS), large, Encoding(format_name))

    image = opened(encoded.content)
    assert encoded.left_out == ()
    found = image.info["workflow"] if format_name == "png" else image.getexif()[0x010F].removeprefix("workflow:")
    assert found == large["workflow"]


@pytest.mark.parametrize("format_name", ["png", "webp", "jpeg"])
def test_without_texts_a_file_says_nothing(format_name: str) -> None:
    """As with `--disable-metadata`."""
    image = opened(encode(Image.fromarray(PIXELS), {}, Encoding(format_name)).content)

    assert not image.getexif()
    assert not {"prompt", "workflow", "parameters", OWN_KEY} & set(image.info)


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_other_channels_are_saved_in_every_format(mode: str) -> None:
    """Grey, and with transparency, which a JPEG loses."""
    picture = Image.fromarray(PIXELS).convert(mode)

    modes = [opened(encode(picture, {}, Encoding(name)).content).mode for name in ("png", "jpeg")]

    assert modes == [mode, "L" if mode == "L" else "RGB"]


def test_what_a_format_cannot_hold_is_an_error() -> None:
    """WebP ends at 16,383 pixels a side."""
    with pytest.raises((ValueError, OSError)):
        encode(Image.new("RGB", (16_384, 1)), {}, Encoding("webp"))
