"""What a script may write into the recorder's `selected` and `rejected`."""

from __future__ import annotations

import pytest

from context_checkpoint.nodes.recording.verdict_inputs import VerdictError, VerdictInputs


@pytest.mark.parametrize(
    ("selected", "rejected", "expected"),
    [
        ("", "", ([], [])),
        ("0,2", "", ([0, 2], [])),
        (" 0 ; 2\n1 ", "", ([0, 1, 2], [])),
        ("", "1", ([], [1])),
        ("", "all", ([], [0, 1, 2, 3])),
        ("All", "", ([0, 1, 2, 3], [])),
        ("1", "all", ([1], [0, 2, 3])),
        ("all", "3", ([0, 1, 2], [3])),
        ("2,2", "", ([2], [])),
    ],
)
def test_inputs_name_images_of_a_run_of_four(
    selected: str, rejected: str, expected: tuple[list[int], list[int]]
) -> None:
    """Numbers from 0, in any spelling; `all` is every image that the other input does not name."""
    selected_positions, rejected_positions = VerdictInputs.read(selected, rejected).over(4)

    assert (sorted(selected_positions), sorted(rejected_positions)) == expected


@pytest.mark.parametrize(("selected", "rejected"), [("", ""), (" ", "\n"), (",", ";")])
def test_nothing_written_is_no_verdict(selected: str, rejected: str) -> None:
    """An empty pair of inputs is false: there is nothing to record."""
    assert not VerdictInputs.read(selected, rejected)


@pytest.mark.parametrize("text", ["best", "-1", "0.5", "1,x", "0-2", "all,1"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """The message quotes what was wrong and shows what to write."""
    with pytest.raises(VerdictError, match=r"`0,2`, or `all`"):
        VerdictInputs.read(text, "")


def test_an_image_cannot_be_both_selected_and_rejected() -> None:
    """The message names it."""
    with pytest.raises(VerdictError, match="Image 1, 2 is both"):
        VerdictInputs.read("1,2,3", "2 1")


def test_all_cannot_be_written_in_both() -> None:
    """Nothing would be left to say which is which."""
    with pytest.raises(VerdictError, match="write it in one"):
        VerdictInputs.read("all", "all")


def test_an_image_that_does_not_exist_is_refused() -> None:
    """The message says which, how many there are, and that nothing was recorded."""
    with pytest.raises(VerdictError, match=r"no image 3, 9: this run has 3.*no verdict was recorded"):
        VerdictInputs.read("0,3", "9").over(3)
