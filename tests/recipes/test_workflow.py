"""Saved workflows (UI form) become the prompts that ComfyUI's frontend would queue."""

import pytest

from context_checkpoint.recipes import read_graph, to_prompt

CKPT = "dream.safetensors"


def slot(name, kind="*", link=None, widget=False):
    made = {"name": name, "type": kind, "link": link}
    return {**made, "widget": {"name": name}} if widget else made


def workflow(changes=(), links=(), **more):
    """A stock workflow as an old frontend saves it, values by position only; `changes` are nodes put in by id."""
    nodes = {
        1: {"type": "CheckpointLoaderSimple", "widgets_values": [CKPT]},
        2: {"type": "CLIPTextEncode", "inputs": [slot("clip", "CLIP", 1)], "widgets_values": ["a castle"]},
        3: {"type": "CLIPTextEncode", "inputs": [slot("clip", "CLIP", 2)], "widgets_values": ["blurry"]},
        4: {"type": "EmptyLatentImage", "widgets_values": [512, 768, 1]},
        5: {
            "type": "KSampler",
            "inputs": [
                slot("model", "MODEL", 3),
                slot("positive", "CONDITIONING", 4),
                slot("negative", "CONDITIONING", 5),
                slot("latent_image", "LATENT", 6),
            ],
            "widgets_values": [7, "randomize", 20, 6.5, "euler", "karras", 1],
        },
        6: {"type": "VAEDecode", "inputs": [slot("samples", "LATENT", 7), slot("vae", "VAE", 8)]},
        7: {"type": "SaveImage", "inputs": [slot("images", "IMAGE", 9)], "widgets_values": ["x"]},
        **dict(changes),
    }
    stock = [(1, 1, 1, 2, 0), (2, 1, 1, 3, 0), (3, 1, 0, 5, 0), (4, 2, 0, 5, 1), (5, 3, 0, 5, 2), (6, 4, 0, 5, 3)]
    stock += [(7, 5, 0, 6, 0), (8, 1, 2, 6, 1), (9, 6, 0, 7, 0)]
    chosen = {row[0]: [*row, "*"] for row in [*stock, *links]}
    return {"nodes": [{"id": key, **made} for key, made in nodes.items()], "links": list(chosen.values()), **more}


def recipe(*args, **more):
    return read_graph(to_prompt(workflow(*args, **more)))["7"]


def test_widgets_by_position_are_named():
    """Old frontends write no names; the value after a seed is the frontend's own."""
    found = recipe()
    assert (found.model, found.positive, found.negative) == (CKPT, "a castle", "blurry")
    assert (found.seed, found.steps, found.cfg, found.sampler, found.scheduler) == (7, 20, 6.5, "euler", "karras")
    assert (found.width, found.height) == (512, 768)


def test_widgets_that_the_workflow_names_need_no_table():
    """New frontends list every widget among the inputs, also those of unknown nodes."""
    encoder = {
        "type": "Encode Text Of A Pack Nobody Knows",
        "inputs": [slot("clip", "CLIP", 1), slot("seed", "INT", widget=True), slot("text", "STRING", widget=True)],
        "widgets_values": [3, "fixed", "a fox"],
    }
    assert recipe({2: encoder}).positive == "a fox"


def test_the_only_text_of_an_unknown_encoder_needs_no_name():
    """It has a CLIP, and one text among its values."""
    encoder = {
        "type": "Prompt (LoraManager)",
        "inputs": [slot("clip", "CLIP", 1)],
        "widgets_values": [{"version": 1}, "a fox"],
    }
    assert recipe({2: encoder}).positive == "a fox"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["true"], "a fox\nat night"),
        (["false"], "a foxat night"),
        ([", ", "true"], "a fox, at night"),
        (["?", 1, 2], None),
    ],
)
def test_texts_are_joined_as_the_version_of_the_node_does_it(values, expected):
    """WAS' node had a line break once and has a delimiter now; something else is unclear."""
    nodes = {
        8: {"type": "Text Multiline", "widgets_values": ["a fox"]},
        9: {"type": "Text Multiline", "widgets_values": ["at night"]},
        10: {
            "type": "Text Concatenate" if expected else "Text Concatenate of Somebody",
            "inputs": [slot("text_a", "STRING", 20), slot("text_b", "STRING", 21)],
            "widgets_values": values,
        },
        2: {"type": "CLIPTextEncode", "inputs": [slot("clip", "CLIP", 1), slot("text", "STRING", 22, widget=True)]},
    }
    assert recipe(nodes, [(20, 8, 0, 10, 0), (21, 9, 0, 10, 1), (22, 10, 0, 2, 1)]).positive == expected


