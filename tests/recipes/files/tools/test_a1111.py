"""A1111's `parameters` and those of its relatives: prompts and settings of every odd kind."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from context_checkpoint.recipes import Recipe
from context_checkpoint.recipes.files.tools.a1111 import read_parameters

SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, Model hash: abc, Model: dream"


def read(text: str) -> Recipe:
    recipe = read_parameters(text)
    assert recipe is not None
    return recipe


def test_all_settings_are_read():
    """The form that current versions write."""
    recipe = read(
        "a castle, <lora:detail:0.8>\nby the sea\nNegative prompt: blurry\nlow quality\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 18446744073709551615, "
        "Size: 512x768, Model hash: 0123456789, Model: dream, v2.1 (final), Denoising strength: 0.4, Clip skip: 2, "
        'Lora hashes: "detail: 0123abcd", Version: v1.10.1'
    )

    assert recipe == Recipe(
        model="dream, v2.1 (final)",
        model_hash="0123456789",
        loras=(("detail", 0.8, 0.8),),
        positive="a castle, <lora:detail:0.8>\nby the sea",
        negative="blurry\nlow quality",
        steps=20,
        cfg=6.5,
        sampler="DPM++ 2M",
        scheduler="Karras",
        denoise=0.4,
        seed=18446744073709551615,
        width=512,
        height=768,
        clip_skip=2,
        tool="A1111",
    )


@pytest.mark.parametrize(
    ("prompts", "positive", "negative"),
    [
        ("a castle", "a castle", ""),
        ("", "", ""),
        ("\nNegative prompt: blurry", "", "blurry"),
        ("a castle\nNegative prompt:", "a castle", ""),
        ("a castle\r\nNegative prompt: blurry\r\nugly\r\n", "a castle", "blurry\nugly"),
        (
            "Steps: 1, take the bread, 2, eat it\nSteps: 5, more",
            "Steps: 1, take the bread, 2, eat it\nSteps: 5, more",
            "",
        ),
        (
            "Steps: 9, Sampler: none, Seed: 3, Size: 1x1\na castle",
            "Steps: 9, Sampler: none, Seed: 3, Size: 1x1\na castle",
            "",
        ),
        ('a sign that says "Seed: 5, Model: x"', 'a sign that says "Seed: 5, Model: x"', ""),
        ("a castle, no Negative prompt here", "a castle, no Negative prompt here", ""),
        ("Model: a woman, Sampler: of tea", "Model: a woman, Sampler: of tea", ""),
    ],
)
def test_prompts_may_have_any_lines(prompts, positive, negative):
    """Also those that look like settings: the last line of settings counts."""
    recipe = read(f"{prompts}\n{SETTINGS}")

    assert (recipe.positive, recipe.negative, recipe.seed, recipe.model) == (positive, negative, 1, "dream")


def test_texts_after_the_settings_are_not_theirs():
    """Extensions write templates, with prompts of their own."""
    recipe = read(
        f"a red castle\nNegative prompt: blurry\n{SETTINGS}\nTemplate: a {{red|blue}} castle\nNegative Template: x"
    )

    assert (recipe.positive, recipe.negative, recipe.model) == ("a red castle", "blurry", "dream")


def test_all_on_one_line_is_read_as_far_as_it_can_be_told():
    """Some programs turn line breaks into blanks."""
    recipe = read(f"a castle Negative prompt: blurry {SETTINGS}")

    assert (recipe.positive, recipe.negative, recipe.steps) == ("a castle", "blurry", 20)


def test_values_may_be_quoted_and_hold_anything():
    """Commas, colons, quotes and line breaks, as JSON has them; and unescaped line breaks."""
    recipe = read(
        'a castle\nSteps: 20, Sampler: "Euler, the \\"first\\"", ADetailer prompt: "Steps: 3, Seed: 9\nModel: face", '
        'Hashes: {"model": "abc", "lora:x": "1"}, CFG scale: 7, Seed: 1, Model: "a, b"'
    )

    assert (recipe.sampler, recipe.seed, recipe.model, recipe.model_hash) == ('Euler, the "first"', 1, "a, b", "abc")


def test_settings_may_come_in_any_order_and_under_other_names():
    """SD.Next and savers for ComfyUI."""
    recipe = read(
        "a castle\nNegative prompt: blurry\nSteps: 20, Size: 1024x768, Sampler: DDIM, Seed: 2, CFG Scale: 6.0, "
        "App: SD.Next, Version: 56a8aea, Model: dream, Model hash: 45a2"
    )

    assert (recipe.width, recipe.height, recipe.cfg, recipe.tool) == (1024, 768, 6.0, "SD.Next")


def test_the_first_pass_counts():
    """Its size, steps and cfg; the strength is the later pass's."""
    recipe = read(
        f"a castle\n{SETTINGS}, Denoising strength: 0.3, Hires upscale: 2, Hires steps: 9, Hires CFG Scale: 3"
    )

    assert (recipe.steps, recipe.cfg, recipe.width, recipe.denoise) == (20, 7.0, 512, None)


