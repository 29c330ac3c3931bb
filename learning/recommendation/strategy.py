"""From a ranking to branches: how many checkpoints to show, which, and how to divide the images among them.

The document's rule, and nothing else. It is separate from the policies so that every policy obeys the same
thresholds, and it knows no statistics: only how sure the ranking says it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..values import MOST_BRANCHES, Ranking, Stage, Strategy, Thresholds


class Choice(NamedTuple):
    """What to do, and with which checkpoints, best first."""

    strategy: Strategy
    checkpoints: tuple[str, ...]


def choose(
    ranking: Ranking,
    *,
    stage: Stage,
    explore: bool,
    thresholds: Thresholds,
    max_branches: int = MOST_BRANCHES,
) -> Choice:
    """Choose the branches that a ranking calls for.

    Confidence above `thresholds.exploit` shows the best alone, above `thresholds.explore` the best and one
    backup, else three. The draft stage always explores, whatever the confidence; `explore=False` never does,
    not even in a draft, because the document's override lives inside its explore mode.

    A single checkpoint is always `exploit`: with one branch nothing is compared, however unsure the ranking.

    Raises
    ------
    ValueError
        If the ranking is empty, or `max_branches` is not one, two or three.
    """
    if not ranking.shown_order:
        raise ValueError("There is no checkpoint to choose from: give at least one candidate.")
    if not 1 <= max_branches <= MOST_BRANCHES:
        raise ValueError(f"max_branches is {max_branches}: choose 1, 2 or {MOST_BRANCHES}.")
    strategy, branches = _strategy(ranking.confidence, stage, explore, thresholds)
    checkpoints = ranking.shown_order[: min(branches, max_branches)]
    return Choice("exploit" if len(checkpoints) == 1 else strategy, checkpoints)


def _strategy(confidence: float, stage: Stage, explore: bool, thresholds: Thresholds) -> tuple[Strategy, int]:
    if not explore:
        return "exploit", 1
    if stage == "draft":
        return "explore", 3
    if confidence > thresholds.exploit:
        return "exploit", 1
    if confidence > thresholds.explore:
        return "exploit_explore", 2
    return "explore", 3


def divide_images(strategy: Strategy, checkpoints: Sequence[str], images: int) -> tuple[int, ...]:
    """Divide a number of images among the checkpoints, parallel to `checkpoints`.

    `exploit` gives all to the best, `exploit_explore` 70 % to the best (what does not divide goes to it too),
    `explore` divides evenly with the remainder to the first. Each checkpoint gets at least one image, so one
    image for three branches makes three.

    >>> divide_images("exploit_explore", ["a", "b"], 10)
    (7, 3)
    >>> divide_images("explore", ["a", "b", "c"], 20)
    (7, 7, 6)

    Raises
    ------
    ValueError
        If there are no checkpoints or fewer than one image.
    """
    if not checkpoints:
        raise ValueError("There is no checkpoint to divide the images among.")
    if images < 1:
        raise ValueError(f"{images} images cannot be divided: ask for at least one.")
    if strategy == "exploit_explore" and len(checkpoints) == 2:
        backup = max(1, (3 * images + 4) // 10)
        return max(1, images - backup), backup
    share, rest = divmod(images, len(checkpoints))
    return tuple(max(1, share + (position < rest)) for position in range(len(checkpoints)))
