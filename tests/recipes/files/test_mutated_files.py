"""Files with anything changed in them: they are read or refused, never more."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from context_checkpoint.recipes import Recipe, Unreadable, examine_file
from context_checkpoint.recipes.files.texts import Texts
from context_checkpoint.recipes.files.tools import read_texts
from context_checkpoint.recipes.files.tools.a1111 import read_parameters

from . import making
from .making import A1111, IMAGE_DESCRIPTION, MODEL, USER_COMMENT, exif, jpeg, jpeg_exif, jpeg_xmp, png

EXIF = exif(
    {MODEL: b"prompt:" + json.dumps(making.graph()).encode(), IMAGE_DESCRIPTION: b"a castle"},
    inner={USER_COMMENT: making.user_comment(A1111)},
)
XMP = making.xmp('xmp:Rating="3"', "<dc:description>a castle</dc:description>")
FILES = [
    png(making.text_chunk("parameters", A1111), making.ztxt_chunk("prompt", b"{}"), width=8, height=8),
    png(making.chunk(b"eXIf", EXIF), making.itxt_chunk(making.XMP_IN_PNG, XMP, packed=True), width=8, height=8),
    jpeg(jpeg_exif(EXIF), jpeg_xmp(XMP)),
    making.webp((b"EXIF", EXIF), (b"XMP ", XMP)),
    making.avif(EXIF, XMP),
]


@st.composite
def changed_files(draw: st.DrawFn) -> bytes:
    """One of the files with some bytes changed, left out, put in or moved."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["change", "remove", "add", "copy", "cut"])):
            case "change":
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "remove":
                del data[at : at + draw(st.integers(1, 20))]
            case "add":
                data[at:at] = draw(st.binary(max_size=20))
            case "copy":
                begin = draw(st.integers(0, max(0, len(data) - 1)))
                data[at:at] = data[begin : begin + draw(st.integers(1, 200))]
            case "cut":
                del data[at:]
    return bytes(data)


@settings(max_examples=400)
@given(data=changed_files())
def test_a_changed_file_is_read_or_refused(data: bytes) -> None:
    """With a recipe, or with a reason."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "image.png"
        file.write_bytes(data)
        try:
            reading = examine_file(file)
        except Unreadable:
            return
    assert reading.recipe is not None or reading.unread
    assert reading.rating is None or -1 <= reading.rating <= 5


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([["1", 0], ["5", 0]]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NODES = st.fixed_dictionaries(
    {"class_type": st.sampled_from(["KSampler", "CLIPTextEncode", "SaveImage", "Reroute", "LoraLoader", "x"])},
    optional={
        "inputs": st.dictionaries(
            st.sampled_from(["model", "positive", "text", "images", "samples", "lora_name", "seed", "x"]), VALUES
        ),
        "_meta": VALUES,
    },
)
KEYS = ("sui_image_params", "image", "uc", "scale", "c", "baseModel", "base_model", "performance", "loras", "model")
KEYS += ("num_inference_steps", "guidance_scale", "prompt", "steps", "seed", "size", "extraMetadata", "nodes", "links")
NAMES = ("prompt", "workflow", "parameters", "Comment", "invokeai_metadata", "sd-metadata", "generation_data")
NAMES += ("parameters-json", "UserComment", "exif:UserComment", "context_checkpoint", "Software", "sidecar")


@settings(max_examples=100)
@given(changes=st.dictionaries(st.sampled_from("1234567"), NODES | VALUES, min_size=1, max_size=4))
def test_a_changed_graph_is_read_or_is_none(changes: dict[str, object]) -> None:
    """Nodes and inputs of any type."""
    found = read_texts(Texts([("prompt", json.dumps(making.graph() | changes))]), "ComfyUI_1.png")

    assert found.recipe is None or isinstance(found.recipe, Recipe)


@settings(max_examples=300)
@given(
    texts=st.dictionaries(
        st.sampled_from(NAMES), VALUES.map(json.dumps) | st.text(max_size=50), min_size=1, max_size=3
    ),
    keys=st.dictionaries(
        st.sampled_from(KEYS),
        VALUES,
        max_size=6,
    ),
    place=st.sampled_from(NAMES),
)
def test_json_of_any_shape_is_read_or_is_none(texts: dict[str, str], keys: dict[str, object], place: str) -> None:
    """Under every name that a tool looks at."""
    found = read_texts(Texts((texts | {place: json.dumps(keys)}).items()), "a.png")

    assert found.recipe is None or isinstance(found.recipe, Recipe)


PROMPTS = st.text(max_size=200).filter(lambda text: "\r" not in text and "egative prompt:" not in text)


@given(positive=PROMPTS, negative=PROMPTS, seed=st.integers(0, 2**64 - 1), steps=st.integers(1, 150))
def test_what_a1111_writes_is_what_is_read(positive: str, negative: str, seed: int, steps: int) -> None:
    """Any prompts, but for blanks around them; lines that are settings themselves are the last ones only by chance."""
    settings_line = f"Steps: {steps}, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: 512x512, Model: dream"

    recipe = read_parameters(f"{positive}\nNegative prompt: {negative}\n{settings_line}")

    assert recipe is not None
    assert (recipe.positive, recipe.negative) == (positive.strip(), negative.strip())
    assert (recipe.seed, recipe.steps, recipe.model) == (seed, steps, "dream")
