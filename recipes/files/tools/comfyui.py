"""Reads ComfyUI's graphs out of a file: the prompt in API form, else the saved workflow.

A file has one image and its graph may make several: those count whose node saves under this file's name, else those
that are saved, else those that are shown. Where what is left disagrees, only what it agrees on is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import cast

from ... import rules
from ...graph import Reading, Unclear, agreed, read_images
from ...recipe import Recipe
from ...samplers import sampler_and_scheduler
from ...workflow import to_prompt
from ..limits import LONGEST_NAME, MOST_GRAPH_INPUTS, MOST_GRAPH_LINKS, MOST_GRAPH_NODES, MOST_IMAGES_OF_A_GRAPH
from ..problem import Problem, problem
from ..provenance import KEYWORD, generations_of, provenance_of
from ..texts import Json, Texts, is_graph
from . import a1111
from .fields import completed, tagged_loras

TOOL = "ComfyUI"
_SAVES_FILES = re.compile(r"(?i)save")
_REASONS = {
    "computed": "it is made when the workflow runs",
    "unknown_node": "what this node does is not known",
    "missing": "the node is not in the graph",
    "several": "there are several, which differ",
    "no_sampler": "no sampler is behind the image",
    "no_input": "the node has no such input",
    "circular": "its links do not end",
}


@dataclass(frozen=True, slots=True)
class GraphReading:
    """What a graph says of the file's image, and of what it says nothing.

    Parameters
    ----------
    prompt
        The graph in API form; None where there is none, or it is too large to read.
    """

    recipe: Recipe | None
    problems: tuple[Problem, ...] = ()
    prompt: Mapping[str, Json] | None = None


def read_graphs(texts: Texts, file_name: str) -> GraphReading:
    """Read the prompt, else the workflow.

    Parameters
    ----------
    file_name
        Of the image, without its folder: savers begin it with their prefix.
    """
    prompt = texts.mapping("prompt")
    found = GraphReading(None)
    if is_graph(prompt):
        found = _read(prompt, file_name)
    if found.recipe is not None:
        return found
    workflow = texts.mapping("workflow")
    if isinstance(workflow.get("nodes"), list):
        if not _within_bounds_saved(workflow):
            return replace(found, problems=(*found.problems, _too_large()))
        try:
            converted = cast("Mapping[str, Json]", to_prompt(workflow))
        except (ValueError, RecursionError):
            converted = {}
        read = _read(converted, file_name)
        return read if read.recipe is not None else replace(found, problems=found.problems or read.problems)
    return found


def read(texts: Texts, graph: GraphReading) -> Recipe | None:
    """The graph's recipe; what it leaves open is in the settings of savers, if they are of the same image."""
    written = a1111.read(texts)
    if graph.recipe is None:
        return None if written is None or not is_graph(texts.mapping("prompt")) else replace(written, tool=TOOL)
    recipe = graph.recipe
    if written is not None and _same_image(recipe, written):
        if provenance_of(texts.json(KEYWORD)) is not None:
            recipe = _as_saved(recipe, written)
        else:
            written = _of_its_branch(written, graph, texts)
        if recipe.positive is None and not written.loras:
            written = replace(written, loras=tagged_loras(written.positive) or None)
        recipe = completed(recipe, written)
    return recipe


def _as_saved(graph: Recipe, written: Recipe) -> Recipe:
    """Our own saver writes what the image's branch was drawn with; the graph has the values of the node.

    A text that names LoRAs is the one of the graph with their tags.
    """
    sampler, scheduler = sampler_and_scheduler(written.sampler or "", written.scheduler or "")
    drawn = replace(
        written,
        sampler=sampler or graph.sampler or written.sampler,
        scheduler=scheduler or graph.scheduler,
        model=None,
        loras=None,
        positive=None if tagged_loras(written.positive) else written.positive,
        denoise=None,
        tool=TOOL,
    )
    return completed(drawn, graph)


def _of_its_branch(written: Recipe, graph: GraphReading, texts: Texts) -> Recipe:
    """What another saver can know of an image that our sampler drew with one checkpoint of several.

    It writes what stands in its inputs, or what it found of the first branch. A model that drew an image of the run,
    and does not stand in a saver of the graph, was linked to it; all else that depends on the branch is left out.
    """
    drawn = {str(each.values["field"]) for each in graph.problems if each.values.get("kind") == rules.PLANNED_SAMPLER}
    checkpoints = {_stem(name) for one in generations_of(texts.json(KEYWORD)) for name in one.checkpoints}
    if written.model is not None and _stem(written.model) in checkpoints - _words_in_savers(graph.prompt or {}):
        drawn.discard("model")
    elif "model" in drawn:
        drawn.add("model_hash")
    return replace(written, **dict.fromkeys(drawn & {each.name for each in fields(Recipe)}))


