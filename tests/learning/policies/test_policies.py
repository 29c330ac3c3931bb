"""What every policy promises, and what each one does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context_checkpoint.learning.model.accumulator import Accumulator
from context_checkpoint.learning.model.confidence import Numbers
from context_checkpoint.learning.model.evidence import Comparison, Evidence, PairStatistics
from context_checkpoint.learning.model.habit import Habit, use_of
from context_checkpoint.learning.policies import DEFAULT_POLICY, POLICIES, policy_named
from context_checkpoint.learning.policies.bayesian import Bayesian
from context_checkpoint.learning.policies.model_policy import Beliefs
from context_checkpoint.learning.values import Keyword, Ranking, Shown

POOL = ("a", "b", "c")


def words(*texts: str) -> tuple[Keyword, ...]:
    return tuple(Keyword(text) for text in texts)


def rank(
    policy: str, keywords: Sequence[Keyword], evidence: Evidence, pool: Sequence[str] = POOL, seed: int = 0
) -> Ranking:
    return policy_named(policy).rank(keywords, pool, evidence, rng=numpy.random.default_rng(seed))


def picked(best: str, shown: Sequence[str] = POOL, *texts: str) -> Comparison:
    """A round in which `best` is selected and the others are rejected."""
    return Comparison(words(*texts), tuple(Shown(name, 1, int(name == best), int(name != best)) for name in shown))


def taught(rounds: Sequence[Comparison]) -> Accumulator:
    sums = Accumulator()
    for comparison in rounds:
        sums.add(comparison)
    return sums


def answer(policy: str, rounds: Sequence[Comparison], *texts: str, pool: Sequence[str] = POOL) -> Ranking:
    return rank(policy, words(*texts), taught(rounds).evidence(words(*texts), pool), pool)


every_policy = pytest.mark.parametrize("policy", POLICIES)

numbers = st.floats(0, 50)
pairs = st.builds(
    lambda selected, rejected, rounds, score, information: PairStatistics(
        selected, selected + rejected, rounds, score, information
    ),
    numbers,
    numbers,
    numbers,
    st.floats(-50, 50),
    numbers,
)
keyword_lists = st.lists(
    st.builds(Keyword, st.sampled_from(["cat", "night", "anime", "masterpiece"]), st.floats(0.01, 4.0)),
    max_size=4,
    unique_by=lambda keyword: keyword.text,
)
pools = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), max_size=5, unique=True)


@st.composite
def questions(draw) -> tuple[list[Keyword], list[str], Evidence]:
    keywords, pool = draw(keyword_lists), draw(pools)
    sums = {(keyword.text, name): draw(pairs) for keyword in keywords for name in pool if draw(st.booleans())}
    evidence = Evidence(
        pairs=sums,
        overall={name: draw(pairs) for name in pool if draw(st.booleans())},
        keyword_rounds={keyword.text: draw(numbers) for keyword in keywords},
        rounds=draw(st.floats(0, 500)),
    )
    return keywords, pool, evidence


@every_policy
@settings(max_examples=60, deadline=None)
@given(questions(), st.integers(0, 5))
def test_any_evidence_has_a_sane_ranking(policy: str, question, seed: int):
    """All candidates, best first, finite scores, and three numbers in 0..1 of which one is the product."""
    keywords, pool, evidence = question
    ranking = rank(policy, keywords, evidence, pool, seed)
    assert sorted(ranking.order) == sorted(ranking.shown_order) == sorted(pool)
    assert ranking.order[:1] == ranking.shown_order[:1]
    assert set(ranking.scores) == set(pool)
    values = [ranking.scores[name] for name in ranking.order]
    assert all(numpy.isfinite(values))
    assert values == sorted(values, reverse=True)
    assert 0.0 <= ranking.confidence <= 1.0
    assert ranking.confidence == pytest.approx(ranking.evidence * ranking.clarity)
    assert all(reason.checkpoint in pool for reason in ranking.reasons)


@every_policy
@settings(max_examples=30, deadline=None)
@given(questions(), st.integers(0, 5))
def test_the_same_seed_ranks_alike_and_another_changes_only_what_is_tried(policy: str, question, seed: int):
    """Chance draws the alternatives that are shown, nothing else."""
    keywords, pool, evidence = question
    first = rank(policy, keywords, evidence, pool, seed)
    again = rank(policy, keywords, evidence, pool, seed)
    other = rank(policy, keywords, evidence, pool, seed + 1)
    assert first == again
    assert (first.order, first.scores, first.confidence) == (other.order, other.scores, other.confidence)


@every_policy
def test_without_data_the_pools_order_stands_and_confidence_is_none(policy: str):
    """A cold start is sure of nothing."""
    ranking = rank(policy, words("anime", "girl"), Evidence())
    assert ranking.order == POOL
    assert ranking.confidence == 0.0
    assert len(set(ranking.scores.values())) == 1


@every_policy
@pytest.mark.parametrize("pool", [(), ("only",), tuple(f"c{number}" for number in range(300))])
def test_any_number_of_candidates_is_ranked(policy: str, pool: tuple[str, ...]):
    """None, one, three hundred."""
    ranking = rank(policy, words("cat"), Evidence(), pool)
    assert ranking.order == pool


@every_policy
def test_a_prompt_without_keywords_is_ranked(policy: str):
    """An empty prompt is no error."""
    ranking = answer(policy, [picked("b", POOL, "cat")] * 5, pool=POOL)
    assert set(ranking.order) == set(POOL)


@every_policy
def test_the_one_that_is_always_picked_comes_first(policy: str):
    """Whatever the policy, five plain verdicts are understood."""
    assert answer(policy, [picked("c", POOL, "cat")] * 5, "cat").order[0] == "c"


@every_policy
def test_the_one_that_is_always_rejected_is_not_first(policy: str):
    """Rejecting teaches."""
    rounds = [Comparison(words("cat"), (Shown("a", 1, rejected=1),))] * 3
    assert answer(policy, rounds, "cat").order[0] != "a"


@every_policy
def test_a_withdrawn_verdict_leaves_no_trace(policy: str):
    """Subtracting a round gives the ranking there was before it."""
    sums = taught([picked("b", POOL, "cat")] * 3)
    before = rank(policy, words("cat"), sums.evidence(words("cat"), POOL))
    odd = picked("c", POOL, "cat", "fog")
    sums.add(odd)
    sums.subtract(odd)
    assert rank(policy, words("cat"), sums.evidence(words("cat"), POOL)) == before


def test_policies_are_found_by_name_and_an_unknown_name_tells_the_choices():
    """The default is the Bayesian one."""
    assert DEFAULT_POLICY == "bayesian"
    assert set(POLICIES) == {"bayesian", "counts", "global", "thompson", "ucb"}
    assert [policy_named(name).name for name in POLICIES] == list(POLICIES)
    with pytest.raises(ValueError, match="bayesian, counts, global"):
        policy_named("linucb")


# counts


def test_counts_confidence_is_the_documents_table():
    """0, 10, 50 and 100 images over all pairs, and never more than one."""
    for total, confidence in ((0, 0.0), (10, 0.1), (50, 0.5), (100, 1.0), (250, 1.0)):
        sums = {("cat", "a"): PairStatistics(0, total / 2), ("night", "b"): PairStatistics(0, total / 2)}
        ranking = rank("counts", words("cat", "night"), Evidence(pairs=sums))
        assert ranking.confidence == pytest.approx(confidence)


@given(questions())
def test_counts_scores_are_the_documents_formula(question):
    """Pair by pair, as the document writes it."""
    keywords, pool, evidence = question
    ranking = rank("counts", keywords, evidence, pool)
    for checkpoint in pool:
        scores = []
        for keyword in keywords:
            stats = evidence.pairs.get((keyword.text, checkpoint), PairStatistics())
            rate = stats.selected / stats.total if stats.total > 0 else 0.5
            weight = stats.total / (stats.total + 10)
            scores.append((1 - weight) * 0.5 + weight * rate)
        expected = sum(scores) / len(scores) if scores else 0.5
        assert ranking.scores[checkpoint] == pytest.approx(expected)


# global


def test_global_ignores_the_prompt():
    """The same answer for any words."""
    rounds = [picked("a", POOL, "cat")] * 3 + [picked("b", POOL, "anime")] * 6
    one, other = answer("global", rounds, "cat"), answer("global", rounds, "anime")
    assert one == other
    assert one.order[0] == "b"


def test_global_is_unsure_where_two_do_equally_well():
    """Much data without a winner is little confidence."""
    even = [picked("ab"[number % 2], ("a", "b"), "cat") for number in range(40)]
    clear = [picked("a", ("a", "b"), "cat")] * 40
    assert answer("global", even, "cat", pool=("a", "b")).confidence < 0.55
    assert answer("global", clear, "cat", pool=("a", "b")).confidence > 0.8


# bayesian


def test_bayesian_learns_a_favourite_for_each_subject():
    """Two subjects, two favourites."""
    rounds = [picked("a", POOL, "cat"), picked("b", POOL, "anime")] * 6
    assert answer("bayesian", rounds, "cat").order[0] == "a"
    assert answer("bayesian", rounds, "anime").order[0] == "b"


def test_bayesian_falls_back_to_what_all_prompts_say():
    """A prompt of unknown words gets the checkpoint that is liked in general, without confidence."""
    ranking = answer("bayesian", [picked("b", POOL, "cat"), picked("b", POOL, "dog")] * 5, "castle")
    assert ranking.order[0] == "b"
    assert ranking.confidence == 0.0


def test_a_ubiquitous_word_tells_the_bayesian_nothing():
    """A word in every prompt neither moves the ranking nor carries confidence to a new subject."""
    subjects = {"cat": "a", "anime": "b", "castle": "c"}
    rounds = [picked(best, POOL, "zebra", text) for text, best in subjects.items()] * 12
    known = answer("bayesian", rounds, "zebra", "anime")
    plain = answer("bayesian", rounds, "anime")
    unknown = answer("bayesian", rounds, "zebra", "robot")
    assert known.order[0] == plain.order[0] == "b"
    assert known.scores["b"] == pytest.approx(plain.scores["b"], rel=0.1)
    assert unknown.confidence < 0.3


@pytest.mark.parametrize("subjects", [{"portrait": "a"}, {"portrait": "a", "anime": "b", "castle": "c"}])
def test_quality_words_carry_no_confidence_to_a_new_subject(subjects: dict[str, str]):
    """A word like "masterpiece" saturates the document's count after some ten pictures; here it does not."""
    rounds = [picked(best, POOL, "masterpiece", text) for text, best in subjects.items()] * 20
    assert answer("counts", rounds, "masterpiece", "robot").confidence > 0.5
    assert answer("bayesian", rounds, "masterpiece", "robot").confidence < 0.1


