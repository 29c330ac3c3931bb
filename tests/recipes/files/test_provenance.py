"""Our own chunk: which logged generation an image belongs to."""

from __future__ import annotations

import json

import pytest

from context_checkpoint.recipes import Provenance, RunGeneration, examine_file

from . import making
from .making import IMAGE_DESCRIPTION, MAKE, MODEL, SOFTWARE, USER_COMMENT, exif, jpeg, jpeg_exif, png

GENERATION, FINGERPRINT = "0123456789abcdef" * 2, "fedcba9876543210" * 2
CHUNK = {
    "version": 1,
    "generation": GENERATION,
    "position": 2,
    "checkpoint": "style/dream.safetensors",
    "fingerprint": FINGERPRINT,
}


def named(chunk: object) -> bytes:
    return b"context_checkpoint:" + json.dumps(chunk).encode() + b"\0"


def files(chunk: object) -> dict[str, bytes]:
    graph = b"prompt:" + json.dumps(making.graph()).encode() + b"\0"
    tags = {IMAGE_DESCRIPTION: named(chunk), MODEL: graph, MAKE: b'workflow:{"nodes": []}\0'}
    comment = exif({MODEL: graph}, inner={USER_COMMENT: b"ASCII\0\0\0" + named(chunk)})
    text = making.text_chunk("prompt", json.dumps(making.graph()))
    return {
        "a.png": png(making.text_chunk("context_checkpoint", json.dumps(chunk)), text),
        "b.png": png(text, after=(making.itxt_chunk("context_checkpoint", json.dumps(chunk)),)),
        "c.jpg": jpeg(jpeg_exif(exif(tags))),
        "d.webp": making.webp((b"EXIF", exif(tags))),
        "e.avif": making.avif(exif(tags)),
        "f.jpg": jpeg(jpeg_exif(comment)),
        "g.jpg": jpeg(jpeg_exif(exif({SOFTWARE: named(chunk), MODEL: graph}))),
    }


@pytest.mark.parametrize("name", list(files(CHUNK)))
def test_our_chunk_is_found_in_every_format_beside_a_graph(tmp_path, name):
    """And the checkpoint that it names is the one that drew the image; the graph only has what was asked for."""
    (tmp_path / name).write_bytes(files(CHUNK)[name])

    reading = examine_file(tmp_path / name)

    assert reading.provenance == Provenance(GENERATION, 2, "style/dream.safetensors", FINGERPRINT)
    assert reading.recipe is not None
    assert (reading.recipe.model, reading.recipe.positive) == ("style/dream.safetensors", "a castle")


def planned() -> dict[str, object]:
    """A graph whose model is only known when it runs."""
    graph = making.graph()
    graph["recommender"] = {"class_type": "ContextCheckpointRecommender", "inputs": {"prompt": "a castle"}}
    for node in graph.values():
        if "ckpt_name" in node["inputs"]:
            node["inputs"]["ckpt_name"] = ["recommender", 1]
    return graph


@pytest.mark.parametrize(
    ("names", "model"), [(["a.safetensors"] * 2, "a.safetensors"), (["a.safetensors", "b.safetensors"], None)]
)
def test_the_generations_of_a_run_name_the_model_where_there_was_only_one(tmp_path, names, model):
    """Savers that know nothing of us write the same text into each file."""
    chunk = {"version": 1, "generations": [{"generation": GENERATION, "checkpoints": names}]}
    prompt = making.text_chunk("prompt", json.dumps(planned()))
    (tmp_path / "a.png").write_bytes(png(making.text_chunk("context_checkpoint", json.dumps(chunk)), prompt))

    reading = examine_file(tmp_path / "a.png")

    assert reading.generations == (RunGeneration(GENERATION, tuple(names)),)
    assert reading.provenance is None
    assert reading.recipe is not None
    assert (reading.recipe.model, reading.recipe.positive) == (model, "a castle")


@pytest.mark.parametrize(
    "entry",
    [
        {"generation": "1 OR 1=1", "checkpoints": []},
        {"generation": GENERATION, "checkpoints": "a"},
        {"generation": GENERATION, "checkpoints": [3]},
        {"generation": GENERATION, "checkpoints": ["x" * 1000]},
        7,
    ],
)
def test_generations_with_other_values_are_none(tmp_path, entry):
    """A sound one beside it is read."""
    sound = {"generation": GENERATION, "checkpoints": ["a.safetensors"]}
    chunk = {"version": 1, "generations": [entry, sound]}
    (tmp_path / "a.png").write_bytes(png(making.text_chunk("context_checkpoint", json.dumps(chunk))))

    reading = examine_file(tmp_path / "a.png")

    assert reading.generations == (RunGeneration(GENERATION, ("a.safetensors",)),)


def test_our_chunk_alone_names_the_model(tmp_path):
    """People may leave the graph out of their files."""
    (tmp_path / "a.png").write_bytes(png(making.text_chunk("context_checkpoint", json.dumps(CHUNK))))

    reading = examine_file(tmp_path / "a.png")

    assert reading.provenance is not None
    assert reading.recipe is not None
    assert reading.recipe.model == "style/dream.safetensors"


@pytest.mark.parametrize(
    "change",
    [
        {"generation": "1 OR 1=1"},
        {"generation": None},
        {"position": -1},
        {"position": True},
        {"position": 2**40},
        {"checkpoint": 3},
        {"checkpoint": "x" * 1000},
        {"fingerprint": 5},
    ],
)
def test_a_chunk_with_other_values_is_none(tmp_path, change):
    """Anybody can write one; what is read goes to the database."""
    (tmp_path / "a.png").write_bytes(files(CHUNK | change)["a.png"])

    reading = examine_file(tmp_path / "a.png")

    assert reading.provenance is None
    assert reading.recipe is not None
    assert reading.recipe.model == "dream.safetensors"


def test_the_graph_of_a_file_is_given_too(tmp_path):
    """Files of the stock SaveImage have our nodes in it, and what stands in their inputs."""
    (tmp_path / "a.png").write_bytes(files(CHUNK)["a.png"])

    reading = examine_file(tmp_path / "a.png")

    assert reading.prompt == making.graph()