def _words_in_savers(prompt: Mapping[str, Json]) -> set[str]:
    found: set[str] = set()
    for entry in prompt.values():
        if not isinstance(entry, Mapping) or not rules.SAVES.search(str(entry.get("class_type"))):
            continue
        inputs = entry.get("inputs")
        if isinstance(inputs, Mapping):
            found.update(_stem(value) for value in inputs.values() if isinstance(value, str))
    return found


def _same_image(graph: Recipe, written: Recipe) -> bool:
    """Whether settings belong to the graph's image: some savers write what stands in their own inputs."""
    if graph.seed is None or written.seed is None:
        return graph.model is None or written.model is None or _stem(graph.model) == _stem(written.model)
    return graph.seed == written.seed


def _stem(name: str) -> str:
    return re.sub(r"\.(safetensors|ckpt|gguf|sft|pth?|bin)$", "", re.split(r"[/\\]", name)[-1], flags=re.I).lower()


def _read(prompt: Mapping[str, Json], file_name: str) -> GraphReading:
    if not _within_bounds(prompt):
        return GraphReading(None, (_too_large(),))
    for nodes in _candidates(prompt, file_name):
        readings = read_images(prompt, nodes)
        made = [(node, reading) for node, reading in readings.items() if _says_something(reading)]
        if made:
            reading = agreed(made[0][0], [reading for _, reading in made])
            return GraphReading(reading.recipe, _problems(reading.unclear, prompt), prompt)
    unclear = problem("unclear", "The ComfyUI graph in the file has no sampler whose image it saves or shows.")
    return GraphReading(None, (unclear,), prompt)


def _says_something(reading: Reading) -> bool:
    recipe = replace(reading.recipe, tool=None, loras=None)
    return recipe != Recipe()


def _candidates(prompt: Mapping[str, Json], file_name: str) -> Iterator[list[str]]:
    """Groups of nodes whose images may be the file's, the likeliest first."""
    types = {str(node): str(entry.get("class_type")) for node, entry in prompt.items() if isinstance(entry, Mapping)}
    saves = [node for node, kind in types.items() if _SAVES_FILES.search(kind)]
    named = [node for node in saves if _names(prompt[node], file_name)]
    shows = [node for node, kind in types.items() if rules.SAVES.search(kind) and node not in set(saves)]
    rest = [node for node in types if not rules.SAVES.search(types[node])]
    for group in (named, saves, shows):
        if group:
            yield group[:MOST_IMAGES_OF_A_GRAPH]
    yield rest


def _names(entry: Json, file_name: str) -> bool:
    """Whether a saver's prefix is how the file's name begins; one with placeholders may be any."""
    inputs = entry.get("inputs") if isinstance(entry, Mapping) else None
    prefix = inputs.get("filename_prefix") if isinstance(inputs, Mapping) else None
    if not isinstance(prefix, str) or "%" in prefix:
        return False
    last = re.split(r"[/\\]", prefix)[-1]
    return bool(last) and file_name.startswith(f"{last}_")


def _within_bounds(prompt: Mapping[str, Json]) -> bool:
    if len(prompt) > MOST_GRAPH_NODES:
        return False
    inputs = [entry.get("inputs") for entry in prompt.values() if isinstance(entry, Mapping)]
    named = [entry for entry in inputs if isinstance(entry, Mapping)]
    if any(len(entry) > MOST_GRAPH_INPUTS for entry in named) or sum(map(len, named)) > MOST_GRAPH_LINKS:
        return False
    return all(len(str(name)) <= LONGEST_NAME for entry in named for name in entry)


def _within_bounds_saved(workflow: Mapping[str, Json]) -> bool:
    definitions = workflow.get("definitions")
    listed = definitions.get("subgraphs") if isinstance(definitions, Mapping) else None
    graphs = [workflow, *(listed if isinstance(listed, list) else [])]
    nodes = links = 0
    for graph in graphs:
        if isinstance(graph, Mapping):
            nodes += _length(graph.get("nodes"))
            links += _length(graph.get("links"))
    return nodes <= MOST_GRAPH_NODES and links <= MOST_GRAPH_LINKS


def _length(value: Json) -> int:
    return len(value) if isinstance(value, (list, Mapping)) else 0


def _too_large() -> Problem:
    return problem("too_large", "The ComfyUI graph in the file has more nodes, inputs or links than are read.")


def _problems(unclear: tuple[Unclear, ...], prompt: Mapping[str, Json]) -> tuple[Problem, ...]:
    return tuple(
        problem(
            "unclear",
            "{field} is not clear: {reason} (node {node}, {kind}).",
            field=entry.field,
            reason=_REASONS[entry.reason],
            node=entry.node[:LONGEST_NAME],
            kind=_kind(prompt.get(entry.node)),
        )
        for entry in unclear[:20]
    )


def _kind(entry: Json) -> str:
    return str(entry.get("class_type"))[:LONGEST_NAME] if isinstance(entry, Mapping) else "not in the graph"
