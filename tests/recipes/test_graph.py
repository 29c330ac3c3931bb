"""Reading prompts in API form: from an image to what made it."""

import pytest

from context_checkpoint.recipes import Recipe, image_sources, read_graph, read_images, read_loader, read_samplers

Node = dict[str, object]


def node(kind: str, **inputs: object) -> Node:
    return {"class_type": kind, "inputs": inputs}


def graph(**changes: Node | None) -> dict[str, Node]:
    """A stock text-to-image prompt, with nodes changed, added or left out."""
    nodes = {
        "loader": node("CheckpointLoaderSimple", ckpt_name="dream.safetensors"),
        "positive": node("CLIPTextEncode", text="a castle", clip=["loader", 1]),
        "negative": node("CLIPTextEncode", text="blurry", clip=["loader", 1]),
        "latent": node("EmptyLatentImage", width=512, height=768, batch_size=1),
        "sampler": node(
            "KSampler",
            seed=7,
            steps=20,
            cfg=6.5,
            sampler_name="euler",
            scheduler="karras",
            denoise=1.0,
            model=["loader", 0],
            positive=["positive", 0],
            negative=["negative", 0],
            latent_image=["latent", 0],
        ),
        "decode": node("VAEDecode", samples=["sampler", 0], vae=["loader", 2]),
        "save": node("SaveImage", images=["decode", 0], filename_prefix="x"),
    }
    return {name: made for name, made in (nodes | changes).items() if made is not None}


def sampled(**changes: object) -> Node:
    """The stock sampler, with other inputs."""
    return node("KSampler", **{**graph()["sampler"]["inputs"], **changes})  # type: ignore[dict-item]


def recipe(**changes: Node | None) -> Recipe:
    return read_graph(graph(**changes))["save"]


def test_a_stock_prompt_is_read_whole():
    """Model, texts, settings and size of one image."""
    assert read_graph(graph()) == {
        "save": Recipe(
            model="dream.safetensors",
            loras=(),
            positive="a castle",
            negative="blurry",
            steps=20,
            cfg=6.5,
            sampler="euler",
            scheduler="karras",
            denoise=1.0,
            seed=7,
            width=512,
            height=768,
            tool="ComfyUI",
        )
    }


