"""LoRAs in a real ComfyUI: of stacks, of the plan and of the prompt's tags, drawn, loaded, shown and logged."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, Picture
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, Lora, by_hand, node
from context_checkpoint.demo.tiny_models.checkpoints import write_lora, write_parts
from context_checkpoint.recipes import read_file

from .conftest import assert_same, preferences_file

RED, GREEN, PAINT = "red.safetensors", "green.safetensors", "sd15/paint.safetensors"
WASH, GRAIN, INK = "sd3/wash.safetensors", "sd3/grain.safetensors", "sd15/Ink Style.safetensors"
LORAS = {WASH: "sd3", GRAIN: "sd3", INK: "sd15"}


@pytest.fixture(autouse=True)
def _loras(comfy: ComfyServer) -> Iterator[None]:
    """Three LoRAs in ComfyUI's folder, and none afterwards: other tests have their own."""
    folder = comfy.base_directory / "models" / "loras"
    for seed, (name, family) in enumerate(LORAS.items()):
        write_lora(folder / name, family, seed=seed)  # type: ignore[arg-type]
    yield
    for file in folder.rglob("*.safetensors"):
        file.unlink()


def with_stack(graph: ApiGraph, *loras: Lora | list[Any], **stacker: Any) -> ApiGraph:
    """Connect a stack to the sampler, or to our loader."""
    graph["stack"] = node("GivesStack", stack=json.dumps(loras), **{"tuples": True, **stacker})
    target = "sampler" if graph["sampler"]["class_type"] == "MultiCheckpointSampler" else "loader"
    graph[target]["inputs"]["lora_stack"] = ["stack", 0]
    return graph


def with_plan_loras(graph: ApiGraph, *branches: tuple[int, Sequence[Lora]]) -> ApiGraph:
    """Give the plan branches: each the number of its checkpoint, and its LoRAs."""
    graph["plan_loras"] = node("GivesPlanLoras", plan=["recommender", 0], branches=json.dumps(branches))
    for entry in graph.values():
        if entry["inputs"].get("plan") == ["recommender", 0] and entry is not graph["plan_loras"]:
            entry["inputs"]["plan"] = ["plan_loras", 0]
    return graph


def one(checkpoint: str, prompt: str = "an owl", **sampler: Any) -> ApiGraph:
    negative = sampler.pop("negative", "blurry")
    return three_nodes(prompt, negative=negative, seed=7, size=64, sampler=sampler, recommender={"include": checkpoint})


def stock(checkpoint: str, *loras: Lora, prompt: str = "an owl", **options: Any) -> ApiGraph:
    return by_hand(
        checkpoint, loras=loras, **{"prompt": prompt, "negative": "blurry", "seed": 7, "size": 64, **options}
    )


def own_graph(include: str) -> ApiGraph:
    """Recommender, our loader, otherwise stock nodes, and the recorder."""
    graph = stock(RED)
    graph["recommender"] = node("ContextCheckpointRecommender", prompt="an owl", include=include, stage="draft", seed=1)
    graph["loader"] = node("RecommendedCheckpointLoader", plan=["recommender", 0])
    graph["recorder"] = node(
        "FeedbackRecorder",
        images=["decoded", 0],
        mode="record",
        selected="",
        rejected="",
        plan=["recommender", 0],
        ckpt_names=["loader", 3],
    )
    return graph


def drawn(comfy: ComfyServer, graph: ApiGraph, shown: str = "recorder") -> list[Picture]:
    return comfy.images(comfy.run(graph), shown)


def by_stock(comfy: ComfyServer, checkpoint: str, *loras: Lora, **options: Any) -> list[Picture]:
    return drawn(comfy, stock(checkpoint, *loras, **options), "shown")


def differ(one: Sequence[Picture], other: Sequence[Picture]) -> bool:
    return not any(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))


def message(entry: Mapping[str, Any]) -> str:
    """What the nodes say in the history."""
    shown = (output.get("context_checkpoint_message", ()) for output in entry["outputs"].values())
    return " ".join(each["message"] for messages in shown for each in messages)


