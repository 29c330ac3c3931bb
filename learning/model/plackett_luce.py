"""A verdict as a choice among the images shown: its likelihood, and what it teaches about each utility.

Separate because two kinds of model learn from it: sums over similar rounds (`sufficient_statistics`) and the
effects of single keywords (`keyword_regression`). It knows one comparison at a time.

A selected image was chosen, in the sense of Luce (Individual Choice Behavior, 1959) and Plackett (The
analysis of permutations, 1975), from a set of itself, the shown images that were not selected, and the
person's bar, "good enough", whose utility is `BAR`. If everything was rejected, that is one choice of the bar
over all images. With utilities u the probability of a choice is exp(u_chosen) / sum over the set
of exp(u).

Images without a verdict teach nothing about their own checkpoint. They are in the set that a selected image was
chosen from, because the person saw them when choosing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ..values import Shown

BAR = -1.0
"""Utility of "good enough". Below an unknown checkpoint's (0), since most images of a decent model are
kept."""

NO_BAR = -math.inf

_UTILITY_BOUND = 6.0  # keeps exp() and the pseudo-observations sane whatever a client logged
_PROBIT = math.pi / 8.0


def merged(shown: Iterable[Shown]) -> list[Shown]:
    """One part per checkpoint, without those that showed nothing."""
    parts: dict[str, Shown] = {}
    for part in shown:
        images = max(part.images, part.judged)
        if not images:
            continue
        before = parts.get(part.checkpoint)
        if before is None:
            parts[part.checkpoint] = Shown(
                part.checkpoint, images, part.selected, part.rejected, part.utility, part.offset
            )
        else:
            parts[part.checkpoint] = Shown(
                part.checkpoint,
                before.images + images,
                before.selected + part.selected,
                before.rejected + part.rejected,
                before.utility if before.utility is not None else part.utility,
                before.offset,
            )
    return list(parts.values())


def bounded(utility: float | None) -> float:
    """A utility as the likelihood takes it: 0 where there is none, and bounded so that exp() cannot overflow."""
    if utility is None or not math.isfinite(utility):
        return 0.0
    return max(-_UTILITY_BOUND, min(_UTILITY_BOUND, utility))


def derivatives(
    shown: Sequence[Shown],
    utilities: Sequence[float],
    having: Sequence[Sequence[int]] | None = None,
    bar: float = BAR,
) -> list[tuple[float, float]]:
    """Gradient and curvature of the log likelihood in each arm's utility, at the given utilities of the images.

    The gradient of an arm is the sum over the parts of `shown` that have it, its curvature the variance of having it
    under the probabilities of the choice. Several selected images weigh as sqrt(their number) choices: one person chose
    them at a glance, so they are fewer than as many independent verdicts, and more than one.

    Parameters
    ----------
    having
        For each arm, the places in `shown` that have it. None: each part of `shown` is an arm of its own.
    bar
        Its utility; `NO_BAR` where the images are compared with each other alone.
    """
    arms = [(place,) for place in range(len(shown))] if having is None else having
    force = [math.exp(bounded(utility)) for utility in utilities]
    passed_over = [part.images - part.selected for part in shown]
    others = math.exp(bar) + sum(n * f for n, f in zip(passed_over, force, strict=True))
    gradient, curvature = [0.0] * len(arms), [0.0] * len(arms)
    selections = sum(part.selected for part in shown)
    if not selections:
        rejected = math.exp(bar) + sum(part.rejected * f for part, f in zip(shown, force, strict=True))
        for arm, places in enumerate(arms):
            probability = sum(shown[place].rejected * force[place] for place in places) / rejected
            gradient[arm] -= probability
            curvature[arm] += probability * (1.0 - probability)
        return list(zip(gradient, curvature, strict=True))
    for chosen, part in enumerate(shown):
        weight = part.selected / math.sqrt(selections)
        if not weight:
            continue
        total = others + force[chosen]
        own = [n * f for n, f in zip(passed_over, force, strict=True)]
        own[chosen] += force[chosen]
        for arm, places in enumerate(arms):
            probability = sum(own[place] for place in places) / total
            gradient[arm] += weight * ((chosen in places) - probability)
            curvature[arm] += weight * probability * (1.0 - probability)
    return list(zip(gradient, curvature, strict=True))


def log_likelihood(
    shown: Sequence[Shown], means: Sequence[float], variances: Sequence[float], bar: float = BAR
) -> float:
    """The log probability of the choices under normal beliefs about the utilities; at most 0.

    Uncertain utilities are shrunk by `1 / sqrt(1 + pi/8 v)` (MacKay, Neural Computation 4, 1992, for the
    logistic function), so that a model which was sure and wrong pays for it.

    Parameters
    ----------
    means, variances
        Parallel to `shown`.
    """
    force = _forces(means, variances)
    others = math.exp(bar) + sum((part.images - part.selected) * f for part, f in zip(shown, force, strict=True))
    selections = sum(part.selected for part in shown)
    if not selections:
        rejected = sum(part.rejected * f for part, f in zip(shown, force, strict=True))
        return bar - math.log(math.exp(bar) + rejected)
    return sum(
        part.selected / math.sqrt(selections) * math.log(f / (others + f)) for part, f in zip(shown, force, strict=True)
    )


def surprise(shown: Sequence[Shown], means: Sequence[float], variances: Sequence[float], bar: float = BAR) -> float:
    """How much worse the verdict was predicted than a correct model predicts on average, in nats.

    The negative log probability of what was chosen (of several, their mean), or of the bar, less its
    expectation, the entropy of the choice among all images and the bar. It is 0 on average for a correct model,
    whether it is sure or not; a picture that was sure to be kept and is rejected gives about 3.
    """
    force = [part.images * each for part, each in zip(shown, _forces(means, variances), strict=True)]
    total = math.exp(bar) + sum(force)
    chances = [each / total for each in force]
    none_good_enough = math.exp(bar) / total
    entropy = -sum(chance * math.log(chance) for chance in (*chances, none_good_enough) if chance > 0.0)
    selections = sum(part.selected for part in shown)
    if not selections:
        return -math.log(none_good_enough) - entropy
    log_probability = sum(
        part.selected / selections * math.log(chance)
        for part, chance in zip(shown, chances, strict=True)
        if part.selected
    )
    return -log_probability - entropy


def _forces(means: Sequence[float], variances: Sequence[float]) -> list[float]:
    """exp of the utilities, each shrunk by its variance."""
    return [
        math.exp(bounded(mean) / math.sqrt(1.0 + _PROBIT * variance))
        for mean, variance in zip(means, variances, strict=True)
    ]