def test_a_picture_shown_alone_is_not_a_picture_preferred():
    """Thirty pictures accepted without a comparison do not make a confident recommendation."""
    alone = [Comparison(words("cat"), (Shown("a", 1, selected=1),))] * 30
    compared = [picked("a", POOL, "cat")] * 10
    assert answer("bayesian", alone, "cat").confidence < 0.3
    assert answer("bayesian", compared, "cat").confidence > 0.6


def test_rejecting_the_one_shown_alone_soon_ends_exploiting_it():
    """Tastes change: five rejections outweigh twelve rounds that preferred it."""
    sums = Accumulator()

    def now() -> Ranking:
        return rank("bayesian", words("cat"), sums.evidence(words("cat"), POOL))

    for _ in range(12):
        seen = now()
        shown = POOL if seen.confidence <= 0.5 else ("a",)
        parts = [Shown(name, 1, int(name == "a"), int(name != "a"), seen.utilities[name]) for name in shown]
        sums.add(Comparison(words("cat"), tuple(parts)))
    assert now().confidence > 0.5
    for _ in range(5):
        sums.add(Comparison(words("cat"), (Shown("a", 1, rejected=1, utility=now().utilities["a"]),)))
    assert now().confidence < 0.5


def test_little_data_and_no_clear_winner_are_different_numbers():
    """One verdict lacks evidence; forty that disagree lack clarity."""
    little = answer("bayesian", [picked("a", POOL, "cat")], "cat")
    unclear = answer("bayesian", [picked(POOL[number % 3], POOL, "cat") for number in range(40)], "cat")
    assert little.evidence < 0.25 < little.clarity
    assert unclear.clarity < 0.55 < 0.85 < unclear.evidence


