"""Reads what made each image of a graph: ComfyUI's prompt in API form, walked back from an image.

The walk goes from a node that gives images to the first sampler behind it, and from there to its texts, model, LoRAs
and settings. What the inputs of a node mean is decided by `rules`. It refuses to guess: where a value is computed when
the workflow runs, where two differ, or where a node is not understood, the value stays None and `Unclear` names the
node that stopped the search.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import chain
from typing import Literal, TypeVar

from . import rules
from .recipe import Lora, Recipe

Json = object
Link = tuple[str, int]
Reason = Literal[
    "computed",  # the value is made when the workflow runs
    "unknown_node",  # what this node does to the value is not known
    "missing",  # the link leads to a node that is not in the prompt: muted, or deleted
    "several",  # several values meet here, and they differ
    "no_sampler",  # no sampler is behind this image
    "no_input",  # the node has no input of this kind
    "circular",  # the links do not end
]

TOOL = "ComfyUI"
JOIN = " , "
"""Between the texts of an encoder with several, and of conditionings that are used together."""

_MOST_STEPS = 400
_MOST_STEPS_OF_A_READING = 20_000  # links that branch and meet again would double the steps each time
_MOST_STEPS_OF_A_WALK = 200_000
_INPUTS_OF_A_STEP = 20  # a node with more inputs costs more steps
_LONGEST_TEXT = 1_000_000
_LARGEST = 2**65  # seeds have 64 bits; this also leaves out infinity
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unclear:
    """Which node stopped the search for a field of the recipe, and why."""

    field: str
    node: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is written: the widget `input` of a node."""

    node: str
    input: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found for one image.

    Parameters
    ----------
    sampler
        The node that made the image, in its first pass; None where there is none, or more than one.
    places
        For `model`, `positive` and `negative`: all places where the value is written.
    entries
        For `positive` and `negative`: the inputs by which the text comes into its encoders.
    planned_by
        The node of this pack that adds the LoRAs of a plan, which are known when it runs; empty if none does. The
        recipe's are then not known.
    other_loras
        Those that the graph adds apart from that node; None where they are not known.
    """

    recipe: Recipe
    unclear: tuple[Unclear, ...]
    sampler: str | None
    places: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    entries: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    planned_by: str = ""
    other_loras: tuple[Lora, ...] | None = None


def read_graph(prompt: Mapping[str, Json]) -> dict[str, Recipe]:
    """What made the images of each node that gives some; `read_images` also says what is unclear.

    Parameters
    ----------
    prompt
        ComfyUI's prompt in API form: `{id: {"class_type": ..., "inputs": {...}}}`.
    """
    return {node: reading.recipe for node, reading in read_images(prompt).items()}


def read_images(prompt: Mapping[str, Json], among: Collection[str] | None = None) -> dict[str, Reading]:
    """For each node that shows, saves or returns images at the end of the graph, what made them (the first pass).

    Parameters
    ----------
    among
        Only these nodes.
    """
    walk = _Walk(prompt)
    readings: dict[str, Reading] = {}
    for node in walk.ends():
        if among is not None and node.id not in among:
            continue
        try:
            samplers = walk.first_samplers(node)
        except RecursionError:
            readings[node.id] = Reading(Recipe(tool=TOOL), (Unclear("model", node.id, "circular"),), None)
            continue
        if samplers:
            readings[node.id] = agreed(node.id, [walk.reading(sampler) for sampler in samplers])
        elif rules.SAVES.search(node.type):
            unclear = Unclear("model", node.id, "no_sampler")
            readings[node.id] = Reading(Recipe(tool=TOOL), (unclear,), None)
    return readings


def image_sources(prompt: Mapping[str, Json], node: str, classes: Iterable[str]) -> set[tuple[str, int]]:
    """The outputs of nodes of these classes from which the images of a node come, as class and slot.

    The walk goes back through whatever changes images, and ends at a node of these classes. One whose plan comes from
    another of them only finishes its images, and is walked through.
    """
    walk, wanted = _Walk(prompt), frozenset(classes)
    found: set[tuple[str, int]] = set()
    waiting, seen = [node], set()
    while waiting:
        here = walk.nodes.get(waiting.pop())
        if here is None or here.id in seen:
            continue
        seen.add(here.id)
        for origin, slot in walk._image_links(here):
            known = walk.nodes.get(origin)
            if known is not None and known.type in wanted and not walk.is_planned_by(known, wanted):
                found.add((known.type, slot))
            else:
                waiting.append(origin)
    return found


def read_samplers(prompt: Mapping[str, Json]) -> dict[str, Reading]:
    """For every sampler, also of later passes, what it makes."""
    walk = _Walk(prompt)
    return {node.id: walk.reading(node) for node in walk.nodes.values() if walk.is_sampler(node)}


def loader_file(prompt: Mapping[str, Json], loader: str) -> str | None:
    """The name of the file that a loader is set to; None where it is no loader, or what it loads is computed."""
    walk = _Walk(prompt)
    if loader not in walk.nodes:
        return None
    try:
        loaded = walk.loaded(walk.nodes[loader])
    except _Stop:
        return None
    return None if loaded is None else loaded.name


def read_loader(prompt: Mapping[str, Json], loader: str) -> Reading | None:
    """What made the first image whose model comes from this loader; None where no image's does."""
    walk = _Walk(prompt)
    first = (sampler for end in walk.ends() for sampler in walk.first_samplers(end))
    later = (node for node in walk.nodes.values() if walk.is_sampler(node))
    try:
        found = next((sampler for sampler in chain(first, later) if loader in walk.loaders_of(sampler)), None)
    except RecursionError:
        return None
    return None if found is None else walk.reading(found)


