"""`FeedbackRecorder` in a real ComfyUI: what it shows, what it passes on, and when it records what."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest
from PIL import Image

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, PromptFailed, Refused
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.learning.outbox.delivery import outbox_of

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft", "seed": 1}


def graph_with_both_outputs(**options: Any) -> ApiGraph:
    """The three nodes, and previews of what the recorder passes on."""
    graph = three_nodes(recommender=RED_GREEN_BLUE, **options)
    graph["kept"] = node("PreviewImage", images=["recorder", 0])
    graph["thrown_away"] = node("PreviewImage", images=["recorder", 1])
    return graph


def stored(comfy: ComfyServer, generation_id: str) -> dict[str, Any]:
    [generation] = comfy.get(f"/context_checkpoint/generations?id={generation_id}")["generations"]
    found: dict[str, Any] = generation
    return found


def verdicts(record: Mapping[str, Any]) -> list[str | None]:
    return [image["verdict"] for image in record["images"]]


def judged_images(comfy: ComfyServer) -> int:
    """How many images all verdicts together speak of."""
    overview = comfy.get("/context_checkpoint/statistics")["overview"]
    return int(overview["selected"] + overview["rejected"])


def test_it_shows_the_checkpoint_and_the_file_of_each_image(comfy: ComfyServer) -> None:
    """Checkpoint, file and verdict of each image, on the node and over HTTP alike."""
    entry = comfy.run(three_nodes(images=4, recommender=RED_GREEN_BLUE))

    [shown] = generations(entry)
    assert [image["index"] for image in shown["images"]] == [0, 1, 2, 3]
    assert all(comfy.pixels(image).shape == (128, 128, 3) for image in shown["images"])
    assert shown["message"] == ""
    assert shown["explanation"]
    by_http = stored(comfy, shown["generation_id"])
    for image, same in zip(shown["images"], by_http["images"], strict=True):
        file = {key: image[key] for key in ("checkpoint", "filename", "subfolder", "type")}
        assert same["file"] == file


def test_a_verdict_by_inputs_is_recorded_and_passes_the_images_on(comfy: ComfyServer) -> None:
    """Selected ones at the first output, rejected ones at the second, the rest at neither."""
    entry = comfy.run(graph_with_both_outputs(images=4, selected="0,2", rejected="3"))

    [shown] = generations(entry)
    assert verdicts(shown) == ["selected", None, "selected", "rejected"]
    assert verdicts(stored(comfy, shown["generation_id"])) == verdicts(shown)
    pictures = {
        name: [picture.pixels.tolist() for picture in comfy.images(entry, name)]
        for name in ("recorder", "kept", "thrown_away")
    }
    assert pictures["kept"] == [pictures["recorder"][0], pictures["recorder"][2]]
    assert pictures["thrown_away"] == [pictures["recorder"][3]]
    assert judged_images(comfy) == 3


def test_the_names_of_the_checkpoints_go_on_beside_the_images(comfy: ComfyServer) -> None:
    """One name per selected image, and one per rejected image, in the order of the images."""
    graph = graph_with_both_outputs(images=4, selected="3,0", rejected="1,2")
    graph["kept_names"] = node("PreviewAny", source=["recorder", 3])
    graph["thrown_away_names"] = node("PreviewAny", source=["recorder", 4])

    entry = comfy.run(graph)

    names = [image["checkpoint"] for image in generations(entry)[0]["images"]]
    assert len(set(names)) == 3
    assert entry["outputs"]["kept_names"]["text"] == [names[0], names[3]]
    assert entry["outputs"]["thrown_away_names"]["text"] == [names[1], names[2]]


def test_its_previews_carry_the_workflow_as_comfyuis_own_do(comfy: ComfyServer) -> None:
    """Dragged into ComfyUI, one restores the graph that made it."""
    [shown] = generations(comfy.run(three_nodes("a boat", recommender=RED_GREEN_BLUE)))

    content = comfy.request("GET", f"/view?filename={shown['images'][0]['filename']}&type=temp")
    with Image.open(io.BytesIO(content)) as image:
        graph = json.loads(image.info["prompt"])

    assert graph["recommender"]["inputs"]["prompt"] == "a boat"


def test_previews_that_cannot_be_saved_take_no_images_away(comfy: ComfyServer) -> None:
    """The temporary folder cannot be written: told on the node; verdict and images go their way."""
    comfy.run(three_nodes(recommender=RED_GREEN_BLUE))
    folder = comfy.base_directory / "temp"
    aside = folder.rename(folder.with_name("temp aside"))
    folder.write_bytes(b"in the way")
    graph = three_nodes(seed=30, selected="0", recommender=RED_GREEN_BLUE)
    graph["saved"] = node("SaveImage", images=["recorder", 0], filename_prefix="kept")

    entry = comfy.run(graph)

    folder.unlink()
    aside.rename(folder)
    [shown] = generations(entry)
    assert "could not be saved" in shown["message"]
    assert shown["images"][0]["filename"] == ""
    assert verdicts(shown)[0] == "selected"
    assert len(comfy.images(entry, "saved")) == 1


def test_nothing_selected_blocks_what_follows_and_teaches_nothing(comfy: ComfyServer) -> None:
    """No verdict: the prompt succeeds, both outputs stay silent, the generation waits for a verdict."""
    entry = comfy.run(graph_with_both_outputs())

    assert "kept" not in entry["outputs"]
    assert "thrown_away" not in entry["outputs"]
    assert verdicts(generations(entry)[0]) == [None, None, None]
    assert judged_images(comfy) == 0


def test_a_verdict_in_a_second_run_judges_the_images_of_the_first(comfy: ComfyServer) -> None:
    """Look first, then queue the same with a verdict: only the recorder runs, on the same generation."""
    looked = generations(comfy.run(graph_with_both_outputs(seed=5)))[0]
    judged = generations(comfy.run(graph_with_both_outputs(seed=5, selected="1")))[0]

    assert judged["generation_id"] == looked["generation_id"]
    assert verdicts(stored(comfy, looked["generation_id"])) == [None, "selected", None]


def test_once_something_was_learned_the_same_prompt_is_a_new_generation(comfy: ComfyServer) -> None:
    """The recommender thinks again after a verdict, so a verdict by inputs then speaks of new images."""
    first = generations(comfy.run(three_nodes(seed=6, selected="0", recommender=RED_GREEN_BLUE)))[0]
    second = generations(comfy.run(three_nodes(seed=6, selected="1", recommender=RED_GREEN_BLUE)))[0]

    assert first["generation_id"] != second["generation_id"]
    assert verdicts(stored(comfy, first["generation_id"])) == ["selected", None, None]
    assert verdicts(stored(comfy, second["generation_id"])) == [None, "selected", None]


def test_a_second_recorder_without_a_verdict_shows_what_the_first_has_recorded(comfy: ComfyServer) -> None:
    """Empty inputs leave a verdict as it is, and pass the images on by it."""
    graph = three_nodes(selected="2", rejected="0", recommender=RED_GREEN_BLUE)
    graph["second"] = node(
        "FeedbackRecorder",
        images=["sampler", 0],
        generation=["recorder", 2],
        mode="record",
        selected="",
        rejected="",
    )
    graph["kept"] = node("PreviewImage", images=["second", 0])

    entry = comfy.run(graph)

    assert verdicts(generations(entry, "second")[0]) == ["rejected", None, "selected"]
    assert len(comfy.images(entry, "kept")) == 1


def test_a_verdict_that_cannot_be_read_is_refused_before_anything_runs(comfy: ComfyServer) -> None:
    """ComfyUI responds with 400 and with what to write instead."""
    with pytest.raises(Refused, match="400") as refused:
        comfy.post_prompt(three_nodes(recommender=RED_GREEN_BLUE, selected="best"))

    assert "`0,2`, or `all`" in str(refused.value.body)


def test_a_verdict_on_an_image_that_does_not_exist_fails_with_what_to_correct(comfy: ComfyServer) -> None:
    """Nothing is recorded; with the number corrected only the recorder runs again."""
    with pytest.raises(PromptFailed, match=r"no image 3: this run has 3, counted from 0"):
        comfy.run(three_nodes(seed=8, selected="0,3", recommender=RED_GREEN_BLUE))
    judged = judged_images(comfy)

    corrected = comfy.run(three_nodes(seed=8, selected="0,2", recommender=RED_GREEN_BLUE))

    assert judged == 0
    assert verdicts(generations(corrected)[0]) == ["selected", None, "selected"]
    assert len(comfy.get("/context_checkpoint/generations")["generations"]) == 1


def test_several_prompts_in_one_list_are_one_generation_each(comfy: ComfyServer) -> None:
    """Two prompts through one recommender and one sampler: the recorder's numbers count on over both."""
    graph = three_nodes(selected="0,4", recommender=RED_GREEN_BLUE)
    graph |= list_of_prompts("a boat", "a castle")
    graph["recommender"]["inputs"]["prompt"] = graph["sampler"]["inputs"]["positive"] = ["prompts", 0]

    first, second = generations(comfy.run(graph))

    assert verdicts(first) == ["selected", None, None]
    assert verdicts(second) == [None, "selected", None]
    prompts = [stored(comfy, record["generation_id"])["prompt"] for record in (first, second)]
    assert prompts == ["a boat", "a castle"]


