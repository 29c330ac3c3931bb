"""`ContextLoraRecommender` in a real ComfyUI: recommended, drawn, judged, learned; in the plan and as stacks."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from context_checkpoint.demo.comfyui.pack_graph import generations
from context_checkpoint.demo.comfyui.server import ComfyServer
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, Lora, node
from context_checkpoint.demo.tiny_models.checkpoints import write_lora
from context_checkpoint.recipes.loras import short_name

from .conftest import assert_same, preferences_file
from .test_loras import GREEN, PAINT, RED, by_stock, differ, logged_loras, one, own_graph

WASH, GRAIN, INK = "sd3/wash.safetensors", "sd3/grain.safetensors", "sd15/ink.safetensors"


@pytest.fixture(autouse=True)
def _loras(comfy: ComfyServer) -> Iterator[None]:
    """LoRAs of two architectures, of which each names its own word."""
    folder = comfy.base_directory / "models" / "loras"
    write_lora(folder / WASH, "sd3", seed=1, tags={"watercolour": 20})
    write_lora(folder / GRAIN, "sd3", seed=2, tags={"film grain": 20})
    write_lora(folder / INK, "sd15", seed=3, tags={"watercolour": 20})
    for name in (WASH, INK):
        (folder / name).with_suffix(".metadata.json").write_text(
            json.dumps({"civitai": {"trainedWords": ["watercolour, wet paper"]}, "usage_tips": '{"strength": 0.75}'})
        )
    yield
    for file in (*folder.rglob("*.safetensors"), *folder.rglob("*.json")):
        file.unlink()


def advised(graph: ApiGraph, **inputs: Any) -> ApiGraph:
    """Put the LoRA node behind the recommender, before all that takes a plan; its lists are shown."""
    for entry in graph.values():
        if entry["inputs"].get("plan") == ["recommender", 0]:
            entry["inputs"]["plan"] = ["loras", 0]
    own = {"include": "", "exclude": "", "most_loras": 2, "explore": False}
    graph["loras"] = node("ContextLoraRecommender", plan=["recommender", 0], **{**own, **inputs})
    graph["words"] = node("PreviewAny", source=["loras", 2])
    graph["tags"] = node("PreviewAny", source=["loras", 3])
    graph["why"] = node("PreviewAny", source=["loras", 4])
    return graph


def shown(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the node shows of each branch."""
    (record,) = entry["outputs"]["loras"]["context_checkpoint_loras"]
    branches: list[dict[str, Any]] = record["branches"]
    return branches


def loras(branch: Mapping[str, Any]) -> list[Lora]:
    return [(name, model, clip) for name, model, clip in branch["loras"]]


def test_where_nothing_speaks_for_one_there_is_none(comfy: ComfyServer) -> None:
    """And it is said."""
    entry = comfy.run(advised(one(RED, "an owl")))

    (branch,) = shown(entry)
    assert loras(branch) == []
    assert branch["reasons"]
    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, RED))


@pytest.mark.parametrize(("checkpoint", "lora"), [(RED, WASH), (PAINT, INK)])
def test_the_words_of_a_file_speak_for_it_before_the_first_image(
    comfy: ComfyServer, checkpoint: str, lora: str
) -> None:
    """Of the checkpoint's architecture, with the strength that its author prefers; drawn and logged."""
    prompt = "an owl, watercolour"

    entry = comfy.run(advised(one(checkpoint, prompt)))

    (branch,) = shown(entry)
    assert_same(comfy.images(entry, "recorder"), by_stock(comfy, checkpoint, *loras(branch), prompt=prompt))
    assert logged_loras(comfy) == [(checkpoint, branch["loras"])]
    assert loras(branch) == [(lora, 0.75, 0.75)]
    assert entry["outputs"]["words"]["text"] == ["watercolour, wet paper"]
    assert entry["outputs"]["tags"]["text"] == [f"<lora:{short_name(lora)}:0.75>"]


def test_its_prompt_has_the_trigger_words_that_the_persons_lacks(comfy: ComfyServer) -> None:
    """One text for all branches, drawn as it is by the sampler."""
    graph = advised(one(f"{RED}, {PAINT}", "an owl, (watercolour:1.2)"))
    graph["recommender"]["inputs"] |= {"family": "all", "stage": "draft"}
    graph["sampler"]["inputs"]["positive"] = ["loras", 5]
    graph["text"] = node("PreviewAny", source=["loras", 5])

    entry = comfy.run(graph)

    text = "an owl, (watercolour:1.2), wet paper"
    assert entry["outputs"]["text"]["text"] == [text]
    names = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    pictures = dict(zip(names, comfy.images(entry, "recorder"), strict=True))
    assert len(names) == 2
    for branch in shown(entry):
        name = branch["checkpoint"]
        assert_same([pictures[name]], by_stock(comfy, name, *loras(branch), prompt=text))


