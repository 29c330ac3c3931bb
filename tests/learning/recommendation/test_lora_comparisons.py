"""Which images of a log compare LoRAs."""

from __future__ import annotations

from context_checkpoint.learning.recommendation.lora_comparisons import ComparedLoras, compared_loras
from context_checkpoint.learning.recommendation.lora_decision import Comparisons, LoraLog
from context_checkpoint.learning.recommendation.parameter_comparisons import ADDED
from context_checkpoint.learning.values import ImageSettings, Keyword, Shown

from .made_images import made

CAT = (Keyword("cat"),)


def with_loras(*names: str, strength: float = 1.0, steps: int = 20) -> ImageSettings:
    return ImageSettings(steps=steps, loras=tuple((name, strength, strength) for name in names))


def test_images_that_differ_in_their_loras_compare_them() -> None:
    """What all of them have is not taught, the strength makes no difference, and images with the same ones are one
    part."""
    images = [
        made(1, with_loras("detail", "ink.safetensors"), "+"),
        made(1, with_loras("detail", "ink.safetensors", strength=0.5), "-"),
        made(1, with_loras("detail"), "-"),
    ]

    assert compared_loras(images) == [
        ComparedLoras(1, (Shown("a", 2, 1, 1), Shown("a", 1, 0, 1)), (("ink",), ()), "final", (0, 1, 2))
    ]


def test_images_that_differ_in_another_setting_too_compare_nothing() -> None:
    """Nor do those that nobody judged, those of two generations, those with one set of LoRAs at two strengths, and
    those of which the LoRAs are not known."""
    ink, none = with_loras("ink"), with_loras()
    pairs = [
        (made(1, ink, "+"), made(1, with_loras(steps=30), "-")),
        (made(1, ink), made(1, none)),
        (made(1, ink, "+"), made(2, none, "-")),
        (made(1, ink, "+"), made(1, with_loras("ink", strength=0.5), "-")),
        (made(1, ink, "+"), made(1, ImageSettings(steps=20), "-")),
    ]

    assert [compared_loras(list(pair)) for pair in pairs] == [[]] * len(pairs)


def test_only_a_choice_says_anything() -> None:
    """Where all images were kept, or none, they may all have been good enough."""
    marks = {"+-": 1, "-+": 1, "+.": 1, "++": 0, "--": 0}
    for both, count in marks.items():
        images = [
            made(1, settings, mark) for settings, mark in zip((with_loras("ink"), with_loras()), both, strict=True)
        ]
        assert len(LoraLog(images).comparisons) == count


def test_of_several_checkpoints_what_was_known_is_an_offset_and_what_is_left_has_an_arm() -> None:
    """Of one checkpoint there is nothing else to explain the choice; it is a part of the context."""
    mixed = [made(1, with_loras("ink"), "+"), made(1, with_loras(), "-", checkpoint="b")]
    alike = [made(2, with_loras("ink"), "+", family="sdxl"), made(2, with_loras(), "-", family="sdxl")]
    log, words = LoraLog([*mixed, *alike]), {1: CAT, 2: CAT}

    first, second = Comparisons().of(log, words, {1: {"a": 1.5, "b": 0.5}}, {})

    assert [part.offset for part in first.shown] == [1.5, 0.5]
    assert [part.offset for part in second.shown] == [0.0, 0.0]
    assert first.members == ((f"{ADDED}a", "ink"), (f"{ADDED}b",))
    assert first.keywords == CAT
    assert second.members == (("ink",), ())
    assert [word.text for word in second.keywords] == ["cat", f"{ADDED}checkpoint a", f"{ADDED}family sdxl"]


def test_what_follows_from_a_log_is_the_same_whether_it_was_added_to_or_made_anew() -> None:
    """Also after a verdict in the middle was changed, or the oldest images were left out."""
    ink, none = with_loras("ink"), with_loras()
    images = [image for number in range(6) for image in (made(number, ink, "+"), made(number, none, "-"))]
    changed = [*images[:4], made(2, ink, "-"), made(2, none, "+"), *images[6:]]
    words, kept = dict.fromkeys(range(6), CAT), Comparisons()
    for later in (images[:7], images, changed, changed[2:], [*changed, made(5, none, "+")]):
        for former in (images[:3], images[:7], images):
            log, anew = LoraLog(later, LoraLog(former)), LoraLog(later)

            assert log.comparisons == anew.comparisons
            assert kept.of(log, words, {}, {}) == Comparisons().of(anew, words, {}, {})


def test_the_family_that_the_caller_knows_is_the_context() -> None:
    """Also of comparisons that were made before it was known."""
    log = LoraLog([made(1, with_loras("ink"), "+"), made(1, with_loras(), "-")])
    comparisons = Comparisons()
    before, after = (comparisons.of(log, {1: CAT}, {}, families)[0] for families in ({}, {"a": "sd15"}))
    assert len(after.keywords) == len(before.keywords) + 1