def agreed(node: str, readings: Sequence[Reading]) -> Reading:
    """One reading of several whose images meet at a node: what they agree on."""
    first = readings[0]
    if len(readings) == 1:
        return first
    unclear = list(first.unclear)
    recipe = first.recipe
    for name in (entry.name for entry in fields(Recipe)):
        if any(getattr(other.recipe, name) != getattr(recipe, name) for other in readings[1:]):
            recipe = replace(recipe, **{name: None})
            unclear.append(Unclear(name, node, "several"))
    known = {name: places for name, places in first.places.items() if getattr(recipe, name) is not None}
    entries = {name: places for name, places in first.entries.items() if name in known}
    return Reading(recipe, tuple(unclear), None, known, entries)


@dataclass(frozen=True, slots=True)
class _Node:
    id: str
    type: str
    inputs: Mapping[str, Json]
    outputs: tuple[str, ...]  # their names, where the prompt or the rules have them
    linked: Mapping[str, Link]  # the inputs that are links

    def links(self) -> Iterable[tuple[str, Link]]:
        return self.linked.items()

    def first_link(self, names: Iterable[str]) -> Link | None:
        return next((self.linked[name] for name in names if name in self.linked), None)

    def matching(self, pattern: re.Pattern[str]) -> list[Link]:
        return [link for name, link in self.linked.items() if pattern.search(name)]

    def named(self, pattern: re.Pattern[str]) -> list[str]:
        return [name for name in self.inputs if pattern.search(name)]

    def output(self, slot: int) -> str:
        return self.outputs[slot] if 0 <= slot < len(self.outputs) else ""


@dataclass(frozen=True, slots=True)
class _Text:
    text: str
    places: tuple[Place, ...] = ()
    entries: tuple[Place, ...] = ()


class _Stop(Exception):
    """The search for one value ends here."""

    def __init__(self, node: str, reason: Reason) -> None:
        super().__init__(node, reason)
        self.node, self.reason = node, reason


