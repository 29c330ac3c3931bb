"""What would put another checkpoint first: some more picks of the runner-up, or a prompt without a word.

Separate from `explanation`, which only words answers, because these are computed: the policy ranks again, with
the evidence as it would be after such picks, and with the prompt as it would be without the word. Nothing here
knows how a policy computes, so it holds for all of them. It takes a few dozen rankings, so it is part of the
full explanation and not of every recommendation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from ..model.averaging import take_snapshot
from ..model.evidence import Comparison, Evidence, KeywordTrend, PairStatistics
from ..model.pair_table import PairTable, numbers_of
from ..model.sufficient_statistics import increments, keyword_rounds, keyword_trends, log_likelihoods
from ..policies import Policy
from ..values import Keyword, Ranking, Shown

MOST_PICKS = 20
"""More picks than these are not tried: an answer so far away says nothing."""

_MOST_WORDS = 16
_NOTHING = PairStatistics()


@dataclass(frozen=True, slots=True)
class WordLeftOut:
    """Without this word (and the keywords that it is a part of) `checkpoint` would be first."""

    keyword: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Change:
    """What would put another checkpoint than the leader first.

    Attributes
    ----------
    runner_up
        The second of the ranking; empty where there is none.
    behind
        How far its score is below the leader's, in the policy's unit.
    picks
        How many more comparisons on such prompts it would have to win against the leader to be first; None if
        `MOST_PICKS` are not enough.
    without
        Words of the prompt that decide who is first, those that say most for the leader first.
    """

    runner_up: str = ""
    behind: float = 0.0
    picks: int | None = None
    without: tuple[WordLeftOut, ...] = ()


def what_would_change(
    policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence
) -> Change:
    """Ask the policy again, with other evidence and with other words; names are spelled as in the evidence."""
    ranking = _ranked(policy, keywords, candidates, evidence)
    if len(ranking.order) < 2:
        return Change()
    leader, runner_up = ranking.order[:2]
    return Change(
        runner_up,
        ranking.scores[leader] - ranking.scores[runner_up],
        _picks(policy, keywords, candidates, evidence, ranking),
        _without(policy, keywords, candidates, evidence, ranking),
    )


def _picks(
    policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence, ranking: Ranking
) -> int | None:
    leader, runner_up = ranking.order[:2]
    for number in range(1, MOST_PICKS + 1):
        utilities = ranking.utilities
        shown = (
            Shown(runner_up, 1, selected=1, utility=utilities.get(runner_up)),
            Shown(leader, 1, rejected=1, utility=utilities.get(leader)),
        )
        evidence = _after(evidence, Comparison(tuple(keywords), shown))
        ranking = _ranked(policy, keywords, candidates, evidence)
        if ranking.order[0] == runner_up:
            return number
    return None


def _after(evidence: Evidence, comparison: Comparison) -> Evidence:
    """The evidence as it would be after one more comparison."""
    comparison = replace(comparison, snapshot=take_snapshot(comparison, evidence))
    pairs, overall, rounds = dict(evidence.pairs), dict(evidence.overall), dict(evidence.keyword_rounds)
    for increment in increments(comparison):
        change, name = increment.change, increment.checkpoint
        if increment.keyword:
            pair = (increment.keyword, name)
            pairs[pair] = _sum(pairs.get(pair, _NOTHING), change)
        else:
            overall[name] = _sum(overall.get(name, _NOTHING), change)
    shares = keyword_rounds(comparison)
    share = shares.pop("", 0.0)
    for keyword, more in shares.items():
        rounds[keyword] = rounds.get(keyword, 0.0) + more
    trends = dict(evidence.keyword_trends)
    for keyword, trend in keyword_trends(comparison).items():
        trends[keyword] = trends.get(keyword, KeywordTrend()).with_more(trend)
    added = log_likelihoods(comparison)
    before = evidence.log_likelihoods or (0.0,) * len(added)
    return replace(
        evidence,
        pairs=PairTable.of(pairs),
        overall=overall,
        keyword_rounds=rounds,
        rounds=evidence.rounds + share,
        keyword_trends=trends,
        log_likelihoods=tuple(one + more for one, more in zip(before, added, strict=True)),
    )


def _sum(one: PairStatistics, other: PairStatistics) -> PairStatistics:
    return PairStatistics(*(a + b for a, b in zip(numbers_of(one), numbers_of(other), strict=True)))


def _without(
    policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence, ranking: Ranking
) -> tuple[WordLeftOut, ...]:
    leader = ranking.order[0]
    effects = {reason.keyword: reason.effect for reason in ranking.reasons if reason.checkpoint == leader}
    known = [word.text for word in keywords if evidence.keyword_rounds.get(word.text)]
    known.sort(key=lambda text: -effects.get(text, 0.0))
    deciding = []
    for text in known[:_MOST_WORDS]:
        parts = set(text.split())
        left = [word for word in keywords if not parts <= set(word.text.split())]
        first = _ranked(policy, left, candidates, evidence).order[0]
        if first != leader:
            deciding.append(WordLeftOut(text, first))
    return tuple(deciding)


def _ranked(policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> Ranking:
    """Always with the same seed, so that only the question makes a difference."""
    return policy.rank(keywords, candidates, evidence, rng=numpy.random.default_rng(0))