def test_globs_choose_the_candidates(comfy: ComfyServer) -> None:
    """Names and folders, as in pools."""
    included = comfy.run(advised(one(RED, "an owl, watercolour"), include="*grain*"))
    excluded = comfy.run(advised(one(RED, "an owl, watercolour"), exclude="sd3/"))
    none = comfy.run(advised(one(RED, "an owl, watercolour"), most_loras=0))

    assert [loras(shown(entry)[0]) for entry in (included, excluded, none)] == [[], [], []]


def test_a_given_stack_comes_first_and_stays(comfy: ComfyServer) -> None:
    """None is there twice, and none is added that would be too much."""

    def given(*stack: Lora) -> list[Lora]:
        graph = advised(one(RED, "an owl, watercolour"), lora_stack=["stack", 0])
        graph["stack"] = node("GivesStack", stack=json.dumps(stack), tuples=True)
        entry = comfy.run(graph)
        (branch,) = shown(entry)
        assert_same(comfy.images(entry, "recorder"), by_stock(comfy, RED, *loras(branch), prompt="an owl, watercolour"))
        return loras(branch)

    assert given((GRAIN, 1.0, 0.5)) == [(GRAIN, 1.0, 0.5), (WASH, 0.75, 0.75)]
    assert given(("SD3\\WASH.safetensors", 0.25, 0.25)) == [(WASH, 0.25, 0.25)]
    assert given((GRAIN, -1.5, 0.5)) == [(GRAIN, -1.5, 0.5)]


def test_with_explore_a_spare_branch_shows_the_same_without(comfy: ComfyServer) -> None:
    """The same seed and settings; a verdict for one is learned, and the other LoRA is not asked about."""
    graph = advised(one(RED, "an owl, watercolour", images_per_prompt=2), explore=True)

    entry = comfy.run(graph)

    first, second = (loras(branch) for branch in shown(entry))
    assert {tuple(first), tuple(second)} == {((WASH, 0.75, 0.75),), ()}
    prompt = "an owl, watercolour"
    both = [*by_stock(comfy, RED, *first, prompt=prompt), *by_stock(comfy, RED, *second, prompt=prompt)]
    assert_same(comfy.images(entry, "recorder"), both)
    assert sorted(map(str, logged_loras(comfy))) == sorted(map(str, [(RED, [[WASH, 0.75, 0.75]]), (RED, [])]))


def test_what_is_picked_again_and_again_is_learned(comfy: ComfyServer) -> None:
    """A LoRA whose words are not in the prompt, set by hand in the graph, and preferred: then it is recommended."""
    prompt = "a harbour at night"
    for seed in range(12):
        graph = with_loras_of(one(RED, prompt), seed, [[0, [[GRAIN, 0.5, 0.5]]], [0, []]])
        recorded = generations(comfy.run(graph))[0]["generation_id"]
        verdict = {"generation_id": recorded, "selected_images": [0], "rejected_images": [1]}
        comfy.post("/context_checkpoint/feedback", verdict)

    entry = comfy.run(advised(one(RED, prompt)))

    (branch,) = shown(entry)
    assert [name for name, _, _ in loras(branch)] == [GRAIN]
    assert branch["reasons"]


def test_what_was_learned_of_a_lora_is_logged_with_the_images_that_it_sets_apart(comfy: ComfyServer) -> None:
    """Two checkpoints, of which one has it: the other one did not win or lose by itself alone."""
    prompt = "a harbour at night"
    for seed in range(6):
        graph = with_loras_of(one(RED, prompt), seed, [[0, [[GRAIN, 0.5, 0.5]]], [0, []]])
        recorded = generations(comfy.run(graph))[0]["generation_id"]
        verdict = {"generation_id": recorded, "selected_images": [0], "rejected_images": [1]}
        comfy.post("/context_checkpoint/feedback", verdict)

    comfy.run(with_loras_of(one(f"{RED}\n{GREEN}", prompt), 9, [[0, [[GRAIN, 0.5, 0.5]]], [1, []]]))

    with closing(sqlite3.connect(preferences_file(comfy))) as database:
        rows = database.execute(
            "SELECT checkpoint_id, lora_utility FROM generation_images ORDER BY generation_number, position"
        ).fetchall()
    (one_checkpoint, known), (other, unknown) = rows[-2:]
    assert one_checkpoint != other
    assert known > 0.2
    assert unknown is None


