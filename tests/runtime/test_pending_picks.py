"""A pick reaches the run that waits for it: once, whole, and from any thread."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import pytest

from context_checkpoint.learning.errors import InvalidVerdict
from context_checkpoint.learning.values import ImageFile
from context_checkpoint.runtime.pending_picks import (
    PendingGeneration,
    PendingPicks,
    Pick,
    PickAnswer,
    UnknownPick,
)

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def pick(pick_id: str = "one", images: int = 3) -> Pick:
    files = tuple(ImageFile(f"{number}.safetensors") for number in range(images))
    return Pick(pick_id, "7", "", "prompt", "session", NOON, None, (PendingGeneration("generation", 0, files),))


def test_an_answer_wakes_the_run_and_is_handed_to_it() -> None:
    """It no longer waits for anybody else."""
    pending = PendingPicks()
    answered = pending.open(pick())

    pending.answer("one", PickAnswer(frozenset({1}), frozenset({0, 2})))

    assert answered.is_set()
    assert pending.list() == ()
    assert pending.close("one") == PickAnswer(frozenset({1}), frozenset({0, 2}))


def test_several_runs_are_answered_each_by_its_own_id() -> None:
    """The longest waiting first; the others go on waiting."""
    pending = PendingPicks()
    first, second = pending.open(pick("one")), pending.open(pick("two"))

    pending.answer("two", PickAnswer(send_all=True))

    assert (first.is_set(), second.is_set()) == (False, True)
    assert [waiting.id for waiting in pending.list()] == ["one"]


def test_only_one_of_many_answers_at_once_counts() -> None:
    """Two tabs press at the same moment."""
    pending = PendingPicks()
    pending.open(pick())
    refused = []

    def press(number: int) -> None:
        try:
            pending.answer("one", PickAnswer(frozenset({number})))
        except UnknownPick as error:
            refused.append(error.code)

    threads = [threading.Thread(target=press, args=(number,)) for number in (0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused == ["unknown_pick"] * 2
    answer = pending.close("one")
    assert answer is not None
    assert len(answer.selected) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (PickAnswer(frozenset({3})), "no image 3: the run that waits has 3"),
        (PickAnswer(frozenset({1}), frozenset({1})), "Image 1 is both"),
    ],
)
def test_an_answer_that_makes_no_sense_leaves_the_run_waiting(answer: PickAnswer, message: str) -> None:
    """The person may correct it."""
    pending = PendingPicks()
    answered = pending.open(pick())

    with pytest.raises(InvalidVerdict, match=message):
        pending.answer("one", answer)

    assert not answered.is_set()
    assert len(pending.list()) == 1


def test_a_run_that_gave_up_cannot_be_answered_any_more() -> None:
    """Its images were handed on; the message says where a late verdict goes."""
    pending = PendingPicks()
    pending.open(pick())

    assert pending.close("one") is None
    with pytest.raises(UnknownPick, match="POST feedback"):
        pending.answer("one", PickAnswer(send_all=True))