def test_a_prompt_repeated_is_about_as_certain_as_a_new_one_of_its_kind():
    """Words seen once add what they know; they do not pull down the words seen often."""
    subjects = {
        "anime": "owl fox ship tower river robot witch train lamp mask",
        "portrait": "baker sailor monk boxer twin dancer miner judge nurse pilot",
        "poster": "jazz tea race whale rocket market chess film circus coffee",
    }
    rounds = [
        picked(best, POOL, kind, subject)
        for kind, best in zip(subjects, POOL, strict=True)
        for subject in subjects[kind].split()
    ]
    new = answer("bayesian", rounds, "anime", "castle")
    repeated = answer("bayesian", rounds, "anime", "owl")
    assert repeated.order[0] == new.order[0] == "a"
    assert repeated.confidence >= new.confidence - 0.02 > 0.5


def test_a_common_word_carries_little_confidence_to_a_new_subject():
    """Light falls on half of all pictures, whoever drew them."""
    kinds = (("anime", "a"), ("portrait", "b"), ("poster", "c"))
    rounds = [
        picked(best, POOL, kind, *(("light",) if number % 2 else ())) for number in range(20) for kind, best in kinds
    ]
    assert answer("bayesian", rounds, "robot", "light").confidence < 0.3
    assert answer("bayesian", rounds, "robot", "anime").confidence > 0.5


