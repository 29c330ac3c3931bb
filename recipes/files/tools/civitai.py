"""Reads what Civitai's generator writes: a ComfyUI prompt with `extraMetadata`, a JSON text of the person's settings.

Models are named by their address there (`urn:air:...`). Older images have A1111's `parameters`, which `a1111` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...recipe import Recipe
from ..texts import Texts, parse_json
from .fields import Fields, Json, completed, known, lora, recipe_of

TOOL = "Civitai"


def read(texts: Texts, graph: Recipe | None) -> Recipe | None:
    prompt = texts.mapping("prompt")
    extra = prompt.get("extraMetadata", texts.json("extraMetadata"))
    if isinstance(extra, str):
        extra = parse_json(extra)
    if not isinstance(extra, Mapping):
        return None
    said = replace(recipe_of(Fields(extra), TOOL), loras=None)
    if graph is None:
        return replace(said, model=said.model or _named(prompt, "checkpoint"), loras=_loras(prompt, extra))
    texts_said = {"positive": said.positive, "negative": said.negative}
    written = {name: text for name, text in texts_said.items() if text is not None}
    return replace(completed(replace(graph, **written), said), tool=TOOL)  # type: ignore[arg-type]


def _airs(prompt: Mapping[str, Json]) -> list[str]:
    extra = prompt.get("extra")
    airs = extra.get("airs") if isinstance(extra, Mapping) else None
    return [air for air in airs if isinstance(air, str)][:100] if isinstance(airs, list) else []


def _named(prompt: Mapping[str, Json], kind: str) -> str | None:
    return next((air for air in _airs(prompt) if f":{kind}:" in air), None)


def _loras(prompt: Mapping[str, Json], extra: Mapping[str, Json]) -> tuple[tuple[str, float, float], ...]:
    """The addresses of LoRAs, with the strength that is listed for their version."""
    strengths = {
        str(entry.get("modelVersionId")): entry.get("strength")
        for entry in Fields(extra).listed("resources")
        if isinstance(entry, Mapping)
    }
    return known(lora(air, strengths.get(air.rpartition("@")[2])) for air in _airs(prompt) if ":lora:" in air)
