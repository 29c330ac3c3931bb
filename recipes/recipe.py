"""What made one image: the value `Recipe`, which everything that learns from an image's origin reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

Lora = tuple[str, float, float]
"""Name as written, strength on the model, strength on the text encoder."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What made one image, as far as it is known: None where it is not.

    An empty text is known to be empty, and an empty `loras` says that there were none.

    Parameters
    ----------
    model, model_hash
        The checkpoint or diffusion model, as its name is written, and its hash.
    clip_skip
        Which layer of the text encoder counts, from the end: 2 is the last but one.
    width, height
        In pixels, of the first pass.
    made_at
        When, in UTC.
    tool
        The program, such as `ComfyUI`.
    """

    model: str | None = None
    model_hash: str | None = None
    loras: tuple[Lora, ...] | None = None
    positive: str | None = None
    negative: str | None = None
    steps: int | None = None
    cfg: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    denoise: float | None = None
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    clip_skip: int | None = None
    made_at: datetime | None = None
    tool: str | None = None
