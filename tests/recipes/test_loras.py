"""Tags of LoRAs in prompts, in the two orders of their strengths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.recipes.loras import (
    MOST_LORAS,
    Tag,
    short_name,
    tag_text,
    tagged_loras,
    tags,
    with_trigger_words,
    without_tags,
)


@pytest.mark.parametrize(
    ("text", "lora"),
    [
        ("<lora:ink:0.8>", ("ink", 0.8, 0.8)),
        ("<lora:ink:0.8:0.5>", ("ink", 0.8, 0.5)),
        ("<lora:ink:0.8:0>", ("ink", 0.8, 0.0)),
        ("<lora:ink>", ("ink", 1.0, 1.0)),
        ("<LORA: sdxl/ink v2.1 : -1 >", ("sdxl/ink v2.1", -1.0, -1.0)),
        ("<lyco:ink:.5>", ("ink", 0.5, 0.5)),
        ("<lora:ink:te=0.2:unet=0.9>", ("ink", 0.9, 0.2)),
        ("<lora:ink:0.8:lbw=OUTD>", ("ink", 0.8, 0.8)),
    ],
)
def test_a_tag_gives_the_models_strength_first(text: str, lora: tuple[str, float, float]) -> None:
    """As packs for ComfyUI write it; where one strength is written it is for both."""
    assert tags(f"a castle, {text} by the sea") == (Tag(text, lora),)


def test_a1111s_order_is_the_other() -> None:
    """Images of A1111 and its relatives are read with it."""
    assert tagged_loras("<lora:ink:0.5:0.8>") == (("ink", 0.8, 0.5),)


@pytest.mark.parametrize("text", ["<lora:ink:high>", "<lora:ink:0.8:x>", "<lora:ink:1e999>", "<lora:ink:nan>"])
def test_a_strength_that_is_no_number_is_said(text: str) -> None:
    """The caller decides what to do with such a tag."""
    (tag,) = tags(text)
    assert not tag.readable


@pytest.mark.parametrize(
    "text", ["<lora>", "<lora:>", "<lora::0.8>", "<lora:none:1>", "<lor:a:1>", "lora:a:1", "<lora:a"]
)
def test_other_texts_are_no_tags(text: str) -> None:
    """They stay in the prompt, as far as they name nothing."""
    assert tags(text) == ()


def test_removing_tags_changes_nothing_else() -> None:
    """The rest is what the text encoder gets, to the letter."""
    assert without_tags("(ink:1.2),  <lora:a:1><lora:b:1:2> [x|y] <c>") == "(ink:1.2),   [x|y] <c>"


def test_tags_are_written_as_they_are_read() -> None:
    """The model's strength first; one where they are equal."""
    loras = (("sdxl/ink.safetensors", 0.8, 0.8), ("detail.pt", 1.0, 0.5), ("a b.c", -0.25, -0.25))

    assert tag_text(loras) == "<lora:ink:0.8> <lora:detail:1:0.5> <lora:a b.c:-0.25>"
    assert [tag.lora for tag in tags(tag_text(loras))] == [(short_name(name), m, c) for name, m, c in loras]


@given(st.text(alphabet="<>lora:0.8 ,=\n", max_size=200))
def test_any_text_is_read(text: str) -> None:
    """What is left has no tag that would still be read."""
    assert all(tag.text in text for tag in tags(text))
    assert tags(text) or without_tags(text) == text or "none" in text.lower()


def test_a_prompt_of_tags_alone_is_bounded() -> None:
    """Whoever sends it."""
    assert len(tags("<lora:a:1>" * 10_000)) == MOST_LORAS


@pytest.mark.parametrize(
    ("prompt", "words", "expected"),
    [
        ("an owl", ["ink", "wet paper"], "an owl, ink, wet paper"),
        ("an owl,\n", ["ink"], "an owl, ink"),
        ("an owl, (Wet_Paper:1.3)", ["wet paper"], "an owl, (Wet_Paper:1.3)"),
        ("an owl", ["ink", "Ink", "INK"], "an owl, ink"),
        ("an inkwell", ["ink"], "an inkwell, ink"),
        ("an owl <lora:ink:1>", ["ink"], "an owl <lora:ink:1>, ink"),
        ("", ["ink", "paper"], "ink, paper"),
        ("an owl", ["", " ", "!"], "an owl"),
        ("猫、水彩", ["水彩", "墨"], "猫、水彩, 墨"),
    ],
)
def test_trigger_words_are_added_once(prompt: str, words: list[str], expected: str) -> None:
    """Only those that the prompt lacks, however it writes them; nothing else of it changes."""
    assert with_trigger_words(prompt, words) == expected
    assert with_trigger_words(expected, words) == expected