def logged_loras(comfy: ComfyServer) -> list[tuple[str, list[list[Any]] | None]]:
    """Of each logged image, in their order: its checkpoint and its LoRAs."""
    with closing(sqlite3.connect(preferences_file(comfy))) as database:
        rows = database.execute(
            "SELECT name, settings FROM generation_images JOIN checkpoints ON checkpoints.id = checkpoint_id "
            "LEFT JOIN image_settings ON image_settings.id = settings_id ORDER BY generation_number, position"
        )
        return [(name, json.loads(settings or "{}").get("loras")) for name, settings in rows]


@pytest.mark.parametrize(
    ("checkpoint", "loras"),
    [
        (RED, [(WASH, 0.8, 0.8)]),
        (RED, [(WASH, 0.8, 0.8), (GRAIN, -0.5, 0.25)]),
        (PAINT, [(INK, 0.75, 0.5)]),
    ],
)
def test_a_stack_is_drawn_as_a_chain_of_stock_loaders(comfy: ComfyServer, checkpoint: str, loras: list[Lora]) -> None:
    """Pixel for pixel, on the model and on the text encoder; and logged."""
    ours = drawn(comfy, with_stack(one(checkpoint), *loras))

    assert_same(ours, by_stock(comfy, checkpoint, *loras))
    assert differ(ours, by_stock(comfy, checkpoint))
    assert logged_loras(comfy) == [(checkpoint, sorted(map(list, loras)))]


def test_each_branch_takes_the_loras_of_its_architecture(comfy: ComfyServer) -> None:
    """Of one stack for all; the node says which are left out where, and the run goes on."""
    graph = with_stack(one(f"{RED}, {PAINT}"), (WASH, 1.0, 1.0), (INK, 0.5, 0.5))
    graph["recommender"]["inputs"] |= {"family": "all", "stage": "draft"}

    entry = comfy.run(graph)

    names = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    pictures = dict(zip(names, comfy.images(entry, "recorder"), strict=True))
    assert_same([pictures[RED]], by_stock(comfy, RED, (WASH, 1.0, 1.0)))
    assert_same([pictures[PAINT]], by_stock(comfy, PAINT, (INK, 0.5, 0.5)))
    assert f"The LoRA {INK} is for sd15, so it is left out for {RED} (sd3)." in message(entry)
    assert f"The LoRA {WASH} is for sd3, so it is left out for {PAINT} (sd15)." in message(entry)
    assert message(entry) in generations(entry)[0]["message"]


@pytest.mark.parametrize("tuples", [True, False])
def test_a_stack_may_be_of_any_shape_that_packs_give(comfy: ComfyServer, tuples: bool) -> None:
    """Lists and tuples, "None" entries, texts as strengths, another separator and another case."""
    graph = with_stack(one(RED), ["None", 1, 1], ["SD3\\Wash.safetensors", "0.5", 1], tuples=tuples)

    assert_same(drawn(comfy, graph), by_stock(comfy, RED, (WASH, 0.5, 1.0)))


def test_an_empty_stack_changes_nothing(comfy: ComfyServer) -> None:
    """Packs give None or an empty list where nothing is chosen."""
    none = one(RED)
    none["stack"] = node("GivesStack", stack="null", tuples=True)
    none["sampler"]["inputs"]["lora_stack"] = ["stack", 0]

    assert_same(drawn(comfy, none), by_stock(comfy, RED))
    assert_same(drawn(comfy, with_stack(one(RED))), by_stock(comfy, RED))
    assert logged_loras(comfy) == [(RED, []), (RED, [])]


def test_the_plans_loras_are_drawn_after_those_of_the_stack(comfy: ComfyServer) -> None:
    """Two branches of one checkpoint, with and without: the same seed, and each logged with its own."""
    graph = with_stack(with_plan_loras(one(PAINT), (0, [(INK, 1.0, 1.0)]), (0, [])), (WASH, 1, 1))
    graph["sampler"]["inputs"]["images_per_prompt"] = 2

    entry = comfy.run(graph)

    assert_same(comfy.images(entry, "recorder"), [*by_stock(comfy, PAINT, (INK, 1.0, 1.0)), *by_stock(comfy, PAINT)])
    assert logged_loras(comfy) == [(PAINT, [[INK, 1.0, 1.0]]), (PAINT, [])]


