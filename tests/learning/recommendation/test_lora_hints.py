"""What a prompt and the files of LoRAs say of each other."""

from __future__ import annotations

import pytest

from context_checkpoint.learning.loras import LoraCandidate
from context_checkpoint.learning.prompts.keywords import extract_keywords
from context_checkpoint.learning.recommendation.lora_hints import Catalogue

FILES = [
    LoraCandidate("style/InkSketch_v2.safetensors", ("inkskt", "ink sketch style"), {"long_hair": 0.9, "1girl": 1.0}),
    LoraCandidate("photo.safetensors", (), {"1girl": 0.5, "film grain": 0.5}),
    "水墨.safetensors",
    LoraCandidate("plain.safetensors", ("水墨画",)),
]


def hints(prompt: str) -> tuple[list[float], dict[int, str]]:
    found = Catalogue(FILES).hints(prompt, extract_keywords(prompt))
    return [round(each, 2) for each in found.strength.tolist()], found.triggers


@pytest.mark.parametrize("prompt", ["INKSKT, a fox", "(inkskt:1.2)", "a fox in Ink_Sketch style"])
def test_a_trigger_word_is_the_strongest_hint(prompt: str) -> None:
    """However the prompt spells and weighs it."""
    strengths, triggers = hints(prompt)
    assert strengths[0] == 1.0
    assert list(triggers) == [0]


@pytest.mark.parametrize("prompt", ["inkskts", "an ink, a sketch", "a thinkskt", "<lora:inkskt:1>, a fox"])
def test_a_part_of_a_word_or_a_file_name_in_angle_brackets_is_no_trigger(prompt: str) -> None:
    """Nor are its words in another order."""
    assert 0 not in hints(prompt)[1]


def test_words_of_the_name_are_half_a_hint_at_most() -> None:
    """A part of them is a part of it; versions and words that all names have do not count."""
    assert hints("an ink sketch")[0][0] == 0.5
    assert hints("ink on paper")[0][0] == 0.25
    assert hints("v2 safetensors")[0] == [0.0, 0.0, 0.0, 0.0]


def test_tags_count_the_more_the_rarer_they_are() -> None:
    """A tag that all have tells less than one of its own."""
    shared, own = hints("1girl")[0], hints("long hair, film grain")[0]
    assert 0.0 < shared[0] < own[0] <= 0.5
    assert 0.0 < shared[1] < own[1] <= 0.5


def test_words_of_other_scripts_are_found_where_nothing_separates_words() -> None:
    """In names and as trigger words."""
    strengths, triggers = hints("一幅水墨画")
    assert strengths[2] == 0.5
    assert triggers == {3: "水墨画"}


def test_a_file_is_asked_about_once() -> None:
    """Whatever its spelling; the first one counts."""
    catalogue = Catalogue(["a\\x.safetensors", "a/x.safetensors", "y"])
    assert [file.name for file in catalogue.files] == ["a\\x.safetensors", "y"]
