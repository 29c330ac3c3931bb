"""What is in the files that `SavePickedImages`, stock SaveImage and other savers write, in a real ComfyUI."""

from __future__ import annotations

import io
import json
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from context_checkpoint.demo.comfyui.pack_graph import generations, three_nodes
from context_checkpoint.demo.comfyui.server import ComfyServer, HistoryEntry, PromptFailed
from context_checkpoint.demo.comfyui.stock_graph import ApiGraph, by_hand, node
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from context_checkpoint.learning.outbox.delivery import outbox_of

from .conftest import COLORS, ComfyFactory, other_checkpoints, preferences_file
from .test_wiring_own_graph import fresh_prompt, own_graph

RED_GREEN_BLUE = {"include": "red.*, green.*, blue.*", "stage": "draft", "seed": 1}
KEY = "context_checkpoint"
EXIF, USER_COMMENT = 0x8769, 0x9286


def save(images: list[object], generation: list[object] | None = None, **inputs: Any) -> dict[str, Any]:
    given = {"filename_prefix": f"test/{uuid.uuid4().hex[:8]}", "format": "png"}
    if generation is not None:
        given["generation"] = generation
    return node("SavePickedImages", images=images, **{**given, **inputs})


def files(comfy: ComfyServer, entry: HistoryEntry, saver: str = "saved") -> list[Path]:
    shown = entry["outputs"][saver]["images"]
    assert {file["type"] for file in shown} <= {"output"}
    return [comfy.base_directory / "output" / file["subfolder"] / file["filename"] for file in shown]


def texts(file: Path) -> dict[str, str]:
    """All texts of a file by key, from PNG's chunks or from EXIF."""
    with Image.open(file) as image:
        image.load()
        if image.format == "PNG":
            return {key: value for key, value in image.info.items() if isinstance(value, str)}
        exif = image.getexif()
        found = dict(value.split(":", 1) for value in exif.values() if isinstance(value, str))
        comment = exif.get_ifd(EXIF).get(USER_COMMENT)
        if comment:
            found["parameters"] = comment.removeprefix(b"UNICODE\0").decode("utf-16-be")
        return found