def list_of_prompts(*prompts: str) -> ApiGraph:
    graph = {f"prompt_{number}": node("PrimitiveString", value=prompt) for number, prompt in enumerate(prompts)}
    links = {f"inputs.input{number}": [f"prompt_{number}", 0] for number in range(len(prompts))}
    return {**graph, "prompts": node("CreateList", **links)}


class TestHandWired:
    """A person's own graph: names into the stock loader, plan and names into the recorder."""

    def test_the_recorder_logs_the_generation_itself(self, comfy: ComfyServer) -> None:
        """Each batch of the list belongs to the checkpoint at its place."""
        entry = comfy.run(hand_wired(seed=3, batch=2, selected="0"))

        [shown] = generations(entry)
        plan = entry["outputs"]["recommender"]["context_checkpoint_plan"][0]["checkpoints"]
        assert [image["checkpoint"] for image in shown["images"]] == [name for name in plan for _ in range(2)]
        assert verdicts(stored(comfy, shown["generation_id"])) == ["selected", *[None] * 5]

    def test_a_verdict_in_a_second_run_on_the_same_images_is_the_same_generation(self, comfy: ComfyServer) -> None:
        """ComfyUI hands the recorder the same images out of its cache: no second round is invented."""
        first = generations(comfy.run(hand_wired(seed=3)))[0]
        second = generations(comfy.run(hand_wired(seed=3, selected="1")))[0]

        assert first["generation_id"] == second["generation_id"]
        assert judged_images(comfy) == 1

    def test_images_that_are_sampled_again_are_another_generation(self, comfy: ComfyServer) -> None:
        """Two generations never share an id, however alike their plans are."""
        first = generations(comfy.run(hand_wired(seed=3)))[0]
        second = generations(comfy.run(hand_wired(seed=4)))[0]

        assert first["generation_id"] != second["generation_id"]