def test_emphasis_makes_a_word_tell_more():
    """Of two words that disagree, the one with more weight in the prompt wins."""
    rounds = [picked("a", POOL, "cat"), picked("b", POOL, "anime"), picked("c", POOL, "castle")] * 6
    evidence = taught(rounds).evidence(words("cat", "anime"), POOL)
    assert rank("bayesian", (Keyword("cat", 1.5), Keyword("anime", 0.5)), evidence).order[0] == "a"
    assert rank("bayesian", (Keyword("cat", 0.5), Keyword("anime", 1.5)), evidence).order[0] == "b"


def test_the_bayesians_reasons_add_up_to_the_score():
    """The overall effect and those of the keywords are all there is to a score."""
    rounds = [picked("a", POOL, "cat", "night"), picked("b", POOL, "anime", "night")] * 4
    ranking = answer("bayesian", rounds, "cat", "night", "fog")
    for name in POOL:
        effects = [reason.effect for reason in ranking.reasons if reason.checkpoint == name]
        assert sum(effects) == pytest.approx(ranking.scores[name])


def test_the_branches_behind_the_best_go_to_what_could_still_be_the_best():
    """Two standard deviations for the first, three for the next, whatever the seed."""
    means = numpy.array([1.0, 0.6, 0.5, 0.0, 0.45])
    deviations = numpy.array([0.1, 0.1, 0.35, 0.55, 0.35])
    default, rng = Bayesian(), numpy.random.default_rng(0)
    appeals = [default.appeal(Beliefs(means, deviations), rng) for _ in range(20)]
    behind = {tuple(place for place in numpy.argsort(-appeal).tolist() if place != 0) for appeal in appeals}
    assert behind == {(2, 3, 4, 1)}


