"""The texts that are written into an image: ComfyUI's, A1111's, and the pack's own.

Pure. The pack's own text is JSON under the key `context_checkpoint`. `recipes/` reads it again, so its form is a
contract: it has a version, and what a reader does not know it leaves alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from ...learning.names import stored_name
from ..generation_reference import GenerationReference
from .places import Place

OWN_VERSION = 1


def own_text(place: Place, fingerprint: str) -> str:
    """Say which image of which generation this is; empty where the generation was not logged."""
    if not place.reference.generation_id:
        return ""
    return json.dumps(
        {
            "version": OWN_VERSION,
            "generation": place.reference.generation_id,
            "position": place.position,
            "checkpoint": stored_name(place.checkpoint),
            "fingerprint": fingerprint,
        }
    )


def generations_text(generations: Iterable[GenerationReference]) -> str:
    """Say which generations an image may be of, where its place is not known; empty where none was logged."""
    listed = [generation_entry(each) for each in generations if each.generation_id]
    return json.dumps({"version": OWN_VERSION, "generations": listed}) if listed else ""


def generation_entry(reference: GenerationReference) -> dict[str, object]:
    """A generation's id and the checkpoint of each of its images, as JSON."""
    return {"generation": reference.generation_id, "checkpoints": [stored_name(name) for name in reference.checkpoints]}


def comfyui_texts(prompt: object, extra: Mapping[str, object] | None) -> dict[str, str]:
    """ComfyUI's own texts by key, in the order in which its own nodes write them."""
    texts = {} if prompt is None else {"prompt": json.dumps(prompt)}
    return texts | {key: json.dumps(value) for key, value in (extra or {}).items()}
