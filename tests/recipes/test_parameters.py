"""What made an image, as A1111 writes it."""

from __future__ import annotations

import doctest
from dataclasses import replace

import pytest

from context_checkpoint.recipes import Recipe, parameters, parameters_text

RECIPE = Recipe(
    model="sdxl/Dream XL, v2.safetensors",
    model_hash="0123456789",
    loras=(("style/ink.safetensors", 0.8, 0.5),),
    positive="a castle, 城",
    negative="blurry",
    steps=20,
    cfg=7.0,
    sampler="dpmpp_2m",
    scheduler="karras",
    denoise=1.0,
    seed=42,
    width=1024,
    height=768,
    clip_skip=2,
)


def written(**changes: object) -> str:
    return parameters_text(replace(RECIPE, **changes), width=64, height=32, version="ComfyUI")  # type: ignore[arg-type]


def test_all_that_is_known_is_written_in_a1111s_order() -> None:
    """Prompt with its LoRAs, negative prompt, settings; a name with a comma is quoted."""
    text = parameters_text(
        RECIPE, width=64, height=32, lora_hashes={"style/ink.safetensors": "abcdef0123"}, version="ComfyUI"
    )

    assert text == (
        "a castle, 城 <lora:ink:0.5:0.8>\n"
        "Negative prompt: blurry\n"
        "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 42, Size: 1024x768, Model hash: 0123456789, "
        'Model: "Dream XL, v2", Clip skip: 2, Lora hashes: "ink: abcdef0123", Version: ComfyUI'
    )


def test_what_is_not_known_is_left_out() -> None:
    """The image's own size is always known."""
    assert parameters_text(Recipe(), width=64, height=32) == "\nSize: 64x32"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"sampler": "euler_ancestral", "scheduler": "normal"}, "Sampler: Euler a, CFG"),
        ({"sampler": "dpmpp_2m_sde_gpu", "scheduler": "exponential"}, "Sampler: DPM++ 2M SDE Exponential, CFG"),
        ({"sampler": "euler", "scheduler": "sgm_uniform"}, "Sampler: Euler, Schedule type: SGM Uniform, CFG"),
        ({"sampler": "res_multistep", "scheduler": "AYS SDXL"}, "Sampler: res_multistep, Schedule type: AYS SDXL, CFG"),
        ({"sampler": "euler", "scheduler": None}, "Sampler: Euler, CFG"),
        ({"denoise": 0.55}, "Denoising strength: 0.55"),
        ({"cfg": 3.5}, "CFG scale: 3.5,"),
        ({"positive": "a <lora:ink:0.8> castle"}, "a <lora:ink:0.8> castle\n"),
        ({"model": "C:\\models\\dream.v2.ckpt"}, "Model: dream.v2,"),
    ],
)
def test_values_are_spelled_as_a1111_spells_them(changes: dict[str, object], line: str) -> None:
    """Samplers and schedulers by A1111's names; those that it lacks by ComfyUI's."""
    assert line in written(**changes)


def test_without_a_negative_prompt_there_is_no_line_for_it() -> None:
    """As in A1111."""
    assert "Negative prompt" not in written(negative="")
    assert "Clip skip" not in written(clip_skip=1)


def test_the_examples_in_the_docstrings_hold() -> None:
    """Executed as they stand."""
    assert doctest.testmod(parameters).failed == 0