def test_where_much_is_known_the_branches_go_to_what_is_liked():
    """One standard deviation for all, and what is hardly known is no longer tried first."""
    means, deviations = numpy.array([1.0, 0.6, 0.2, 0.1, 0.45]), numpy.array([0.1, 0.1, 0.45, 0.4, 0.12])
    default, rng = Bayesian(), numpy.random.default_rng(0)
    orders = [
        numpy.argsort(-default.appeal(Beliefs(means, deviations, explored=explored), rng)).tolist()
        for explored in (True, False)
    ]
    behind = [[place for place in order if place != 0][:2] for order in orders]
    assert behind == [[1, 2], [2, 3]]


def test_it_takes_sixteen_comparisons_without_a_sign_of_drift_to_know_much():
    """From then on, and no longer once sure pictures are rejected."""

    class Spy(Bayesian):
        explored = False

        def appeal(self, beliefs: Beliefs, rng: numpy.random.Generator) -> Numbers:
            self.explored = beliefs.explored
            return super().appeal(beliefs, rng)

    spy, sums, explored = Spy(), Accumulator(), []
    verdicts = [picked("a", POOL, "cat")] * 16 + [Comparison(words("cat"), (Shown("a", 1, rejected=1),))] * 2
    for verdict in verdicts:
        sums.add(verdict)
        spy.rank(words("cat"), POOL, sums.evidence(words("cat"), POOL), rng=numpy.random.default_rng(0))
        explored.append(spy.explored)
    assert explored == [False] * 15 + [True] + [False] * 2


def test_a_draft_leaves_its_third_branch_to_chance():
    """Thompson sampling behind the bound: about as often as each may be the best."""
    means, deviations = numpy.array([1.0, 0.6, 0.2, 0.4]), numpy.array([0.1, 0.1, 0.6, 0.4])
    default, rng = Bayesian(), numpy.random.default_rng(0)
    appeals = [default.appeal(Beliefs(means, deviations, draft=True), rng) for _ in range(300)]
    behind = [[place for place in numpy.argsort(-appeal).tolist() if place != 0] for appeal in appeals]
    assert {places[0] for places in behind} == {2}
    next_ones = Counter(places[1] for places in behind)
    assert next_ones[1] > next_ones[3] > 0


def test_a_draft_shows_the_likely_more_often_than_the_unlikely():
    """Seeds show others behind the best; without a draft they all show the same."""
    pool = ("a", "b", "c", "d")
    rounds = [
        picked("a", ("a", "b"), "cat"),
        picked("b", ("b", "d"), "cat"),
        picked("a", ("a", "d"), "cat"),
    ] * 4
    evidence = taught(rounds).evidence(words("cat"), pool)

    def shown(seed: int, *, draft: bool) -> tuple[str, ...]:
        rng = numpy.random.default_rng(seed)
        return Bayesian().rank(words("cat"), pool, evidence, rng=rng, draft=draft).shown_order

    tried = [name for seed in range(300) for name in shown(seed, draft=True)[1:3]]
    assert tried.count("b") > 2 * tried.count("d") > 0
    assert tried.count("c") > tried.count("d")
    assert len({shown(seed, draft=False) for seed in range(20)}) == 1


def test_before_the_first_verdict_any_checkpoint_is_tried():
    """The pool's order says which is first; a queue of prompts shows many of the others."""
    pool = tuple("abcdef")
    shown = [rank("bayesian", words("cat"), Evidence(), pool, seed).shown_order[:3] for seed in range(60)]
    assert {names[0] for names in shown} == {"a"}
    for branch in (1, 2):
        assert {names[branch] for names in shown} == set("bcdef")


def test_the_same_rounds_are_less_evidence_among_many():
    """Eight rounds that compared three of twelve leave nine of them open."""
    rounds = [picked("a", POOL, "cat", "sofa")] * 8
    few = answer("bayesian", rounds, "cat", "sofa")
    some = answer("bayesian", rounds, "cat", "sofa", pool=tuple("abcdef"))
    many = answer("bayesian", rounds, "cat", "sofa", pool=tuple("abcdefghijkl"))
    assert few.evidence == some.evidence > many.evidence > 0.0
    assert few.confidence > many.confidence