TEXTS: dict[str, tuple[dict[str, Node | None], str]] = {
    "SDXL, the same text twice": (
        {"positive": node("CLIPTextEncodeSDXL", text_g="a fox", text_l="a fox", clip=["loader", 1], width=1024)},
        "a fox",
    ),
    "SDXL, two texts": (
        {"positive": node("CLIPTextEncodeSDXL", text_g="a fox", text_l="oil", clip=["loader", 1])},
        "a fox , oil",
    ),
    "Flux": (
        {"positive": node("CLIPTextEncodeFlux", clip_l="", t5xxl="a fox", guidance=3.5, clip=["loader", 1])},
        "a fox",
    ),
    "SD3": (
        {"positive": node("CLIPTextEncodeSD3", clip_l="a fox", clip_g="a fox", t5xxl="", clip=["loader", 1])},
        "a fox",
    ),
    "HunyuanDiT": (
        {"positive": node("CLIPTextEncodeHunyuanDiT", bert="a fox", mt5xl="a fox", clip=["loader", 1])},
        "a fox",
    ),
    "Lumina 2": (
        {"positive": node("CLIPTextEncodeLumina2", system_prompt="superior", user_prompt="a fox", clip=["loader", 1])},
        "a fox",
    ),
    "Qwen edit": ({"positive": node("TextEncodeQwenImageEditPlus", prompt="a fox", clip=["loader", 1])}, "a fox"),
    "ControlNet, advanced": (
        {
            "net": node("ControlNetApplyAdvanced", positive=["positive", 0], negative=["negative", 0], strength=1.0),
            "sampler": sampled(positive=["net", 0], negative=["net", 1]),
        },
        "a castle",
    ),
    "both slots of a ControlNet, swapped on purpose": (
        {
            "net": node("ControlNetApplyAdvanced", positive=["positive", 0], negative=["negative", 0], strength=1.0),
            "sampler": sampled(positive=["net", 1], negative=["net", 0]),
        },
        "blurry",
    ),
    "ControlNet, old": (
        {"net": node("ControlNetApply", conditioning=["positive", 0]), "sampler": sampled(positive=["net", 0])},
        "a castle",
    ),
    "Flux guidance, unCLIP and a style model in a row": (
        {
            "a": node("FluxGuidance", conditioning=["positive", 0], guidance=3.5),
            "b": node("unCLIPConditioning", conditioning=["a", 0], clip_vision_output=["v", 0], strength=1.0),
            "c": node("StyleModelApply", conditioning=["b", 0], style_model=["s", 0], clip_vision_output=["v", 0]),
            "sampler": sampled(positive=["c", 0]),
        },
        "a castle",
    ),
    "GLIGEN, whose own text is that of a box": (
        {
            "box": node("GLIGENTextBoxApply", conditioning_to=["positive", 0], clip=["loader", 1], text="a dog"),
            "sampler": sampled(positive=["box", 0]),
        },
        "a castle",
    ),
    "two conditionings combined": (
        {
            "more": node("CLIPTextEncode", text="at night", clip=["loader", 1]),
            "both": node("ConditioningCombine", conditioning_1=["positive", 0], conditioning_2=["more", 0]),
            "sampler": sampled(positive=["both", 0]),
        },
        "a castle , at night",
    ),
    "areas and time ranges of one text": (
        {
            "a": node("ConditioningSetArea", conditioning=["positive", 0], width=64, height=64, x=0, y=0),
            "b": node("ConditioningSetTimestepRange", conditioning=["positive", 0], start=0.0, end=0.5),
            "both": node("ConditioningConcat", conditioning_to=["a", 0], conditioning_from=["b", 0]),
            "sampler": sampled(positive=["both", 0]),
        },
        "a castle",
    ),
    "a text node": (
        {
            "text": node("PrimitiveStringMultiline", value="a fox"),
            "positive": node("CLIPTextEncode", text=["text", 0], clip=["loader", 1]),
        },
        "a fox",
    ),
    "texts put together": (
        {
            "text": node("PrimitiveString", value="a fox"),
            "joined": node("StringConcatenate", string_a=["text", 0], string_b="at night", delimiter=", "),
            "positive": node("CLIPTextEncode", text=["joined", 0], clip=["loader", 1]),
        },
        "a fox, at night",
    ),
    "words replaced": (
        {
            "text": node("Text Find and Replace", text="a fox", find="fox", replace="dog"),
            "positive": node("CLIPTextEncode", text=["text", 0], clip=["loader", 1]),
        },
        "a dog",
    ),
    "a switch whose choice is written": (
        {
            "a": node("PrimitiveString", value="a fox"),
            "on": node("PrimitiveBoolean", value=False),
            "switch": node("ComfySwitchNode", switch=["on", 0], on_true="a dog", on_false=["a", 0]),
            "positive": node("CLIPTextEncode", text=["switch", 0], clip=["loader", 1]),
        },
        "a fox",
    ),
    "the first input that is there": (
        {
            "any": node("Any Switch (rgthree)", any_01=["muted", 0], any_02=["positive", 0]),
            "sampler": sampled(positive=["any", 0]),
        },
        "a castle",
    ),
    "a wildcard text as it was drawn": (
        {
            "positive": node(
                "ImpactWildcardEncode", wildcard_text="a {fox|dog}", populated_text="a dog", clip=["loader", 1]
            )
        },
        "a dog",
    ),
    "a context that only some values were put into": (
        {
            "first": node("Context (rgthree)", model=["loader", 0], positive=["positive", 0], negative=["negative", 0]),
            "second": node("Context (rgthree)", base_ctx=["first", 0], latent=["latent", 0]),
            "sampler": sampled(positive=["second", 4], negative=["second", 5], model=["second", 1]),
        },
        "a castle",
    ),
    "Efficiency's loader, which holds the texts itself": (
        {
            "loader": node("Efficient Loader", ckpt_name="dream.safetensors", positive="a fox", negative="blurry"),
            "positive": None,
            "negative": None,
            "sampler": sampled(positive=["loader", 1], negative=["loader", 2]),
        },
        "a fox",
    ),
    "Efficiency's loader, with linked texts": (
        {
            "text": node("Text Multiline", text="a fox"),
            "loader": node("Efficient Loader", ckpt_name="dream.safetensors", positive=["text", 0], negative=""),
            "sampler": sampled(positive=["loader", 1], negative=["loader", 2]),
        },
        "a fox",
    ),
    "Easy-Use's pipe": (
        {
            "loader": node("easy fullLoader", ckpt_name="dream.safetensors", positive="a fox", negative="blurry"),
            "pre": node("easy preSampling", pipe=["loader", 0], steps=8, cfg=2.0, seed=1),
            "sampler": node("easy kSampler", pipe=["pre", 0], image_output="Preview"),
            "decode": node("PreviewImage", images=["sampler", 1]),
            "save": node("SaveImage", images=["sampler", 1]),
        },
        "a fox",
    ),
    "Impact's pipe": (
        {
            "pipe": node(
                "ToBasicPipe",
                model=["loader", 0],
                clip=["loader", 1],
                vae=["loader", 2],
                positive=["positive", 0],
                negative=["negative", 0],
            ),
            "sampler": node("ImpactKSamplerBasicPipe", basic_pipe=["pipe", 0], steps=20, latent_image=["latent", 0]),
            "decode": node("VAEDecode", samples=["sampler", 1], vae=["sampler", 2]),
        },
        "a castle",
    ),
    "an encoder that holds both texts": (
        {
            "both": node("TextEncodeBoth", prompt="a fox", negative_prompt="blurry", clip=["loader", 1]),
            "sampler": sampled(positive=["both", 0], negative=["both", 1]),
        },
        "a fox",
    ),
    "the prompt that the recommender read": (
        {
            "chooses": node("ContextCheckpointRecommender", prompt="a fox", seed=1, include="*"),
            "positive": node("CLIPTextEncode", text=["chooses", 5], clip=["loader", 1]),
        },
        "a fox",
    ),
    "both texts in one output": (
        {
            "words": node("WanVideoTextEncode", positive_prompt="a fox", negative_prompt="blurry", t5=["t5", 0]),
            "sampler": node("WanVideoSampler", model=["loader", 0], text_embeds=["words", 0], steps=20),
        },
        "a fox",
    ),
    "hooks for both texts": (
        {
            "pair": node(
                "PairConditioningSetProperties",
                positive_NEW=["positive", 0],
                negative_NEW=["negative", 0],
                strength=1.0,
            ),
            "sampler": sampled(positive=["pair", 0], negative=["pair", 1]),
        },
        "a castle",
    ),
}


