"""Tools with a form of their own, in the versions that are known."""

from __future__ import annotations

import json

import pytest

from context_checkpoint.recipes import Recipe
from context_checkpoint.recipes.files.texts import Texts
from context_checkpoint.recipes.files.tools import read_texts

from ..making import graph


def read(**texts: object) -> Recipe:
    """The recipe of texts under these names; what is no text is written as JSON."""
    places = [
        (name.replace("__", "-"), text if isinstance(text, str) else json.dumps(text)) for name, text in texts.items()
    ]
    found = read_texts(Texts(places), "image.png")
    assert found.recipe is not None
    return found.recipe


def test_swarmui():
    """Its own settings go before the graph that it queued; hashes are as written."""
    params = {
        "prompt": "a castle",
        "negativeprompt": "blurry",
        "model": "folder/dream",
        "seed": 9,
        "steps": 20,
        "cfgscale": 6.5,
        "width": 768,
        "height": 512,
        "sampler": "euler",
        "scheduler": "karras",
        "loras": ["a", "b"],
        "loraweights": ["0.5", "1"],
        "clipstopatlayer": -2,
        "swarm_version": "0.9.7.4",
    }
    models = [{"name": "dream.safetensors", "param": "model", "hash": "0x12"}]

    recipe = read(parameters={"sui_image_params": params, "sui_models": models}, prompt=graph())

    assert recipe == Recipe(
        model="folder/dream",
        model_hash="0x12",
        loras=(("a", 0.5, 0.5), ("b", 1.0, 1.0)),
        positive="a castle",
        negative="blurry",
        steps=20,
        cfg=6.5,
        sampler="euler",
        scheduler="karras",
        seed=9,
        width=768,
        height=512,
        clip_skip=2,
        tool="SwarmUI",
    )


def test_invokeai_3_and_later():
    """What it calls the scheduler is the sampler; it counts the layers left out."""
    metadata = {
        "positive_prompt": "a castle",
        "negative_prompt": None,
        "width": 512,
        "height": 768,
        "seed": 9,
        "cfg_scale": 6.5,
        "steps": 20,
        "scheduler": "euler_a",
        "clip_skip": 1,
        "model": {"name": "dream", "hash": "blake3:12", "base": "sdxl"},
        "loras": [{"model": {"name": "a"}, "weight": 0.5}, {"lora": {"model_name": "b"}, "weight": 0.7}],
    }

    recipe = read(invokeai_metadata=metadata, invokeai_graph={"nodes": {}})

    assert (recipe.model, recipe.model_hash, recipe.sampler, recipe.scheduler) == (
        "dream",
        "blake3:12",
        "euler_a",
        None,
    )
    assert (recipe.negative, recipe.clip_skip, recipe.loras) == ("", 2, (("a", 0.5, 0.5), ("b", 0.7, 0.7)))
    assert read(invokeai_metadata=metadata | {"model": {"model_name": "dream"}}).model == "dream"


def test_invokeai_2():
    """The model beside the image's settings, the negative prompt in brackets."""
    image = {
        "prompt": [{"prompt": "a castle [blurry] [ugly]", "weight": 1}],
        "steps": 20,
        "sampler": "k_lms",
        "seed": 9,
    }
    metadata = {"model": "stable diffusion", "model_weights": "dream", "model_hash": "12", "image": image}

    recipe = read(sd__metadata=metadata, Dream='"x" -s 1')

    assert (recipe.model, recipe.positive, recipe.negative, recipe.sampler) == (
        "dream",
        "a castle",
        "blurry ugly",
        "k_lms",
    )


def test_invokeai_1():
    """The command that drew it."""
    recipe = read(Dream='"a \\"castle\\" [blurry]" -s 20 -S 9 -W 512 -H 768 -C 6.5 -A k_lms')

    assert (recipe.positive, recipe.negative) == ('a \\"castle\\"', "blurry")
    assert (recipe.steps, recipe.seed, recipe.width, recipe.height, recipe.cfg) == (20, 9, 512, 768, 6.5)


