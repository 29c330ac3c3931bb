"""What a trial counts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial. Of each verdict that was acknowledged, either it or a newer one must be found.

    Attributes
    ----------
    acknowledged
        Generations and verdicts that a program was told are stored.
    lost
        Which of them were not found, in words.
    """

    acknowledged: int = 0
    lost: tuple[str, ...] = field(default=())

    @property
    def found(self) -> int:
        return self.acknowledged - len(self.lost)

    def __add__(self, other: Trial) -> Trial:
        return Trial(self.acknowledged + other.acknowledged, self.lost + other.lost)
