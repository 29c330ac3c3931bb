"""Stacks as other packs give them, joined with more, and resolved to files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.checkpoints.lora_files import LoraFile
from context_checkpoint.checkpoints.lora_stacks import (
    MOST_STRENGTH,
    LoraNames,
    Stack,
    joined_stack,
    read_stack,
    usable,
)
from context_checkpoint.learning.loras import lora_key

INK, DETAIL = ("sdxl/ink.safetensors", 0.8, 0.5), ("detail.safetensors", 1.0, 1.0)


@pytest.mark.parametrize(
    ("value", "loras"),
    [
        (None, ()),
        ([], ()),
        ((), ()),
        ([INK, DETAIL], (INK, DETAIL)),
        ((list(INK),), (INK,)),
        ([("None", 1.0, 1.0), INK, ("", 1, 1), (None, 1, 1), None], (INK,)),
        ([("ink", 1, 0)], (("ink", 1.0, 0.0),)),
        ([("ink", "0.8", " 0.5 ")], (("ink", 0.8, 0.5),)),
        ([("ink", np.float32(0.5), np.float64(0.25))], (("ink", 0.5, 0.25),)),
        ([("ink", 0.5)], (("ink", 0.5, 0.5),)),
        (("ink", 0.5, 0.25), (("ink", 0.5, 0.25),)),
        ([("ink", 0, 0.0)], ()),
    ],
    ids=str,
)
def test_what_packs_give_is_read(value: object, loras: tuple[object, ...]) -> None:
    """None, lists and tuples, "None" entries, whole numbers and texts; one that is off is none."""
    assert read_stack(value) == Stack(loras)  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", [5, "ink", ("ink", "strong", 1), (7, 1, 1), {"lora": "ink"}, (), ("x" * 600, 1, 1)])
def test_what_cannot_be_read_is_said(entry: object) -> None:
    """The others of the stack are used."""
    stack = read_stack([INK, entry])

    assert stack.loras == (INK,)
    (problem,) = stack.problems
    assert problem.startswith("An entry of the LoRA stack cannot be read")


def test_a_stack_of_its_own_spelling_is_bounded() -> None:
    """Whatever arrives at the socket."""
    assert len(read_stack([INK] * 10_000).loras) == 100


@pytest.mark.parametrize("name", ["SDXL\\Ink.safetensors", "sdxl/INK", "./sdxl/ink.safetensors"])
def test_none_is_added_twice_however_it_is_written(name: str) -> None:
    """Separators, case and extension are those of whoever wrote it."""
    assert joined_stack([INK], [(name, 0.1, 0.1), DETAIL]) == (INK, DETAIL)


def test_the_given_ones_stay_as_they_are() -> None:
    """Also twice, also beyond the bound: then nothing is added."""
    given_ones = [("a", 3.0, 3.0), ("a", -3.0, 1.0)]

    assert joined_stack(given_ones, [DETAIL]) == tuple(given_ones)


_STRENGTHS = st.floats(-3, 3)
_LORAS = st.lists(st.tuples(st.sampled_from(["a", "A", "b/c", "B\\C", "d"]), _STRENGTHS, _STRENGTHS), max_size=6)


@given(_LORAS, _LORAS)
def test_what_is_added_keeps_the_total_within_bounds(
    given_ones: list[tuple[str, float, float]], more: list[tuple[str, float, float]]
) -> None:
    """And is never there twice."""
    stack = joined_stack(given_ones, more)

    added = stack[len(given_ones) :]
    assert list(stack[: len(given_ones)]) == given_ones
    names = [lora_key(name) for name, _, _ in stack]
    assert all(names.count(lora_key(name)) == 1 for name, _, _ in added)
    assert not added or sum(abs(strength) for _, strength, _ in stack) <= MOST_STRENGTH + 1e-6


FILES = {
    file.name: file
    for file in (
        LoraFile("sdxl/ink.safetensors", "sdxl"),
        LoraFile("sd15/ink.safetensors", "sd15"),
        LoraFile("detail.safetensors"),
        LoraFile("cut.safetensors", "sdxl", unusable="the file is cut short"),
        LoraFile("Grün.safetensors", "flux"),
    )
}


def taken(*loras: tuple[str, float, float], family: str = "sdxl", files: Mapping[str, LoraFile] = FILES) -> Stack:
    return usable(loras, LoraNames(files), files.get, "dream.safetensors", family)


@pytest.mark.parametrize(
    ("name", "family", "file"),
    [
        ("ink", "sdxl", "sdxl/ink.safetensors"),
        ("ink", "sd15", "sd15/ink.safetensors"),
        ("ink.safetensors", "unknown", "sdxl/ink.safetensors"),
        ("SD15\\INK", "sd15", "sd15/ink.safetensors"),
        ("old folder/ink", "sdxl", "sdxl/ink.safetensors"),
        ("detail", "sd3", "detail.safetensors"),
        ("gru\u0308n", "chroma", "Grün.safetensors"),
    ],
)
def test_a_name_means_the_file_that_fits_the_checkpoint(name: str, family: str, file: str) -> None:
    """With or without folder and extension, in any case and Unicode form."""
    assert taken((name, 1.0, 0.5), family=family) == Stack(((file, 1.0, 0.5),))


@pytest.mark.parametrize(
    ("name", "family", "problem"),
    [
        ("gone", "sdxl", "There is no LoRA gone in ComfyUI's folders, so it is not applied."),
        (
            "sd15/ink",
            "sdxl",
            "The LoRA sd15/ink.safetensors is for sd15, so it is left out for dream.safetensors (sdxl).",
        ),
        ("cut", "sdxl", "The LoRA cut.safetensors cannot be applied: the file is cut short."),
    ],
)
def test_one_that_cannot_be_applied_is_said(name: str, family: str, problem: str) -> None:
    """The others are applied."""
    stack = taken((name, 1.0, 1.0), DETAIL, family=family)

    assert stack.loras == (DETAIL,)
    assert stack.problems[0].startswith(problem)


def test_one_that_is_named_twice_counts_once() -> None:
    """The first; other strengths are said."""
    assert taken(("ink", 0.8, 0.8), ("SDXL/ink", 0.8, 0.8)) == Stack((("sdxl/ink.safetensors", 0.8, 0.8),))
    stack = taken(("ink", 0.8, 0.8), ("ink", 0.4, 1.0))
    assert stack.loras == (("sdxl/ink.safetensors", 0.8, 0.8),)
    assert stack.problems == (
        "sdxl/ink.safetensors is named more than once: it is applied with 0.8, not also with 0.4:1.",
    )