@pytest.mark.parametrize("kind", ["Reroute", "Reroute (rgthree)"])
def test_a_reroute_is_not_there(kind):
    """However many there are."""
    reroute = {"type": kind, "inputs": [slot("", "*", 10)]}
    found = recipe({8: reroute}, [(10, 2, 0, 8, 0), (4, 8, 0, 5, 1)])
    assert found.positive == "a castle"


def test_a_primitive_gives_its_value_to_what_it_is_linked_to():
    """The widget that was converted keeps a stale value, which does not count."""
    encoder = {
        "type": "CLIPTextEncode",
        "inputs": [slot("clip", "CLIP", 1), slot("text", "STRING", 10, widget=True)],
        "widgets_values": ["stale"],
    }
    primitive = {"type": "PrimitiveNode", "widgets_values": ["a fox", "fixed"]}
    assert recipe({2: encoder, 8: primitive}, [(10, 8, 0, 2, 1)]).positive == "a fox"


def test_set_and_get_nodes_are_one_link():
    """KJNodes' pair, found by its name."""
    setter = {"type": "SetNode", "inputs": [slot("CONDITIONING", "CONDITIONING", 10)], "widgets_values": ["words"]}
    getter = {"type": "GetNode", "widgets_values": ["words"]}
    assert recipe({8: setter, 9: getter}, [(10, 2, 0, 8, 0), (4, 9, 0, 5, 1)]).positive == "a castle"


def test_a_bypassed_node_passes_on_what_fits():
    """A bypassed LoRA loader is not there."""
    lora = {
        "type": "LoraLoader",
        "mode": 4,
        "inputs": [slot("model", "MODEL", 10), slot("clip", "CLIP", 11)],
        "outputs": [{"name": "MODEL", "type": "MODEL"}, {"name": "CLIP", "type": "CLIP"}],
        "widgets_values": ["a", 1, 1],
    }
    found = recipe({8: lora}, [(10, 1, 0, 8, 0), (11, 1, 1, 8, 1), (3, 8, 0, 5, 0), (1, 8, 1, 2, 0)])
    assert (found.model, found.loras, found.positive) == (CKPT, (), "a castle")


def test_what_hangs_on_a_muted_node_is_unclear():
    """Nothing is taken from the widget of an input whose link leads nowhere."""
    encoder = {
        "type": "CLIPTextEncode",
        "inputs": [slot("clip", "CLIP", 1), slot("text", "STRING", 10, widget=True)],
        "widgets_values": ["stale"],
    }
    muted = {"type": "PrimitiveString", "mode": 2, "widgets_values": ["a fox"]}
    assert recipe({2: encoder, 8: muted}, [(10, 8, 0, 2, 1)]).positive is None


def test_a_model_that_is_broadcast_reaches_the_sampler():
    """cg-use-everywhere gives it to inputs without a link."""
    sampler = {**workflow()["nodes"][4]}
    sampler["inputs"] = [slot("model", "MODEL"), *sampler["inputs"][1:]]
    everywhere = {"type": "Anything Everywhere", "inputs": [slot("anything", "*", 10)]}
    loader = {
        "type": "CheckpointLoaderSimple",
        "widgets_values": [CKPT],
        "outputs": [{"name": kind, "type": kind} for kind in ("MODEL", "CLIP", "VAE")],
    }
    assert recipe({1: loader, 5: sampler, 8: everywhere}, [(10, 1, 0, 8, 0)]).model == CKPT


