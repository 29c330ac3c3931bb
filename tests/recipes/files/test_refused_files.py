"""What is no image, cut short, too large or hostile: refused with its reason, in bounded time and memory."""

from __future__ import annotations

import os
import socket
import struct
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from context_checkpoint.recipes import Unreadable, examine_file, read_file
from context_checkpoint.recipes.files import limits
from context_checkpoint.recipes.files.source import opened

from . import making
from .making import A1111, PNG_HEAD, chunk, exif, jpeg, jpeg_exif, png

MOST_BYTES = 400 * 2**20
"""Far more than is needed; without bounds it would be gigabytes, and hours that end this test."""


def refusal(file: Path | str) -> str:
    """The code of the error; its message must tell what to do or what is wrong in a sentence."""
    with pytest.raises(Unreadable) as caught:
        read_file(file)
    assert str(caught.value).endswith(".")
    assert caught.value.problem.message == str(caught.value)
    return caught.value.code


def test_what_is_not_there_says_so(tmp_path):
    """Also with a name that no file can have."""
    assert refusal(tmp_path / "none.png") == "not_found"
    assert refusal(tmp_path / "none" / "none.png") == "not_found"
    assert refusal(f"{tmp_path}/a\0b.png") == "not_found"


def test_folders_pipes_sockets_and_devices_are_not_waited_for(tmp_path):
    """Opening a pipe would wait for somebody to write into it."""
    assert refusal(tmp_path) == "not_a_file"
    assert refusal("") == "not_a_file"
    if not hasattr(os, "mkfifo"):
        return
    os.mkfifo(tmp_path / "pipe.png")
    assert refusal(tmp_path / "pipe.png") == "not_a_file"
    assert refusal("/dev/zero") == "not_a_file"
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(tmp_path)  # the names of sockets have at most a hundred characters
        listening.bind("socket.png")
        assert refusal("socket.png") == "not_a_file"


def test_a_file_that_may_not_be_read_says_so(tmp_path):
    """Root may read everything, so there it is read."""
    file = tmp_path / "image.png"
    file.write_bytes(png(making.text_chunk("parameters", A1111)))
    file.chmod(0)
    try:
        if hasattr(os, "geteuid") and os.geteuid() != 0:
            assert refusal(file) == "no_permission"
        else:
            assert read_file(file).model == "dream"
    finally:
        file.chmod(0o600)


@pytest.mark.parametrize("data", [b"GIF89a" + bytes(50), b"hello", b"\x89PNG", b"RIFF\0\0\0\0WAVE", b"{", bytes(100)])
@pytest.mark.parametrize("name", ["a.png", "a.txt", "a.json", "a"])
def test_what_is_no_image_is_refused(tmp_path, data, name):
    """Whatever it is called."""
    (tmp_path / name).write_bytes(data)

    assert refusal(tmp_path / name) == "not_an_image"


def test_an_empty_file_is_cut_short(tmp_path):
    """As downloads leave it."""
    (tmp_path / "a.png").write_bytes(b"")

    assert refusal(tmp_path / "a.png") == "cut_short"


@pytest.mark.parametrize(
    "whole",
    [
        png(making.text_chunk("parameters", A1111), width=64, height=64),
        jpeg(jpeg_exif(exif({making.IMAGE_DESCRIPTION: A1111.encode()}))),
        making.webp((b"EXIF", exif({making.IMAGE_DESCRIPTION: A1111.encode()}))),
        making.avif(exif({making.IMAGE_DESCRIPTION: A1111.encode()})),
    ],
    ids=["PNG", "JPEG", "WebP", "AVIF"],
)
def test_an_image_that_is_cut_short_anywhere_is_refused(tmp_path, whole):
    """Even where its texts are whole: it may be a download that is going on."""
    file = tmp_path / "a.png"
    codes = set()
    for length in range(12, len(whole) - 1):
        file.write_bytes(whole[:length])
        codes.add(refusal(file))

    file.write_bytes(whole)
    assert read_file(file).model == "dream"
    assert codes <= {"cut_short", "damaged"}
    assert "cut_short" in codes


def test_an_image_without_a_text_says_why_it_may_have_none(tmp_path):
    """Editors remove it, or the tool hid it in the pixels, which are never decoded."""
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "b.png").write_bytes(png(alpha=True, width=64, height=64))
    (tmp_path / "c.png").write_bytes(png(making.text_chunk("Comment", "Created with GIMP")))

    assert refusal(tmp_path / "a.png") == "no_metadata"
    assert refusal(tmp_path / "b.png") == "in_pixels"
    assert refusal(tmp_path / "c.png") == "unknown_tool"


def sparse(file: Path) -> None:
    """A text of 2 GB, nearly all of it a hole."""
    with file.open("wb") as out:
        out.write(PNG_HEAD + struct.pack(">I4s", 2**31 - 1, b"tEXt") + b"parameters\0")
        out.truncate(2**31 + 64)


def written(data: Callable[[], bytes]) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(data())


