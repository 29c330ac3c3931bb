"""What the images of a log say of LoRAs, and how that is kept up to date.

    log = LoraLog(images, former)                           # use; which images were compared
    comparisons.of(log, words, utilities, families)         # as the models take them

All of it is pure. Separate from the service, which reads the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model.evidence import Comparison
from ..parameters import MadeImage
from ..values import Keyword
from .lora_comparisons import ComparedLoras, compared_loras
from .lora_habit import LoraHabit
from .parameter_comparisons import newest
from .parameter_decision import same_at_first


class LoraLog:
    """What follows from the images whose settings are known.

    Parameters
    ----------
    images
        Oldest first.
    former
        Of the same log earlier: what is the same in both is not computed again.

    Attributes
    ----------
    comparisons
        The newest of those that say anything.
    families
        Of checkpoints, as far as the log says.
    """

    def __init__(self, images: Sequence[MadeImage], former: LoraLog | None = None) -> None:
        self._images = images
        known = same_at_first(former._images, images) if former else 0
        kept = [each for each in former._compared if each.places[-1] < known] if former else []
        self._compared: list[ComparedLoras] = [*kept, *compared_loras(images, known)]
        deciding = [each for each in self._compared if each.decides]
        self.comparisons = newest(deciding)
        places = [place for each in deciding for place in each.places]
        self.habit: LoraHabit = LoraHabit(images, places, former.habit if former else None, known)
        self.families = {image.checkpoint: image.family for image in images if image.family}


class Comparisons:
    """The comparisons of a log as the models take them. Those that were there before are not made again."""

    def __init__(self) -> None:
        self._families: Mapping[str, str] = {}
        self._made: dict[int, tuple[ComparedLoras, Comparison]] = {}

    def of(
        self,
        log: LoraLog,
        words: Mapping[int, Sequence[Keyword]],
        utilities: Mapping[int, Mapping[str, float]],
        families: Mapping[str, str],
    ) -> list[Comparison]:
        """Those of a log.

        Parameters
        ----------
        words, utilities
            The keywords of each generation, and what was known of its checkpoints.
        families
            Of checkpoints, as far as the caller knows them; they count before those of the log.
        """
        checkpoints = {name for each in log.comparisons for name in each.checkpoints}
        known = {name: families.get(name) or log.families.get(name, "") for name in sorted(checkpoints)}
        former = self._made if all(self._families.get(name, "") == known[name] for name in known) else {}
        self._made, self._families = {}, known
        for each in log.comparisons:
            made = former.get(id(each))
            if made is None or made[0] is not each:
                made = each, each.comparison(words[each.generation], utilities.get(each.generation, {}), known)
            self._made[id(each)] = made
        return [comparison for _, comparison in self._made.values()]
