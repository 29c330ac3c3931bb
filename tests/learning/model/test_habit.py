"""Habit is what was used of late; taste is where the prompt makes a difference beyond that."""

from __future__ import annotations

import numpy
import pytest

from context_checkpoint.learning.model.habit import Habit, Use, in_play, prior_means, use_of


def uses(*shown: tuple[int, str, str]) -> list[Use]:
    """One image each, by day, prompt and checkpoint."""
    return [use_of(day, prompt.split(), [name], "") for day, prompt, name in shown]


def by_prompt(count: int, rng: numpy.random.Generator) -> Habit:
    """A person who uses "a" for cats and "b" for towns, and seldom errs; ten images a day."""
    shown = []
    for number in range(count):
        is_cat = rng.random() < 0.5
        name = "a" if is_cat != (rng.random() < 0.1) else "b"
        shown.append((number // 10, f"{'cat' if is_cat else 'town'} word{number % 7}", name))
    return Habit(uses(*shown))


def test_a_day_counts_half_as_much_as_the_next_one() -> None:
    """Days without images do not count: a holiday changes nothing."""
    near = Habit(uses((1, "x", "a"), (2, "x", "b"))).shares()
    far = Habit(uses((1, "x", "a"), (900, "x", "b"))).shares()

    assert near.tolist() == far.tolist()
    recent = (near - (1 - 0.85) / 2) / 0.85
    assert recent == pytest.approx([1 / 3, 2 / 3])


def test_shares_are_probabilities_and_nothing_used_is_impossible() -> None:
    """However long ago it was."""
    habit = Habit(uses(*((day, "x", "a" if day else "b") for day in range(2000))))

    shares = habit.shares()

    assert shares.sum() == pytest.approx(1.0)
    assert shares.min() == pytest.approx(0.15 / 2)


def test_where_the_prompt_decides_it_is_learned_and_counts() -> None:
    """Such a person's uses are parts of verdicts, for the words that decide."""
    habit = by_prompt(200, numpy.random.default_rng(1))

    cat, town = habit.predict(["cat"]), habit.predict(["town"])
    leaning = habit.about(["cat", "town", "word1", "unknown"], ["a", "b", "never"])

    assert habit.prompt_weight > 0.7
    assert cat["a"] > 0.7
    assert town["b"] > 0.7
    utilities = leaning.score / numpy.maximum(leaning.information, 1e-9)
    assert utilities[0, 0] > 0.5 > -0.5 > utilities[0, 1]
    assert utilities[1, 1] > 0.5 > -0.5 > utilities[1, 0]
    assert abs(leaning.score[2]).max() < 0.2 * leaning.score[0, 0]
    assert leaning.rounds[3] == 0.0
    assert leaning.score[3].tolist() == leaning.score[:, 2].tolist()[:3] == [0.0] * 3
    assert 5.0 < leaning.rounds[0] < 40.0


def test_where_habit_decides_the_prompt_counts_nothing() -> None:
    """Weeks with one checkpoint, whatever the prompt: no verdict follows from them."""
    rng = numpy.random.default_rng(2)
    shown = [(day, f"{rng.choice(['cat', 'town'])} word{rng.integers(9)}", "abc"[day // 7 % 3]) for day in range(140)]
    habit = Habit(uses(*(one for one in shown for _ in range(3))))

    leaning = habit.about(["cat", "town"], ["a", "b", "c"])

    assert habit.prompt_weight < 0.1
    assert leaning.rounds.max() < 3.0
    assert abs(leaning.score).max() < 1.0


def test_the_only_checkpoint_says_nothing_of_taste() -> None:
    """There was no choice."""
    habit = Habit(uses(*((day, "cat", "a") for day in range(50))))

    leaning = habit.about(["cat"], ["a", "b"])

    assert leaning.score.tolist() == [[0.0, 0.0]]
    assert leaning.information.tolist() == [[0.0, 0.0]]


def test_what_was_judged_is_used_and_no_more() -> None:
    """Its prompts teach by the verdicts."""
    shown = [use_of(day, ["cat"], ["a", "b"], "+-") for day in range(30)]

    habit = Habit(shown)

    assert habit.judged == {"a": 30, "b": 30}
    assert habit.shares().tolist() == pytest.approx([0.5, 0.5])
    assert habit.about(["cat"], ["a"]).rounds.tolist() == [0.0]


def test_images_of_one_prompt_and_time_are_shares() -> None:
    """Words count once; without marks nothing was judged."""
    use = use_of(3, ["cat", "cat"], ["a", "b", "a", "a"], "")

    assert (use.day, use.keywords, use.shares, use.judged) == (3, ("cat",), {"a": 0.75, "b": 0.25}, {})


def test_without_uses_nothing_is_known() -> None:
    """No division by nothing."""
    habit = Habit([])

    leaning = habit.about(["cat"], ["a"])

    assert (leaning.share.tolist(), leaning.score.tolist(), leaning.total) == ([0.0], [[0.0]], 0.0)
    assert habit.shares().tolist() == []


def test_what_is_used_most_leads_between_equals() -> None:
    """By far less than any verdict moves."""
    assert prior_means(numpy.array([0.5, 0.25, 0.0])).tolist() == pytest.approx([0.001, 0.0005, 0.0])
    assert prior_means(numpy.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("used", "others"), [(0, 1.0), (1, 1.0), (4, 0.5), (8, 0.02), (20, 0.02)])
def test_who_works_with_many_has_passed_over_the_others(used: int, others: float) -> None:
    """Who works with one or two has not."""
    shares = numpy.array([1.0 / max(1, used)] * used + [0.0] * 10)

    chances = in_play(shares, numpy.zeros(len(shares)))

    assert chances[:used].tolist() == [1.0] * used
    assert chances[used:] == pytest.approx(numpy.full(10, others), abs=0.001)


def test_one_among_few_is_not_passed_over() -> None:
    """Of nine checkpoints the ninth may be the best."""
    assert in_play(numpy.array([0.125] * 8 + [0.0]), numpy.zeros(9))[8] == pytest.approx(0.2)


def test_what_was_kept_is_in_play_though_it_was_never_used() -> None:
    """A verdict says more than a habit."""
    assert in_play(numpy.array([0.1] * 8 + [0.0, 0.0]), numpy.array([0.0] * 9 + [1.0]))[8:].tolist()[1] == 1.0
