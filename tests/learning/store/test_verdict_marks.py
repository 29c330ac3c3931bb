"""From counts or positions to one mark per image: `learning.verdicts`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.learning.errors import LearningError
from context_checkpoint.learning.store.verdict_marks import judges, marks_of_counts, marks_of_positions


def test_counts_mark_the_first_images_of_each_checkpoint() -> None:
    """Selected first, then rejected, then those that were not judged."""
    shown = ["a", "b", "a", "a"]

    assert marks_of_counts(shown, {"a": 1, "b": 1}, {"a": 1}) == "++-."


def test_names_in_another_spelling_and_counts_of_zero_are_fine() -> None:
    """A Windows client sends backslashes; zero of a stranger says nothing."""
    assert marks_of_counts(["sub/a", "b"], {"sub\\a": 1}, {"stranger": 0}) == "+."


def test_positions_mark_images() -> None:
    """Naming one twice is the same as once."""
    assert marks_of_positions(4, [0, 0, 2], [3]) == "+.+-"


def test_marks_that_say_nothing_do_not_judge() -> None:
    """An empty verdict withdraws."""
    assert not judges(marks_of_positions(3, [], []))
    assert not judges("")
    assert judges(".-")


@given(
    shown=st.lists(st.sampled_from("abc"), min_size=1, max_size=8),
    selected=st.dictionaries(st.sampled_from("abcd"), st.integers(-1, 4)),
    rejected=st.dictionaries(st.sampled_from("abcd"), st.integers(-1, 4)),
)
def test_every_verdict_is_marked_exactly_or_refused(
    shown: list[str], selected: dict[str, int], rejected: dict[str, int]
) -> None:
    """No count is lost or invented."""
    judged = {name: (selected.get(name, 0), rejected.get(name, 0)) for name in {*selected, *rejected}}
    if any(min(both) < 0 or sum(both) > shown.count(name) for name, both in judged.items()):
        with pytest.raises(LearningError):
            marks_of_counts(shown, selected, rejected)
        return

    marks = marks_of_counts(shown, selected, rejected)

    assert len(marks) == len(shown)
    for name in set(shown):
        mine = [mark for mark, of in zip(marks, shown, strict=True) if of == name]
        assert (mine.count("+"), mine.count("-")) == (selected.get(name, 0), rejected.get(name, 0))


@pytest.mark.parametrize("position", [True, "0", 1.0, None])
def test_a_position_that_is_no_whole_number_is_refused(position: object) -> None:
    """JSON has more kinds of numbers than images have positions."""
    with pytest.raises(LearningError, match="whole number"):
        marks_of_positions(3, [position], [])
