"""The figures that the default policy must reach, and those that it aims for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """At most this share of three-at-random's regret at so many images per prompt, and what to aim for."""

    must: float
    must_images: float
    aim: float
    aim_images: float

    def __str__(self) -> str:
        return f"{self.must:.2f} at {self.must_images:g}, aim {self.aim:.2f} at {self.aim_images:g}"


FIGURES = {
    ("styles", (150, 300)): Figure(0.30, 2.5, 0.20, 2.0),
    ("styles", (900, 1200)): Figure(0.08, 1.7, 0.04, 1.3),
    ("boosters", (150, 300)): Figure(0.30, 2.5, 0.20, 2.0),
    ("boosters", (900, 1200)): Figure(0.08, 1.7, 0.04, 1.3),
    ("templates", (200, 400)): Figure(0.20, 2.3, 0.12, 1.8),
    ("authors", (200, 400)): Figure(0.20, 2.3, 0.12, 1.8),
    ("alike", (200, 400)): Figure(0.20, 2.3, 0.12, 1.8),
}

BOOSTERS_MAY_COST = 0.10
RECOVERY_PROMPTS = 150
RECOVERY_AIM = 80
DECISION_MS = 2.0
DECISION_AIM_MS = 0.3