@pytest.mark.parametrize(
    ("tag", "lora"),
    [
        ("<lora:a b.c:0.5>", ("a b.c", 0.5, 0.5)),
        ("<lora:x>", ("x", 1.0, 1.0)),
        ("<lora:x:0.5:0.7>", ("x", 0.7, 0.5)),
        ("<lora:x:te=0.2:unet=0.9>", ("x", 0.9, 0.2)),
        ("<lora:x:-1>", ("x", -1.0, -1.0)),
        ("<lyco:x:1.5>", ("x", 1.5, 1.5)),
        ("<LORA:x:high>", ("x", 1.0, 1.0)),
    ],
)
def test_loras_are_in_the_prompt(tag, lora):
    """First the strength of the text encoder, then of the model."""
    assert read(f"a castle {tag}\n{SETTINGS}").loras == (lora,)


def test_the_guidance_of_flux_is_no_cfg():
    """Forge writes both, and its cfg for Flux is 1; `Hires CFG Scale` is the later pass's."""
    recipe = read(
        "a castle\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 7, "
        "Hires CFG Scale: 2, Hires Distilled CFG Scale: 4, Size: 512x768, Model: flux1-dev, Version: f2.0.1v1.10.1"
    )

    assert (recipe.cfg, recipe.tool, recipe.steps) == (1.0, "Forge", 20)


def test_loras_are_also_in_the_settings():
    """Where savers and Civitai list them; without tags A1111 had none."""
    saver = (
        "Lora_0 Model name: a.safetensors, Lora_0 Strength model: 0.5, Lora_0 Strength clip: 0.4, Lora_1 Model name: b"
    )
    civitai = '[{"type":"checkpoint","modelName":"Base"},{"type":"lora","weight":0.7,"modelName":"Fine, detail"}]'

    assert read(f"a\n{SETTINGS}").loras == ()
    assert read(f"a\n{SETTINGS}, {saver}").loras == (("a.safetensors", 0.5, 0.4), ("b", 1.0, 1.0))
    assert read(f"a\n{SETTINGS}, Civitai resources: {civitai}, Civitai metadata: {{}}").loras == (
        ("Fine, detail", 0.7, 0.7),
    )
    assert read(f'a\n{SETTINGS}, Lora hashes: "x: 12, y: 34"').loras == (("x", 1.0, 1.0), ("y", 1.0, 1.0))
    assert read(f"a\n{SETTINGS}, Version: ComfyUI").loras is None


def test_civitais_images_name_their_model_in_the_resources():
    """And when they were made."""
    recipe = read(
        "a castle\nNegative prompt: blurry\nSteps: 25, Sampler: Euler a, CFG scale: 4, Seed: 5, Size: 832x1216, "
        "Clip skip: 2, Created Date: 2024-11-21T05:33:56.5186186Z, "
        'Civitai resources: [{"type":"checkpoint","modelVersionId":1,"modelName":"Dream XL","modelVersionName":"v1"}], '
        "Civitai metadata: {}"
    )

    assert (recipe.model, recipe.tool) == ("Dream XL", "Civitai")
    assert recipe.made_at == datetime(2024, 11, 21, 5, 33, 56, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("version", "tool"),
    [
        ("v1.10.1", "A1111"),
        ("f2.0.1v1.10.1-previous-1-gabc", "Forge"),
        ("f1.0.0v2-v1.10.1RC-latest-2498-g5120e679", "reForge"),
        ("neo", "Forge Neo"),
        ("classic", "Forge Classic"),
        ("ComfyUI", "ComfyUI"),
        ("Fooocus v2.4.3", "Fooocus"),
    ],
)
def test_the_version_names_the_tool(version, tool):
    """They all write the same form."""
    assert read(f"a\n{SETTINGS}, Version: {version}").tool == tool


@pytest.mark.parametrize(
    "settings",
    [
        "Steps: many, Sampler: x, Seed: -1, CFG scale: nan, Size: 0x0, Clip skip: -3",
        "Steps: 1e9, Sampler: x, Seed: 99999999999999999999999999, CFG scale: 1e400, Size: axb",
        "Steps: , Sampler: , Seed: , CFG scale: , Size: ",
    ],
)
def test_values_that_cannot_be_are_left_out(settings):
    """Instead of numbers that no tool has."""
    recipe = read(f"a castle\n{settings}")

    assert (recipe.steps, recipe.seed, recipe.cfg, recipe.width, recipe.clip_skip) == (None,) * 5


@pytest.mark.parametrize("text", ["", "a castle", "Steps: 20", "a: b, c: d", "Seed: 1", "\n\n\n", "Negative prompt: x"])
def test_other_texts_are_none_of_it(text):
    """Captions, notes, and settings of something else."""
    assert read_parameters(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Steps: 20, Sampler: x," + " " * 2_000_000,
        "a: b, c: d\n" * 200_000,
        "x Steps: 20, a\n" * 150_000,
        "<lora:" * 300_000 + "\n" + SETTINGS,
        'a\nSteps: 20, Sampler: "' + '\\"' * 1_000_000,
        "a\nSteps: 20, Sampler: x" + "," * 2_000_000,
    ],
    ids=["blanks", "lines", "steps", "tags", "quotes", "commas"],
)
@pytest.mark.timeout(60)
def test_long_hostile_texts_are_read_once(text):
    """Two megabytes of what a careless pattern reads again and again, for hours."""
    recipe = read_parameters(text)

    assert recipe is None or recipe.steps == 20
