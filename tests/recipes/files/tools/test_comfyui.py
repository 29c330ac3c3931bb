"""ComfyUI's graphs in files: which image of the graph the file is, and what savers write beside it."""

from __future__ import annotations

import json

import pytest

from context_checkpoint.recipes.files.texts import Texts
from context_checkpoint.recipes.files.tools import Found, read_texts

from ..making import graph


def read(prompt: object, name: str = "ComfyUI_00001_.png", **texts: str) -> Found:
    return read_texts(Texts([("prompt", json.dumps(prompt)), *texts.items()]), name)


def two_images(first: str, second: str) -> dict[str, dict[str, object]]:
    """A graph that saves two images of different models."""
    other = {f"b{node}": entry for node, entry in graph("other.safetensors", second).items()}
    text = json.dumps(other)
    for node in range(1, 8):
        text = text.replace(f'["{node}", ', f'["b{node}", ')
    return graph(prefix=first) | json.loads(text)


def test_the_image_is_the_one_whose_saver_begins_the_files_name():
    """Other branches of the graph made other files."""
    prompt = two_images("castle", "folder/tower")

    castle, tower = read(prompt, "castle_00001_.png"), read(prompt, "tower_00001_.png")

    assert castle.recipe is not None
    assert tower.recipe is not None
    assert (castle.recipe.model, tower.recipe.model) == ("dream.safetensors", "other.safetensors")


def test_images_that_cannot_be_told_apart_have_what_they_agree_on():
    """The file was renamed, so the model is not known; what both have is."""
    found = read(two_images("castle", "tower"), "IMG_1.png")

    assert found.recipe is not None
    assert (found.recipe.model, found.recipe.positive, found.recipe.steps) == (None, "a castle", 20)
    assert [problem.values["field"] for problem in found.problems] == ["model"]
    assert "several" in str(found.problems[0])


def test_a_saved_image_goes_before_one_that_is_only_shown():
    """A preview is a file only in ComfyUI's folder for temporary ones."""
    prompt = two_images("castle", "tower")
    prompt["b7"]["class_type"] = "PreviewImage"

    found = read(prompt, "IMG_1.png")

    assert found.recipe is not None
    assert found.recipe.model == "dream.safetensors"


def parameters(**changes: object) -> str:
    values = {
        "Steps": 20,
        "Sampler": "euler_karras",
        "CFG scale": 6.5,
        "Seed": 7,
        "Model": "dream",
        "Model hash": "abc",
    }
    line = ", ".join(f"{name}: {value}" for name, value in (values | changes).items())
    return f"a castle that was written\nNegative prompt: blurry\n{line}, Version: ComfyUI"


def test_what_the_graph_leaves_open_is_in_the_settings_that_a_saver_wrote():
    """A prompt that a node makes when the workflow runs, and the hash of the model."""
    prompt = graph()
    prompt["2"]["inputs"] = {"text": ["8", 0], "clip": ["1", 1]}
    prompt["8"] = {"class_type": "WildcardGenerator", "inputs": {"text": "a {castle|tower}", "seed": 3}}

    alone, beside = read(prompt), read(prompt, parameters=parameters())

    assert alone.recipe is not None
    assert alone.recipe.positive is None
    assert [problem.values["field"] for problem in alone.problems] == ["positive"]
    assert beside.recipe is not None
    assert (beside.recipe.positive, beside.recipe.model_hash) == ("a castle that was written", "abc")
    assert (beside.recipe.sampler, beside.recipe.model) == ("euler", "dream.safetensors")
    assert beside.problems == ()


def test_settings_of_another_image_are_not_mixed_in():
    """Some savers write what stands in their own inputs, whatever was drawn."""
    found = read(graph(), parameters=parameters(Seed=0, Model="something else"))

    assert found.recipe is not None
    assert (found.recipe.model, found.recipe.model_hash, found.recipe.seed) == ("dream.safetensors", None, 7)


def drawn_by_our_sampler(written: str, checkpoints: tuple[str, ...] = (), modelname: object = "") -> Found:
    """The file of another pack's saver behind a sampler that draws each image with its checkpoint's own settings."""
    prompt = {
        "1": {"class_type": "ContextCheckpointRecommender", "inputs": {"prompt": "a castle"}},
        "2": {
            "class_type": "MultiCheckpointSampler",
            "inputs": {"plan": ["1", 0], "positive": "a castle", "seed": 7, "steps": 20, "cfg": 6.5}
            | {"sampler_name": "euler", "scheduler": "normal", "settings": "each checkpoint's own, where known"},
        },
        "3": {"class_type": "Image Saver", "inputs": {"images": ["2", 0], "modelname": modelname}},
    }
    run = {"version": 1, "generations": [{"generation": "0" * 32, "checkpoints": checkpoints}]}
    texts = {"context_checkpoint": json.dumps(run)} if checkpoints else {}
    return read(prompt, parameters=written, **texts)


def test_behind_our_sampler_a_saver_is_believed_that_names_a_checkpoint_of_the_run():
    """Its names were linked to it; its own settings are not what the branch was drawn with."""
    names = ("x/other.safetensors", "x/dream.safetensors")
    found = drawn_by_our_sampler(parameters(Steps=30), names, modelname=["2", 1]).recipe

    assert found is not None
    assert (found.model, found.model_hash, found.seed) == ("dream", "abc", 7)
    assert (found.steps, found.cfg, found.sampler, found.scheduler) == (None, None, None, None)


