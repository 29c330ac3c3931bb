"""From what is known of a parameter's values to a recommendation, and the sentence that says why.

The values are arms: the policy ranks them as it ranks checkpoints. Habit (`parameter_habit`) gives each arm its prior
mean, the logarithm of its share up to a bound, so that what a person uses goes first until verdicts say otherwise.
Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy

from ..message import Message, message
from ..model.evidence import Evidence, PairStatistics
from ..model.prior_means import with_prior_means
from ..names import shown_name
from ..parameters import (
    Given,
    KnownValue,
    ParameterName,
    ParameterRecommendation,
    Source,
    Value,
    as_given,
    shown_value,
)
from ..policies import DEFAULT_POLICY, policy_named
from ..values import Keyword, Ranking, Reason
from .parameter_comparisons import is_added
from .parameter_habit import Use

MOST_VALUES = 12
_HABIT = 0.25
"""Utility per unit of a share's logarithm."""
_MOST_HABIT = 0.5
_NOTHING = PairStatistics()


@dataclass(frozen=True, slots=True)
class ParameterQuestion:
    """What to recommend a value for; `default` as given, `default_value` as it is stored."""

    name: ParameterName
    default: Given
    default_value: Value
    checkpoint: str | None


def arms(use: Use, judged: Mapping[str, float], default: Value) -> dict[str, Value]:
    """The values among which to choose, by their texts, the most used first.

    There are few: those that are used or were judged most, and the default.

    Parameters
    ----------
    judged
        How many images with each value were judged in comparisons, by its text.
    """
    all_judged = sum(judged.values()) or 1.0

    def importance(value: Value) -> float:
        return float(value == default) + use.shares[value] + judged.get(shown_value(value), 0.0) / all_judged

    chosen = sorted(use.shares, key=importance, reverse=True)[:MOST_VALUES]
    return {shown_value(value): value for value in sorted(chosen, key=use.shares.__getitem__, reverse=True)}


def choose(
    question: ParameterQuestion, use: Use, values: Mapping[str, Value], words: Sequence[Keyword], evidence: Evidence
) -> ParameterRecommendation:
    """Recommend a value.

    Parameters
    ----------
    values
        The arms, the most used first.
    words
        The context of the question (`parameter_comparisons.context`).
    evidence
        What the comparisons say of these arms and words.
    """
    means = _prior_means(use, values)
    if evidence.overall:
        with_habit = with_prior_means(evidence, means)
        # No chance: another value is worth trying by its bound, not by a draw.
        ranking = policy_named(DEFAULT_POLICY).rank(words, list(values), with_habit, rng=numpy.random.default_rng(0))
    else:
        ranking = by_prior_means(list(values), means)
    best = ranking.order[0]
    habit = use.amount * use.shares[values[best]]
    confidence = min(1.0, max(ranking.confidence, habit))
    source: Source = "verdicts" if ranking.confidence > habit else "checkpoint" if use.of_checkpoint else "person"
    if confidence <= 0.0:
        best, source = shown_value(question.default_value), "default"
    value = values[best]
    return ParameterRecommendation(
        name=question.name,
        value=question.default if value == question.default_value else as_given(value, question.default),
        confidence=confidence,
        source=source,
        reason=_reason(question, source, value, use, ranking),
        default=question.default,
        checkpoint=question.checkpoint,
        values=tuple(_known(values[name], name, ranking, use, evidence) for name in ranking.order),
        worth_trying=next((values[name] for name in ranking.shown_order if name != best), None),
    )


def most_open(answers: Iterable[ParameterRecommendation], settled: float) -> ParameterRecommendation | None:
    """The parameter of which another value is most worth trying: the one with the least confidence.

    None where no parameter has another value, or all are settled.

    Parameters
    ----------
    settled
        A parameter with a greater confidence is not asked about any more.
    """
    open_ones = [each for each in answers if each.worth_trying is not None and each.confidence <= settled]
    return min(open_ones, key=lambda each: each.confidence, default=None)


def _prior_means(use: Use, values: Mapping[str, Value]) -> dict[str, float]:
    """What habit says of each arm's utility: 0 for the most used one, and less for the others."""
    if not use.amount:
        return {}
    most = max(use.shares.values())
    parts = {name: use.shares[value] / most for name, value in values.items()}
    return {name: max(-_MOST_HABIT, _HABIT * math.log(part)) if part else -_MOST_HABIT for name, part in parts.items()}


def by_prior_means(arms: Sequence[str], means: Mapping[str, float]) -> Ranking:
    """How the default policy ranks arms of which no comparison says anything, in a part of its time."""
    scores = {name: means.get(name, 0.0) for name in arms}
    order = tuple(sorted(arms, key=scores.__getitem__, reverse=True))
    return Ranking(order, order, scores, scores, confidence=0.0, evidence=0.0, clarity=0.0)


def _known(value: Value, name: str, ranking: Ranking, use: Use, evidence: Evidence) -> KnownValue:
    judged = evidence.overall.get(name, _NOTHING)
    return KnownValue(
        value,
        ranking.scores[name],
        use.amount * use.shares[value],
        use.counts.get(value, 0),
        round(judged.selected),
        round(judged.total),
    )


def _telling(ranking: Ranking) -> Reason:
    """The keyword that says most for the first value; without one, what all prompts say."""
    of_best = [reason for reason in ranking.reasons if reason.checkpoint == ranking.order[0]]
    return max(of_best, key=lambda reason: reason.effect if not is_added(reason.keyword) else -math.inf)


def _reason(question: ParameterQuestion, source: Source, value: Value, use: Use, ranking: Ranking) -> Message:
    name, text = question.name, shown_value(value)
    if source == "default":
        return message(
            "parameter_default", "Nothing is known of {name} yet: {value} is the default.", name=name, value=text
        )
    if source == "verdicts":
        told = _telling(ranking)
        selected, total = round(told.selected), round(told.total)
        if not told.keyword:
            return message(
                "parameter_by_verdicts",
                "{name} {value}: you kept {selected} of {total} images with it, compared with other values.",
                name=name,
                value=text,
                selected=selected,
                total=total,
            )
        return message(
            "parameter_by_verdicts_on",
            "{name} {value}: for prompts with {keyword} you kept {selected} of {total} images with it, compared with "
            "other values.",
            name=name,
            value=text,
            keyword=told.keyword,
            selected=selected,
            total=total,
        )
    used, total = use.counts.get(value, 0), sum(use.counts.values())
    if source == "checkpoint":
        return message(
            "parameter_by_checkpoint",
            "{name} {value}: {used} of your {total} images with {checkpoint} have it.",
            name=name,
            value=text,
            used=used,
            total=total,
            checkpoint=shown_name(question.checkpoint or ""),
        )
    return message(
        "parameter_by_person",
        "{name} {value}: {used} of your {total} images have it.",
        name=name,
        value=text,
        used=used,
        total=total,
    )