def test_what_is_in_stack_plan_and_prompt_is_applied_once(comfy: ComfyServer) -> None:
    """The stack counts first; another strength is said."""
    graph = one(RED, "an owl <lora:wash:0.3> <lora:grain:0.4>")
    graph = with_stack(with_plan_loras(graph, (0, [(WASH, 0.9, 0.9), (GRAIN, 0.4, 0.4)])), (WASH, 0.5, 0.5))

    entry = comfy.run(graph)

    loras = ((WASH, 0.5, 0.5), (GRAIN, 0.4, 0.4))
    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, RED, *loras))
    assert message(entry).count("is named more than once") == 2


def test_the_nodes_own_settings_keep_the_plans_loras(comfy: ComfyServer) -> None:
    """Branches that differ in their LoRAs alone stay apart; the same branch is drawn once."""
    branches = (0, [(WASH, 1.0, 1.0)]), (0, []), (0, [(WASH, 1.0, 1.0)])
    graph = with_plan_loras(one(RED, settings="as set here"), *branches)

    assert_same(drawn(comfy, graph), [*by_stock(comfy, RED, (WASH, 1.0, 1.0)), *by_stock(comfy, RED)])


@pytest.mark.parametrize("connected", [False, True])
def test_tags_are_applied_and_taken_out_of_the_text(comfy: ComfyServer, connected: bool) -> None:
    """By name without folder and extension, in any case; also where the prompt comes from another node."""
    prompt = "an owl, <lora:ink style:0.8:0.5> in the snow"
    graph = one(PAINT, prompt)
    if connected:
        graph["text"] = node("PrimitiveStringMultiline", value=prompt)
        graph["sampler"]["inputs"]["positive"] = ["text", 0]

    entry = comfy.run(graph)

    stripped = "an owl,  in the snow"
    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, PAINT, (INK, 0.8, 0.5), prompt=stripped))
    assert message(entry) == ""
    assert logged_loras(comfy) == [(PAINT, [[INK, 0.8, 0.5]])]


def test_the_recommenders_prompt_has_tags_too(comfy: ComfyServer) -> None:
    """Where the sampler's own text is empty."""
    graph = one(RED, "an owl <lora:wash:0.8>")
    graph["sampler"]["inputs"]["positive"] = ""

    assert_same(drawn(comfy, graph), by_stock(comfy, RED, (WASH, 0.8, 0.8), prompt="an owl "))


def test_tags_may_stay_text(comfy: ComfyServer) -> None:
    """As a stock text encoder gets them."""
    prompt = "an owl, <lora:ink style:0.8>"

    ours = drawn(comfy, one(PAINT, prompt, lora_tags="keep as text"))

    assert_same(ours, by_stock(comfy, PAINT, prompt=prompt))
    assert differ(ours, by_stock(comfy, PAINT, prompt="an owl, "))


def test_a_tag_that_cannot_be_applied_is_said_and_in_no_text(comfy: ComfyServer) -> None:
    """No such file, no number, or in the negative prompt."""
    graph = one(PAINT, "an owl<lora:gone:1><lora:ink style:much>", negative="blurry<lora:ink style:1>")

    entry = comfy.run(graph)

    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, PAINT))
    said = message(entry)
    assert "There is no LoRA gone in ComfyUI's folders" in said
    assert "<lora:ink style:much> is not applied: its strength is no number." in said
    assert "<lora:ink style:1> is not applied, because it is in the negative prompt." in said


