"""What the alternatives of a comparison consist of: the arms that a verdict teaches.

Of a comparison of checkpoints each image is by one of them. An image with several LoRAs has the sum of their utilities,
and none has zero. What else the images differ in is a fixed offset: of a choice among checkpoints what was known of the
images' LoRAs, and of a choice among LoRAs what was known of their checkpoints. Separate from `plackett_luce`, which
knows utilities of images and not what they are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..values import Shown
from .evidence import Comparison
from .plackett_luce import BAR, NO_BAR, bounded


@dataclass(frozen=True, slots=True)
class Arms:
    """The arms of a comparison, and which alternatives have them.

    Attributes
    ----------
    names, utilities
        Of the arms, `[A]`; the utilities around which the choice is linearised.
    having
        For each arm, the places of the alternatives that have it.
    offsets
        Of the alternatives, `[S]`: what is known of all else in which they differ.
    bar
        That of the choice.
    """

    names: tuple[str, ...]
    utilities: tuple[float, ...]
    having: tuple[tuple[int, ...], ...]
    offsets: tuple[float, ...]
    bar: float = BAR

    def of_alternatives(self, values: Sequence[float]) -> list[float]:
        """The sum of some value of the arms for each alternative, `[S]`, without its offset."""
        sums = [0.0] * len(self.offsets)
        for value, places in zip(values, self.having, strict=True):
            for place in places:
                sums[place] += value
        return sums

    def utilities_of_alternatives(self, utilities: Sequence[float]) -> list[float]:
        """The utility of each alternative, `[S]`."""
        return [total + offset for total, offset in zip(self.of_alternatives(utilities), self.offsets, strict=True)]

    def greatest(self, values: Sequence[float]) -> list[float]:
        """The greatest sum among the alternatives that have each arm, `[A]`."""
        sums = self.of_alternatives(values)
        return [max(sums[place] for place in places) for places in self.having]

    def selected_and_judged(self, shown: Sequence[Shown]) -> list[tuple[int, int]]:
        """Of each arm, how many images that have it were selected and judged."""
        return [
            (sum(shown[place].selected for place in places), sum(shown[place].judged for place in places))
            for places in self.having
        ]


def arms_of(comparison: Comparison, shown: Sequence[Shown]) -> Arms:
    """The arms of a comparison; `shown` has one part for each alternative."""
    offsets = tuple(bounded(part.offset) for part in shown)
    if not comparison.members:
        return Arms(
            tuple(part.checkpoint for part in shown),
            tuple(bounded(part.utility) for part in shown),
            tuple((place,) for place in range(len(shown))),
            offsets,
        )
    names = tuple(dict.fromkeys(name for members in comparison.members for name in members))
    having = tuple(
        tuple(place for place, members in enumerate(comparison.members) if name in members) for name in names
    )
    snapshot, utilities = comparison.snapshot, [0.0] * len(names)
    if snapshot is not None and snapshot.fits(len(comparison.keywords), len(names)):
        utilities = [bounded(utility) for utility in (snapshot.means @ snapshot.model_weights).tolist()]
    return Arms(names, tuple(utilities), having, offsets, NO_BAR)