def hand_wired(*, seed: int, batch: int = 1, selected: str = "") -> ApiGraph:
    graph = by_hand("red.safetensors", seed=seed, batch=batch)
    graph["recommender"] = node("ContextCheckpointRecommender", prompt="a lighthouse", **RED_GREEN_BLUE)
    graph["loader"]["inputs"]["ckpt_name"] = ["recommender", 1]
    graph["recorder"] = node(
        "FeedbackRecorder",
        images=["decoded", 0],
        mode="record",
        selected=selected,
        rejected="",
        plan=["recommender", 0],
        ckpt_names=["recommender", 1],
    )
    return graph


class TestWithoutItsDatabase:
    """Learning fails: the images are drawn, shown and passed on, and the failure is told."""

    def test_a_locked_database_takes_no_images_away(self, comfy: ComfyServer) -> None:
        """Where nothing can wait either, the record has no id and the message says why; else the verdict waits."""
        comfy.run(three_nodes(recommender=RED_GREEN_BLUE))
        file = comfy.base_directory / "user" / "__context_checkpoint" / "preferences.db"
        in_its_place = outbox_of(file, file.parent).path
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            in_its_place.mkdir()
            lost = comfy.run(graph_with_both_outputs(seed=20, selected="0"))
            in_its_place.rmdir()
            waiting = comfy.run(graph_with_both_outputs(seed=21, selected="0"))
            other.execute("ROLLBACK")
        after = generations(comfy.run(graph_with_both_outputs(seed=22, selected="0")))[0]

        for entry in (lost, waiting):
            assert len(comfy.images(entry, "recorder")) == 3
            assert len(comfy.images(entry, "kept")) == 1
        assert generations(lost)[0]["generation_id"] == ""
        assert "not logged" in generations(lost)[0]["message"]
        assert "waits on this machine's disk" in generations(waiting)[0]["message"]
        for shown in (generations(waiting)[0], after):
            assert verdicts(stored(comfy, shown["generation_id"]))[0] == "selected"
