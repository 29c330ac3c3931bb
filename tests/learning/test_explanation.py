"""What a person is told about a recommendation."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy
import pytest

from context_checkpoint.learning.explanation import finding, in_full, one_sentence
from context_checkpoint.learning.keywords import extract_keywords
from context_checkpoint.learning.policies import POLICIES, policy_named
from context_checkpoint.learning.strategy import choose
from context_checkpoint.learning.tally import Tally
from context_checkpoint.learning.values import Keyword, Ranking, Round, Shown, Stage, Thresholds

POOL = ("sdxl/epic.safetensors", "dream.safetensors", "jugg.ckpt")


def picked(best: str, *texts: str) -> Round:
    words = tuple(Keyword(text) for text in texts)
    return Round(words, tuple(Shown(name, 1, int(name == best), int(name != best)) for name in POOL))


def told(
    rounds: Sequence[Round],
    prompt: str,
    *,
    stage: Stage = "final",
    explore: bool = True,
    policy: str = "bayesian",
    pool: Sequence[str] = POOL,
) -> str:
    tally = Tally()
    for judged in rounds:
        tally.add(judged)
    keywords = extract_keywords(prompt)
    ranking = policy_named(policy).rank(
        keywords, pool, tally.evidence(keywords, pool), rng=numpy.random.default_rng(0)
    )
    strategy, checkpoints = choose(ranking, stage=stage, explore=explore, thresholds=Thresholds())
    return one_sentence(ranking, checkpoints, strategy, stage=stage, policy=policy)


def test_a_cold_start_says_that_nothing_is_known():
    """And names what it compares."""
    sentence = told([], "anime girl")
    assert sentence.startswith("Compare epic, ")
    assert "no verdict on a prompt like this one is known yet" in sentence


def test_little_data_and_no_clear_winner_are_different_answers():
    """One verdict lacks data; thirty that disagree lack a winner."""
    assert "little data" in told([picked(POOL[0], "cat")], "cat")
    disagreeing = [picked(POOL[number % 3], "cat") for number in range(30)]
    assert "no clear winner" in told(disagreeing, "cat")


def test_a_clear_winner_is_named_with_the_words_and_images_that_speak_for_it():
    """Which keywords, and on how many images."""
    sentence = told([picked(POOL[0], "cat", "night")] * 12, "cat at night")
    assert sentence.startswith("epic alone: it is the clear winner on such prompts")
    assert '12 of 12 for "cat"' in sentence


def test_two_branches_say_which_one_is_meant():
    """The best mostly, and one beside it."""
    assert told([picked(POOL[1], "cat")] * 4, "cat").startswith("Mostly dream, with ")


def test_a_draft_says_why_it_compares_however_sure():
    """The override is told."""
    assert "The draft stage compares several" in told([picked(POOL[0], "cat")] * 12, "cat", stage="draft")


def test_without_exploring_a_guess_is_told_as_one():
    """One checkpoint, shown because nothing else was allowed."""
    assert "no verdict on a prompt like this one" in told([], "cat", explore=False)


def test_a_single_candidate_needs_no_reason():
    """There was nothing to choose."""
    assert told([], "cat", pool=POOL[:1]) == "epic is the only candidate."


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("count", [0, 1, 30])
def test_every_policy_is_explained_in_one_sentence(policy: str, count: int):
    """One line, one full stop at its end, no number that nobody reads."""
    sentence = told([picked(POOL[0], "cat")] * count, "cat", policy=policy)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "nan" not in sentence


@pytest.mark.parametrize(
    ("evidence", "clarity", "expected"),
    [
        (0.0, 0.9, "nothing_known"),
        (0.2, 0.9, "little_data"),
        (0.9, 0.4, "no_clear_winner"),
        (0.9, 0.9, "clear_winner"),
    ],
)
def test_the_smaller_of_evidence_and_clarity_is_what_is_missing(evidence, clarity, expected):
    """The four answers."""
    ranking = Ranking(POOL, POOL, {}, {}, evidence * clarity, evidence, clarity)
    assert finding(ranking) == expected


@pytest.mark.parametrize("policy", POLICIES)
def test_in_full_it_is_json_with_all_that_counted(policy: str):
    """Keywords with their rounds, candidates best first, what speaks for and against each."""
    tally = Tally()
    for judged in [picked(POOL[0], "cat", "night"), picked(POOL[1], "anime", "night")] * 5:
        tally.add(judged)
    keywords = extract_keywords("cat, night, fog")
    evidence = tally.evidence(keywords, POOL)
    ranking = policy_named(policy).rank(keywords, POOL, evidence, rng=numpy.random.default_rng(0))
    full = in_full(ranking, keywords, evidence, policy=policy, strategy="explore")
    assert json.loads(json.dumps(full)) == full
    assert [row["checkpoint"] for row in full["checkpoints"]] == list(ranking.order)
    assert {word["text"]: word["rounds"] for word in full["keywords"]} == {
        "cat": 5.0,
        "night": 10.0,
        "fog": 0.0,
    }
    best = full["checkpoints"][0]
    assert (best["selected"], best["total"]) == (5, 10)
    if policy != "global":
        assert best["checkpoint"] == POOL[0]
        assert best["speak_for"][0]["keyword"] == "cat"


def test_what_speaks_against_a_checkpoint_is_told():
    """The words with which its images were thrown away."""
    tally = Tally()
    for judged in [picked(POOL[0], "cat"), picked(POOL[1], "anime"), picked(POOL[2], "castle")] * 5:
        tally.add(judged)
    keywords = (Keyword("cat"),)
    evidence = tally.evidence(keywords, POOL)
    ranking = policy_named("bayesian").rank(keywords, POOL, evidence, rng=numpy.random.default_rng(0))
    rows = in_full(ranking, keywords, evidence, policy="bayesian", strategy="explore")["checkpoints"]
    loser = next(row for row in rows if row["checkpoint"] == POOL[1])
    assert [
        (reason["keyword"], reason["selected"], reason["total"]) for reason in loser["speak_against"]
    ] == [("cat", 0, 5)]