class _Walk:
    def __init__(self, prompt: Mapping[str, Json]) -> None:
        self.nodes = dict(_parse(prompt))
        self._steps = 0
        self._all_steps = 0
        self._planned_by = ""

    # From images to samplers

    def ends(self) -> list[_Node]:
        used = {link[0] for node in self.nodes.values() for _, link in node.links()}
        return [node for node in self.nodes.values() if node.id not in used or rules.SAVES.search(node.type)]

    def is_sampler(self, node: _Node) -> bool:
        kind = node.type.lower()
        if rules.PASSES_PIPE.search(kind) or ("latent" in kind and "sampler" not in kind):
            return False
        if node.type == rules.PLANNED_SAMPLER:
            return True
        guided = self._conditioning_inputs(node)
        if not guided:
            return False
        if rules.GENERATES.search(node.type):
            return "provider" not in node.type.lower()
        has_steps = any(name in node.inputs for name in (*rules.STEPS, "sigmas", "guider"))
        return has_steps and (node.first_link(rules.MODEL) is not None or bool(node.matching(rules.PIPE)))

    def first_samplers(self, end: _Node) -> list[_Node]:
        """The samplers from which the images of a node come, each the first of its passes."""
        found: dict[str, _Node] = {}
        seen: set[str] = set()

        def visit(node: _Node) -> bool:
            """Whether a sampler was found at or behind this node."""
            if node.id in seen:
                return node.id in reaching
            seen.add(node.id)
            behind = [self.nodes[link[0]] for link in self._image_links(node) if link[0] in self.nodes]
            visited = [visit(origin) for origin in behind]
            reached = any(visited)
            if not reached and self.is_sampler(node):
                found[node.id] = node
                reached = True
            if reached:
                reaching.add(node.id)
            return reached

        reaching: set[str] = set()
        visit(end)
        return list(found.values())

    def _image_links(self, node: _Node) -> list[Link]:
        chosen = self._switched(node)
        if chosen is not None:
            return chosen
        makes_latent = bool(node.matching(rules.POSITIVE)) or "clip_vision" in node.inputs
        if makes_latent and not self.is_sampler(node) and not rules.PASSES_PIPE.search(node.type):
            return node.matching(rules.LATENT)
        named = node.matching(rules.IMAGE) + node.matching(rules.PIPE)
        if named or self.is_sampler(node):
            return named
        return [link for name, link in node.links() if not rules.NOT_IMAGE.search(name)]

    # One sampler

    def reading(self, sampler: _Node) -> Reading:
        self._steps = 0
        self._planned_by = ""
        unclear: list[Unclear] = []
        places: dict[str, tuple[Place, ...]] = {}
        entries: dict[str, tuple[Place, ...]] = {}

        def take(field: str, read: Callable[[], T]) -> T | None:
            try:
                return read()
            except _Stop as stop:
                unclear.append(Unclear(field, stop.node, stop.reason))
            except RecursionError:
                unclear.append(Unclear(field, sampler.id, "circular"))
            return None

        def text_of(field: str, sign: str) -> str | None:
            found = take(field, lambda: self._sampler_text(sampler, sign))
            if found is None:
                return None
            places[field], entries[field] = found.places, found.entries
            return found.text

        model = take("model", lambda: self._sampler_model(sampler))
        if model is not None and model.place is not None:
            places["model"] = (model.place,)
        if model is not None and model.stop is not None:
            unclear.append(Unclear("model", model.stop.node, model.stop.reason))
        loras, planned_by = None if model is None else model.loras, self._planned_by
        numbers = _Settings(self, sampler)
        recipe = Recipe(
            model=None if model is None else model.name,
            loras=None if planned_by else loras,
            positive=text_of("positive", "positive"),
            negative=text_of("negative", "negative"),
            steps=take("steps", lambda: _whole(numbers.find_drawn(rules.STEPS))),
            cfg=take("cfg", lambda: _real(numbers.find_drawn(rules.CFG))),
            sampler=take("sampler", lambda: _word(numbers.find_drawn(rules.SAMPLER))),
            scheduler=take("scheduler", lambda: _word(numbers.find_drawn(rules.SCHEDULER))),
            denoise=take("denoise", lambda: _real(numbers.find(rules.DENOISE))),
            seed=take("seed", lambda: _whole(numbers.find(rules.SEED))),
            width=take("width", lambda: _whole(numbers.size(rules.WIDTH))),
            height=take("height", lambda: _whole(numbers.size(rules.HEIGHT))),
            clip_skip=take("clip_skip", lambda: self._clip_skip(sampler)),
            tool=TOOL,
        )
        return Reading(recipe, tuple(unclear), sampler.id, places, entries, planned_by, loras)

    def _conditioning_inputs(self, node: _Node) -> list[Link]:
        guider = _as_link(node.inputs.get("guider"))
        named = node.matching(rules.POSITIVE) + ([] if guider is None else [guider])
        return named + node.matching(rules.CONDITIONING) + node.matching(rules.PIPE)

    def _sampler_text(self, sampler: _Node, sign: str) -> _Text:
        if sampler.type == rules.PLANNED_SAMPLER:
            return self._planned_text(sampler, sign)
        guider = _as_link(sampler.inputs.get("guider"))
        if guider is not None:
            return self._guider_text(*self._at(guider), sign, 0)
        pattern = rules.POSITIVE if sign == "positive" else rules.NEGATIVE
        link = next(iter(sampler.matching(pattern)), None)
        if link is None and sign == "positive":
            link = next(iter(sampler.matching(rules.CONDITIONING)), None)
        if link is None and sign == "negative" and (shared := _as_link(sampler.inputs.get("text_embeds"))) is not None:
            link = shared
        if link is not None:
            return self._conditioning(link, sign, 0)
        pipes = sampler.matching(rules.PIPE)
        if pipes:
            return self._first_of(pipes, lambda entry: self._conditioning(entry, sign, 0, piped=True))
        if sign == "negative" and self._conditioning_inputs(sampler):
            return _Text("")  # it has no negative
        raise _Stop(sampler.id, "no_input")

    def _planned_text(self, sampler: _Node, sign: str) -> _Text:
        own = self._entered(sampler, sign) if sign in sampler.inputs else _Text("")
        if sign == "negative" or own.text.strip():
            return own
        planners = self._planners(sampler)
        for node in planners:
            if "prompt" in node.inputs:
                return self._entered(node, "prompt")
        raise _Stop(sampler.id, "circular" if len(planners) == _MOST_STEPS else "no_input")

    def is_planned_by(self, node: _Node, classes: Collection[str]) -> bool:
        """Whether a node's plan comes from one of these classes."""
        return any(planner.type in classes for planner in self._planners(node))

    def _planners(self, node: _Node) -> list[_Node]:
        """The nodes that a plan comes through, the nearest first."""
        found: list[_Node] = []
        link = node.linked.get(rules.PLAN)
        while link is not None and link[0] in self.nodes and len(found) < _MOST_STEPS:
            found.append(self.nodes[link[0]])
            link = found[-1].linked.get(rules.PLAN)
        return found

    def _guider_text(self, node: _Node, slot: int, sign: str, step: int) -> _Text:
        passed = self._passed(node)
        if passed is not None and step < _MOST_STEPS:
            return self._guider_text(*self._at(passed), sign, step + 1)
        if sign == "negative":
            return _joined([self._conditioning(link, sign, 0) for link in node.matching(rules.NEGATIVE)])
        links = (
            node.matching(rules.POSITIVE) or node.matching(rules.CONDITIONING)[:1]
        )  # cond2 is for the negative's side
        if not links:
            raise _Stop(node.id, "unknown_node")
        return _joined([self._conditioning(link, sign, 0) for link in links])

    # Texts

    def _conditioning(self, link: Link, sign: str, step: int, *, piped: bool = False) -> _Text:
        """The text behind a CONDITIONING, a pipe or whatever else carries one.

        Parameters
        ----------
        sign
            `positive` or `negative`: which of the two is wanted where a node holds both.
        piped
            Whether the link carries several values together, so that its place says nothing about which text it is.
        """
        node, slot = self._at(link)
        if step > _MOST_STEPS:
            raise _Stop(node.id, "circular")
        if rules.ZERO_OUT.search(node.type):
            return _Text("")
        chosen = self._switched(node)
        if chosen is not None:
            return self._one_of(node, [self._conditioning(entry, sign, step + 1, piped=piped) for entry in chosen])
        side = sign if piped else self._side(node, slot, sign)
        own = node.named(rules.POSITIVE if side == "positive" else rules.NEGATIVE)
        both = bool(node.named(rules.POSITIVE) and node.named(rules.NEGATIVE))
        if own and (both or not self._texts(node)):
            return _joined([self._own(node, name, side, step) for name in own])
        negatives = node.named(rules.NEGATIVE_TEXT)
        if negatives:
            return self._encoded(node, negatives if side == "negative" else self._texts(node))
        before = node.matching(rules.CONDITIONING)
        if before and not rules.ENCODES.search(node.type):
            return _joined([self._conditioning(entry, sign, step + 1) for entry in before])
        pipes = node.matching(rules.PIPE)
        if pipes:
            return self._first_of(pipes, lambda entry: self._conditioning(entry, side, step + 1, piped=True))
        texts = self._texts(node)
        if texts:
            return self._encoded(node, texts)
        passed = self._passed(node)
        if passed is not None and not node.first_link(rules.CLIP) and not rules.ENCODES.search(node.type):
            return self._conditioning(passed, sign, step + 1, piped=piped)
        raise _Stop(node.id, "unknown_node")

    def _own(self, node: _Node, name: str, side: str, step: int) -> _Text:
        """The text of an input called positive or negative: written there, or linked as a text or as a conditioning."""
        link = _as_link(node.inputs[name])
        if link is None or self._is_text(link):
            return self._entered(node, name)
        return self._conditioning(link, side, step + 1)

    def _first_of(self, links: list[Link], read: Callable[[Link], T]) -> T:
        """The first that can be read."""
        for link in links[:-1]:
            try:
                return read(link)
            except _Stop:
                continue
        return read(links[-1])

    def _side(self, node: _Node, slot: int, sign: str) -> str:
        """Which text an output carries: by the output's name, else by its place, else the one that is asked for."""
        name = node.output(slot).lower()
        if name.startswith(("pos", "conditioning+")) or name.endswith("positive"):
            return "positive"
        if name.startswith(("neg", "conditioning-")) or name.endswith("negative"):
            return "negative"
        pairs = node.matching(rules.POSITIVE) and node.matching(rules.NEGATIVE)
        pipes = rules.PASSES_PIPE.search(node.type) or node.matching(rules.PIPE)
        if not name and slot in (0, 1) and pairs and not pipes:
            return "positive" if slot == 0 else "negative"
        return sign

    def _texts(self, node: _Node) -> list[str]:
        """The inputs of an encoder that hold its prompt."""
        known = rules.ENCODERS.get(node.type)
        if known is not None:
            return [name for name in known if name in node.inputs]
        named = [name for name in node.named(rules.TEXT) if not isinstance(node.inputs[name], (int, float))]
        if named or node.first_link(rules.CLIP) is None:
            return named
        unnamed = [name for name, value in node.inputs.items() if name.startswith("widget_") and isinstance(value, str)]
        return unnamed if len(unnamed) == 1 and not rules.FILE_NAME.search(str(node.inputs[unnamed[0]])) else []

    def _encoded(self, node: _Node, names: list[str]) -> _Text:
        for name in () if node.type in rules.ENCODERS else node.named(rules.CHANGES_TEXT):
            if name not in names and node.inputs[name] not in ("", "None", "none", None, False):
                raise _Stop(node.id, "computed")
        return _joined([self._entered(node, name) for name in names])

    def _entered(self, node: _Node, name: str) -> _Text:
        return replace(self._text(node, name), entries=(Place(node.id, name),))

    def _is_text(self, link: Link) -> bool:
        """Whether this link carries a text, and not a conditioning."""
        for _ in range(_MOST_STEPS):
            node = self.nodes.get(link[0])
            if node is None:
                return False
            encodes = rules.ENCODES.search(node.type) or rules.ZERO_OUT.search(node.type) or node.first_link(rules.CLIP)
            if encodes or self._conditioning_inputs(node) or node.matching(rules.NEGATIVE):
                return False
            if self._switched(node) is None and len(node.inputs) > 1:
                return True
            passed = next(iter(self._switched(node) or ()), None) or self._passed(node)
            if passed is None:
                return True
            link = passed
        return False

    def _text(self, node: _Node, name: str, step: int = 0) -> _Text:
        value = node.inputs.get(name)
        if isinstance(value, str):
            return _Text(value, (Place(node.id, name),))
        link = _as_link(value)
        if link is None:
            raise _Stop(node.id, "missing")
        return self._text_at(link, step + 1)

    def _text_at(self, link: Link, step: int) -> _Text:
        node, slot = self._at(link)
        if step > _MOST_STEPS:
            raise _Stop(node.id, "circular")
        chosen = self._switched(node)
        if chosen is not None:
            return self._one_of(node, [self._text_at(entry, step + 1) for entry in chosen])
        given = rules.GIVES_TEXT.get(node.type)
        if given is not None:
            if slot != given[1]:
                raise _Stop(node.id, "computed")
            return self._text(node, given[0], step)
        replaced = rules.REPLACES.get(node.type)
        if replaced is not None:
            return self._replaced(node, *replaced, step)
        if rules.JOINS.search(node.type):
            return self._concatenated(node, step)
        value = self._only_text(node)
        return self._text(node, value, step + 1)

    def _only_text(self, node: _Node) -> str:
        """The one input of a node that holds, shows or passes on a text."""
        if "populated_text" in node.inputs:
            return "populated_text"
        if rules.MAKES_TEXT.search(node.type) and not rules.SHOWS_TEXT.search(node.type):
            raise _Stop(node.id, "computed")
        links = [name for name, _ in node.links()]
        if rules.SHOWS_TEXT.search(node.type) and len(links) == 1:
            return links[0]
        strings = [name for name, value in node.inputs.items() if isinstance(value, str)]
        named = [name for name in rules.TEXT_VALUE if name in links or name in strings]
        holds = rules.HOLDS_TEXT.search(node.type) is not None
        if len(links) + len(strings) == 1 and (len(node.inputs) == 1 or holds):
            return (links + strings)[0]
        if named and holds:
            return named[0]
        raise _Stop(node.id, "computed" if named else "unknown_node")

    def _replaced(self, node: _Node, source: str, pairs: tuple[tuple[str, str], ...], step: int) -> _Text:
        found = self._text(node, source, step)
        text = found.text
        for old, new in pairs:
            before = self._text(node, old, step).text if old in node.inputs else ""
            if before:
                text = text.replace(before, self._text(node, new, step).text if new in node.inputs else "")
        return _Text(text, found.places if text == found.text else ())

    def _concatenated(self, node: _Node, step: int) -> _Text:
        names = [name for name in node.inputs if name not in rules.DELIMITER]
        parts = [
            self._text(node, name, step)
            for name in names
            if _as_link(node.inputs[name]) is not None or (isinstance(node.inputs[name], str) and _numbered(name))
        ]
        if not parts:
            raise _Stop(node.id, "unknown_node")
        if any(name.startswith("widget_") for name in node.inputs):
            raise _Stop(node.id, "unknown_node")  # what stands between the texts is not known
        given = next((name for name in rules.DELIMITER if name in node.inputs), None)
        between = self._text(node, given, step).text.replace("\\n", "\n") if given is not None else ""
        if node.inputs.get("linebreak_addition") == "true":
            between = "\n"
        if node.type != "StringConcatenate":
            parts = [part for part in parts if part.text] or parts[:1]
        filled = [part for part in parts if part.text]
        text = between.join(part.text for part in parts)
        if len(text) > _LONGEST_TEXT:
            raise _Stop(node.id, "circular")
        same = len(filled) == 1 and filled[0].text == text
        return _Text(text, filled[0].places if same else tuple(place for part in filled for place in part.places))

    # Models and LoRAs

    def _sampler_model(self, sampler: _Node) -> _Model:
        if sampler.type == rules.PLANNED_SAMPLER:
            raise _Stop(sampler.id, "computed")
        guider = _as_link(sampler.inputs.get("guider"))
        return self._model(self._at(guider)[0] if guider is not None else sampler, 0, own=False)

    def loaders_of(self, sampler: _Node) -> set[str]:
        """The node that loads this sampler's model, or that stopped the search for it."""
        self._steps = 0
        try:
            found = self._sampler_model(sampler)
        except _Stop as stop:
            return {stop.node}
        return {found.node}

    def _model(self, node: _Node, step: int, *, own: bool = True) -> _Model:
        """The file behind a node's model.

        Parameters
        ----------
        own
            Whether the node itself may load it; a sampler only passes one on.
        """
        if step > _MOST_STEPS:
            raise _Stop(node.id, "circular")
        chosen = self._switched(node) if own else None
        if chosen is not None:
            found = [self._model(self._at(link)[0], step + 1) for link in chosen]
            for model in found:
                if model.stop is not None and len(found) > 1:
                    raise model.stop
            if len({model.name for model in found}) != 1:
                raise _Stop(node.id, "several")
            return found[0]
        linked = [link for name in rules.MODEL if (link := _as_link(node.inputs.get(name))) is not None]
        if own and node.type == rules.PLANNED_LOADER:
            self._planned_by = node.id
            return _Model(None, node.id, None, (), _Stop(node.id, "computed"))
        if own:
            if rules.MERGES_MODELS.search(node.type) and len(linked) != 1:
                raise _Stop(node.id, "several")
            if not linked:
                try:
                    loaded = self.loaded(node)
                except _Stop as stop:
                    return _Model(None, node.id, None, self._loras(node, 0), stop)
                if loaded is not None:
                    return loaded
        if not linked:
            linked = node.matching(rules.PIPE)
        if not linked:
            numbered = [link for name, link in node.links() if name.lower().startswith("model")]
            if len(numbered) > 1:
                raise _Stop(node.id, "several")
            linked = numbered
        if not linked:
            passed = self._passed(node)
            linked = [] if passed is None else [passed]
        if not linked:
            raise _Stop(node.id, "unknown_node" if own else "no_input")
        found_model = self._model(self._at(linked[0])[0], step + 1)
        return replace(found_model, loras=_both(found_model.loras, self._loras(node, step)))

    def loaded(self, node: _Node) -> _Model | None:
        for name in rules.MODEL_FILE:
            value = node.inputs.get(name)
            if isinstance(value, str) and value not in ("None", ""):
                if name not in ("model", "unet", "model_name") or rules.FILE_NAME.search(value):
                    return _Model(value, node.id, Place(node.id, name), self._loras(node, 0))
            elif _as_link(value) is not None and name.endswith("name"):
                try:
                    found = self._text(node, name)
                except _Stop:
                    raise _Stop(node.id, "computed") from None
                if not rules.FILE_NAME.search(found.text):
                    raise _Stop(node.id, "computed")
                return _Model(found.text, node.id, found.places[0] if found.places else None, self._loras(node, 0))
        files = [
            (name, value)
            for name, value in node.inputs.items()
            if isinstance(value, str) and rules.FILE_NAME.search(value) and not rules.OTHER_FILE.search(name)
        ]
        carries = node.matching(rules.PIPE) or any(name.lower().startswith("model") for name, _ in node.links())
        alone = not list(node.links()) or (rules.LOADS_MODEL.search(node.type) and not carries)
        if len(files) == 1 and alone:
            return _Model(files[0][1], node.id, Place(node.id, files[0][0]), ())
        if node.type in rules.MODEL_VALUES and isinstance(value := node.inputs.get("value"), str):
            return _Model(value, node.id, Place(node.id, "value"), ())
        return None

    def _loras(self, node: _Node, step: int) -> tuple[Lora, ...] | None:
        """The LoRAs that a node adds; None where they are not known."""
        if step > _MOST_STEPS:
            return None
        loras: list[Lora] = []
        for value in node.inputs.values():
            for entry in value if isinstance(value, list) else [value]:
                if isinstance(entry, Mapping):
                    loras += _lora_entries(entry)
        shown = _whole(node.inputs.get(rules.SHOWN_LORAS))
        for name in (name for name in node.inputs if rules.LORA_NAME.search(name)):
            value = node.inputs[name]
            if shown is not None and (_number(name) or 0) > shown:
                continue
            if _as_link(value) is not None:
                if rules.LORA_STACK.search(name):
                    continue  # read below
                return None
            if isinstance(value, str) and value not in ("None", "none", ""):
                strengths = self._strengths(node, name)
                if strengths is None:
                    return None
                if strengths != (0.0, 0.0):
                    loras.append((value, *strengths))
        for name, link in node.links():
            if rules.LORA_STACK.search(name) and link[0] in self.nodes:
                behind = self._stack(self.nodes[link[0]], step + 1)
                if behind is None:
                    return None
                loras = [*behind, *loras]
        return tuple(loras)

    def _stack(self, node: _Node, step: int) -> tuple[Lora, ...] | None:
        """The LoRAs of the stack that a node gives; None where they are not known."""
        if step > _MOST_STEPS:
            return None
        if node.type == rules.PLANNED_LORAS:
            self._planned_by = node.id
            return ()
        names = (rules.LORA_NAME.search(name) or name in rules.LORA_LISTS for name in node.inputs)
        if any(names) or any(rules.LORA_STACK.search(name) for name in node.linked):
            return self._loras(node, step)
        passed = self._passed(node)
        return None if passed is None or passed[0] not in self.nodes else self._stack(self.nodes[passed[0]], step + 1)

    def _strengths(self, node: _Node, name: str) -> tuple[float, float] | None:
        """The strengths of the LoRA in input `name`, (0, 0) where it is off."""
        number = "".join(character for character in name if character.isdigit())

        def value(word: str) -> float | None:
            for key, entry in node.inputs.items():
                key_number = "".join(character for character in key if character.isdigit())
                fits = key_number == number and key != name and word in key.lower()
                if fits and isinstance(entry, (int, float)):
                    return entry
            return None

        switch = next(
            (node.inputs[key] for key in (f"switch_{number}", f"toggle_{number}") if key in node.inputs), "On"
        )
        if switch in ("Off", False):
            return 0.0, 0.0
        mode, words = rules.STRENGTH_MODE
        first = words.get(str(node.inputs.get(mode)), ())
        model = next((v for word in (*first, "model", "str", "wt", "weight") if (v := value(word)) is not None), None)
        if model is None:
            return None
        clip = None if first == words["simple"] else value("clip")
        return float(model), float(model if clip is None else clip)

    def _clip_skip(self, sampler: _Node) -> int | None:
        """From the text encoder's layer, along the chain of CLIPs of the positive prompt."""
        try:
            places = self._sampler_text(sampler, "positive").places
        except _Stop:
            return None
        node = self.nodes.get(places[0].node) if places else None
        for _ in range(_MOST_STEPS):
            if node is None:
                return None
            layer = next((node.inputs[name] for name in rules.CLIP_LAYER if name in node.inputs), None)
            if isinstance(layer, int):
                return -layer
            link = node.first_link(rules.CLIP) or self._passed(node)
            node = None if link is None else self.nodes.get(link[0])
        return None

    # What every search needs

    def _at(self, link: Link) -> tuple[_Node, int]:
        node = self.nodes.get(link[0])
        if node is None:
            raise _Stop(link[0], "missing")
        step = 1 + len(node.inputs) // _INPUTS_OF_A_STEP
        self._steps += step
        self._all_steps += step
        if self._steps > _MOST_STEPS_OF_A_READING or self._all_steps > _MOST_STEPS_OF_A_WALK:
            raise _Stop(node.id, "circular")
        return node, link[1]

    def _passed(self, node: _Node) -> Link | None:
        """The only link of a node, if it has just one."""
        links = [link for _, link in node.links()]
        return links[0] if len(links) == 1 else None

    def _one_of(self, node: _Node, found: list[_Text]) -> _Text:
        if not found:
            raise _Stop(node.id, "missing")
        if any(text.text != found[0].text for text in found[1:]):
            raise _Stop(node.id, "several")
        return found[0]

    def _switched(self, node: _Node) -> list[Link] | None:
        """Where a switch leads to: one link, or all that are possible; None where the node is no switch."""
        options = self._options(node)
        if options is None:
            return None
        return [link for name in options if (link := _as_link(node.inputs[name])) is not None]

    def _options(self, node: _Node) -> list[str] | None:
        """The input that a switch passes on, or all that are possible; None where the node is no switch."""
        if rules.FIRST_OF.search(node.type):
            return [name for name, link in sorted(node.links()) if link[0] in self.nodes][:1]
        for yes, no in rules.TRUE_OR_FALSE:
            if yes in node.inputs or no in node.inputs:
                chosen = self._choice(node, rules.CHOOSES_TRUE)
                possible = (yes, no) if not isinstance(chosen, bool) else (yes,) if chosen else (no,)
                return [name for name in possible if name in node.inputs]
        if "switch" not in node.type.lower():
            return None
        chosen = self._choice(node, rules.CHOOSES_NUMBER)
        names = [name for name in node.inputs if name not in rules.CHOOSES_NUMBER and _number(name) is not None]
        if isinstance(chosen, bool) or not isinstance(chosen, int):
            return names
        return [name for name in names if _number(name) == chosen]

    def _choice(self, node: _Node, names: Iterable[str]) -> Json:
        for name in names:
            if name in node.inputs:
                try:
                    return self.value(node.inputs[name], 0)
                except _Stop:
                    return None
        return None

    def value(self, value: Json, step: int) -> Json:
        """A number or word that is written in an input, or behind its link."""
        link = _as_link(value)
        if link is None:
            return value
        node, slot = self._at(link)
        if step > _MOST_STEPS:
            raise _Stop(node.id, "circular")
        options = self._options(node)
        if options is not None:
            found = [self.value(node.inputs[name], step + 1) for name in options]
            if not found or any(other != found[0] for other in found):
                raise _Stop(node.id, "several")
            return found[0]
        same = [name for name in node.inputs if name.lower() == node.output(slot).lower()]
        if rules.PASSES_PIPE.search(node.type):
            pipes = node.matching(rules.PIPE)
            if same or pipes:
                return self.value(node.inputs[same[0]] if same else list(pipes[0]), step + 1)
        if len(node.inputs) == 1:
            return self.value(next(iter(node.inputs.values())), step + 1)
        named = [name for name in rules.NUMBER_VALUE if name in node.inputs]
        if not named or not rules.HOLDS_NUMBER.search(node.type):
            raise _Stop(node.id, "computed")
        return self.value(node.inputs[named[0]], step + 1)