def test_a_lora_that_was_missing_is_found_when_it_comes(comfy: ComfyServer) -> None:
    """The same graph, queued again, is not served from ComfyUI's cache."""
    graph = one(RED, "an owl <lora:late:1>")
    graph["recommender"]["inputs"]["seed"] = 3
    before = drawn(comfy, graph)
    write_lora(comfy.base_directory / "models/loras/late.safetensors", "sd3", seed=9)

    after = drawn(comfy, graph)

    assert_same(before, by_stock(comfy, RED, prompt="an owl "))
    assert_same(after, by_stock(comfy, RED, ("late.safetensors", 1.0, 1.0), prompt="an owl "))


def test_a_broken_lora_is_left_out(comfy: ComfyServer) -> None:
    """A web page under a LoRA's name fails no run."""
    (comfy.base_directory / "models/loras/page.safetensors").write_bytes(b"<!doctype html>" * 100)

    entry = comfy.run(with_stack(one(RED), ("page.safetensors", 1.0, 1.0)))

    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, RED))
    assert "The LoRA page.safetensors cannot be applied: it is a web page" in message(entry)


def test_texts_of_other_loras_are_never_taken_for_the_former(comfy: ComfyServer) -> None:
    """Encoded texts are kept between prompts: apart by LoRA, by strength and by the LoRA's file."""
    for loras in ([(INK, 1.0, 1.0)], [], [(INK, 1.0, 0.5)], [(INK, 1.0, 1.0)]):
        assert_same(drawn(comfy, with_stack(one(PAINT), *loras)), by_stock(comfy, PAINT, *loras))
    write_lora(comfy.base_directory / "models/loras" / INK, "sd15", seed=12)
    graph, reference = one(PAINT, steps=3), stock(PAINT, (INK, 1.0, 1.0), steps=3)  # not served from a cache

    assert_same(drawn(comfy, with_stack(graph, (INK, 1.0, 1.0))), drawn(comfy, reference, "shown"))


def test_a_kept_text_is_not_encoded_again(comfy: ComfyServer) -> None:
    """With another seed, with LoRAs as without."""
    graph = with_stack(one(PAINT, "a kept owl"), (INK, 1.0, 1.0))
    comfy.run(graph)
    comfy.get("/loader_calls")
    graph["sampler"]["inputs"]["seed"] = 8

    comfy.run(graph)

    assert comfy.get("/loader_calls")["encodings"] == 0


def test_loras_leave_the_kept_checkpoint_as_it_is(comfy: ComfyServer) -> None:
    """It is not read again, and the next images without them are as before."""
    plain, loras = one(PAINT), with_stack(one(PAINT), (INK, 1.0, 1.0))
    before = drawn(comfy, plain)
    comfy.get("/loader_calls")

    drawn(comfy, loras)
    drawn(comfy, with_stack(loader_graph(PAINT), (INK, 1.0, 1.0)), "shown")
    plain["recommender"]["inputs"]["seed"] = 11
    after = drawn(comfy, plain)

    assert comfy.get("/loader_calls")["calls"] == []
    assert_same(after, before)


def loader_graph(include: str) -> ApiGraph:
    return own_graph(include)


def test_our_loader_gives_checkpoints_with_the_stacks_loras(comfy: ComfyServer) -> None:
    """Each with those of its architecture, in a person's own graph."""
    graph = with_stack(own_graph(f"{RED}, {PAINT}"), (WASH, 1.0, 1.0), (INK, 0.5, 0.25))
    graph["recommender"]["inputs"]["family"] = "all"

    entry = comfy.run(graph)

    names = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    pictures = dict(zip(names, comfy.images(entry, "shown"), strict=True))
    assert_same([pictures[RED]], by_stock(comfy, RED, (WASH, 1.0, 1.0)))
    assert_same([pictures[PAINT]], by_stock(comfy, PAINT, (INK, 0.5, 0.25)))
    assert f"The LoRA {INK} is for sd15, so it is left out for {RED} (sd3)." in message(entry)
    assert dict(logged_loras(comfy)) == {RED: [[WASH, 1.0, 1.0]], PAINT: [[INK, 0.5, 0.25]]}


