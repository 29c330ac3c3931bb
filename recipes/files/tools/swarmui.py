"""Reads SwarmUI's JSON: `sui_image_params`, and `sui_models` with the hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Recipe
from ..texts import Texts
from .fields import Fields, known, lora, positive, recipe_of, tagged_loras


def read(texts: Texts) -> Recipe | None:
    data = texts.mapping("parameters") or texts.mapping("sui_image_params")
    params = data.get("sui_image_params", data if "swarm_version" in data else None)
    if not isinstance(params, Mapping):
        return None
    values = Fields(params)
    names, weights = values.listed("loras"), values.listed("loraweights")
    listed = known(lora(name, weights[at] if at < len(weights) else None) for at, name in enumerate(names))
    layer = values.whole("clipstopatlayer")
    return replace(
        recipe_of(values, "SwarmUI"),
        loras=listed or tagged_loras(values.text("prompt")),
        negative=values.text("negativeprompt") or "",
        model_hash=_hash(data),
        denoise=values.real("initimagecreativity"),
        clip_skip=None if layer is None else positive(abs(layer)),
    )


def _hash(data: Mapping[str, object]) -> str | None:
    """As it is written: `0x` and the SHA-256 of the tensors, which is not that of the file."""
    models = data.get("sui_models")
    for entry in models if isinstance(models, list) else ():
        if isinstance(entry, Mapping) and entry.get("param") == "model":
            return Fields(entry).name("hash")
    return None
