"""Sidecar files as Lora-Manager, Civitai Helper, A1111 and Forge write them, and hostile ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.checkpoints.sidecars import LARGEST_BYTES, UnreadableSidecarError, read_sidecar
from context_checkpoint.recipes.settings import Settings


def image(**meta: Any) -> dict[str, Any]:
    return {"url": "https://example.org/1.jpeg", "meta": meta}


SAMPLES = [
    image(steps=30, sampler="DPM++ 2M Karras", cfgScale=7, Size="832x1216", clipSkip=2, prompt="a castle"),
    image(steps=6, sampler="DPM++ SDE Karras", cfgScale=2, Size="832x1216", **{"Clip skip": "2"}),
    image(steps=6, sampler="DPM++ SDE", cfgScale=2.0, Size="1024x1024", **{"Schedule type": "Karras"}),
    {"url": "no meta"},
    {"meta": None},
    "not an image",
]
OF_SAMPLES = Settings(6, 2.0, "dpmpp_sde", "karras", 832, 1216, 2)


def write(path: Path, content: object) -> Path:
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, "utf-8")
    return path


def test_lora_managers_sample_images_give_the_most_frequent_values(tmp_path: Path) -> None:
    """Among equals the first; the sampler together with its schedule, a width with its height."""
    file = write(
        tmp_path / "dream.metadata.json",
        {"file_name": "dream", "base_model": "SDXL 1.0", "usage_tips": "{}", "civitai": {"images": SAMPLES}},
    )

    known, problems = read_sidecar(file, "sdxl")

    assert known.settings == OF_SAMPLES
    assert known.source == "its sidecar file dream.metadata.json"
    assert problems == ()


def test_usage_tips_count_before_the_samples(tmp_path: Path) -> None:
    """The person may have written them in Lora-Manager."""
    content = {"usage_tips": '{"clip_skip": 1, "strength": 0.8}', "civitai": {"images": SAMPLES}}

    known, _ = read_sidecar(write(tmp_path / "a.metadata.json", content), "sd15")

    assert known.settings.clip_skip == 1
    assert known.settings.steps == 6


def test_civitai_info_is_read_in_the_same_way(tmp_path: Path) -> None:
    """It is the version itself, as Civitai's API gives it."""
    content = {"baseModel": "SDXL Lightning", "trainedWords": ["score_9"], "images": SAMPLES[:1]}

    known, _ = read_sidecar(write(tmp_path / "a.civitai.info", content))

    assert known.settings == Settings(30, 7.0, "dpmpp_2m", "karras", 832, 1216, 2)


def test_the_kind_of_model_that_a_sidecar_names_fills_what_the_samples_lack(tmp_path: Path) -> None:
    """By the same table as a file's name."""
    content = {"baseModel": "SDXL Lightning", "images": [image(steps=5)]}

    known, _ = read_sidecar(write(tmp_path / "a.civitai.info", content), "sdxl")

    assert known.settings == Settings(5, 1.0, "euler", "sgm_uniform")


def test_a1111s_own_file_gives_words(tmp_path: Path) -> None:
    """What the person wrote there for the prompt; notes and descriptions are for people."""
    content = {
        "description": "Steps: 99",
        "notes": "Steps: 99, CFG scale: 1",
        "preferred weight": 0.7,
        "activation text": "score_9, score_8_up",
        "negative text": "score_4",
        "sd version": "SDXL",
    }

    known, problems = read_sidecar(write(tmp_path / "a.json", content), "sdxl")

    assert known.settings == Settings(before="score_9, score_8_up", negative="score_4")
    assert problems == ()


def test_a_text_file_counts_where_it_holds_a1111s_parameters(tmp_path: Path) -> None:
    """The last line of them; free text says nothing."""
    text = "a castle\nNegative prompt: blurry\nSteps: 8, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 2.5, "
    parameters = write(tmp_path / "a.txt", text + "Seed: 1, Size: 512x768, Clip skip: 2, Model: dream")
    words = write(tmp_path / "b.txt", "Use 20 to 30 steps and a CFG scale: 7")

    assert read_sidecar(parameters, "sd15")[0].settings == Settings(8, 2.5, "dpmpp_2m", "karras", 512, 768, 2)
    assert read_sidecar(words, "sd15") == (read_sidecar(words, "sd15")[0], ())
    assert read_sidecar(words, "sd15")[0].settings == Settings()


def test_what_means_something_else_for_the_architecture_is_left_out(tmp_path: Path) -> None:
    """Flux's `cfgScale` is its guidance, and Civitai writes a clip skip for models that have none."""
    content = {"baseModel": "Flux.1 D", "images": [image(steps=25, cfgScale=3.5, sampler="Euler", clipSkip=2)]}
    file = write(tmp_path / "a.civitai.info", content)

    for family in ("flux", "unknown"):
        known, problems = read_sidecar(file, family)
        assert known.settings == Settings(steps=25, sampler="euler")
        assert ["guidance" in problem for problem in problems] == [True]


