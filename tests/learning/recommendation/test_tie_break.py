"""Of equally good checkpoints the loaded or the quicker one goes first, and nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.evidence import Comparison
from context_checkpoint.learning.policies import POLICIES
from context_checkpoint.learning.recommendation.decision import Decision, ask, decide
from context_checkpoint.learning.recommendation.explanation import parts
from context_checkpoint.learning.recommendation.pins import Curation
from context_checkpoint.learning.recommendation.tie_break import precedence
from context_checkpoint.learning.values import Cost, Keyword, Posterior, Precedence, Ranking, Shown

A, B, C = POOL = ("a.safetensors", "b.safetensors", "sub/c.safetensors")
LOADED, SLOW, QUICK = Cost(loaded=True), Cost(seconds=9.0), Cost(seconds=3.0)


def ranking(utilities: Mapping[str, float], *, deviation: float = 1.0, confidence: float = 0.2) -> Ranking:
    names = tuple(utilities)
    posterior = Posterior((deviation,) * len(names), (1.0,) * len(names), 2.0)
    return Ranking(names, names, utilities, utilities, confidence, 0.5, 0.4, posterior=posterior)


def picked(best: str) -> Comparison:
    return Comparison((Keyword("cat"),), tuple(Shown(name, 1, int(name == best), int(name != best)) for name in POOL))


def decided(
    rounds: tuple[str, ...], costs: Mapping[str, Cost] | None, *, policy: str = "bayesian", **options: object
) -> Decision:
    """What is chosen after these were kept, one after the other."""
    sums = Accumulator()
    for best in rounds:
        sums.add(picked(best))
    asked = {"stage": "final", "explore": True, "max_branches": 3, "seed": 3, "thresholds": None, **options}
    question = ask("cat", POOL, policy=policy, costs=costs, **asked)  # type: ignore[arg-type]
    return decide(question, sums.evidence(question.keywords, POOL))


ALIKE = (A, B, B, A) * 5
"""A and B are kept as often as each other, C never."""


@pytest.mark.parametrize(
    ("costs", "first", "because"),
    [
        ({}, A, None),
        ({B: LOADED}, B, "loaded"),
        ({A: LOADED, B: LOADED}, A, None),
        ({A: SLOW, B: QUICK}, B, "quicker"),
        ({A: QUICK, B: SLOW}, A, None),
        ({A: SLOW, B: Cost(seconds=8.0)}, A, None),
        ({B: QUICK}, A, None),
        ({A: QUICK, B: Cost(loaded=True, seconds=9.0)}, B, "loaded"),
        ({A: Cost(loaded=True, seconds=9.0), B: Cost(loaded=True, seconds=3.0)}, B, "quicker"),
        ({C: LOADED}, A, None),
    ],
    ids=[
        "nothing is known",
        "one is loaded",
        "both are loaded",
        "one is quicker",
        "the best is quicker",
        "hardly quicker",
        "one was not timed",
        "loaded counts before quick",
        "of loaded ones the quicker",
        "one that is not as good",
    ],
)
def test_of_equals_the_loaded_one_goes_first_else_the_quicker(
    costs: Mapping[str, Cost], first: str, because: str | None
) -> None:
    """A is a hair better than B, and C is worse."""
    found = precedence(ranking({A: 0.51, B: 0.5, C: -3.0}), (A, B, C), costs)

    assert found == (None if because is None else Precedence(first, A, because))  # type: ignore[arg-type]


@pytest.mark.parametrize(("ahead", "equal"), [(0.0, True), (0.35, True), (0.37, False), (2.0, False)])
def test_two_are_equal_where_the_better_one_is_so_with_at_most_sixty_percent(ahead: float, equal: bool) -> None:
    """A quarter of the difference's standard deviation: here of the square root of two."""
    found = precedence(ranking({A: ahead, B: 0.0}), (A, B), {B: LOADED})

    assert (found is not None) == equal