@pytest.mark.parametrize(
    ("checkpoints", "modelname"),
    [
        (("other.safetensors", "third.safetensors"), "dream.safetensors"),
        (("other.safetensors", "dream.safetensors"), "dream.safetensors"),
        ((), ""),
    ],
    ids=["none of the run", "one of the run", "found by the saver"],
)
def test_behind_our_sampler_a_model_that_was_not_linked_to_the_saver_is_not_known(checkpoints, modelname):
    """A widget that was left as it was, or the checkpoint of the first branch alone."""
    found = drawn_by_our_sampler(parameters(), checkpoints, modelname)

    assert found.recipe is not None
    assert (found.recipe.model, found.recipe.model_hash, found.recipe.positive) == (None, None, "a castle")
    assert "model" in [problem.values["field"] for problem in found.problems]


def test_settings_alone_are_enough():
    """For savers that leave the graph out."""
    found = read_texts(Texts([("parameters", parameters())]), "a.png")

    assert found.recipe is not None
    assert (found.recipe.model, found.recipe.tool, found.recipe.sampler) == ("dream", "ComfyUI", "euler_karras")


def test_numbers_that_json_does_not_have_are_read():
    """ComfyUI writes NaN for nodes that always run, and seeds of 64 bits."""
    text = json.dumps(graph(seed=2**64 - 1) | {"9": {"class_type": "X", "inputs": {}, "is_changed": [float("nan")]}})

    found = read_texts(Texts([("prompt", text)]), "a.png")

    assert "NaN" in text
    assert found.recipe is not None
    assert found.recipe.seed == 2**64 - 1


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e300, True, [], {}, None, "many"])
def test_numbers_that_cannot_be_are_left_out(value):
    """The rest of the graph is read."""
    found = read(graph(steps=value, seed=value, cfg=value))

    assert found.recipe is not None
    assert (found.recipe.steps, found.recipe.seed, found.recipe.cfg) == (None, None, None)
    assert found.recipe.model == "dream.safetensors"


def test_the_size_may_stand_in_one_text():
    """Nodes with a list of usual sizes."""
    prompt = graph()
    prompt["4"] = {"class_type": "SDXL Empty Latent Image (rgthree)", "inputs": {"dimensions": "1024 x 768  (wide)"}}

    found = read(prompt)

    assert found.recipe is not None
    assert (found.recipe.width, found.recipe.height) == (1024, 768)


def test_links_to_outputs_that_do_not_exist_are_followed_nowhere():
    """A place before the first is none from the end."""
    prompt = graph(positive=["2", -3])
    prompt["2"]["_meta"] = {"outputs": [["CONDITIONING", "CONDITIONING"]]}

    assert read(prompt).recipe is not None


@pytest.mark.parametrize(
    "prompt",
    [
        {str(node): {"class_type": "X", "inputs": {}} for node in range(6_000)},
        {"1": {"class_type": "SaveImage", "inputs": {str(name): 1 for name in range(2_000)}}},
        {"1": {"class_type": "SaveImage", "inputs": {"x" * 1_000: 1}}},
    ],
    ids=["nodes", "inputs", "names"],
)
def test_a_graph_that_no_person_made_is_refused(prompt):
    """Walking it would take long."""
    found = read(prompt)

    assert found.recipe is None
    assert [problem.code for problem in found.problems] == ["too_large"]


def test_subgraphs_that_use_one_another_many_times_are_refused():
    """Twenty uses in each of twenty levels are more nodes than atoms."""
    graphs = [
        {"id": f"g{level}", "nodes": [{"id": use, "type": f"g{level + 1}"} for use in range(20)]} for level in range(25)
    ]
    workflow = {"nodes": [{"id": 1, "type": "g0"}], "links": [], "definitions": {"subgraphs": graphs}}

    assert read_texts(Texts([("workflow", json.dumps(workflow))]), "a.png").recipe is None


def test_a_graph_of_our_nodes_gives_all_but_the_checkpoint():
    """The stock SaveImage writes the queued prompt, in which the plan is still open."""
    prompt = {
        "1": {"class_type": "ContextCheckpointRecommender", "inputs": {"prompt": "a castle", "stage": "standard"}},
        "2": {
            "class_type": "MultiCheckpointSampler",
            "inputs": {"plan": ["1", 0], "positive": "", "negative": "blurry", "seed": 7, "steps": 20, "cfg": 6.5}
            | {"width": 512, "height": 768, "sampler_name": "euler", "scheduler": "karras", "denoise": 1.0},
        },
        "3": {"class_type": "FeedbackRecorder", "inputs": {"images": ["2", 0], "generation": ["2", 3]}},
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
    }

    found = read(prompt)

    assert found.recipe is not None
    assert (found.recipe.model, found.recipe.positive, found.recipe.negative) == (None, "a castle", "blurry")
    assert (found.recipe.width, found.recipe.height, found.recipe.seed, found.recipe.steps) == (512, 768, 7, 20)
    assert [problem.values["field"] for problem in found.problems] == ["model"]
    assert found.prompt == prompt