@pytest.mark.parametrize("case", TEXTS)
def test_the_prompt_is_found(case):
    """Through encoders, conditionings, texts, switches, pipes and loaders of the usual packs."""
    changes, expected = TEXTS[case]
    found = read_images(graph(**changes))["save"]
    assert (found.recipe.positive, found.recipe.model) == (expected, "dream.safetensors"), found.unclear


MODELS: dict[str, tuple[dict[str, Node | None], str, tuple[tuple[str, float, float], ...]]] = {
    "a diffusion model": (
        {"unet": node("UNETLoader", unet_name="flux.safetensors"), "sampler": sampled(model=["unet", 0])},
        "flux.safetensors",
        (),
    ),
    "patches on the way": (
        {
            "unet": node("UnetLoaderGGUF", unet_name="flux.gguf"),
            "shift": node("ModelSamplingFlux", model=["unet", 0], max_shift=1.15),
            "face": node("IPAdapterAdvanced", model=["shift", 0], ipadapter=["i", 0], image=["m", 0], weight=1.0),
            "sampler": sampled(model=["face", 0]),
        },
        "flux.gguf",
        (),
    ),
    "LoRAs in a row": (
        {
            "a": node(
                "LoraLoader",
                model=["loader", 0],
                clip=["loader", 1],
                lora_name="a",
                strength_model=0.5,
                strength_clip=1,
            ),
            "b": node("LoraLoaderModelOnly", model=["a", 0], lora_name="b", strength_model=0.8),
            "sampler": sampled(model=["b", 0]),
        },
        "dream.safetensors",
        (("a", 0.5, 1.0), ("b", 0.8, 0.8)),
    ),
    "rgthree's LoRAs, of which one is off": (
        {
            "power": node(
                "Power Lora Loader (rgthree)",
                model=["loader", 0],
                lora_1={"on": True, "lora": "a", "strength": 0.7},
                lora_2={"on": False, "lora": "b", "strength": 1},
            ),
            "sampler": sampled(model=["power", 0]),
        },
        "dream.safetensors",
        (("a", 0.7, 0.7),),
    ),
    "Lora-Manager": (
        {
            "manager": node(
                "Lora Loader (LoraManager)",
                model=["loader", 0],
                text="<lora:a:0.6>",
                loras={"__value__": [{"name": "a", "strength": "0.6", "clipStrength": "0.4", "active": True}]},
            ),
            "sampler": sampled(model=["manager", 0]),
        },
        "dream.safetensors",
        (("a", 0.6, 0.4),),
    ),
    "Comfyroll's stack": (
        {
            "stack": node(
                "CR LoRA Stack",
                switch_1="On",
                lora_name_1="a",
                model_weight_1=0.9,
                clip_weight_1=0.8,
                switch_2="Off",
                lora_name_2="b",
                model_weight_2=1.0,
                clip_weight_2=1.0,
            ),
            "apply": node("CR Apply LoRA Stack", model=["loader", 0], clip=["loader", 1], lora_stack=["stack", 0]),
            "sampler": sampled(model=["apply", 0]),
        },
        "dream.safetensors",
        (("a", 0.9, 0.8),),
    ),
    "a ControlNet's file in a pipe": (
        {
            "whole": node("easy fullLoader", ckpt_name="dream.safetensors", positive="a fox", negative=""),
            "net": node("easy controlnetLoader", pipe=["whole", 0], control_net="pose.safetensors"),
            "sampler": node("easy kSampler", pipe=["net", 0]),
            "save": node("SaveImage", images=["sampler", 1]),
        },
        "dream.safetensors",
        (),
    ),
    "the same, with values that have no names": (
        {
            "whole": node("easy fullLoader", ckpt_name="dream.safetensors", positive="a fox", negative=""),
            "net": node("easy controlnetLoader", pipe=["whole", 0], widget_0="pose.safetensors", widget_1=0.8),
            "sampler": node("easy kSampler", pipe=["net", 0]),
            "save": node("SaveImage", images=["sampler", 1]),
        },
        "dream.safetensors",
        (),
    ),
    "Efficiency's stacker, of which two are shown, with one strength for both": (
        {
            "stack": node(
                "LoRA Stacker",
                input_mode="simple",
                lora_count=2,
                lora_name_1="a",
                lora_wt_1=0.5,
                model_str_1=1.0,
                clip_str_1=1.0,
                lora_name_2="None",
                lora_wt_2=1.0,
                model_str_2=1.0,
                clip_str_2=1.0,
                lora_name_3="hidden",
                lora_wt_3=1.0,
                model_str_3=1.0,
                clip_str_3=1.0,
            ),
            "apply": node("CR Apply LoRA Stack", model=["loader", 0], clip=["loader", 1], lora_stack=["reroute", 0]),
            "reroute": {"class_type": "Reroute", "inputs": {"": ["stack", 0]}},
            "sampler": sampled(model=["apply", 0]),
        },
        "dream.safetensors",
        (("a", 0.5, 0.5),),
    ),
    "Efficiency's stacker with two strengths": (
        {
            "stack": node(
                "LoRA Stacker",
                input_mode="advanced",
                lora_count=1,
                lora_name_1="a",
                lora_wt_1=0.5,
                model_str_1=0.8,
                clip_str_1=0.3,
            ),
            "apply": node("CR Apply LoRA Stack", model=["loader", 0], clip=["loader", 1], lora_stack=["stack", 0]),
            "sampler": sampled(model=["apply", 0]),
        },
        "dream.safetensors",
        (("a", 0.8, 0.3),),
    ),
    "a stack that is computed": (
        {
            "stack": node("CR Something", seed=5),
            "apply": node("CR Apply LoRA Stack", model=["loader", 0], clip=["loader", 1], lora_stack=["stack", 0]),
            "sampler": sampled(model=["apply", 0]),
        },
        "dream.safetensors",
        None,
    ),
    "a model loader that takes settings and a LoRA": (
        {
            "lora": node("WanVideoLoraSelect", lora="fast.safetensors", strength=0.5),
            "swap": node("WanVideoBlockSwap", blocks_to_swap=20),
            "wan": node("WanVideoModelLoader", model="wan.safetensors", block_swap_args=["swap", 0], lora=["lora", 0]),
            "words": node("WanVideoTextEncode", positive_prompt="a fox", negative_prompt="blurry", t5=["t5", 0]),
            "sampler": node("WanVideoSampler", model=["wan", 0], text_embeds=["words", 0], steps=20),
        },
        "wan.safetensors",
        (("fast.safetensors", 0.5, 0.5),),
    ),
    "a loader nobody knows, which is told by its file": (
        {"odd": node("Loads Anything", what="odd.safetensors", dtype="fp8"), "sampler": sampled(model=["odd", 0])},
        "odd.safetensors",
        (),
    ),
    "a name from a text node": (
        {
            "name": node("PrimitiveString", value="named.safetensors"),
            "loader": node("CheckpointLoaderSimple", ckpt_name=["name", 0]),
        },
        "named.safetensors",
        (),
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_the_model_and_its_loras_are_found(case):
    """Through patches, and from the loaders and LoRA nodes of the usual packs."""
    changes, model, loras = MODELS[case]
    found = read_images(graph(**changes))["save"]
    assert (found.recipe.model, found.recipe.loras) == (model, loras), found.unclear


UNCLEAR: dict[str, tuple[dict[str, Node | None], str, str, str]] = {
    "a text that a model writes": (
        {
            "writer": node("OllamaGenerate", prompt="describe a castle", model="x"),
            "positive": node("CLIPTextEncode", text=["writer", 0], clip=["loader", 1]),
        },
        "positive",
        "writer",
        "computed",
    ),
    "a style that is put around the text": (
        {
            "styled": node("SDXL Prompt Styler", text_positive="a castle", style="anime"),
            "positive": node("CLIPTextEncode", text=["styled", 0], clip=["loader", 1]),
        },
        "positive",
        "styled",
        "computed",
    ),
    "a node nobody knows": (
        {"odd": node("Odd", a=["positive", 0], b=["negative", 0]), "sampler": sampled(positive=["odd", 0])},
        "positive",
        "odd",
        "unknown_node",
    ),
    "a switch that is set by something computed": (
        {
            "choice": node("RandomBool", seed=4, low=0),
            "switch": node("ComfySwitchNode", switch=["choice", 0], on_true=["negative", 0], on_false=["positive", 0]),
            "sampler": sampled(positive=["switch", 0]),
        },
        "positive",
        "switch",
        "several",
    ),
    "a muted encoder": ({"positive": None}, "positive", "positive", "missing"),
    "two models merged": (
        {
            "other": node("CheckpointLoaderSimple", ckpt_name="other.safetensors"),
            "merged": node("ModelMergeSimple", model1=["loader", 0], model2=["other", 0], ratio=0.5),
            "sampler": sampled(model=["merged", 0]),
        },
        "model",
        "merged",
        "several",
    ),
    "a model that is chosen by a recommender": (
        {
            "chooses": node("ContextCheckpointRecommender", prompt="a castle", seed=1),
            "loader": node("CheckpointLoaderSimple", ckpt_name=["chooses", 1]),
        },
        "model",
        "loader",
        "computed",
    ),
    "links in a circle": (
        {
            "a": node("FluxGuidance", conditioning=["b", 0]),
            "b": node("FluxGuidance", conditioning=["a", 0]),
            "sampler": sampled(positive=["a", 0]),
        },
        "positive",
        "b",
        "circular",
    ),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_unclear_stays_empty_and_the_node_is_named(case):
    """Never a guess: None, the node that stopped the search, and why."""
    changes, field, stopped, reason = UNCLEAR[case]
    found = read_images(graph(**changes))["save"]
    assert getattr(found.recipe, field) is None
    assert [(one.node, one.reason) for one in found.unclear if one.field == field] == [(stopped, reason)]


def test_a_pipe_holds_both_texts_whatever_its_place_among_the_outputs():
    """Efficiency's tuple is the first output of a node whose inputs are conditionings."""
    packed = node(
        "Pack SDXL Tuple", base_model=["loader", 0], base_positive=["positive", 0], base_negative=["negative", 0]
    )
    sampler = node("KSampler SDXL (Eff.)", sdxl_tuple=["packed", 0], latent_image=["latent", 0], steps=20)
    found = recipe(packed=packed, sampler=sampler)
    assert (found.positive, found.negative, found.model) == ("a castle", "blurry", "dream.safetensors")


def test_a_zeroed_conditioning_is_an_empty_negative():
    """What ConditioningZeroOut is given does not matter."""
    zero = node("ConditioningZeroOut", conditioning=["positive", 0])
    assert recipe(zero=zero, sampler=sampled(negative=["zero", 0])).negative == ""


def test_the_first_pass_counts():
    """Hires fix and refiner come after the sampler whose recipe it is; each can be asked for."""
    prompt = graph(
        refiner=node("CheckpointLoaderSimple", ckpt_name="refiner.safetensors"),
        up=node("LatentUpscaleBy", samples=["sampler", 0], scale_by=2.0),
        second=sampled(model=["refiner", 0], latent_image=["up", 0], steps=9),
        decode=node("VAEDecode", samples=["second", 0], vae=["refiner", 2]),
        pixels=node("VAEEncode", pixels=["decode", 0], vae=["refiner", 2]),
        third=sampled(latent_image=["pixels", 0], steps=5),
        last=node("VAEDecode", samples=["third", 0], vae=["refiner", 2]),
        save=node("SaveImage", images=["last", 0]),
    )
    assert read_graph(prompt)["save"].steps == 20
    assert {name: reading.recipe.steps for name, reading in read_samplers(prompt).items()} == {
        "sampler": 20,
        "second": 9,
        "third": 5,
    }


def test_an_image_that_starts_another_is_not_its_first_pass():
    """A video from an image has the recipe of the video."""
    prompt = graph(
        video=node("UNETLoader", unet_name="wan.safetensors"),
        start=node(
            "WanImageToVideo", positive=["positive", 0], negative=["negative", 0], start_image=["decode", 0], width=832
        ),
        second=sampled(model=["video", 0], positive=["start", 0], negative=["start", 1], latent_image=["start", 2]),
        frames=node("VAEDecode", samples=["second", 0], vae=["loader", 2]),
        save=node("SaveWEBM", images=["frames", 0]),
    )
    assert read_graph(prompt)["save"].model == "wan.safetensors"


def test_images_of_several_samplers_keep_what_they_agree_on():
    """Side by side in one image: one model, two prompts."""
    found = read_images(
        graph(
            more=node("CLIPTextEncode", text="a dog", clip=["loader", 1]),
            second=sampled(positive=["more", 0]),
            other=node("VAEDecode", samples=["second", 0], vae=["loader", 2]),
            both=node("ImageStitch", image1=["decode", 0], image2=["other", 0]),
            save=node("SaveImage", images=["both", 0]),
        )
    )["save"]
    assert (found.recipe.model, found.recipe.positive, found.sampler) == ("dream.safetensors", None, None)
    assert ("positive", "save", "several") in [(one.field, one.node, one.reason) for one in found.unclear]


def test_a_custom_sampler_is_read_through_its_guider_sigmas_and_noise():
    """SamplerCustomAdvanced has nothing but links."""
    found = recipe(
        guider=node("CFGGuider", model=["loader", 0], positive=["positive", 0], negative=["negative", 0], cfg=4.0),
        select=node("KSamplerSelect", sampler_name="uni_pc"),
        sigmas=node("BasicScheduler", model=["loader", 0], scheduler="simple", steps=12, denoise=1.0),
        noise=node("RandomNoise", noise_seed=3),
        sampler=node(
            "SamplerCustomAdvanced",
            noise=["noise", 0],
            guider=["guider", 0],
            sampler=["select", 0],
            sigmas=["sigmas", 0],
            latent_image=["latent", 0],
        ),
    )
    assert (found.positive, found.negative, found.model) == ("a castle", "blurry", "dream.safetensors")
    assert (found.steps, found.cfg, found.sampler, found.scheduler, found.seed) == (12, 4.0, "uni_pc", "simple", 3)


@pytest.mark.parametrize("own", [{}, {"cfg": 1.0}])
def test_the_guidance_of_flux_is_no_cfg(own):
    """On a node behind the sampler, or on samplers of other packs."""
    guided = node("FluxGuidance", conditioning=["positive", 0], guidance=3.5)
    basic = node("BasicGuider", model=["loader", 0], conditioning=["guided", 0])
    advanced = node("SamplerCustomAdvanced", guider=["basic", 0], latent_image=["latent", 0], sigmas=["x", 0])
    of_a_pack = sampled(positive=["guided", 0], guidance=3.5)
    of_a_pack["inputs"] = {name: value for name, value in of_a_pack["inputs"].items() if name != "cfg"} | own

    assert recipe(guided=guided, basic=basic, sampler=advanced).cfg is None
    assert recipe(guided=guided, sampler=of_a_pack).cfg == own.get("cfg")


def test_the_first_conditioning_of_a_guider_with_two_is_the_prompt():
    """DualCFGGuider's second one is for editing an image, often with the negative's text."""
    guider = node(
        "DualCFGGuider", model=["loader", 0], cond1=["positive", 0], cond2=["negative", 0], negative=["negative", 0]
    )
    sampler = node("SamplerCustomAdvanced", guider=["guider", 0], latent_image=["latent", 0], sigmas=["x", 0])
    found = recipe(guider=guider, sampler=sampler)
    assert (found.positive, found.negative) == ("a castle", "blurry")


def test_what_gives_a_detailer_its_model_is_no_pass_of_its_own():
    """The image that a detailer mends is the one whose recipe it is."""
    found = recipe(
        words=node("CLIPTextEncode", text="a face", clip=["loader", 1]),
        pipe=node(
            "ToDetailerPipe", model=["loader", 0], positive=["words", 0], negative=["negative", 0], clip=["loader", 1]
        ),
        mended=node("FaceDetailerPipe", image=["decode", 0], detailer_pipe=["pipe", 0], steps=8),
        save=node("SaveImage", images=["mended", 0]),
    )
    assert found.positive == "a castle"


def test_a_guider_without_a_negative_has_an_empty_one():
    """Flux's BasicGuider takes one conditioning."""
    guider = node("BasicGuider", model=["loader", 0], conditioning=["positive", 0])
    sampler = node("SamplerCustomAdvanced", guider=["guider", 0], latent_image=["latent", 0], sigmas=["x", 0])
    found = recipe(guider=guider, sampler=sampler)
    assert (found.positive, found.negative) == ("a castle", "")


def test_the_place_of_a_text_is_where_it_is_written():
    """Through text nodes; and where it enters its encoder is said too."""
    changes = {
        "text": node("PrimitiveString", value="a fox"),
        "positive": node("CLIPTextEncode", text=["text", 0], clip=["loader", 1]),
    }
    found = read_images(graph(**changes))["save"]
    assert [(place.node, place.input) for place in found.places["positive"]] == [("text", "value")]
    assert [(place.node, place.input) for place in found.places["negative"]] == [("negative", "text")]
    assert [(place.node, place.input) for place in found.entries["positive"]] == [("positive", "text")]


def test_a_loader_is_asked_for_its_own_images():
    """Of two loaders in one graph each has its own prompt, and one that makes no image has none."""
    prompt = graph(
        other=node("CheckpointLoaderSimple", ckpt_name="other.safetensors"),
        idle=node("CheckpointLoaderSimple", ckpt_name="idle.safetensors"),
        words=node("CLIPTextEncode", text="a dog", clip=["other", 1]),
        second=sampled(model=["other", 0], positive=["words", 0]),
        more=node("VAEDecode", samples=["second", 0], vae=["other", 2]),
        preview=node("PreviewImage", images=["more", 0]),
    )
    found = read_loader(prompt, "other")
    assert found is not None
    assert (found.recipe.model, found.recipe.positive) == ("other.safetensors", "a dog")
    assert read_loader(prompt, "idle") is None


def test_branches_that_meet_again_and_again_end():
    """Sixty levels that each use the level below twice would be 2^60 steps."""
    levels = {
        f"c{level}": node(
            "ConditioningCombine", conditioning_1=[f"c{level - 1}", 0], conditioning_2=[f"c{level - 1}", 0]
        )
        for level in range(1, 60)
    }
    found = read_images(graph(c0=graph()["positive"], **levels, sampler=sampled(positive=["c59", 0])))["save"]
    assert found.recipe.positive is None
    assert any(one.field == "positive" and one.reason == "circular" for one in found.unclear)


def planned(**inputs: object) -> dict[str, Node]:
    """A graph in which our sampler draws what a plan says."""
    settings = {"seed": 7, "steps": 20, "cfg": 6.5, "sampler_name": "euler", "scheduler": "karras", "width": 512}
    return {
        "recommender": node("ContextCheckpointRecommender", prompt="a castle"),
        "settings": node("ContextSettingsRecommender", plan=["recommender", 0], steps=30),
        "sampler": node(
            "MultiCheckpointSampler",
            **{"positive": "", "negative": "", "height": 768} | settings,
            plan=["settings", 0],
            **inputs,
        ),
        "save": node("SaveImage", images=["sampler", 0]),
    }


def test_our_sampler_takes_the_plans_prompt_and_its_model_is_known_when_it_runs():
    """The plan may have passed through other nodes."""
    reading = read_images(planned())["save"]

    assert (reading.recipe.model, reading.recipe.positive, reading.recipe.negative) == (None, "a castle", "")
    assert (reading.recipe.steps, reading.recipe.width, reading.recipe.height) == (20, 512, 768)
    assert [(one.field, one.reason) for one in reading.unclear] == [("model", "computed")]


def test_what_our_sampler_may_take_from_the_checkpoint_is_known_when_it_runs():
    """Unless it is set to its own values; a graph without the choice is older than it."""
    own = "each checkpoint's own, where known"
    computed = [("model", "computed"), *((name, "computed") for name in ("steps", "cfg", "sampler", "scheduler"))]

    reading = read_images(planned(settings=own))["save"]
    fixed = read_images(planned(settings="as set here"))["save"]

    assert [(one.field, one.reason) for one in reading.unclear] == computed
    assert (reading.recipe.steps, reading.recipe.seed, reading.recipe.positive) == (None, 7, "a castle")
    assert (fixed.recipe.steps, fixed.recipe.sampler) == (20, "euler")


def test_our_sampler_takes_its_own_prompt_first():
    """And the size of a latent that is linked to it."""
    prompt = planned(latent=["latent", 0])
    prompt["sampler"]["inputs"]["positive"] = "a tower"  # type: ignore[index]
    prompt["latent"] = node("EmptyLatentImage", width=1024, height=1152)

    recipe = read_images(prompt)["save"].recipe

    assert (recipe.positive, recipe.width, recipe.height) == ("a tower", 1024, 1152)


def test_our_sampler_without_a_plan_says_so():
    """Nothing is guessed, and plans that lead to one another end."""
    circular = planned()
    circular["settings"]["inputs"]["plan"] = ["settings", 0]  # type: ignore[index]
    alone = planned()
    del alone["sampler"]["inputs"]["plan"]  # type: ignore[attr-defined]

    reasons = [
        next(one.reason for one in read_images(prompt)["save"].unclear if one.field == "positive")
        for prompt in (circular, alone)
    ]

    assert reasons == ["circular", "no_input"]


def test_numbers_that_no_tool_has_are_left_out():
    """Infinity and what is not a number come from JSON that other programs wrote."""
    recipe = read_images(graph(sampler=sampled(steps=float("inf"), cfg=float("nan"), seed=2**64 - 1)))["save"].recipe

    assert (recipe.steps, recipe.cfg, recipe.seed) == (None, None, 2**64 - 1)


def test_the_sources_of_images_are_found_behind_whatever_changes_them() -> None:
    """By class and output; a node of these classes ends the walk."""
    prompt = {
        "first": node("Maker", images=["second", 0]),
        "second": node("Maker"),
        "scaled": node("ImageScale", image=["first", 2], width=64),
        "both": node("ImageBatch", image1=["scaled", 0], image2=["elsewhere", 0]),
        "end": node("SaveImage", images=["both", 0]),
        "loop": node("ImageScale", image=["loop", 0]),
    }

    assert image_sources(prompt, "end", ["Maker"]) == {("Maker", 2)}
    assert image_sources(prompt, "loop", ["Maker"]) == set()
    assert image_sources(prompt, "nobody", ["Maker"]) == set()