def test_what_a_few_samples_have_and_is_not_used_is_no_problem(tmp_path: Path) -> None:
    """The most frequent sampler is one that ComfyUI has."""
    content = {"images": [image(sampler="DPM++ 4M Magic"), image(sampler="DPM++ 2M Karras")]}

    known, problems = read_sidecar(write(tmp_path / "a.civitai.info", content))

    assert (known.settings.sampler, problems) == ("dpmpp_2m", ())


def test_samplers_that_comfyui_lacks_are_said(tmp_path: Path) -> None:
    """A name in ComfyUI's own spelling may be another pack's, so it stays."""
    content = {"images": [image(sampler="DPM++ 4M Magic", steps=9), image(sampler="res_2s")]}

    known, problems = read_sidecar(write(tmp_path / "a.civitai.info", content))

    assert known.settings == Settings(steps=9, sampler="res_2s")
    assert problems == ("a.civitai.info: ComfyUI has no sampler DPM++ 4M Magic",)


@pytest.mark.parametrize(
    ("schedule", "scheduler", "problem"),
    [
        ("Automatic", "karras", ""),
        ("SGM Uniform", "sgm_uniform", ""),
        ("AYS SDXL", None, "ComfyUI has no scheduler AYS SDXL"),
        ("Align Your Steps", None, "ComfyUI has no scheduler Align Your Steps"),
        ("bong_tangent", "bong_tangent", ""),
        (7, None, ""),
    ],
)
def test_a_schedule_that_comfyui_lacks_is_said_and_the_sampler_counts(
    tmp_path: Path, schedule: object, scheduler: str | None, problem: str
) -> None:
    """It may be another pack's, if ComfyUI spells such names so."""
    content = {"images": [image(sampler="DPM++ 2M", **{"Schedule type": schedule})]}

    known, problems = read_sidecar(write(tmp_path / "a.civitai.info", content))

    assert known.settings == Settings(sampler="dpmpp_2m", scheduler=scheduler)
    assert problems == ((f"a.civitai.info: {problem}",) if problem else ())


@pytest.mark.parametrize(
    ("meta", "problem"),
    [
        ({"steps": 9999}, "steps 9999 is not believed"),
        ({"steps": 0}, "steps is 0"),
        ({"cfgScale": 1e300}, "cfg is 1e+300"),
        ({"cfgScale": 99}, "cfg 99 is not believed"),
        ({"steps": 10**300}, "steps is 1"),
        ({"Size": "16x16"}, "width 16 is not believed"),
        ({"clipSkip": 20}, "clip_skip 20 is not believed"),
        ({"steps": "many", "cfgScale": None, "Size": [1], "sampler": 7, "clipSkip": True}, ""),
        ({"steps": {"a": 1}, "Size": "x" * 100_000, "sampler": "y" * 100_000}, "ComfyUI has no sampler"),
    ],
)
def test_values_out_of_range_are_dropped(tmp_path: Path, meta: dict[str, Any], problem: str) -> None:
    """And said, where there is a value at all."""
    file = write(tmp_path / "a.civitai.info", {"images": [image(**meta)]})

    known, problems = read_sidecar(file, "sd15")

    assert known.settings == Settings()
    assert problem in "".join(problems)
    assert bool(problems) == bool(problem)
    assert all(len(each) < 300 for each in problems)


@pytest.mark.parametrize(
    "text",
    ["", "[", "[1]", "null", "[" * 100_000, '{"a": ' * 50_000, "\x00\x01", '{"steps": ' + "9" * 5_000 + "}"],
    ids=range(8),
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    """With its reason, and without recursion."""
    with pytest.raises(UnreadableSidecarError, match=r"it is not (JSON|a table)"):
        read_sidecar(write(tmp_path / "a.metadata.json", text))


@pytest.mark.parametrize(
    "content",
    [
        {"civitai": [1], "usage_tips": [2], "base_model": 3},
        {"civitai": {"images": {"a": 1}}, "usage_tips": "[", "base_model": None},
        {"images": [[], None, {"meta": []}], "usage_tips": "[1]"},
    ],
)
def test_other_types_than_expected_say_nothing(tmp_path: Path, content: object) -> None:
    """Whatever a website changes."""
    assert read_sidecar(write(tmp_path / "a.metadata.json", content))[0].settings == Settings()


def test_a_file_that_is_too_long_is_not_parsed(tmp_path: Path) -> None:
    """No more of it is read than the limit."""
    file = tmp_path / "a.metadata.json"
    with file.open("wb") as opened:
        opened.truncate(LARGEST_BYTES * 100)

    with pytest.raises(UnreadableSidecarError, match="longer than 8 MB"):
        read_sidecar(file)