def test_prompts_that_are_broadcast_replace_what_stands_in_the_loader():
    """cg-use-everywhere gives them to widgets that were made inputs; what the widgets still hold is not used."""
    loader = {
        "type": "easy comfyLoader",
        "inputs": [slot("positive", "STRING", widget=True), slot("negative", "STRING", widget=True)],
        "widgets_values": [CKPT, "Baked VAE", -2, "None", 1, 1, "512 x 512", 512, 512, "Positive", "Negative", 1],
    }
    nodes = {
        1: loader,
        8: {"type": "easy positive", "widgets_values": ["a fox"]},
        9: {"type": "easy negative", "widgets_values": ["blurry"]},
        10: {"type": "Prompts Everywhere", "inputs": [slot("STRING", "STRING", 20), slot("STRING", "STRING", 21)]},
        5: {"type": "easy fullkSampler", "inputs": [slot("pipe", "PIPE_LINE", 22)]},
        6: {"type": "PreviewImage", "inputs": [slot("images", "IMAGE", 7)]},
        7: {"type": "SaveImage", "inputs": [slot("images", "IMAGE", 23)]},
    }
    links = [(20, 8, 0, 10, 0), (21, 9, 0, 10, 1), (22, 1, 0, 5, 0), (23, 5, 1, 7, 0)]
    found = recipe(nodes, links)
    assert (found.positive, found.negative) == ("a fox", "blurry")


def test_a_table_of_positions_that_does_not_fit_is_not_used():
    """Versions of a node move its widgets: a text must be a text, a number a number."""
    shifted = {
        "type": "CLIPTextEncodeSDXLRefiner",
        "inputs": [slot("clip", "CLIP", 1)],
        "widgets_values": ["a fox", 6, 8],
    }
    assert recipe({2: shifted}).positive is None


def _with_subgraph(outer_text=None, outer_values=(), mode=0):
    """The encoder of the prompt inside a subgraph, whose text is an input of the subgraph."""
    inner = {
        "id": "uuid",
        "inputs": [{"name": "clip"}, {"name": "text"}],
        "outputs": [{"name": "CONDITIONING"}],
        "nodes": [
            {
                "id": 2,
                "type": "CLIPTextEncode",
                "inputs": [slot("clip", "CLIP", 1), slot("text", "STRING", 2, widget=True)],
                "widgets_values": ["inside"],
            }
        ],
        "links": [
            {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 2, "target_slot": 0},
            {"id": 2, "origin_id": -10, "origin_slot": 1, "target_id": 2, "target_slot": 1},
            {"id": 3, "origin_id": 2, "origin_slot": 0, "target_id": -20, "target_slot": 0},
        ],
    }
    use = {
        "type": "uuid",
        "mode": mode,
        "inputs": [slot("clip", "CLIP", 1), slot("text", "STRING", outer_text, widget=True)],
        "widgets_values": list(outer_values),
    }
    text = {"type": "PrimitiveString", "widgets_values": ["outside"]}
    return workflow({2: use, 8: text}, [(10, 8, 0, 2, 1)], definitions={"subgraphs": [inner]})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"outer_text": 10}, "outside"),
        ({"outer_values": ["promoted"]}, "promoted"),
        ({}, "inside"),
    ],
)
def test_a_subgraph_gets_its_text_from_outside_from_its_widget_or_keeps_its_own(given, expected):
    """In this order; nodes inside are called `2:2`."""
    prompt = to_prompt(_with_subgraph(**given))
    assert "2:2" in prompt
    assert "2" not in prompt
    assert read_graph(prompt)["7"].positive == expected


def test_a_muted_subgraph_is_not_there():
    """Nor is anything in it."""
    assert "2:2" not in to_prompt(_with_subgraph(mode=2))


def test_something_else_is_no_workflow():
    """A prompt in API form is not converted by mistake."""
    with pytest.raises(ValueError, match="no workflow"):
        to_prompt({"1": {"class_type": "KSampler", "inputs": {}}})