@dataclass(frozen=True, slots=True)
class _Model:
    name: str | None  # None: it is not known, for the reason of `stop`
    node: str
    place: Place | None
    loras: tuple[Lora, ...] | None
    stop: _Stop | None = None


class _Settings:
    """The numbers and words of one sampler: on itself, on its guider, sigmas, noise, sampler or pipe."""

    def __init__(self, walk: _Walk, sampler: _Node) -> None:
        self._walk, self._sampler = walk, sampler
        self._nodes = [sampler]
        for name in ("sampler", "sigmas", "noise", "guider"):
            link = _as_link(sampler.inputs.get(name))
            for _ in range(_MOST_STEPS):
                node = None if link is None else walk.nodes.get(link[0])
                if node is None:
                    break
                self._nodes.append(node)
                link = _as_link(node.inputs.get("sigmas"))

    def find_drawn(self, names: Iterable[str]) -> Json:
        """What may be the checkpoint's own where our sampler draws, and is then known when it runs."""
        name, own = rules.OWN_SETTINGS
        if self._sampler.type == rules.PLANNED_SAMPLER and self._sampler.inputs.get(name) == own:
            raise _Stop(self._sampler.id, "computed")
        return self.find(names)

    def find(self, names: Iterable[str]) -> Json:
        wanted = tuple(names)
        for node in self._nodes:
            for name in wanted:
                value = node.inputs.get(name)
                if value is not None and not (name == "sampler" and _as_link(value) is not None):
                    return self._walk.value(value, 0)
        return None

    def size(self, names: Iterable[str]) -> Json:
        """From the empty latent at the start."""
        wanted = tuple(names)
        node: _Node | None = self._sampler
        for _ in range(_MOST_STEPS):
            if node is None:
                return None
            links = node.matching(rules.LATENT) or ([passed] if (passed := self._walk._passed(node)) else [])
            if node is not self._sampler or (
                node.type == rules.PLANNED_SAMPLER and node.linked.keys().isdisjoint(rules.STARTS)
            ):
                for name in wanted:
                    if name in node.inputs:
                        return self._walk.value(node.inputs[name], 0)
                both = next((node.inputs[name] for name in rules.DIMENSIONS if name in node.inputs), None)
                written = rules.SIZE.search(both) if isinstance(both, str) else None
                if written is not None:
                    return int(written[1] if wanted == rules.WIDTH else written[2])
            node = self._walk.nodes.get(links[0][0]) if links else None
        return None


