"""Images as the log has them, for tests of what settings teach."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from context_checkpoint.learning.parameters import MadeImage
from context_checkpoint.learning.values import IMPORTED, ImageSettings

BORN = datetime(2026, 1, 1, tzinfo=timezone.utc)


def made(
    generation: int,
    settings: ImageSettings,
    mark: str = ".",
    *,
    checkpoint: str = "a",
    policy: str = IMPORTED,
    day: int = 0,
    family: str = "",
) -> MadeImage:
    return MadeImage(generation, checkpoint, settings, mark, BORN + timedelta(days=day), policy, "final", family)
