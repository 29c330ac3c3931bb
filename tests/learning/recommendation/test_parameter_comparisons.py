"""A comparison teaches that in which its images differ, and nothing else."""

from __future__ import annotations

from context_checkpoint.learning.recommendation.parameter_comparisons import (
    BLOCK,
    MOST_COMPARISONS,
    ComparedValues,
    ValueSums,
    compared,
)
from context_checkpoint.learning.recommendation.parameter_decision import ParameterLog
from context_checkpoint.learning.values import ImageSettings, Keyword, Shown

from .made_images import made

SLOW, FAST = ImageSettings(steps=30, cfg=7.0), ImageSettings(steps=12, cfg=7.0)
CAT = (Keyword("cat"),)


def test_images_that_differ_in_one_parameter_compare_its_values() -> None:
    """And no other parameter's; images of one value are one part."""
    images = [made(1, SLOW, "+"), made(1, FAST, "-"), made(1, FAST, ".")]

    found = compared(images)

    shown = Shown("30", 1, 1, 0), Shown("12", 2, 0, 1)
    assert found.pop("steps") == [ComparedValues(1, "a", shown, "final", (0, 1, 2))]
    assert not any(found.values())


def test_images_that_differ_in_anything_else_too_compare_nothing() -> None:
    """In the checkpoint, in a LoRA, or in another setting."""
    other_lora = ImageSettings(steps=12, cfg=7.0, loras=(("anime", 1.0, 1.0),))
    pairs = [
        (made(1, SLOW, "+"), made(1, FAST, "-", checkpoint="b")),
        (made(1, SLOW, "+"), made(1, other_lora, "-")),
        (made(1, SLOW, "+"), made(1, ImageSettings(steps=12, cfg=5.0), "-")),
        (made(1, SLOW, "+"), made(2, FAST, "-")),
        (made(1, SLOW, "."), made(1, FAST, ".")),
        (made(1, SLOW, "+"), made(1, ImageSettings(cfg=7.0), "-")),
    ]

    assert [compared(list(pair))["steps"] for pair in pairs] == [[]] * len(pairs)


def test_a_size_is_both_sides() -> None:
    """Images of one width and two heights compare sizes."""
    images = [made(1, ImageSettings(width=512, height=side), mark) for side, mark in ((512, "-"), (768, "+"))]

    (found,) = compared(images)["size"]

    assert [part.checkpoint for part in found.shown] == ["512x512", "512x768"]


def test_only_the_newest_comparisons_count_and_the_oldest_stays_for_a_while() -> None:
    """So that a new verdict is added to the sums."""
    images = [image for number in range(900) for image in (made(number, SLOW, "+"), made(number, FAST, "-"))]

    former = ParameterLog(images)
    found = former.comparisons["steps"]
    log = ParameterLog([*images, made(900, SLOW, "-"), made(900, FAST, "+")], former)

    assert MOST_COMPARISONS <= len(found) < MOST_COMPARISONS + BLOCK
    assert log.comparisons["steps"][: len(found)] == found
    assert log.compared_places("steps").tolist() == list(range(len(images) + 2))


def test_what_follows_from_a_log_is_the_same_whether_it_was_added_to_or_made_anew() -> None:
    """Also after a verdict in the middle was changed, or the oldest images were left out."""
    images = [image for number in range(6) for image in (made(number, SLOW, "+"), made(number, FAST, "-"))]
    changed = [*images[:4], made(2, SLOW, "-"), made(2, FAST, "+"), *images[6:]]
    for later in (images[:7], images, changed, changed[2:], [*changed, made(5, FAST, "+")]):
        for former in (images[:3], images[:7], images):
            log, anew = ParameterLog(later, ParameterLog(former)), ParameterLog(later)

            assert log.comparisons == anew.comparisons
            assert log.compared_generations == anew.compared_generations
            assert log.compared_places("steps").tolist() == anew.compared_places("steps").tolist()


def test_sums_are_the_same_whether_they_were_added_to_or_made_anew() -> None:
    """Also after a verdict among them was changed."""
    first = [ComparedValues(number, "a", (Shown("30", 1, 1), Shown("12", 1, 0, 1)), "final", ()) for number in range(6)]
    changed = [*first[:3], ComparedValues(3, "a", (Shown("30", 1, 0, 1), Shown("12", 1, 1)), "final", ()), *first[4:]]
    words = dict.fromkeys(range(6), CAT)
    used, anew = ValueSums(), ValueSums()
    for some in (first[:2], first[:5], first, changed):
        used.bring_up_to_date(some, words, {})
    anew.bring_up_to_date(changed, words, {})

    assert used.evidence(CAT, ["30", "12"]) == anew.evidence(CAT, ["30", "12"])
    assert used.judged == {"30": 6.0, "12": 6.0}
