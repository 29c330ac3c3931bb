"""Our own chunk: which logged generation an image belongs to.

It is a JSON text called `context_checkpoint`: a text chunk of a PNG; in JPEG and WebP an EXIF text that begins with
`context_checkpoint:`. `SavePickedImages` writes one image's place. A saver that knows nothing of us writes the same
text into each of its files, with all generations of the run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .limits import LONGEST_NAME

KEYWORD = "context_checkpoint"
_ID = re.compile(r"[0-9a-f]{32}")
_MOST_GENERATIONS = 1_000  # of one run


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


@dataclass(frozen=True, slots=True)
class RunGeneration:
    """A generation of the run in which an image was saved; which of its images this is, the file does not say.

    Parameters
    ----------
    generation
        Its id: 32 hexadecimal digits.
    checkpoints
        Name of the file that drew each of its images, in their order.
    """

    generation: str
    checkpoints: tuple[str, ...]


def generations_of(data: object) -> tuple[RunGeneration, ...]:
    """Read the chunk's JSON as the generations of a run; empty where it is something else."""
    entries = data.get("generations") if isinstance(data, Mapping) else None
    if not isinstance(entries, list) or len(entries) > _MOST_GENERATIONS:
        return ()
    return tuple(found for entry in entries if (found := _generation_of(entry)) is not None)


def _generation_of(entry: object) -> RunGeneration | None:
    if not isinstance(entry, Mapping):
        return None
    generation, names = entry.get("generation"), entry.get("checkpoints")
    if not isinstance(generation, str) or _ID.fullmatch(generation) is None or not isinstance(names, list):
        return None
    if any(not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME for name in names):
        return None
    return RunGeneration(generation, tuple(names))


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
