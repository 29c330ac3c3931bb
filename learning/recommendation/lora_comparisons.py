"""Which images are a comparison of LoRAs, and what its verdicts add up to.

Images of one generation that are alike in all settings but LoRAs, and have several sets of them, are a choice among
these sets: an alternative of several LoRAs has the sum of their utilities, none has zero, and what all of them have is
not taught. Where all of them were selected, or none, there was no choice. They may be of several checkpoints. What was
known of these when the images were made is a fixed offset, and what remains of it is learned by an arm of the
checkpoint's own, so that no LoRA is credited with it. The strength is no part of what is compared.

Pure. Separate from `parameter_comparisons`: a setting has one value in each image, and a comparison one checkpoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from ..loras import lora_key
from ..model.evidence import Comparison
from ..parameters import MadeImage
from ..values import ImageSettings, Keyword, Shown, Stage
from .parameter_comparisons import ADDED, apart_from, context, mixed

_SetOfLoras = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class ComparedLoras:
    """Images of one generation that differ in their LoRAs; one part for each checkpoint and set of LoRAs.

    `loras` are those of each part, without those that all have; `places` has the images' in the log.
    """

    generation: int
    shown: tuple[Shown, ...]
    loras: tuple[tuple[str, ...], ...]
    stage: Stage
    places: tuple[int, ...]

    @property
    def checkpoints(self) -> tuple[str, ...]:
        """That of each part."""
        return tuple(part.checkpoint for part in self.shown)

    @property
    def decides(self) -> bool:
        """Whether it says anything: some of the images were selected, and not all."""
        return 0 < sum(part.selected for part in self.shown) < sum(part.images for part in self.shown)

    def comparison(
        self, words: Collection[Keyword], utilities: Mapping[str, float], families: Mapping[str, str]
    ) -> Comparison:
        """What its verdict compares.

        Parameters
        ----------
        utilities
            Of the checkpoints, as they were known.
        """
        names = self.checkpoints
        of_family = {families.get(name, "") for name in names}
        return Comparison(
            context(words, names[0] if len(set(names)) == 1 else None, of_family.pop() if len(of_family) == 1 else ""),
            tuple(
                replace(part, checkpoint=str(place), offset=utilities.get(part.checkpoint, 0.0))
                for place, part in enumerate(self.shown)
            ),
            self.stage,
            members=tuple(
                (f"{ADDED}{name}", *loras) if len(set(names)) > 1 else loras
                for name, loras in zip(names, self.loras, strict=True)
            ),
        )


def compared_loras(images: Sequence[MadeImage], start: int = 0) -> list[ComparedLoras]:
    """All comparisons, oldest first, in the images from `start` on."""
    return [found for begin, end in mixed(images, start) for found in _compared_in(images, begin, end)]


def _compared_in(images: Sequence[MadeImage], begin: int, end: int) -> list[ComparedLoras]:
    groups: defaultdict[ImageSettings, list[int]] = defaultdict(list)
    for place in range(begin, end):
        if images[place].settings.loras is not None:
            groups[apart_from(images[place].settings, "loras")].append(place)
    return [found for places in groups.values() if (found := _compared(images, places)) is not None]


def _compared(images: Sequence[MadeImage], places: Sequence[int]) -> ComparedLoras | None:
    parts: dict[_SetOfLoras, Shown] = {}
    for place in places:
        image = images[place]
        loras = frozenset(lora_key(name) for name, _, _ in image.settings.loras or ())
        part = parts.get((image.checkpoint, loras), Shown(image.checkpoint, 0))
        parts[image.checkpoint, loras] = Shown(
            part.checkpoint,
            part.images + 1,
            part.selected + (image.mark == "+"),
            part.rejected + (image.mark == "-"),
        )
    sets = [loras for _, loras in parts]
    common = frozenset.intersection(*sets)
    if all(loras == common for loras in sets) or not any(part.judged for part in parts.values()):
        return None
    first = images[places[0]]
    own = tuple(tuple(sorted(loras - common)) for loras in sets)
    return ComparedLoras(first.generation, tuple(parts.values()), own, first.stage, tuple(places))
