"""`GET /start` and `GET /start/images`: what a person has who has just installed the pack.

Separate from `checkpoints.py`, which is about what was learned: these are counts, by which a guide chooses examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import Field

from ...checkpoints.families import needs_other_inputs
from ...checkpoints.patterns import printable
from ...checkpoints.pool import CheckpointFile
from .base import ResponseModel


class ModelsResponse(ResponseModel):
    """The files of one family in one of ComfyUI's model folders."""

    folder: str = Field(description="`checkpoints`, `diffusion_models` or `unet_gguf`.")
    family: str
    files: int = Field(description="Those that can be loaded.")
    whole: int = Field(description="Those that hold a text encoder and a VAE too, as far as their headers say.")
    text_alone: bool = Field(description="Whether a prompt is all that they need: not an inpainting model.")
    loras: int = Field(description="LoRAs that fit the family.")


class StartResponse(ResponseModel):
    """What this ComfyUI has to choose from, the most frequent family of each folder first."""

    models: tuple[ModelsResponse, ...]
    unusable: int = Field(description="Files that cannot be loaded now: broken, or still being downloaded.")
    folders: tuple[str, ...] = Field(description="Where checkpoints are looked for.")


class StartImagesResponse(ResponseModel):
    """How many image files there are that might be learned from; none of them has been opened."""

    images: int
    root: str = Field(description="The folder, as `POST images/import` calls it; empty where there is none.")


def start_response(files: Sequence[CheckpointFile], loras: Mapping[str, int], folders: Sequence[str]) -> StartResponse:
    """Count the files; `loras` has how many fit each family."""
    usable = [file for file in files if not file.broken and not file.unfinished]
    groups = Counter((file.folder, file.family) for file in usable)
    whole = Counter((file.folder, file.family) for file in usable if not file.lacks)
    return StartResponse(
        models=tuple(
            ModelsResponse(
                folder=folder,
                family=family,
                files=count,
                whole=whole[folder, family],
                text_alone=not needs_other_inputs(family),
                loras=loras.get(family, 0),
            )
            for (folder, family), count in groups.most_common()
        ),
        unusable=len(files) - len(usable),
        folders=tuple(map(printable, folders)),
    )
