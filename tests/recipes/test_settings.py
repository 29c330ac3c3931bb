"""The value `Settings`: what is known, and how its words join a prompt."""

import pytest

from context_checkpoint.recipes.settings import Settings


def test_what_is_not_known_is_filled_from_another() -> None:
    """A known value stays, zero too."""
    own = Settings(steps=4, cfg=0.0)

    assert own.filled(Settings(steps=20, cfg=7.0, sampler="euler")) == Settings(4, 0.0, "euler")
    assert own.filled(Settings(steps=20)).known() == {"steps": 4, "cfg": 0.0}
    assert own.only(["cfg", "sampler"]) == Settings(cfg=0.0)


@pytest.mark.parametrize(
    ("before", "after", "prompt", "whole"),
    [
        ("score_9", None, "a cat", "score_9, a cat"),
        ("score_9, ", "masterpiece", "a cat,\n", "score_9, a cat, masterpiece"),
        (None, "masterpiece", "a cat", "a cat, masterpiece"),
        ("score_9", None, "", "score_9"),
        (None, None, " a cat, ", " a cat, "),
    ],
)
def test_words_are_put_before_and_after_the_prompt(
    before: str | None, after: str | None, prompt: str, whole: str
) -> None:
    """With one comma between them; without words the prompt is untouched."""
    assert Settings(before=before, after=after).positive_with(prompt) == whole


def test_negative_words_follow_the_negative_prompt() -> None:
    """Both count."""
    assert Settings(negative="score_4").negative_with("blurry") == "blurry, score_4"
    assert Settings(negative="score_4").negative_with("") == "score_4"
    assert Settings().negative_with(" blurry ") == " blurry "
