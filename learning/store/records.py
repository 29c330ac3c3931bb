"""A generation as it is logged, with what only the store needs of it.

Separate from `generations` because the statistics, the exchange and forgetting work on these values, while only
that module reads and writes their rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ..model.evidence import Comparison
from ..model.snapshot import PriorSnapshot
from ..prompts.written_negative import learned
from ..values import IMPORTED, Generation, Shown
from .verdict_marks import REJECTED, SELECTED, UNJUDGED, VERDICTS, judges


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of keywords and checkpoints by their texts."""

    keywords: Mapping[str, int]
    checkpoints: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """How far the statistics have been recomputed in the background, as one transaction sees it.

    Attributes
    ----------
    generation
        The new sums know every verdict on the generations numbered up to it.
    keyword
        The new sums of the keywords with ids up to it have taken the place of the former.
    outdated
        The sums in use are another formula's: nothing can be added to them or taken from them.
    """

    generation: int
    keyword: int
    outdated: bool


@dataclass(frozen=True, slots=True)
class LoggedGeneration:
    """A generation with what only the store needs of it: its number, ids, and the policy's utilities."""

    number: int
    generation: Generation
    marks: str
    verdict_at: datetime | None
    """When the newest verdict was given, also one that withdrew another; None: none ever."""
    utilities: Mapping[str, float]
    ids: Ids
    basis: PriorSnapshot | None = None
    rebuild_progress: RebuildProgress | None = None
    settings_ids: tuple[int | None, ...] = ()
    """Of each image, the id of its settings; None where they are not known."""

    def judged(self, marks: str, now: datetime) -> Generation:
        """The generation as it is once a verdict with these marks is stored."""
        return replace(
            self.generation,
            images=tuple(
                replace(image, verdict=VERDICTS.get(mark))
                for image, mark in zip(self.generation.images, marks, strict=True)
            ),
            judged_at=now if judges(marks) else None,
        )

    def comparison(self, marks: str) -> Comparison:
        """What a verdict with these marks compares: checkpoints.

        Where the images of one checkpoint were made with several settings, the verdict chose among these too
        (`recommendation.parameter_comparisons`). The checkpoint is then compared by those with which it did best. What
        was known of the images' LoRAs is a fixed offset, so that no checkpoint is credited with it.
        """
        parts: dict[str, Shown] = {}
        marks = marks or UNJUDGED * len(self.generation.images)
        left_out = self._with_worse_settings(marks)
        for place, (image, mark) in enumerate(zip(self.generation.images, marks, strict=True)):
            name = image.file.checkpoint
            # In the order of all images, whatever the marks: the basis was taken in that order.
            part = parts.setdefault(name, Shown(name, 0, utility=self.utilities.get(name)))
            if place in left_out:
                continue
            parts[name] = Shown(
                name,
                part.images + 1,
                part.selected + (mark == SELECTED),
                part.rejected + (mark == REJECTED),
                part.utility,
                part.offset if part.images else image.file.lora_utility or 0.0,
            )
        return Comparison(learned(self.generation.keywords), tuple(parts.values()), self.generation.stage, self.basis)

    def _with_worse_settings(self, marks: str) -> set[int]:
        """The places of images whose checkpoint did better with other settings."""
        if self.generation.policy == IMPORTED or len(set(self.settings_ids)) < 2:  # what was imported was no question
            return set()
        places: defaultdict[str, defaultdict[int | None, list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, (image, settings_id) in enumerate(zip(self.generation.images, self.settings_ids, strict=True)):
            places[image.file.checkpoint][settings_id].append(place)
        left_out: set[int] = set()
        for by_settings in places.values():
            groups = list(by_settings.values())
            best = max(groups, key=lambda group: sum(_WORTH.get(marks[place], 0) for place in group) / len(group))
            left_out.update(place for group in groups if group is not best for place in group)
        return left_out


_WORTH = {SELECTED: 1, REJECTED: -1}
