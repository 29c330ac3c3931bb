"""Our own chunk: which logged generation an image belongs to.

It is a JSON text called `context_checkpoint`: a text chunk of a PNG; in JPEG and WebP an EXIF text that begins with
`context_checkpoint:`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .limits import LONGEST_NAME

KEYWORD = "context_checkpoint"
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an image comes from.

    Parameters
    ----------
    generation
        The id of the logged generation: 32 hexadecimal digits.
    position
        Which of its images this is, from 0.
    checkpoint
        Name of the file that drew it.
    fingerprint
        Of that file's content: 32 hexadecimal digits, or empty.
    """

    generation: str
    position: int
    checkpoint: str
    fingerprint: str = ""


def provenance_of(data: object) -> Provenance | None:
    """Read the chunk's JSON; None where it is not one that this version writes."""
    if not isinstance(data, Mapping):
        return None
    generation, position = data.get("generation"), data.get("position")
    checkpoint, fingerprint = data.get("checkpoint"), data.get("fingerprint", "")
    if not isinstance(generation, str) or _ID.fullmatch(generation) is None:
        return None
    if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position < 2**31:
        return None
    if not isinstance(checkpoint, str) or len(checkpoint) > LONGEST_NAME or not isinstance(fingerprint, str):
        return None
    return Provenance(generation, position, checkpoint, fingerprint if _ID.fullmatch(fingerprint) else "")