def own(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(texts(file)[KEY])
    return found


def drawn_by(file: Path) -> str:
    """The checkpoint that made a file's image, identified by its colour."""
    with Image.open(file) as image:
        red, green, blue = np.asarray(image.convert("RGB")).reshape(-1, 3).mean(axis=0) / 255
    return tiny_checkpoints.made_by((float(red), float(green), float(blue)), COLORS)


def notes(entry: HistoryEntry, saver: str = "saved") -> str:
    shown = entry["outputs"][saver].get("context_checkpoint_message", [])
    return " ".join(each["message"] for each in shown)


def run_with(comfy: ComfyServer, graph: ApiGraph, extra_pnginfo: Mapping[str, Any]) -> HistoryEntry:
    """Queue as ComfyUI's page does, with what it hands to the savers."""
    queued = {"prompt": graph, "client_id": uuid.uuid4().hex, "extra_data": {"extra_pnginfo": extra_pnginfo}}
    entry = comfy.wait(str(comfy.post("/prompt", queued)["prompt_id"]))
    assert entry["status"]["status_str"] == "success"
    return entry


class TestPickedImages:
    """The recorder's images, each with its own place."""

    @pytest.mark.parametrize("format_name", ["png", "webp", "jpeg"])
    def test_each_file_names_its_place_and_its_checkpoint(self, comfy: ComfyServer, format_name: str) -> None:
        """After the recorder picked some, in every format: the checkpoint is the one whose colour the image has."""
        graph = three_nodes("a castle", negative="blurry", images=5, selected="4,0,2", recommender=RED_GREEN_BLUE)
        graph["saved"] = save(["recorder", 0], ["recorder", 2], format=format_name)

        entry = comfy.run(graph)

        [generation] = generations(entry)
        saved = files(comfy, entry)
        assert [own(file)["position"] for file in saved] == [0, 2, 4]
        for file in saved:
            said = own(file)
            assert said["generation"] == generation["generation_id"]
            assert said["checkpoint"] == drawn_by(file) == generation["images"][said["position"]]["checkpoint"]
            assert len(said["fingerprint"]) == 32
            assert texts(file)["parameters"] == (
                "a castle\nNegative prompt: blurry\nSteps: 4, Sampler: Euler, CFG scale: 2, Seed: 1, Size: 128x128, "
                f"Model: {said['checkpoint'].removesuffix('.safetensors')}, Version: ComfyUI"
            )
            assert json.loads(texts(file)["prompt"])["recommender"]["inputs"]["prompt"] == "a castle"
        assert notes(entry) == ""

    def test_rejected_images_have_their_places_too(self, comfy: ComfyServer) -> None:
        """For who keeps those apart."""
        graph = three_nodes(images=4, selected="0", rejected="1,3", recommender=RED_GREEN_BLUE)
        graph["saved"] = save(["recorder", 1], ["recorder", 2])

        saved = files(comfy, comfy.run(graph))

        assert [own(file)["position"] for file in saved] == [1, 3]
        assert [own(file)["checkpoint"] for file in saved] == [drawn_by(file) for file in saved]

    def test_a_node_in_between_may_change_the_images(self, comfy: ComfyServer) -> None:
        """An enlarged image is still the one that was picked."""
        graph = three_nodes(images=3, selected="2", recommender=RED_GREEN_BLUE)
        graph["larger"] = node("ImageScaleBy", image=["recorder", 0], upscale_method="bicubic", scale_by=2.0)
        graph["saved"] = save(["larger", 0], ["recorder", 2])

        [file] = files(comfy, comfy.run(graph))

        with Image.open(file) as image:
            assert image.size == (256, 256)
        assert (own(file)["position"], own(file)["checkpoint"]) == (2, drawn_by(file))

    def test_straight_from_the_sampler_all_images_have_places(self, comfy: ComfyServer) -> None:
        """Without a recorder."""
        graph = three_nodes(images=4, recommender=RED_GREEN_BLUE)
        del graph["recorder"]
        graph["saved"] = save(["sampler", 0], ["sampler", 3])

        saved = files(comfy, comfy.run(graph))

        assert [own(file)["position"] for file in saved] == [0, 1, 2, 3]
        assert [own(file)["checkpoint"] for file in saved] == [drawn_by(file) for file in saved]

    def test_images_from_the_cache_have_the_place_of_their_own_generation(self, comfy: ComfyServer) -> None:
        """Only the saver runs again, for another name."""
        graph = three_nodes(images=3, recommender=RED_GREEN_BLUE, seed=12)
        graph["saved"] = save(["sampler", 0], ["sampler", 3])
        first = comfy.run(graph)
        graph["saved"] = save(["sampler", 0], ["sampler", 3])

        second = comfy.run(graph)

        assert files(comfy, first) != files(comfy, second)
        assert [own(file) for file in files(comfy, first)] == [own(file) for file in files(comfy, second)]

    def test_values_that_are_connected_are_those_that_were_used(self, comfy: ComfyServer) -> None:
        """The sampler says what it got, wherever that came from."""
        graph = three_nodes(images=1, recommender={"include": "red.*"}, sampler={"seed": ["number", 0]})
        graph["number"] = node("PrimitiveInt", value=77)
        graph["saved"] = save(["sampler", 0], ["sampler", 3])

        [file] = files(comfy, comfy.run(graph))

        assert "Seed: 77," in texts(file)["parameters"]

    def test_the_hash_of_the_checkpoint_is_written_where_a_file_beside_it_knows_it(self, comfy: ComfyServer) -> None:
        """Never by reading the checkpoint."""
        graph = three_nodes(images=1, recommender={"include": "red.*"})
        graph["saved"] = save(["sampler", 0], ["sampler", 3])
        beside = comfy.checkpoints / "red.metadata.json"
        beside.write_text(json.dumps({"sha256": "0123456789abcdef" * 4}))

        [file] = files(comfy, comfy.run(graph))

        beside.unlink()
        assert "Model hash: 0123456789, Model: red," in texts(file)["parameters"]

    def test_the_checkpoint_can_be_in_the_name_whatever_it_is_called(self, comfy: ComfyServer) -> None:
        """Folders, spaces and other scripts."""
        graph = three_nodes(images=1)
        graph["saved"] = save(["sampler", 0], ["sampler", 3], filename_prefix="kept/%checkpoint%-%width%")
        with other_checkpoints(comfy) as folder:
            name = "动漫/写真 v1,2.safetensors"
            (folder / "动漫").mkdir()
            tiny_checkpoints.write(folder / name, "sd3", color=(0.5, 0.5, 0.5), seed=1)

            [file] = files(comfy, comfy.run(graph))

        assert file.name == "写真 v1,2-128_00001_.png"
        assert own(file)["checkpoint"] == name
        assert 'Model: "写真 v1,2",' in texts(file)["parameters"]


class TestFiles:
    """What any file is like."""

    def test_png_is_the_tensor_and_equals_the_stock_file_in_every_pixel(self, comfy: ComfyServer) -> None:
        """Batches and lists of different sizes; `ui` shows the files in their order."""
        graph = {
            "images": node("SeveralSizes"),
            "saved": save(["images", 0]),
            "lossless": save(["images", 0], format="webp"),
            "stock": node("SaveImage", images=["images", 0], filename_prefix="stock/sizes"),
        }

        entry = comfy.run(graph)

        pictures = {name: [image.pixels for image in comfy.images(entry, name)] for name in graph if name != "images"}
        assert [pixels.shape for pixels in pictures["saved"]] == [(24, 40, 3), (24, 40, 3), (56, 40, 3)]
        for name in ("saved", "lossless"):
            assert all(np.array_equal(*pair) for pair in zip(pictures[name], pictures["stock"], strict=True))

    def test_nothing_that_exists_is_overwritten(self, comfy: ComfyServer) -> None:
        """Further runs count on, also in another format."""
        prefix = f"count/{uuid.uuid4().hex[:8]}"
        names = []
        for format_name in ("png", "jpeg", "png"):
            graph = {"images": node("SeveralSizes"), "saved": save(["images", 0], format=format_name)}
            graph["saved"]["inputs"]["filename_prefix"] = prefix
            names += [file.name for file in files(comfy, comfy.run(graph))]

        assert [name.split("_")[1] for name in names] == [f"{number:05}" for number in range(1, 10)]

    def test_the_workflow_is_written_as_comfyui_writes_it(self, comfy: ComfyServer) -> None:
        """Every key of the page's, as stock SaveImage does."""
        graph = {
            "images": node("SeveralSizes"),
            "saved": save(["images", 0], a1111_parameters=False),
            "stock": node("SaveImage", images=["images", 0], filename_prefix="stock/workflow"),
        }

        entry = run_with(comfy, graph, {"workflow": {"id": "写真", "nodes": []}, "other": [1]})

        ours, stock = (texts(files(comfy, entry, saver)[0]) for saver in ("saved", "stock"))
        assert ours == stock
        assert set(ours) == {"prompt", "workflow", "other"}

    def test_a1111s_text_can_be_left_out(self, comfy: ComfyServer) -> None:
        """It changes which tool Civitai shows."""
        graph = three_nodes(images=1, recommender={"include": "red.*"})
        graph["saved"] = save(["sampler", 0], ["sampler", 3], a1111_parameters=False)

        [file] = files(comfy, comfy.run(graph))

        assert set(texts(file)) == {"prompt", KEY}

    def test_a_large_workflow_leaves_a_jpeg_and_that_is_said(self, comfy: ComfyServer) -> None:
        """The pack's own text and A1111's stay; PNG keeps all."""
        graph = three_nodes(images=1, recommender={"include": "red.*"})
        graph["saved"] = save(["sampler", 0], ["sampler", 3], format="jpeg")
        graph["png"] = save(["sampler", 0], ["sampler", 3])

        entry = run_with(comfy, graph, {"workflow": {"nodes": ["x" * 5_000_000]}})

        [jpeg], [png] = files(comfy, entry), files(comfy, entry, "png")
        assert set(texts(jpeg)) == {"prompt", KEY, "parameters"}
        assert own(jpeg) == own(png)
        assert "workflow was left out" in notes(entry)
        assert len(texts(png)["workflow"]) > 5_000_000
        assert notes(entry, "png") == ""

    @pytest.mark.parametrize("prefix", ["../../outside", "/tmp/outside", "a\0outside", "a\ud800outside"])  # noqa: S108
    def test_a_prefix_that_is_no_place_in_the_output_folder_is_refused(self, comfy: ComfyServer, prefix: str) -> None:
        """By ComfyUI's own rule, with what to write instead."""
        graph = {"images": node("SeveralSizes"), "saved": save(["images", 0], filename_prefix=prefix)}

        with pytest.raises(PromptFailed, match="leads out of ComfyUI's output folder"):
            comfy.run(graph)

        assert not list(comfy.base_directory.parent.glob("outside*"))

    def test_what_cannot_be_written_fails_the_workflow_and_says_why(self, comfy: ComfyServer) -> None:
        """As with stock SaveImage: a picture must not be lost in silence."""
        (comfy.base_directory / "output" / "in the way").write_bytes(b"a file")
        graph = {"images": node("SeveralSizes"), "saved": save(["images", 0], filename_prefix="in the way/x")}

        with pytest.raises(PromptFailed, match=r"could not be saved as in the way/x: .*0 of 3 images were saved"):
            comfy.run(graph)

    def test_without_metadata_no_file_says_anything(self, comfy_factory: ComfyFactory) -> None:
        """`--disable-metadata` holds for every text, in our files and in others'."""
        comfy = comfy_factory("--disable-metadata")
        graph = three_nodes(images=1, recommender={"include": "red.*"})
        for format_name in ("png", "webp", "jpeg"):
            graph[format_name] = save(["sampler", 0], ["sampler", 3], format=format_name)
        graph["stock"] = node("SaveImage", images=["sampler", 0], filename_prefix="stock")

        entry = comfy.run(graph)

        for saver in ("png", "webp", "jpeg", "stock"):
            [file] = files(comfy, entry, saver)
            assert texts(file) == {}


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Let no other process write a SQLite file, which may be a new one."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


class TestWithoutCertainty:
    """What is not known is not said, and the images are saved in any case."""

    def test_without_a_generation_the_graph_says_what_made_the_images(self, comfy: ComfyServer) -> None:
        """A stock graph: prompt, settings and checkpoint, and nothing of ours."""
        graph = by_hand("red.safetensors", prompt="a harbour", negative="fog", seed=3, scheduler="karras")
        graph["saved"] = save(["decoded", 0])

        entry = comfy.run(graph)

        [file] = files(comfy, entry)
        assert texts(file)["parameters"] == (
            "a harbour\nNegative prompt: fog\nSteps: 4, Sampler: Euler Karras, CFG scale: 2, Seed: 3, Size: 128x128, "
            "Model: red, Version: ComfyUI"
        )
        assert KEY not in texts(file)
        assert notes(entry) == ""

    def test_more_images_than_the_generation_has_get_no_place(self, comfy: ComfyServer) -> None:
        """The files name the generation and its checkpoints, and the node says what to connect."""
        graph = three_nodes(images=3, recommender=RED_GREEN_BLUE)
        graph["twice"] = node("RepeatImageBatch", image=["sampler", 0], amount=2)
        graph["saved"] = save(["twice", 0], ["sampler", 3])

        entry = comfy.run(graph)

        [generation] = generations(entry)
        saved = files(comfy, entry)
        names = [image["checkpoint"] for image in generation["images"]]
        expected = [{"generation": generation["generation_id"], "checkpoints": names}]
        assert len(saved) == 6
        assert [own(file) for file in saved] == [{"version": 1, "generations": expected}] * 6
        assert all("Model:" not in texts(file)["parameters"] for file in saved)
        assert all("Seed: 1," in texts(file)["parameters"] for file in saved)
        assert "6 images arrive" in notes(entry)

    def test_picked_images_with_the_samplers_generation_get_no_place(self, comfy: ComfyServer) -> None:
        """It does not know what was picked; the recorder's does, and the node says so."""
        graph = three_nodes(images=3, selected="1", recommender=RED_GREEN_BLUE)
        graph["saved"] = save(["recorder", 0], ["sampler", 3], ckpt_names=["recorder", 3])

        entry = comfy.run(graph)

        [file] = files(comfy, entry)
        assert "generations" in own(file)
        assert f"Model: {drawn_by(file).removesuffix('.safetensors')}," in texts(file)["parameters"]
        assert "Connect the `generation` of the node that gives the images" in notes(entry)

    def test_without_images_nothing_is_saved_and_the_prompt_runs(self, comfy: ComfyServer) -> None:
        """The node before is bypassed."""
        graph = {"saved": save(["nobody", 0])}
        del graph["saved"]["inputs"]["images"]

        entry = comfy.run(graph)

        assert entry["outputs"]["saved"]["images"] == []
        assert "No images arrive" in notes(entry)

    def test_a_generation_that_was_not_logged_is_not_named(self, comfy: ComfyServer) -> None:
        """Its images are saved with all else that is known."""
        comfy.run(three_nodes(recommender={"include": "red.*"}))
        database = preferences_file(comfy)
        in_its_place = outbox_of(database, database.parent).path
        graph = three_nodes(images=1, seed=99, recommender={"include": "red.*"})
        graph["saved"] = save(["sampler", 0], ["sampler", 3])
        with locked(database), locked(in_its_place):
            entry = comfy.run(graph)

        [file] = files(comfy, entry)
        assert KEY not in texts(file)
        assert "Model: red," in texts(file)["parameters"]
        assert "This generation was not logged" in notes(entry)


class TestOwnGraph:
    """A graph that a person wired from stock nodes."""

    def test_behind_the_recorder_each_file_names_its_checkpoint(self, comfy: ComfyServer) -> None:
        """The settings come from the graph."""
        graph = own_graph(fresh_prompt())
        graph["recorder"]["inputs"] |= {"selected": "2,1"}
        graph["saved"] = save(["recorder", 0], ["recorder", 2])

        entry = comfy.run(graph)

        saved = files(comfy, entry)
        assert [own(file)["position"] for file in saved] == [1, 2]
        for file in saved:
            assert own(file)["checkpoint"] == drawn_by(file)
            name = drawn_by(file).removesuffix(".safetensors")
            assert texts(file)["parameters"].endswith(
                f"\nSteps: 4, Sampler: Euler, CFG scale: 2, Seed: 1, Size: 128x128, Model: {name}, Version: ComfyUI"
            )

    def test_without_a_recorder_the_saver_logs_the_generation(self, comfy: ComfyServer) -> None:
        """So that its images can be judged later; a recorder beside it uses the same."""
        graph = own_graph(fresh_prompt())
        graph["saved"] = save(["decoded", 0], plan=["recommender", 0], ckpt_names=["recommender", 1])

        entry = comfy.run(graph)

        saved = files(comfy, entry)
        [generation] = generations(entry)
        assert [own(file)["generation"] for file in saved] == [generation["generation_id"]] * 3
        assert [own(file)["checkpoint"] for file in saved] == [drawn_by(file) for file in saved]
        [logged] = comfy.get(f"/context_checkpoint/generations?id={generation['generation_id']}")["generations"]
        assert len(logged["images"]) == 3

    def test_names_that_do_not_fit_are_said_and_the_images_saved(self, comfy: ComfyServer) -> None:
        """Where the recorder would stop the workflow."""
        graph = own_graph(fresh_prompt())
        graph["recorder"]["inputs"] |= {"selected": "0"}
        graph["saved"] = save(["recorder", 0], plan=["recommender", 0], ckpt_names=["recommender", 1])

        entry = comfy.run(graph)

        [file] = files(comfy, entry)
        assert "Model:" not in texts(file)["parameters"]
        assert "3 checkpoint names arrived for 1 images" in notes(entry)


class TestOtherSavers:
    """Stock SaveImage, and the savers of other packs."""

    def test_stock_files_carry_the_generation_and_its_checkpoints(self, comfy: ComfyServer) -> None:
        """After the sampler and after the recorder alike, also for a prompt that a script queued."""
        graph = three_nodes(images=3, selected="1", recommender=RED_GREEN_BLUE)
        graph["saved"] = node("SaveImage", images=["recorder", 0], filename_prefix="stock/a")
        graph["all"] = node("SaveImage", images=["sampler", 0], filename_prefix="stock/b")

        entry = comfy.run(graph)

        [generation] = generations(entry)
        names = [image["checkpoint"] for image in generation["images"]]
        expected = [{"generation": generation["generation_id"], "checkpoints": names}]
        for file in files(comfy, entry) + files(comfy, entry, "all"):
            assert own(file) == {"version": 1, "generations": expected}

    def test_a_cached_generation_is_carried_too(self, comfy: ComfyServer) -> None:
        """Two seeds in turn: each run's files carry their own, whether its images were made or remembered."""
        made = {}
        for seed in (20, 21):
            graph = three_nodes(seed=seed, recommender=RED_GREEN_BLUE)
            made[seed] = generations(comfy.run(graph))[0]["generation_id"]
        assert len(set(made.values())) == 2
        for seed in (21, 21):
            graph = three_nodes(seed=seed, recommender=RED_GREEN_BLUE)
            prefix = f"stock/{uuid.uuid4().hex[:8]}"
            graph["saved"] = node("SaveImage", images=["sampler", 0], filename_prefix=prefix)

            entry = comfy.run(graph)

            assert "sampler" in cached(entry)
            carried = [own(file)["generations"] for file in files(comfy, entry)]
            assert [[each["generation"] for each in some] for some in carried] == [[made[seed]]] * len(carried)

    def test_a_generation_from_an_older_place_of_the_cache_is_its_own(self, comfy_factory: ComfyFactory) -> None:
        """Where ComfyUI keeps the results of several prompts, not only of the last."""
        comfy = comfy_factory("--cache-lru", "100")
        made = {}
        for seed in (20, 21):
            made[seed] = generations(comfy.run(three_nodes(seed=seed, recommender=RED_GREEN_BLUE)))[0]["generation_id"]
        graph = three_nodes(seed=20, recommender=RED_GREEN_BLUE)
        graph["saved"] = node("SaveImage", images=["sampler", 0], filename_prefix="stock/older")

        entry = comfy.run(graph)

        assert "sampler" in cached(entry)
        for file in files(comfy, entry):
            assert [each["generation"] for each in own(file)["generations"]] == [made[20]]

    def test_a_generation_that_was_made_anew_replaces_the_former(self, comfy: ComfyServer) -> None:
        """After something was learned the same graph runs again."""
        for selected in ("0", ""):
            graph = three_nodes(seed=22, recommender=RED_GREEN_BLUE, selected=selected)
            prefix = f"stock/{uuid.uuid4().hex[:8]}"
            graph["saved"] = node("SaveImage", images=["sampler", 0], filename_prefix=prefix)
            entry = comfy.run(graph)

            [generation] = generations(entry)
            for file in files(comfy, entry):
                [carried] = own(file)["generations"]
                assert carried["generation"] == generation["generation_id"]

    def test_behind_the_recorder_of_an_own_graph_they_carry_it_too(self, comfy: ComfyServer) -> None:
        """Also when the recorder's result comes from the cache."""
        graph = own_graph(fresh_prompt())
        graph["recorder"]["inputs"] |= {"mode": "pause"}  # without a browser all images go on
        for _ in range(2):
            prefix = f"stock/{uuid.uuid4().hex[:8]}"
            graph["saved"] = node("SaveImage", images=["recorder", 0], filename_prefix=prefix)

            entry = comfy.run(graph)

            [file, *_] = files(comfy, entry)
            [carried] = own(file)["generations"]
            [logged] = comfy.get(f"/context_checkpoint/generations?id={carried['generation']}")["generations"]
            assert carried["checkpoints"] == [image["file"]["checkpoint"] for image in logged["images"]]
        assert "recorder" in cached(entry)

    def test_what_a_client_sends_along_of_an_earlier_run_is_dropped(self, comfy: ComfyServer) -> None:
        """The rest of what it sends is kept."""
        graph = three_nodes(images=1, recommender={"include": "red.*"})
        graph["saved"] = node("SaveImage", images=["sampler", 0], filename_prefix="stock/stale")
        stale = {KEY: {"version": 1, "generations": [{"generation": "0" * 32, "checkpoints": ["x"]}]}}

        entry = run_with(comfy, graph, {**stale, "workflow": {"nodes": []}})

        [file] = files(comfy, entry)
        [carried] = own(file)["generations"]
        assert carried["generation"] == generations(entry)[0]["generation_id"]
        assert json.loads(texts(file)["workflow"]) == {"nodes": []}

    def test_a_graph_without_our_nodes_is_left_alone(self, comfy: ComfyServer) -> None:
        """Not a key more than before."""
        entry = comfy.run(by_hand("red.safetensors", save=True))

        [file] = files(comfy, entry, "shown")
        assert set(texts(file)) == {"prompt"}

    @pytest.mark.parametrize("saver", ["TextNameSaver", "ListNameSaver"])
    def test_other_savers_take_the_names_beside_the_images(self, comfy: ComfyServer, saver: str) -> None:
        """Whether they declare the model's name as text or as a list of files."""
        graph = three_nodes(images=4, selected="0,3", recommender=RED_GREEN_BLUE)
        graph["saved"] = node(saver, images=["recorder", 0], modelname=["recorder", 3])

        entry = comfy.run(graph)

        images = generations(entry)[0]["images"]
        saved = entry["outputs"]["saved"]["saved"]
        assert [each["modelname"] for each in saved] == [images[at]["checkpoint"] for at in (0, 3)]
        made_by = [tiny_checkpoints.made_by(tuple(each["color"]), COLORS) for each in saved]
        assert made_by == [each["modelname"] for each in saved]


def cached(entry: HistoryEntry) -> list[str]:
    [nodes] = [detail["nodes"] for kind, detail in entry["status"]["messages"] if kind == "execution_cached"]
    return list(nodes)


def test_a_file_over_http_is_the_file_on_disk(comfy: ComfyServer) -> None:
    """ComfyUI's page finds it by what the node shows."""
    graph = three_nodes(images=1, recommender={"include": "red.*"})
    graph["saved"] = save(["sampler", 0], ["sampler", 3], format="webp")

    entry = comfy.run(graph)

    [shown], [file] = entry["outputs"]["saved"]["images"], files(comfy, entry)
    query = f"filename={shown['filename']}&subfolder={shown['subfolder']}&type={shown['type']}"
    content = comfy.request("GET", f"/view?{query}")
    assert Image.open(io.BytesIO(content)).format == "WEBP"
    assert content == file.read_bytes()