def with_loras_of(graph: ApiGraph, seed: int, branches: list[Any]) -> ApiGraph:
    """Two images, with the LoRAs of these branches: places of the plan's checkpoints, and LoRAs."""
    graph["sampler"]["inputs"] |= {"seed": seed, "plan": ["both", 0], "images_per_prompt": 2}
    graph["both"] = node("GivesPlanLoras", plan=["recommender", 0], branches=json.dumps(branches))
    return graph


def test_what_explore_asks_is_answered_by_the_verdicts_and_then_recommended(comfy: ComfyServer) -> None:
    """Drawn with and without, the one with it preferred every time; then drawn alone, and the reason says so."""
    prompt = "an owl, watercolour"
    asked: list[bool] = []
    for seed in range(10):
        graph = advised(one(RED, prompt, images_per_prompt=2), explore=True, include=WASH)
        graph["sampler"]["inputs"]["seed"] = seed
        entry = comfy.run(graph)
        branches = [loras(branch) for branch in shown(entry)]
        asked.append(len(branches) == 2)
        if not asked[-1]:
            break
        [made] = generations(entry)
        drawn_with = [settings for _, settings in logged_loras(comfy)][-2:]
        liked = drawn_with.index([[WASH, 0.75, 0.75]])
        pictures = comfy.images(entry, "recorder")
        assert differ(pictures[:1], pictures[1:])
        verdict = {"generation_id": made["generation_id"], "selected_images": [liked], "rejected_images": [1 - liked]}
        comfy.post("/context_checkpoint/feedback", verdict)
    graph = advised(one(RED, prompt, images_per_prompt=2), explore=False, include=WASH)

    entry = comfy.run(graph)

    assert asked[:3] == [True, True, True]
    (branch,) = shown(entry)
    assert loras(branch) == [(WASH, 0.75, 0.75)]
    (reason,) = branch["reasons"]
    kept = asked.count(True)
    assert f"you kept {kept} of {kept} images with it" in reason
    assert reason == entry["outputs"]["why"]["text"][0]


def test_the_stacks_plug_into_another_packs_loader(comfy: ComfyServer) -> None:
    """In a person's own graph, once per checkpoint; the log has each checkpoint's own."""
    prompt = "an owl, watercolour"
    graph = own_graph(f"{RED}, {PAINT}")
    graph["recommender"]["inputs"] |= {"family": "all", "prompt": prompt}
    graph = advised(graph)
    graph["loader"] = node("CheckpointLoaderSimple", ckpt_name=["recommender", 1])
    graph["applied"] = node("AppliesStack", model=["loader", 0], clip=["loader", 1], lora_stack=["loras", 1])
    graph["recorder"]["inputs"]["ckpt_names"] = ["recommender", 1]
    for name in ("positive", "negative"):
        graph[name]["inputs"]["clip"] = ["applied", 1]
    graph["positive"]["inputs"]["text"] = prompt
    graph["sampler"]["inputs"]["model"] = ["applied", 0]

    entry = comfy.run(graph)

    names = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    pictures = dict(zip(names, comfy.images(entry, "shown"), strict=True))
    own = {branch["checkpoint"]: loras(branch) for branch in shown(entry)}
    assert [name for name, _, _ in own[PAINT]] == [INK]
    for checkpoint in (RED, PAINT):
        assert_same([pictures[checkpoint]], by_stock(comfy, checkpoint, *own[checkpoint], prompt=prompt))
    assert dict(logged_loras(comfy)) == {name: [list(lora) for lora in stack] for name, stack in own.items()}


def test_a_bypassed_recommender_fails_no_prompt(comfy: ComfyServer) -> None:
    """The node says that no plan arrives, and what does not need it runs."""
    graph: ApiGraph = {
        "loras": node("ContextLoraRecommender", include="", exclude="", most_loras=2, explore=False),
        "shown": node("PreviewAny", source=["loras", 2]),
        "other": node("PreviewAny", source="still runs"),
    }

    entry = comfy.run(graph)

    (told,) = entry["outputs"]["loras"]["context_checkpoint_message"]
    assert told["message"].startswith("No plan arrives")
    assert "shown" not in entry["outputs"]
