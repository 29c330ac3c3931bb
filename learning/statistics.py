"""What one judged round teaches, as sums.

`increments` and `keyword_rounds` are the only places where a verdict becomes numbers; the store adds them
up in SQL and `Tally` in memory, to the same bits. They are sums over rounds and never running means, so
that a verdict can be replaced (subtract the old, add the new), withdrawn, merged with another person's or
recomputed from the log. This module refuses to know how the sums are used: that is a policy's affair.

The choice model
----------------
A selected image was chosen, in the sense of Luce (Individual Choice Behavior, 1959) and Plackett (The
analysis of permutations, 1975), from a set of itself, the shown images that were not selected, and the
person's bar, "good enough", whose utility is `BAR`. A round in which everything was rejected is one choice
of the bar over all images. With utilities u the probability of a choice is exp(u_chosen) / sum over the set
of exp(u).

Nobody recomputes the likelihood of the whole history for each verdict; each round leaves its second-order
expansion around the utilities u0 that the policy had when it recommended (one Newton step, as in online
Laplace approximation: Spiegelhalter and Lauritzen, Networks 20, 1990). With gradient g and curvature h (the
diagonal of the negative Hessian) its sums are `score += g + h * u0`, `information += h`, so that `score /
information` is where the rounds alone would put the utility.

Images without a verdict teach nothing of their own checkpoint. They do stand in the set that a selected
image was chosen from, because the person saw them when choosing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from .values import MOST_BRANCHES, Evidence, Increment, Keyword, PairStatistics, Round, Shown

FORMULA = 1
"""Raised whenever the same rounds give other numbers: a database summed by an older formula is then
recomputed."""

BAR = -1.0
"""Utility of "good enough". Below an unknown checkpoint's (0), since most images of a decent model are
kept."""

_UTILITY_BOUND = 6.0  # keeps exp() and the pseudo-observations sane whatever a client logged
_GRAIN = 2.0**20


def quantised(number: float) -> float:
    """Round to a multiple of 2**-20.

    Sums of such numbers are exact in double precision up to 2**33, in any order: adding and subtracting a
    verdict gives back the same bits, and a rebuild from the log equals what was summed on the way.
    """
    return round(number * _GRAIN) / _GRAIN


def increments(judged: Round) -> tuple[Increment, ...]:
    """All that a round's verdict teaches about (keyword, checkpoint) pairs; keyword `""` is the overall
    effect.

    Empty when no image was judged. Counts of images are not weighted by the keyword's emphasis in the prompt,
    since the document's rates count images; the choice model's sums and the rounds are.
    """
    shown = _merged(judged.shown)
    if not any(part.judged for part in shown):
        return ()
    derivatives = _derivatives(shown)
    compared = float(len(shown) > 1)
    found = []
    for keyword in (Keyword(""), *judged.keywords):
        weight = max(0.0, keyword.weight)
        for part, (gradient, curvature) in zip(shown, derivatives, strict=True):
            if not part.judged:
                continue
            change = PairStatistics(
                selected=float(part.selected),
                total=float(part.judged),
                rounds=quantised(weight * compared),
                score=quantised(weight * (gradient + curvature * _utility(part))),
                information=quantised(weight * curvature),
            )
            found.append(Increment(keyword.text, part.checkpoint, change))
    return tuple(found)


def keyword_rounds(judged: Round) -> dict[str, float]:
    """How much of a full comparison a judged round was, for `""` and each of its keywords; empty if not
    judged.

    A round of three checkpoints counts one, of two two thirds, and a picture shown alone one third: a round
    is worth its pictures, so exploiting gathers evidence, but slowly.
    """
    shown = _merged(judged.shown)
    if not any(part.judged for part in shown):
        return {}
    share = quantised(min(1.0, len(shown) / MOST_BRANCHES))
    return {"": share, **{keyword.text: share for keyword in judged.keywords}}


def _merged(shown: Iterable[Shown]) -> list[Shown]:
    """One part per checkpoint, without those that showed nothing."""
    parts: dict[str, Shown] = {}
    for part in shown:
        images = max(part.images, part.judged)
        if not images:
            continue
        former = parts.get(part.checkpoint)
        if former is None:
            parts[part.checkpoint] = Shown(
                part.checkpoint, images, part.selected, part.rejected, part.utility
            )
        else:
            parts[part.checkpoint] = Shown(
                part.checkpoint,
                former.images + images,
                former.selected + part.selected,
                former.rejected + part.rejected,
                former.utility if former.utility is not None else part.utility,
            )
    return list(parts.values())


def _utility(part: Shown) -> float:
    utility = part.utility
    if utility is None or not math.isfinite(utility):
        return 0.0
    return max(-_UTILITY_BOUND, min(_UTILITY_BOUND, utility))


def _derivatives(shown: Sequence[Shown]) -> list[tuple[float, float]]:
    """Gradient and curvature of the round's log likelihood in each checkpoint's utility.

    Several selected images share the weight of sqrt(their number) choices: they were made by one person in
    one look, so they are less than as many independent verdicts, and more than one.
    """
    force = [math.exp(_utility(part)) for part in shown]
    passed_over = [part.images - part.selected for part in shown]
    others = math.exp(BAR) + sum(n * f for n, f in zip(passed_over, force, strict=True))
    gradient, curvature = [0.0] * len(shown), [0.0] * len(shown)
    selections = sum(part.selected for part in shown)
    if not selections:
        rejected = math.exp(BAR) + sum(part.rejected * f for part, f in zip(shown, force, strict=True))
        for place, part in enumerate(shown):
            probability = part.rejected * force[place] / rejected
            gradient[place] -= probability
            curvature[place] += probability * (1.0 - probability)
        return list(zip(gradient, curvature, strict=True))
    for chosen, part in enumerate(shown):
        weight = part.selected / math.sqrt(selections)
        if not weight:
            continue
        total = others + force[chosen]
        for place in range(len(shown)):
            own = passed_over[place] * force[place] + (force[place] if place == chosen else 0.0)
            probability = own / total
            gradient[place] += weight * ((place == chosen) - probability)
            curvature[place] += weight * probability * (1.0 - probability)
    return list(zip(gradient, curvature, strict=True))


class Tally:
    """The store's sums, in memory: for tests, simulations and rebuilding.

    >>> from .values import Keyword, Round, Shown
    >>> tally = Tally()
    >>> tally.add(Round((Keyword("anime"),), (Shown("a", 1, selected=1), Shown("b", 1, rejected=1))))
    >>> tally.evidence([Keyword("anime")], ["a"]).pairs["anime", "a"].selected
    1.0
    """

    def __init__(self) -> None:
        self._pairs: defaultdict[tuple[str, str], PairStatistics] = defaultdict(PairStatistics)
        self._rounds: defaultdict[str, float] = defaultdict(float)

    def add(self, judged: Round) -> None:
        self._change(judged, 1.0)

    def subtract(self, judged: Round) -> None:
        self._change(judged, -1.0)

    def _change(self, judged: Round, sign: float) -> None:
        for increment in increments(judged):
            pair = (increment.keyword, increment.checkpoint)
            self._pairs[pair] = _sum(self._pairs[pair], increment.change, sign)
        for keyword, share in keyword_rounds(judged).items():
            self._rounds[keyword] += sign * share

    @property
    def pairs(self) -> Mapping[tuple[str, str], PairStatistics]:
        """All pairs that still hold something; keyword `""` is the overall effect."""
        return {pair: held for pair, held in self._pairs.items() if held != PairStatistics()}

    def evidence(self, keywords: Sequence[Keyword], candidates: Sequence[str]) -> Evidence:
        texts = [keyword.text for keyword in keywords]
        return Evidence(
            pairs={
                (text, name): self._pairs[text, name]
                for text in texts
                for name in candidates
                if (text, name) in self._pairs
            },
            overall={name: self._pairs["", name] for name in candidates if ("", name) in self._pairs},
            keyword_rounds={text: self._rounds[text] for text in texts if self._rounds.get(text)},
            rounds=self._rounds.get("", 0.0),
        )


def _sum(one: PairStatistics, other: PairStatistics, sign: float) -> PairStatistics:
    return PairStatistics(
        selected=one.selected + sign * other.selected,
        total=one.total + sign * other.total,
        rounds=one.rounds + sign * other.rounds,
        score=one.score + sign * other.score,
        information=one.information + sign * other.information,
    )