def test_thompson_and_ucb_have_the_defaults_scores():
    """They differ in the branches behind the best, and in nothing else."""
    pool = tuple("abcdef")
    rounds = [picked("a", ("a", "b", "c"), "cat"), picked("b", ("b", "c", "d"), "cat")] * 4
    evidence = taught(rounds).evidence(words("cat"), pool)
    default = rank("bayesian", words("cat"), evidence, pool)
    for policy in ("thompson", "ucb"):
        ranking = rank(policy, words("cat"), evidence, pool)
        assert (ranking.order, ranking.scores) == (default.order, default.scores)
        assert (ranking.confidence, ranking.evidence) == (default.confidence, default.evidence)


def test_ucb_leaves_nothing_to_chance_and_tries_the_unknown_before_the_beaten():
    """Every seed gives the same branches; a checkpoint never shown may still be the best."""
    pool = ("a", "b", "c", "d")
    rounds = [picked("a", ("a", "b", "c"), "cat")] * 6
    evidence = taught(rounds).evidence(words("cat"), pool)
    shown = {rank("ucb", words("cat"), evidence, pool, seed).shown_order for seed in range(20)}
    assert len(shown) == 1
    assert next(iter(shown))[:2] == ("a", "d")


def test_draws_try_the_runner_up_most_and_the_others_now_and_then():
    """The second branch goes to each as often as its draw is the greatest."""
    pool = ("a", "b", "c", "d")
    rounds = [picked("a", ("a", "b"), "cat"), picked("b", ("b", "c", "d"), "cat")] * 3
    evidence = taught(rounds).evidence(words("cat"), pool)
    tried = Counter(rank("thompson", words("cat"), evidence, pool, seed).shown_order[1] for seed in range(300))
    assert set(tried) == {"b", "c", "d"}
    assert tried["b"] == max(tried.values())


def imported(*names: str) -> Habit:
    """Thirty unrated images of each, of prompts that say nothing."""
    return Habit([use_of(number, [f"word{number}"], [name], "") for number in range(30) for name in names])


@pytest.mark.parametrize("policy", ["bayesian", "ucb"])
def test_who_used_one_checkpoint_compares_as_if_nothing_was_imported(policy: str):
    """What was never used gets every branch that its bound calls for, not the third alone."""
    pool = tuple("abcdefg")
    keywords, rounds = words("cat"), [picked("a", ("a", "b"), "cat")] * 3 + [picked("b", ("a", "b"), "cat")] * 2
    for judged in range(1, len(rounds) + 1):
        evidence = taught(rounds[:judged]).evidence(keywords, pool)
        cold, known = (rank(policy, keywords, replace(evidence, habit=habit), pool) for habit in (None, imported("a")))
        assert known.shown_order == cold.shown_order
        assert known.confidence == pytest.approx(cold.confidence, abs=0.001)
    assert set(rank(policy, keywords, evidence, pool).shown_order[1:3]) - {"a", "b"}


def test_who_works_with_eight_is_shown_another_one_now_and_then():
    """Once the eight are known: two prompts in ten or so have another one, and what is used fills the rest."""
    used, others = [f"used{number}" for number in range(8)], [f"other{number}" for number in range(12)]
    sums = taught([picked("used0", ("used0", name), "cat") for name in used[1:]] * 3)
    evidence = replace(sums.evidence(words("cat"), used + others), habit=imported(*used))

    shown = [rank("bayesian", words("cat"), evidence, used + others, seed).shown_order[:3] for seed in range(400)]

    with_another = sum(bool(set(names) & set(others)) for names in shown) / len(shown)
    assert 0.1 < with_another < 0.26
    assert all(len(set(names) & set(used)) >= 1 for names in shown)