@pytest.mark.parametrize("cfg", [{}, {"cfg_scale": 1}])
def test_the_guidance_of_flux_is_no_cfg(cfg):
    """Beside a cfg of 1, or without any."""
    swarm = {"prompt": "a castle", "steps": 20, "fluxguidancescale": 3.5, "guidance": 3.5, "swarm_version": "0.9"}
    invoke = {"positive_prompt": "a castle", "steps": 20, "guidance": 3.5, "app_version": "5.0"}

    assert read(parameters={"sui_image_params": swarm | cfg}).cfg == cfg.get("cfg_scale")
    assert read(invokeai_metadata=invoke | cfg).cfg == cfg.get("cfg_scale")


COMMENT = {"prompt": "a castle", "uc": "blurry", "steps": 28, "sampler": "k_euler", "seed": 9, "scale": 5.0}


@pytest.mark.parametrize(
    "texts",
    [
        {"Software": "NovelAI", "Source": "NovelAI Diffusion V4.5 4BDE2A90", "Comment": json.dumps(COMMENT)},
        {
            "UserComment": json.dumps(
                {"Source": "NovelAI Diffusion V4.5 4BDE2A90", "Software": "NovelAI", "Comment": json.dumps(COMMENT)}
            )
        },
    ],
    ids=["PNG", "one JSON"],
)
def test_novelai(texts):
    """The source is the model's name and hash."""
    recipe = read(**texts)

    assert (recipe.model, recipe.model_hash) == ("NovelAI Diffusion V4.5", "4BDE2A90")
    assert (recipe.positive, recipe.negative, recipe.sampler, recipe.cfg) == ("a castle", "blurry", "k_euler", 5.0)


def test_novelai_1_has_its_prompt_in_the_description():
    """And 4 has it in a caption too."""
    old = {name: value for name, value in COMMENT.items() if name != "prompt"}
    caption = {"v4_prompt": {"caption": {"base_caption": "a tower", "char_captions": []}}}

    assert (
        read(Software="NovelAI", Description="a castle", Comment=old, Source="Stable Diffusion 1D44365E").positive
        == "a castle"
    )
    assert read(Software="NovelAI", Comment=old | caption).positive == "a tower"


def test_the_characters_of_novelai_are_no_part_of_the_prompt():
    """Its page has a field of its own for each."""
    characters = [{"char_caption": "a knight", "centers": [{"x": 0.5, "y": 0.5}]}]
    caption = {"v4_prompt": {"caption": {"base_caption": "a castle", "char_captions": characters}}}

    assert read(Software="NovelAI", Comment=COMMENT | caption).positive == "a castle"
    assert read(Software="NovelAI", Comment={"steps": 28, "seed": 9} | caption).positive == "a castle"


FOOOCUS = {
    "base_model": "dream",
    "base_model_hash": "12",
    "prompt": "a castle",
    "negative_prompt": "",
    "full_prompt": ["a castle, cinematic"],
    "guidance_scale": 4,
    "resolution": "(768, 1280)",
    "sampler": "dpmpp_2m",
    "scheduler": "karras",
    "seed": "6952411511246973023",
    "steps": 30,
    "performance": "Speed",
    "version": "Fooocus v2.4.3",
    "clip_skip": 2,
}


def test_fooocus():
    """The prompt as the person wrote it, and LoRAs in the forms of its versions."""
    recipe = read(
        parameters=FOOOCUS | {"loras": [["a", 0.5, "12"]], "lora_combined_2": "b : 0.7"}, fooocus_scheme="fooocus"
    )

    assert (recipe.model, recipe.model_hash, recipe.positive, recipe.negative) == ("dream", "12", "a castle", "")
    assert (recipe.width, recipe.height, recipe.seed, recipe.tool) == (768, 1280, 6952411511246973023, "Fooocus")
    assert recipe.loras == (("a", 0.5, 0.5), ("b", 0.7, 0.7))


def test_fooocus_before_it_wrote_names_with_underscores():
    """Its log's names."""
    settings = {
        "Prompt": "a castle",
        "Negative Prompt": "blurry",
        "Performance": "Speed",
        "Resolution": "(1152, 896)",
        "Guidance Scale": 4.0,
        "Base Model": "dream.safetensors",
        "Sampler": "dpmpp_2m",
        "Scheduler": "karras",
        "Seed": 9,
        "LoRA 1": "a.safetensors : 0.1",
        "Version": "v2.1.824",
    }

    recipe = read(parameters=settings)

    assert (recipe.model, recipe.width, recipe.negative) == ("dream.safetensors", 1152, "blurry")
    assert recipe.loras == (("a.safetensors", 0.1, 0.1),)


