"""`POST /graph`: what a loader's first image is made from, read from ComfyUI's prompt.

Separate from `recommend.py` because nothing learned is used: the rules are those of `recipes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ...learning.message import message
from ...recipes import Place, Reading, Unclear
from .base import Identifier, Name, PartResponse, RequestModel, ResponseModel, parts_response

MOST_NODES = 10_000

NodeEntry = Annotated[dict[Annotated[str, Field(max_length=100)], Any], Field(max_length=20)]
"""`class_type`, `inputs` and `_meta`. What the inputs hold is anything; the body as a whole has a largest size."""
Nodes = Annotated[dict[Identifier, NodeEntry], Field(min_length=1, max_length=MOST_NODES)]


class GraphRequest(RequestModel):
    prompt: Annotated[dict[Identifier, NodeEntry], Field(min_length=1, max_length=MOST_NODES)] = Field(
        description="In API form, as the frontend's graphToPrompt() returns it."
    )
    loader: Name = Field(description="The id of a node in it.")


class PlaceResponse(ResponseModel):
    """An input of a node."""

    node: str
    input: str


class GraphTextResponse(ResponseModel):
    text: str
    node: str | None = Field(description="The node that it is written in; null where it comes from several places.")
    input: str | None = Field(description="The input of that node that holds it.")
    entries: tuple[PlaceResponse, ...] = Field(description="The inputs by which it comes into its text encoders.")


class StoppedResponse(ResponseModel):
    """What is not known, which node stopped the search, and why."""

    field: str = Field(description="model, positive or negative.")
    node: str
    reason: str = Field(description="Stable, for programs.")
    message: str = Field(description="For people, in English.")
    parts: tuple[PartResponse, ...] = Field(description="The message in parts, to translate it.")


class GraphResponse(ResponseModel):
    model: str | None = Field(description="The file that the loader is set to.")
    family: str = Field(description="The architecture of that file; empty where it is not known.")
    sampler: str | None = Field(description="The node that makes the image, in its first pass.")
    positive: GraphTextResponse | None
    negative: GraphTextResponse | None
    unclear: tuple[StoppedResponse, ...]


def graph_response(request: GraphRequest, model: str | None, family: str, reading: Reading | None) -> GraphResponse:
    """Shape what was read; without a `reading` the loader makes no image."""
    unclear = (Unclear("positive", request.loader, "no_sampler"),) if reading is None else reading.unclear
    return GraphResponse(
        model=model,
        family=family,
        sampler=None if reading is None else reading.sampler,
        positive=_text(reading, "positive"),
        negative=_text(reading, "negative"),
        unclear=tuple(_stopped(request.prompt, one) for one in unclear if one.field in GraphResponse.model_fields),
    )


def _text(reading: Reading | None, field: str) -> GraphTextResponse | None:
    text = None if reading is None else getattr(reading.recipe, field)
    if reading is None or text is None:
        return None
    places: tuple[Place, ...] = reading.places.get(field, ())
    only = places[0] if len(places) == 1 else None
    return GraphTextResponse(
        text=text,
        node=None if only is None else only.node,
        input=None if only is None else only.input,
        entries=tuple(PlaceResponse(node=place.node, input=place.input) for place in reading.entries.get(field, ())),
    )


def _stopped(prompt: Mapping[str, Mapping[str, Any]], unclear: Unclear) -> StoppedResponse:
    text = _reason(unclear, _called(prompt, unclear.node))
    return StoppedResponse(
        field=unclear.field, node=unclear.node, reason=unclear.reason, message=text, parts=parts_response(text)
    )


def _called(prompt: Mapping[str, Mapping[str, Any]], node: str) -> str:
    """The node's title and id, as people see them."""
    entry = prompt.get(node, {})
    meta = entry.get("_meta")
    title = (meta.get("title") if isinstance(meta, dict) else None) or entry.get("class_type")
    return f"{str(title)[:100]} (#{node})" if title else f"#{node}"


def _reason(unclear: Unclear, node: str) -> str:
    if unclear.reason == "computed":
        return message("graph_computed", "{node} makes the text when the workflow runs.", node=node)
    if unclear.reason == "missing":
        return message("graph_missing", "{node} is muted, or not in the workflow.", node=node)
    if unclear.reason == "several":
        return message("graph_several", "{node} gets several that differ.", node=node)
    if unclear.reason == "no_sampler":
        return message("graph_no_sampler", "{node} makes no image in this workflow.", node=node)
    if unclear.reason == "no_input":
        return message("graph_no_input", "{node} has no prompt.", node=node)
    if unclear.reason == "circular":
        return message("graph_circular", "The links before {node} are too many or go in a circle.", node=node)
    return message("graph_unknown_node", "What {node} does with the prompt is not known.", node=node)