def test_before_anything_is_known_and_where_one_is_the_winner_cost_does_not_count() -> None:
    """The pool's own order, and the winner that the explanation names."""
    assert precedence(replace(ranking({A: 0.0, B: 0.0}), evidence=0.0), (A, B), {B: LOADED}) is None
    assert precedence(ranking({A: 0.01, B: 0.0}, confidence=0.51), (A,), {B: LOADED}) is None


@pytest.mark.parametrize("policy", ["bayesian", "thompson", "ucb"])
def test_cost_changes_the_order_of_what_is_shown_and_nothing_else(policy: str) -> None:
    """The same checkpoints are tried, with the same scores and the same confidence."""
    usual = decided(ALIKE, None, policy=policy)
    best = usual.ranking.order[0]
    other = B if best == A else A

    changed = decided(ALIKE, {other: LOADED}, policy=policy)

    assert usual.shown.checkpoints[0] == best
    assert changed.shown.checkpoints[0] == other
    assert set(changed.shown.checkpoints) == set(usual.shown.checkpoints)
    assert replace(changed.ranking, shown_order=()) == replace(usual.ranking, shown_order=())
    assert changed.shown.strategy == usual.shown.strategy


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("rounds", [(), (A,), ALIKE, (A,) * 20], ids=["none", "one", "alike", "winner"])
def test_without_costs_the_decision_is_the_same_to_the_bit(policy: str, rounds: tuple[str, ...]) -> None:
    """Unknown costs are no costs."""
    without, unknown = (decided(rounds, costs, policy=policy) for costs in (None, {A: Cost(), B: Cost()}))

    assert unknown.recommendation() == without.recommendation()


def test_a_single_choice_among_equals_is_the_loaded_one() -> None:
    """With `explore` off, and with one branch; the one that is worse is no choice, loaded or not."""
    for options in ({"explore": False}, {"max_branches": 1}):
        best = decided(ALIKE, None, **options).shown.checkpoints[0]
        other = B if best == A else A
        assert decided(ALIKE, {other: LOADED, C: LOADED}, **options).shown.checkpoints == (other,)
        assert decided(ALIKE, {C: LOADED}, **options).shown.checkpoints == (best,)


def test_a_clear_winner_stays_first() -> None:
    """However cold it is."""
    decision = decided((A,) * 20, {B: Cost(True, 0.1), C: Cost(True, 0.1)})

    assert decision.shown.checkpoints == (A,)
    assert decision.precedence is None


def test_the_plan_says_which_goes_first_and_why() -> None:
    """In a sentence, and in parts for other languages."""
    best = decided(ALIKE, None).shown.checkpoints[0]
    other = B if best == A else A

    plan = decided(ALIKE, {other: LOADED}).recommendation()
    slow = decided(ALIKE, {best: SLOW, other: QUICK}).recommendation()

    names = {A: "a", B: "b"}
    start = f"{names[best]} and {names[other]} are equally good for this prompt; {names[other]} goes first because"
    assert plan.explanation.endswith(f"{start} it is loaded already.")
    assert slow.explanation.endswith(f"{start} it is quicker.")
    assert parts(plan)["precedence"] == {"checkpoint": other, "best": best, "because": "loaded"}
    assert parts(decided(ALIKE, None).recommendation())["precedence"] is None


def test_a_pinned_checkpoint_that_is_shown_alone_is_not_said_to_cost_less() -> None:
    """The sentence is only about what is first."""
    decision = decided(ALIKE, {A: LOADED, B: LOADED}, max_branches=1, curation=Curation(pinned=(C,)))
    usual = decided(ALIKE, None).shown.checkpoints[0]
    with_cost = decided(
        ALIKE, {B if usual == A else A: LOADED}, max_branches=1, curation=Curation(pinned=(C,))
    ).recommendation()

    assert decision.shown.checkpoints == with_cost.checkpoints == (C,)
    assert with_cost.precedence is None
