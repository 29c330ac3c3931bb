"""Where texts stand in PNG, JPEG, WebP and AVIF files, and in what encodings."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest

from context_checkpoint.recipes import Recipe, examine_file, read_file
from context_checkpoint.recipes.files.containers.encodings import decoded_utf16

from .. import making
from ..making import A1111, IMAGE_DESCRIPTION, MAKE, MODEL, USER_COMMENT, exif, jpeg, jpeg_exif, png, user_comment

JAPANESE = A1111.replace("a castle", "a castle, テスト, #城")
GRAPH = json.dumps(making.graph())


@pytest.fixture
def read(tmp_path: Path):
    """Write a file and read its recipe."""

    def _read(data: bytes, name: str = "image.png") -> Recipe:
        file = tmp_path / name
        file.write_bytes(data)
        return read_file(file)

    return _read


@pytest.mark.parametrize(
    "chunk",
    [
        making.text_chunk("parameters", JAPANESE),
        making.itxt_chunk("parameters", JAPANESE),
        making.itxt_chunk("parameters", JAPANESE, packed=True),
        making.ztxt_chunk("parameters", JAPANESE.encode()),
        making.text_chunk("Parameters", JAPANESE),
        making.text_chunk("some other name", JAPANESE),
        making.chunk(b"eXIf", exif({}, inner={USER_COMMENT: user_comment(JAPANESE)})),
        making.itxt_chunk(
            making.XMP_IN_PNG,
            making.xmp(
                elements=f"<dc:description><rdf:Alt><rdf:li>{JAPANESE}</rdf:li></rdf:Alt></dc:description>".replace(
                    "<lora:detail:0.8>", ""
                )
            ),
        ),
    ],
    ids=["tEXt", "iTXt", "packed iTXt", "zTXt", "other case", "other name", "eXIf", "XMP"],
)
@pytest.mark.parametrize("after_the_pixels", [False, True])
def test_a_png_has_its_text_in_any_chunk_before_or_after_its_pixels(read, chunk, after_the_pixels):
    """Tools write it before the pixels, image editors after them."""
    recipe = read(png(after=(chunk,)) if after_the_pixels else png(chunk))

    assert recipe.positive is not None
    assert recipe.positive.startswith("a castle, テスト, #城")
    assert (recipe.negative, recipe.steps, recipe.seed) == ("blurry,\nlow quality", 20, 7)


def test_latin_1_in_a_png_is_read(read):
    """The specification's encoding of tEXt; most tools write UTF-8 nevertheless."""
    text = A1111.replace("castle", "château").encode("latin-1")

    recipe = read(png(making.chunk(b"tEXt", b"parameters\0" + text)))

    assert recipe.positive is not None
    assert recipe.positive.startswith("a château")


def test_an_animated_png_has_its_graph_after_its_first_picture(read):
    """ComfyUI's SaveAnimatedPNG writes a chunk `comf`."""
    recipe = read(png(after=(making.chunk(b"comf", b"prompt\0" + GRAPH.encode()),)))

    assert recipe.model == "dream.safetensors"


def test_imagemagicks_profiles_are_read(read):
    """Old programs write EXIF as hexadecimal digits into a packed text."""
    block = b"Exif\0\0" + exif({IMAGE_DESCRIPTION: A1111.encode()})
    profile = f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()

    assert read(png(making.ztxt_chunk("Raw profile type exif", profile))).model == "dream"


ENCODED = [
    pytest.param(b"UNICODE\0" + JAPANESE.encode("utf-16-be"), id="UTF-16, big-endian"),
    pytest.param(b"UNICODE\0" + JAPANESE.encode("utf-16-le"), id="UTF-16, little-endian"),
    pytest.param(b"UNICODE\0" + JAPANESE.encode("utf-16"), id="UTF-16 with its mark"),
    pytest.param(b"UNICODE\0\xfe\xff" + JAPANESE.encode("utf-16-be"), id="UTF-16 with the other mark"),
    pytest.param(b"UNICODE\0" + JAPANESE.encode(), id="UTF-8 that is called UTF-16"),
    pytest.param(b"ASCII\0\0\0" + JAPANESE.encode(), id="UTF-8 that is called ASCII"),
    pytest.param(bytes(8) + JAPANESE.encode(), id="no name of an encoding"),
    pytest.param(JAPANESE.encode(), id="no prefix"),
    pytest.param(b"JIS\0\0\0\0\0" + JAPANESE.encode("iso2022_jp"), id="JIS"),
    pytest.param(b"JIS\0\0\0\0\0" + JAPANESE.encode("shift_jis"), id="Shift JIS that is called JIS"),
    pytest.param(b"UNICODE\0" + JAPANESE.encode("utf-16-le") + b"\0\0\0", id="zeros at its end, one too many"),
]