def directory_without_end() -> bytes:
    """EXIF whose inner directory is the outer one, and texts of 8 MB that are all the same bytes."""
    count = 500
    entries = [struct.pack(">HHII", 0x8769, 4, 1, 8)]
    entries += [struct.pack(">HHII", 0x0110 + number, 2, 7_900_000, 0) for number in range(count - 1)]
    block = b"MM\0*\0\0\0\x08" + struct.pack(">H", count) + b"".join(entries) + b"\0\0\0\x08"
    return png(chunk(b"eXIf", block + bytes(8_000_000 - len(block))))


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a length of 2 GB in a short PNG": (written(lambda: PNG_HEAD + b"\x7f\xff\xff\xfftEXtparameters"), "cut_short"),
    "a text of 2 GB": (sparse, "damaged"),
    "a picture of 4 billion by 4 billion": (
        written(lambda: PNG_HEAD + chunk(b"IHDR", b"\xff" * 8 + b"\x08\x02\0\0\0") + chunk(b"IEND", b"")),
        "no_metadata",
    ),
    "a bomb in zTXt": (written(lambda: png(making.ztxt_chunk("parameters", bytes(50_000_000)))), "too_large"),
    "a bomb in iTXt": (
        written(lambda: png(making.itxt_chunk("parameters", bytes(50_000_000), packed=True))),
        "too_large",
    ),
    "hundreds of bombs": (written(lambda: png(*[making.ztxt_chunk("a", b" " * 8_000_000)] * 300)), "too_large"),
    "damaged packing": (written(lambda: png(chunk(b"zTXt", b"parameters\0\0no such thing"))), "damaged"),
    "a text of 30 MB": (written(lambda: png(making.text_chunk("prompt", '{"a": [' + "1," * 15_000_000))), "too_large"),
    "JSON of empty lists": (
        written(lambda: png(*[making.text_chunk(name, '{"a": [' + "[]," * 2_600_000 + "1]}") for name in ("a", "b")])),
        "unknown_tool",
    ),
    "JSON that is deep": (written(lambda: png(making.text_chunk("prompt", '{"a":' * 1_000_000))), "damaged"),
    "JSON with a long number": (
        written(lambda: png(making.text_chunk("prompt", '{"a": ' + "1" * 8_000_000 + "}"))),
        "unknown_tool",
    ),
    "chunks without end": (written(lambda: PNG_HEAD + chunk(b"prVt", b"") * 200_001), "too_large"),
    "EXIF without end": (written(directory_without_end), "too_large"),
    "XMP with entities": (
        written(lambda: png(making.itxt_chunk(making.XMP_IN_PNG, making.xmp(before='<!DOCTYPE a [<!ENTITY b "c">]>')))),
        "damaged",
    ),
    "XMP that is deep": (
        written(lambda: png(making.itxt_chunk(making.XMP_IN_PNG, b"<a>" * 100_000))),
        "damaged",
    ),
    "JPEG segments without end": (written(lambda: b"\xff\xd8" + making.segment(0xFE, b"x") * 5_000), "too_large"),
    "JPEG comments without end": (
        written(lambda: b"\xff\xd8" + making.segment(0xFE, b"x" * 65_000) * 1_500),
        "too_large",
    ),
    "JPEG padding": (written(lambda: b"\xff\xd8" + b"\xff" * 1_000_000), "too_large"),
    "a JPEG segment that has no room for its length": (written(lambda: b"\xff\xd8\xff\xe1\0\0" + bytes(50)), "damaged"),
    "AVIF boxes without end": (
        written(lambda: making.box(b"ftyp", b"avif\0\0\0\0") + making.box(b"free", b"") * 100_000),
        "too_large",
    ),
    "an AVIF box that ends before it begins": (
        written(lambda: making.box(b"ftyp", b"avif\0\0\0\0") + b"\0\0\0\4free" + bytes(50)),
        "damaged",
    ),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_file_costs_little_and_gives_its_reason(tmp_path, name):
    """Nobody has to open it by hand to find out which file stops an import."""
    make, code = HOSTILE[name]
    file = tmp_path / "image.png"
    make(file)
    tracemalloc.start()

    found = refusal(file)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == code
    assert peak < MOST_BYTES


def test_long_files_beside_an_image_are_not_read(tmp_path):
    """100 MB of JSON, as a hole."""
    (tmp_path / "image.png").write_bytes(png())
    for name in ("image.json", "image.txt", "image.xmp"):
        with (tmp_path / name).open("wb") as file:
            file.write(b'{"prompt": "')
            file.truncate(100_000_000)

    assert refusal(tmp_path / "image.png") == "no_metadata"
    assert refusal(tmp_path / "image.json") == "too_large"


def test_a_long_text_beside_a_good_one_is_skipped_and_told(tmp_path):
    """The workflow may be too long; the prompt is read."""
    long = making.text_chunk("workflow", "x" * (limits.LONGEST_TEXT + 1))
    (tmp_path / "a.png").write_bytes(png(long, making.text_chunk("parameters", A1111)))

    reading = examine_file(tmp_path / "a.png")

    assert reading.recipe is not None
    assert [problem.code for problem in reading.unread] == ["too_large"]


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be cut there")
def test_a_file_that_is_cut_while_it_is_read_is_refused(tmp_path):
    """Another program writes it again."""
    file = tmp_path / "a.png"
    file.write_bytes(bytes(200_000))

    with opened(file) as source:
        file.write_bytes(b"")
        with pytest.raises(Unreadable) as caught:
            source.read(150_000, 100)

    assert caught.value.code == "cut_short"