def test_fooocus_in_a1111s_form():
    """The prompts in it have the styles; those of the person are beside them."""
    text = (
        "cinematic a castle, sharp\nNegative prompt: bad, blurry\nSteps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 9, "
        "Size: 768x1280, CFG scale: 4, Raw prompt: a castle, Raw negative prompt: blurry, Model hash: 12, "
        'Model: dream, Lora hashes: "a: 34", Lora weights: "a: 0.5", Version: Fooocus v2.4.3'
    )

    recipe = read(parameters=text, fooocus_scheme="a1111")

    assert (recipe.positive, recipe.negative, recipe.tool) == ("a castle", "blurry", "Fooocus")
    assert recipe.loras == (("a", 0.5, 0.5),)


def test_ruined_fooocus():
    """A relative with names of its own."""
    settings = {
        "Prompt": "a castle",
        "Negative": "blurry",
        "steps": 30,
        "cfg": 8,
        "width": 768,
        "height": 512,
        "seed": 9,
        "sampler_name": "dpmpp_2m",
        "scheduler": "karras",
        "base_model_name": "dream.safetensors",
        "base_model_hash": "12",
        "loras": [["34", "0.5 - a.safetensors"]],
        "software": "RuinedFooocus",
    }

    recipe = read(parameters=settings)

    assert (recipe.tool, recipe.model, recipe.cfg, recipe.negative) == (
        "RuinedFooocus",
        "dream.safetensors",
        8.0,
        "blurry",
    )
    assert recipe.loras == (("a.safetensors", 0.5, 0.5),)


def test_tensorart():
    """A random seed is -1 in its settings, and drawn in the graph."""
    data = {
        "prompt": "a castle",
        "negativePrompt": "blurry",
        "width": 512,
        "height": 768,
        "steps": 25,
        "cfgScale": 7,
        "seed": "-1",
        "clipSkip": 2,
        "baseModel": {"label": "v16", "modelFileName": "Dream", "hash": "12"},
        "models": [{"type": "LORA", "modelFileName": "a", "weight": 0.5}],
        "ksamplerName": "euler",
        "schedule": "karras",
        "guidance": 3.5,
    }

    recipe = read(generation_data=json.dumps(data) + " \0", prompt=graph("EMS-1.safetensors", seed=11))

    assert (recipe.model, recipe.model_hash, recipe.seed, recipe.cfg) == ("Dream", "12", 11, 7.0)
    assert (recipe.sampler, recipe.scheduler, recipe.loras) == ("euler", "karras", (("a", 0.5, 0.5),))


def test_stability_matrix():
    """The prompts of the person with their comments; sampler and scheduler by ComfyUI's names."""
    data = {"PositivePrompt": "a castle # big", "NegativePrompt": "blurry", "Steps": 20, "Sampler": "Euler Karras"}
    data |= {"CfgScale": 5, "Seed": 9, "Height": 768, "Width": 512, "ModelHash": "12", "ModelName": "dream.safetensors"}

    recipe = read(prompt=graph(), parameters__json=data, smproj={"Version": 2})

    assert (recipe.positive, recipe.sampler, recipe.scheduler, recipe.model_hash) == (
        "a castle # big",
        "euler",
        "karras",
        "12",
    )
    assert read(parameters__json=data).sampler == "Euler Karras"


def test_civitais_generator():
    """A graph with addresses for names, and the person's settings as JSON in a text."""
    said = {
        "prompt": "a castle #x",
        "negativePrompt": "blurry",
        "steps": 20,
        "cfgScale": 6.5,
        "sampler": "euler",
        "seed": 7,
    }
    said |= {"resources": [{"modelVersionId": 22, "strength": 0.5}]}
    airs = ["urn:air:sdxl:checkpoint:civitai:1@11", "urn:air:sdxl:lora:civitai:2@22"]
    prompt = graph(airs[0]) | {"extra": {"airs": airs}, "extraMetadata": json.dumps(said)}

    with_graph = read(UserComment=prompt)
    unknown = {"1": {"class_type": "SomethingNew", "inputs": {}}}
    without = read(UserComment=unknown | {"extra": {"airs": airs}, "extraMetadata": json.dumps(said)})

    assert (with_graph.model, with_graph.positive, with_graph.tool) == (airs[0], "a castle #x", "Civitai")
    assert (without.model, without.loras) == (airs[0], ((airs[1], 0.5, 0.5),))