@pytest.mark.parametrize("comment", ENCODED)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("container", ["JPEG", "WebP", "AVIF"])
def test_a_user_comment_is_read_in_every_encoding(read, comment, order, container):
    """Tools disagree about the byte order, and about what the prefix says."""
    block = exif({}, order, inner={USER_COMMENT: comment})
    files = {
        "JPEG": jpeg(jpeg_exif(block)),
        "WebP": making.webp((b"EXIF", block)),
        "AVIF": making.avif(block),
    }

    recipe = read(files[container])

    assert recipe.positive is not None
    assert recipe.positive.startswith("a castle, テスト, #城")
    assert recipe.model == "dream"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_text_without_latin_letters_is_read_in_either_byte_order(encoding):
    """Their zeros are what tells the order elsewhere."""
    assert decoded_utf16("城堡在海边，テスト".encode(encoding)) == "城堡在海边，テスト"


def test_windows_comments_are_read(read):
    """XPComment is UTF-16, little-endian, in a tag of bytes."""
    block = exif({0x9C9C: A1111.encode("utf-16-le") + b"\0\0"}, "<", kinds={0x9C9C: 1})

    assert read(jpeg(jpeg_exif(block))).model == "dream"


def test_a_jpeg_comment_is_read(read):
    """The segment COM, and not only EXIF."""
    assert read(jpeg(making.segment(0xFE, A1111.encode()))).seed == 7


LONG = json.dumps(making.graph() | {"9": {"class_type": "Note", "inputs": {"text": "a note " * 30_000}}})
DRAW_THINGS = json.dumps({"c": "a castle", "uc": "blurry", "steps": 20, "seed": 7, "notes": "long " * 30_000})
LONG_XMP = making.xmp(elements=f"<exif:UserComment>{DRAW_THINGS}</exif:UserComment>")


@pytest.mark.parametrize("between", [(), (making.jpeg_xmp(making.xmp('xmp:Rating="4"')),)], ids=["in a row", "apart"])
def test_exif_that_needs_several_segments_of_a_jpeg_is_one(tmp_path, between):
    """A segment has room for 64 kB, and a graph may be longer."""
    first, *more = making.jpeg_long_exif(exif({MODEL: f"prompt:{LONG}".encode()}))
    file = tmp_path / "image.jpg"
    file.write_bytes(jpeg(first, *between, *more))

    reading = examine_file(file)

    assert len(more) > 2
    assert reading.recipe is not None
    assert (reading.recipe.model, reading.unread) == ("dream.safetensors", ())
    assert reading.rating == (4 if between else None)


def test_xmp_that_needs_several_segments_of_a_jpeg_is_one(read):
    """In whatever order its pieces stand; a packet that the first one does not name is an old one."""
    first, *pieces = making.jpeg_long_xmp(LONG_XMP)
    _, *old = making.jpeg_long_xmp(LONG_XMP.replace(b"a castle", b"a tower"), "F" * 32)

    recipe = read(jpeg(first, *old, *reversed(pieces)), "image.jpg")

    assert len(pieces) > 2
    assert (recipe.positive, recipe.seed, recipe.tool) == ("a castle", 7, "Draw Things")


def test_xmp_of_which_a_piece_is_missing_is_no_shorter_text(tmp_path):
    """What is left may be well-formed."""
    first, second, _, *rest = making.jpeg_long_xmp(LONG_XMP)
    file = tmp_path / "image.jpg"
    file.write_bytes(jpeg(first, second, *rest))

    reading = examine_file(file)

    assert (reading.recipe, [each.code for each in reading.unread]) == (None, ["damaged", "damaged"])


@pytest.mark.parametrize(
    "tags",
    [
        {MODEL: f"prompt:{GRAPH}", MAKE: 'workflow:{"nodes": []}'},
        {MAKE: f"Prompt: {GRAPH}", IMAGE_DESCRIPTION: 'Workflow: {"nodes": []}'},
        {USER_COMMENT: json.dumps({"prompt": making.graph(), "workflow": {"nodes": []}})},
        {USER_COMMENT: json.dumps({"prompt": GRAPH, "workflow": "{}"})},
        {IMAGE_DESCRIPTION: GRAPH},
    ],
    ids=["ComfyUI's WebP", "other savers", "one JSON", "JSON in JSON", "the graph alone"],
)
def test_comfyuis_graph_is_found_in_whichever_tag_a_saver_has_taken(read, tags):
    """JPEG and WebP have no texts with names, so every saver chose its own."""
    block = exif({tag: text.encode() + b"\0" for tag, text in tags.items()})

    for file in (jpeg(jpeg_exif(block)), making.webp((b"EXIF", b"Exif\0\0" + block)), making.avif(block)):
        recipe = read(file)
        assert (recipe.model, recipe.positive, recipe.tool) == ("dream.safetensors", "a castle", "ComfyUI")


