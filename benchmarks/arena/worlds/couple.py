"""Two people share one database: each has favourite styles and tastes of their own, and no prompt says whose it is.

Five of the seven styles belong to one of them; two are used by both, who do not agree on them, so that for
those prompts no policy can know. No policy was tuned on this world.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy

from ..wishes import Wish
from .contract import Moods, World, tastes
from .styles import CHECKPOINTS, KINDS, Writer

PROMPTS = 600
_STYLES_OF = ((0, 1, 2, 5, 6), (3, 4, 5, 6))


def wishes(seed: int, data: Path | None, *, prompts: int = PROMPTS) -> Iterator[Wish]:
    rng = numpy.random.default_rng([seed, 51])
    writer, moods = Writer(rng), Moods(numpy.random.default_rng([seed, 52]))
    liked = [tastes(rng, KINDS, len(CHECKPOINTS)) for _ in _STYLES_OF]
    who, count = 0, len(CHECKPOINTS)
    for _ in range(prompts):
        if rng.random() < 0.1:  # an evening's work before the other one sits down
            who = 1 - who
        kind = int(rng.choice(_STYLES_OF[who]))
        prompt = ", ".join(writer.parts(kind))
        yield Wish(prompt, CHECKPOINTS, liked[who][kind], moods.noise(count), moods.bar())


COUPLE = World("couple", "two people share one database", PROMPTS, wishes, ((150, 300), (300, 600)))
