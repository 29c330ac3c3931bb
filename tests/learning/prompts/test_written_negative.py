"""The note of a generation's negative prompts: tags as they were written, bounded, the same for the same tags."""

from __future__ import annotations

import pytest

from context_checkpoint.learning.prompts.keywords import MOST_NEGATIVE, negative_keywords
from context_checkpoint.learning.prompts.written_negative import NOTE, is_note, learned, spellings, written_note
from context_checkpoint.learning.values import Keyword


def note(*negatives: str | None) -> str:
    """The text of the note without its mark; empty where there is none."""
    return "".join(word.text.removeprefix(NOTE) for word in written_note(negatives))


@pytest.mark.parametrize(
    ("negative", "expected"),
    [
        ("bad hands, blurry", "bad hands, blurry"),
        ("Blurry,(bad  hands:1.2),\n((text)), [logo]", "bad hands, blurry, logo, text"),
        ("blurry, blurry", "blurry"),
        ("embedding:EasyNegative, blurry, <lora:x:1>", "blurry"),
        ("a woman who stands in the rain, blurry", "blurry"),
        ("低质量、模糊", "低质量, 模糊"),
        ("", ""),
        (" , ;, !!", ""),
        ("x" * 41, ""),
    ],
)
def test_a_note_has_the_tags_as_they_were_written(negative: str, expected: str) -> None:
    """Without weights, brackets and files; in the order of the alphabet, so that no prompt can be read from it."""
    assert note(negative) == expected


def test_images_share_a_note() -> None:
    """The tags that all of them have; none where one negative prompt is not known."""
    assert note("bad hands, blurry", "Blurry, text") == "blurry"
    assert note("blurry", "text") == note("blurry", None) == note() == ""


def test_a_note_is_bounded() -> None:
    """Whatever is pasted into a negative prompt, also where each letter has four bytes."""
    many = note(", ".join(f"flaw{number}" for number in range(1_000)))
    long = note(", ".join(f"{number}" + "\U0001d400" * 30 for number in range(100)))

    assert len(many.split(", ")) == MOST_NEGATIVE
    assert 0 < len(long.encode()) <= 1_500


def test_spellings_are_those_of_one_keyword() -> None:
    """So that what is suggested and what is there already meet, however they are written."""
    (word,) = written_note(["Bad Hands, greyscale, text"])

    found = spellings(word.text)

    assert found == {"bad hand": "bad hands", "grayscale": "greyscale", "text": "text"}
    for form, written in found.items():
        assert Keyword(f"-{form}", 1.0) in negative_keywords(written)


def test_a_note_is_no_keyword() -> None:
    """It has no weight, and no keyword begins like it."""
    words = (*negative_keywords("--bad hands, blurry"), *written_note(["blurry"]))

    assert [is_note(word.text) for word in words] == [False] * (len(words) - 1) + [True]
    assert words[-1].weight == 0.0
    assert learned(words) == words[:-1]