def test_a_saved_workflow_is_read_where_there_is_no_prompt(read):
    """Some savers leave the prompt out."""
    widgets = {"CheckpointLoaderSimple": ["dream.safetensors"], "CLIPTextEncode": ["a castle"]}
    nodes = [
        {
            "id": 1,
            "type": "CheckpointLoaderSimple",
            "outputs": [{"name": "MODEL", "type": "MODEL"}, {"name": "CLIP", "type": "CLIP"}],
        },
        {"id": 2, "type": "CLIPTextEncode", "inputs": [{"name": "clip", "type": "CLIP", "link": 1}]},
        {
            "id": 3,
            "type": "KSampler",
            "inputs": [
                {"name": "model", "type": "MODEL", "link": 2},
                {"name": "positive", "type": "CONDITIONING", "link": 3},
            ],
            "widgets_values": [7, "randomize", 20, 6.5, "euler", "karras", 1],
        },
        {"id": 4, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 4}]},
    ]
    links = [
        [1, 1, 1, 2, 0, "CLIP"],
        [2, 1, 0, 3, 0, "MODEL"],
        [3, 2, 0, 3, 1, "CONDITIONING"],
        [4, 3, 0, 4, 0, "IMAGE"],
    ]
    for entry in nodes:
        entry.setdefault("widgets_values", widgets.get(str(entry["type"]), []))

    recipe = read(png(making.text_chunk("workflow", json.dumps({"nodes": nodes, "links": links}))))

    assert (recipe.model, recipe.positive, recipe.steps) == ("dream.safetensors", "a castle", 20)


def test_the_picture_has_its_size_and_the_recipe_that_of_the_first_pass(tmp_path):
    """They differ where an image was enlarged."""
    for name, data in {
        "a.png": png(making.text_chunk("parameters", A1111), width=1024, height=1536),
        "b.jpg": jpeg(jpeg_exif(exif({IMAGE_DESCRIPTION: A1111.encode()}))),
        "c.webp": making.webp((b"EXIF", exif({IMAGE_DESCRIPTION: A1111.encode()}))),
        "d.avif": making.avif(exif({IMAGE_DESCRIPTION: A1111.encode()})),
    }.items():
        (tmp_path / name).write_bytes(data)

    readings = [examine_file(tmp_path / name) for name in ("a.png", "b.jpg", "c.webp", "d.avif")]

    assert [(found.width, found.height) for found in readings] == [(1024, 1536), *[(512, 768)] * 3]
    assert {(found.recipe and found.recipe.width, found.tool, found.found_in) for found in readings} == {
        (512, "A1111", "file")
    }


def test_a_file_is_what_it_begins_with_and_not_what_it_is_called(read):
    """People and programs rename files."""
    assert read(png(making.text_chunk("parameters", A1111)), "image.jpg").model == "dream"


def test_a_name_in_another_encoding_is_read(tmp_path):
    """Linux names are bytes; they need not be UTF-8."""
    name = os.fsencode(tmp_path) + b"/\xff\xfe image.png"
    try:
        with open(name, "wb") as file:  # noqa: PTH123 - a name of bytes
            file.write(png(making.text_chunk("parameters", A1111)))
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")

    assert read_file(name).model == "dream"
    assert read_file(os.fsdecode(name)).model == "dream"


def test_an_avif_may_hold_its_items_in_its_own_meta_box(tmp_path):
    """`iloc` counts from `idat` there (construction method 1)."""
    block = struct.pack(">I", 0) + exif({IMAGE_DESCRIPTION: A1111.encode()})
    info = making.box(b"infe", b"\2\0\0\0" + struct.pack(">HH4s", 1, 0, b"Exif") + b"\0")
    names = making.box(b"iinf", b"\0\0\0\0" + struct.pack(">H", 1) + info)
    places = b"\1\0\0\0" + bytes([0x44, 0]) + struct.pack(">HHHHHII", 1, 1, 1, 0, 1, 0, len(block))
    meta = making.box(b"meta", b"\0\0\0\0" + names + making.box(b"iloc", places) + making.box(b"idat", block))
    file = tmp_path / "image.avif"
    file.write_bytes(making.box(b"ftyp", b"avif\0\0\0\0avifmif1") + meta)

    assert read_file(file).model == "dream"