def _parse(prompt: Mapping[str, Json]) -> Iterator[tuple[str, _Node]]:
    for node_id, entry in prompt.items():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("class_type"), str):
            continue
        inputs, meta = entry.get("inputs"), entry.get("_meta")
        kind = str(entry["class_type"])
        named = meta.get("outputs") if isinstance(meta, Mapping) else None
        outputs = tuple(str(out[0]) for out in named if out) if isinstance(named, list) else ()
        known = {str(name): value for name, value in inputs.items()} if isinstance(inputs, Mapping) else {}
        linked = {name: link for name, value in known.items() if (link := _as_link(value)) is not None}
        yield str(node_id), _Node(str(node_id), kind, known, outputs or rules.OUTPUTS.get(kind, ()), linked)


def _as_link(value: Json) -> Link | None:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int) and isinstance(value[0], (str, int)):
        return None if isinstance(value[1], bool) or isinstance(value[0], bool) else (str(value[0]), value[1])
    return None


def _joined(texts: list[_Text]) -> _Text:
    """Texts that are used together, each once, without empty ones unless all are."""
    filled = [text for text in texts if text.text.strip()] or texts
    different = list(dict.fromkeys(text.text.strip() for text in filled))
    return _Text(
        filled[0].text if len(different) == 1 else JOIN.join(different),
        tuple(dict.fromkeys(place for text in filled for place in text.places)),
        tuple(dict.fromkeys(place for text in filled for place in text.entries)),
    )