def test_our_loader_gives_each_branch_of_the_plan_its_own(comfy: ComfyServer) -> None:
    """Two of one checkpoint, with and without; what the graph adds comes after."""
    graph = with_plan_loras(own_graph(RED), (0, [(WASH, 1.0, 1.0)]), (0, []))
    graph["added"] = node("LoraLoaderModelOnly", model=["loader", 0], lora_name=GRAIN, strength_model=0.5)
    graph["sampler"]["inputs"]["model"] = ["added", 0]

    entry = comfy.run(graph)

    both = [*by_stock(comfy, RED, (WASH, 1.0, 1.0), (GRAIN, 0.5, 0.0)), *by_stock(comfy, RED, (GRAIN, 0.5, 0.0))]
    assert_same(comfy.images(entry, "shown"), both)
    assert logged_loras(comfy) == [
        (RED, [[GRAIN, 0.5, 0.5], [WASH, 1.0, 1.0]]),
        (RED, [[GRAIN, 0.5, 0.5]]),
    ]


def test_one_text_encoder_for_all_gets_each_branchs_loras(comfy: ComfyServer) -> None:
    """As a stock loader between them would give it."""
    graph = with_stack(one(PAINT), (INK, 1.0, 0.5))
    graph["encoder"] = node("CheckpointLoaderSimple", ckpt_name=PAINT)
    graph["sampler"]["inputs"]["clip"] = ["encoder", 1]

    assert_same(drawn(comfy, graph), by_stock(comfy, PAINT, (INK, 1.0, 0.5)))


def test_diffusion_models_take_loras(comfy: ComfyServer) -> None:
    """With a text encoder and a VAE of their own files."""
    files = write_parts(comfy.base_directory / "models", "lora_parts.safetensors", seed=4)
    parts = {
        "clip": node("CLIPLoader", clip_name="lora_parts.safetensors", type="sd3"),
        "vae": node("VAELoader", vae_name="lora_parts.safetensors"),
    }
    graph = with_stack(one("lora_parts*", clip=["clip", 0], vae=["vae", 0]), (WASH, 0.5, 0.5)) | parts
    graph["recommender"]["inputs"] |= {"folder": "diffusion_models", "needs": "model only"}
    reference = stock(RED, (WASH, 0.5, 0.5)) | parts
    reference["loader"] = node("UNETLoader", unet_name="lora_parts.safetensors", weight_dtype="default")
    reference["lora_0"]["inputs"]["clip"] = ["clip", 0]
    reference["decoded"]["inputs"]["vae"] = ["vae", 0]

    ours, theirs = drawn(comfy, graph), drawn(comfy, reference, "shown")

    for file in files.values():
        file.unlink()
    assert_same(ours, theirs)


def test_a_saved_file_says_its_loras(comfy: ComfyServer) -> None:
    """Names without folders, as A1111 writes them, with both strengths."""
    graph = one(PAINT, "an owl <lora:ink style:0.8:0.5>")
    graph["saved"] = node(
        "SavePickedImages", images=["sampler", 0], generation=["sampler", 3], filename_prefix="own", format="png"
    )

    (file,) = comfy.run(graph)["outputs"]["saved"]["images"]

    recipe = read_file(comfy.base_directory / "output" / file["subfolder"] / file["filename"])
    assert recipe.loras == (("Ink Style", 0.8, 0.5),)


def test_the_settings_node_keeps_and_shows_them(comfy: ComfyServer) -> None:
    """It changes settings alone."""
    graph = with_plan_loras(one(RED), (0, [(WASH, 0.5, 0.5)]))
    graph["settings"] = node(
        "ContextSettingsRecommender",
        plan=["plan_loras", 0],
        may_change="all, the size too",
        steps=4,
        cfg=2.0,
        sampler_name="euler",
        scheduler="normal",
        width=64,
        height=64,
        clip_skip=1,
    )
    graph["sampler"]["inputs"]["plan"] = ["settings", 0]

    entry = comfy.run(graph)

    ((record,),) = [entry["outputs"]["settings"]["context_checkpoint_settings"]]
    assert record["branches"][0]["loras"] == [[WASH, 0.5, 0.5]]
    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, RED, (WASH, 0.5, 0.5)))
