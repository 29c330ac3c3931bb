"""What would put another checkpoint first: some more picks of the runner-up, or a prompt without a word.

Separate from `explanation`, which puts answers into words, because these are answers of their own: the policy
is asked again, with evidence as it would be after such picks, and with the prompt as it would be without the
word. Nothing here knows how a policy reckons, so the answers hold for each of them. It costs a few dozen
rankings, so it belongs into the full explanation and not into every recommendation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from ..model.averaging import take_snapshot
from ..model.evidence import Comparison, Evidence, KeywordTrend, PairStatistics
from ..model.pair_table import PairTable, numbers_of
from ..model.sufficient_statistics import fits, increments, keyword_rounds, keyword_trends
from ..policies import Policy
from ..values import Keyword, Ranking, Shown

MOST_PICKS = 20
"""More picks than these are not tried out: so much would have to happen that it says nothing."""

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
        In so many more rounds of such prompts it would have to be picked over the leader to be first; None if
        not even `MOST_PICKS` would do.
    without
        Words of the prompt that decide who is first, those that say most for the leader first.
    """

    runner_up: str = ""
    behind: float = 0.0
    picks: int | None = None
    without: tuple[WordLeftOut, ...] = ()


def what_would_change(
    policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence, now: Ranking
) -> Change:
    """Ask the policy again. All names are spelled as in the evidence, those of the ranking `now` too."""
    if len(now.order) < 2:
        return Change()
    leader, runner_up = now.order[:2]
    return Change(
        runner_up,
        now.scores[leader] - now.scores[runner_up],
        _picks(policy, keywords, candidates, evidence, now),
        _without(policy, keywords, candidates, evidence, now),
    )


def _picks(
    policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence, now: Ranking
) -> int | None:
    leader, runner_up = now.order[:2]
    for number in range(1, MOST_PICKS + 1):
        told = now.utilities
        shown = (
            Shown(runner_up, 1, selected=1, utility=told.get(runner_up)),
            Shown(leader, 1, rejected=1, utility=told.get(leader)),
        )
        evidence = _after(evidence, Comparison(tuple(keywords), shown))
        now = _ranked(policy, keywords, candidates, evidence)
        if now.order[0] == runner_up:
            return number
    return None


def _after(evidence: Evidence, judged: Comparison) -> Evidence:
    """The evidence as it would be after one more round."""
    judged = replace(judged, basis=take_snapshot(judged, evidence))
    pairs, overall, rounds = dict(evidence.pairs), dict(evidence.overall), dict(evidence.keyword_rounds)
    for increment in increments(judged):
        change, name = increment.change, increment.checkpoint
        if increment.keyword:
            pair = (increment.keyword, name)
            pairs[pair] = _sum(pairs.get(pair, _NOTHING), change)
        else:
            overall[name] = _sum(overall.get(name, _NOTHING), change)
    shares = keyword_rounds(judged)
    share = shares.pop("", 0.0)
    for keyword, more in shares.items():
        rounds[keyword] = rounds.get(keyword, 0.0) + more
    heard = dict(evidence.keyword_trends)
    for keyword, told in keyword_trends(judged).items():
        heard[keyword] = heard.get(keyword, KeywordTrend()).with_more(told)
    said = fits(judged)
    before = evidence.fits or (0.0,) * len(said)
    return replace(
        evidence,
        pairs=PairTable.of(pairs),
        overall=overall,
        keyword_rounds=rounds,
        rounds=evidence.rounds + share,
        keyword_trends=heard,
        fits=tuple(one + more for one, more in zip(before, said, strict=True)),
    )


def _sum(one: PairStatistics, other: PairStatistics) -> PairStatistics:
    return PairStatistics(*(a + b for a, b in zip(numbers_of(one), numbers_of(other), strict=True)))


def _without(
    policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence, now: Ranking
) -> tuple[WordLeftOut, ...]:
    leader = now.order[0]
    effects = {reason.keyword: reason.effect for reason in now.reasons if reason.checkpoint == leader}
    heard = [word.text for word in keywords if evidence.keyword_rounds.get(word.text)]
    heard.sort(key=lambda text: -effects.get(text, 0.0))
    found = []
    for text in heard[:_MOST_WORDS]:
        parts = set(text.split())
        left = [word for word in keywords if not parts <= set(word.text.split())]
        first = _ranked(policy, left, candidates, evidence).order[0]
        if first != leader:
            found.append(WordLeftOut(text, first))
    return tuple(found)


def _ranked(policy: Policy, keywords: Sequence[Keyword], candidates: Sequence[str], evidence: Evidence) -> Ranking:
    """Always by the same chance, so that what differs is what was asked."""
    return policy.rank(keywords, candidates, evidence, rng=numpy.random.default_rng(0))