def _both(first: tuple[Lora, ...] | None, second: tuple[Lora, ...] | None) -> tuple[Lora, ...] | None:
    return None if first is None or second is None else (*first, *second)


def _lora_entries(value: Mapping[str, Json]) -> list[Lora]:
    """The LoRAs of rgthree's and Lora-Manager's widgets."""
    if isinstance(value.get("__value__"), list):
        entries = [entry for entry in value["__value__"] if isinstance(entry, Mapping)]  # type: ignore[attr-defined]
        return [lora for entry in entries for lora in _lora_entries(entry)]
    name = value.get("lora") or value.get("name")
    model = value.get("strength")
    if not isinstance(name, str) or name == "None" or value.get("on", value.get("active", True)) is False:
        return []
    try:
        strength = float(model)  # type: ignore[arg-type]
        clip = value.get("strengthTwo", value.get("clipStrength"))
        return [(name, strength, strength if clip is None else float(clip))]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return []


def _numbered(name: str) -> bool:
    """Whether an input is one of several alike, such as `text_a` or `string2`."""
    return _number(name) is not None or (len(name) > 2 and name[-2] == "_")


def _number(name: str) -> int | None:
    digits = ""
    while name and name[-1].isdigit():
        digits, name = name[-1] + digits, name[:-1]
    return int(digits) if 0 < len(digits) < 10 else None


def _whole(value: Json) -> int | None:
    real = _real(value)
    return None if real is None else int(value)  # type: ignore[call-overload]


def _real(value: Json) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not -_LARGEST <= value <= _LARGEST:
        return None
    return float(value)


def _word(value: Json) -> str | None:
    return value if isinstance(value, str) else None
