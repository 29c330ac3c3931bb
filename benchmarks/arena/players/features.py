"""What the peers see of a prompt: its keywords, as extracted for our own policies, hashed into a vector.

The hashing trick with signs (Weinberger et al., Feature Hashing for Large Scale Multitask Learning, ICML
2009). The hash is not Python's, which differs from run to run.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

import numpy

from context_checkpoint.learning.prompts.keywords import extract_keywords

from ..wishes import Numbers


@lru_cache(maxsize=64)
def words(prompt: str) -> tuple[tuple[str, float], ...]:
    """Keywords and weights."""
    return tuple((keyword.text, keyword.weight) for keyword in extract_keywords(prompt))


def hashed(prompt: str, dimensions: int) -> Numbers:
    """The prompt's keywords as a vector of unit length `[dimensions]`; the last one is a constant.

    >>> float(numpy.linalg.norm(hashed("anime girl, cel shading", 16)))
    1.0
    """
    vector = numpy.zeros(dimensions)
    for text, weight in words(prompt):
        code = crc32(text.encode("utf-8", "replace"))
        vector[code % (dimensions - 1)] += weight if code & 0x80000000 else -weight
    vector[-1] = 1.0
    length = float(numpy.linalg.norm(vector[:-1]))
    if length > 0.0:
        vector[:-1] /= length
    return vector / float(numpy.linalg.norm(vector))
