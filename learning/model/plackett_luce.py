"""A verdict as a choice among the images shown: its likelihood, and what it says of each utility.

Separate because two models learn from it: the sums over similar rounds (`statistics`) and the effects of
single keywords (`basis`). It knows one round and nothing of any other.

A selected image was chosen, in the sense of Luce (Individual Choice Behavior, 1959) and Plackett (The
analysis of permutations, 1975), from a set of itself, the shown images that were not selected, and the
person's bar, "good enough", whose utility is `BAR`. A round in which everything was rejected is one choice
of the bar over all images. With utilities u the probability of a choice is exp(u_chosen) / sum over the set
of exp(u).

Images without a verdict teach nothing of their own checkpoint. They do stand in the set that a selected
image was chosen from, because the person saw them when choosing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..values import Shown

BAR = -1.0
"""Utility of "good enough". Below an unknown checkpoint's (0), since most images of a decent model are
kept."""

_UTILITY_BOUND = 6.0  # keeps exp() and the pseudo-observations sane whatever a client logged
_PROBIT = math.pi / 8.0


def merged(shown: Iterable[Shown]) -> list[Shown]:
    """One part per checkpoint, without those that showed nothing."""
    parts: dict[str, Shown] = {}
    for part in shown:
        images = max(part.images, part.judged)
        if not images:
            continue
        former = parts.get(part.checkpoint)
        if former is None:
            parts[part.checkpoint] = Shown(part.checkpoint, images, part.selected, part.rejected, part.utility)
        else:
            parts[part.checkpoint] = Shown(
                part.checkpoint,
                former.images + images,
                former.selected + part.selected,
                former.rejected + part.rejected,
                former.utility if former.utility is not None else part.utility,
            )
    return list(parts.values())


def bounded(utility: float | None) -> float:
    """A utility as the likelihood takes it: 0 where there is none, and never so far that exp() runs away."""
    if utility is None or not math.isfinite(utility):
        return 0.0
    return max(-_UTILITY_BOUND, min(_UTILITY_BOUND, utility))


def derivatives(shown: Sequence[Shown], utilities: Sequence[float]) -> list[tuple[float, float]]:
    """Gradient and curvature of the round's log likelihood in each checkpoint's utility, at the given ones.

    Several selected images share the weight of sqrt(their number) choices: they were made by one person in
    one look, so they are less than as many independent verdicts, and more than one.
    """
    force = [math.exp(bounded(utility)) for utility in utilities]
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


def log_likelihood(shown: Sequence[Shown], means: Sequence[float], variances: Sequence[float]) -> float:
    """How well utilities known up to a variance foretold the choices; parallel to `shown`, at most 0.

    Uncertain utilities are drawn together by `1 / sqrt(1 + pi/8 v)` (MacKay, Neural Computation 4, 1992, for
    the logistic function), so that whoever was sure and wrong pays for it.
    """
    force = _foretold(means, variances)
    others = math.exp(BAR) + sum((part.images - part.selected) * f for part, f in zip(shown, force, strict=True))
    selections = sum(part.selected for part in shown)
    if not selections:
        rejected = sum(part.rejected * f for part, f in zip(shown, force, strict=True))
        return BAR - math.log(math.exp(BAR) + rejected)
    return sum(
        part.selected / math.sqrt(selections) * math.log(f / (others + f)) for part, f in zip(shown, force, strict=True)
    )


def surprise(shown: Sequence[Shown], means: Sequence[float], variances: Sequence[float]) -> float:
    """How much worse the verdict was foretold than a right model foretells on average, in nats.

    The negative log probability of what was chosen (of several, their mean), or of the bar, less its
    expectation, the entropy of the choice among all images and the bar. It is 0 on average for a model that
    is right, whether it is sure or not; a picture rejected that was sure to be kept gives about 3.
    """
    force = [part.images * each for part, each in zip(shown, _foretold(means, variances), strict=True)]
    total = math.exp(BAR) + sum(force)
    chances = [each / total for each in force]
    bar = math.exp(BAR) / total
    entropy = -sum(chance * math.log(chance) for chance in (*chances, bar) if chance > 0.0)
    selections = sum(part.selected for part in shown)
    if not selections:
        return -math.log(bar) - entropy
    said = sum(
        part.selected / selections * math.log(chance)
        for part, chance in zip(shown, chances, strict=True)
        if part.selected
    )
    return -said - entropy


def _foretold(means: Sequence[float], variances: Sequence[float]) -> list[float]:
    """exp of utilities known up to a variance, drawn together by what is not known."""
    return [
        math.exp(bounded(mean) / math.sqrt(1.0 + _PROBIT * variance))
        for mean, variance in zip(means, variances, strict=True)
    ]