def test_draw_things():
    """JSON with short names in XMP."""
    data = {
        "c": "a castle",
        "uc": "blurry",
        "steps": 20,
        "scale": 6.5,
        "seed": 9,
        "size": "512x768",
        "sampler": "DPM++ 2M Karras",
    }
    data |= {
        "model": "dream_f16.ckpt",
        "strength": 1,
        "lora": [{"model": "a.ckpt", "weight": 0.5}],
        "seed_mode": "Scale Alike",
    }
    description = (
        "a castle\n-blurry\nSteps: 20, Sampler: DPM++ 2M Karras, Guidance Scale: 6.5, Seed: 9, Model: dream_f16.ckpt"
    )

    recipe = read(**{"xmp:CreatorTool": "Draw Things", "dc:description": description, "exif:UserComment": data})

    assert (recipe.positive, recipe.negative, recipe.model, recipe.tool) == (
        "a castle",
        "blurry",
        "dream_f16.ckpt",
        "Draw Things",
    )
    assert (recipe.width, recipe.cfg, recipe.loras) == (512, 6.5, (("a.ckpt", 0.5, 0.5),))


EASY = {"prompt": "a castle", "negative_prompt": "blurry", "seed": "9", "width": "512", "height": "768"}
EASY |= {"num_inference_steps": "20", "guidance_scale": "6.5", "sampler_name": "euler_a", "clip_skip": "True"}
EASY |= {"use_stable_diffusion_model": "dream", "use_lora_model": "['a', 'b']", "lora_alpha": "[0.5, 0.7]"}


def test_easy_diffusion_in_single_texts_and_in_json():
    """One text per setting in a PNG, whose prompt is no graph."""
    apart, together = read(**EASY), read(UserComment=EASY)

    assert apart == together
    assert (apart.model, apart.steps, apart.clip_skip, apart.tool) == ("dream", 20, 2, "Easy Diffusion")
    assert apart.loras == (("a", 0.5, 0.5), ("b", 0.7, 0.7))


def test_easy_diffusion_beside_an_image():
    """Labels in a text."""
    recipe = read(
        sidecar="Prompt: a castle\nNegative Prompt: blurry\nSeed: 9\nStable Diffusion model: dream\nSteps: 20"
    )

    assert (recipe.positive, recipe.negative, recipe.seed, recipe.model, recipe.steps) == (
        "a castle",
        "blurry",
        9,
        "dream",
        20,
    )


def test_hugging_face_spaces():
    """Many spaces write this JSON."""
    data = {
        "prompt": "a castle",
        "negative_prompt": "blurry",
        "resolution": "832 x 1216",
        "guidance_scale": 6.5,
        "num_inference_steps": 20,
        "seed": 9,
        "sampler": "DPM++ 2M Karras",
        "Model": "Dream XL",
        "Model hash": "12",
        "use_lora": {"selected_lora": "a", "lora_scale": 0.5},
        "use_upscaler": None,
    }

    recipe = read(parameters=data)

    assert (recipe.model, recipe.sampler, recipe.width, recipe.tool) == (
        "Dream XL",
        "DPM++ 2M Karras",
        832,
        "Hugging Face space",
    )
    assert recipe.loras == (("a", 0.5, 0.5),)


def test_settings_of_an_unknown_tool_are_read_without_naming_one():
    """JSON with a prompt and steps or a seed."""
    recipe = read(Comment={"prompt": "a castle", "seed": 9, "model": "dream"})

    assert (recipe.positive, recipe.seed, recipe.model, recipe.tool) == ("a castle", 9, "dream", None)


@pytest.mark.parametrize(
    "texts",
    [
        {"Comment": "Created with GIMP"},
        {"Software": "Adobe"},
        {"parameters": "[1, 2"},
        {"Comment": '{"a": 1}'},
        {"prompt": "{}"},
    ],
)
def test_texts_of_other_programs_are_nothing(texts):
    """Editors write notes, and JSON has many uses."""
    assert read_texts(Texts(texts.items()), "a.png").recipe is None
