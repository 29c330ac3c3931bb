"""A saved workflow (ComfyUI's UI form) as a prompt in API form: `to_prompt(workflow)`.

The same conversion that the frontend does before a run, without knowing the nodes' definitions: subgraphs are
flattened to ids such as "5:2", bypassed and muted nodes, reroutes, primitives, Set/Get nodes and broadcasts
(cg-use-everywhere) are resolved. Widgets get the names that the workflow has for them, else those of `rules.WIDGETS`,
else `widget_0`, `widget_1`, ... Each node says under `_meta.outputs` what its outputs are called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from . import rules

Json = object
Prompt = dict[str, dict[str, Json]]

_MUTED, _BYPASSED = 2, 4
_CONTROL = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
_REROUTES = ("Reroute", "Reroute (rgthree)")
_SETTERS, _GETTERS = ("SetNode", "easy setNode"), ("GetNode", "easy getNode")
_NOT_RUN = ("Note", "MarkdownNote", "PrimitiveNode", "Label (rgthree)", *_REROUTES, *_SETTERS, *_GETTERS)
_BROADCAST_TYPES = ("MODEL", "CLIP", "VAE")
_MOST_STEPS = 300
_MOST_DEPTH = 20
_MOST_NODES = 50_000  # with the nodes of subgraphs, which may use one another many times


@dataclass(frozen=True, slots=True)
class _Link:
    origin: str
    slot: int
    target: str
    target_slot: int


@dataclass(slots=True)
class _Graph:
    """One graph of the workflow: the root, or one use of a subgraph."""

    prefix: str
    nodes: dict[str, Mapping[str, Json]]
    links: dict[str, _Link]
    outer: _Graph | None = None
    use: Mapping[str, Json] | None = None  # the node of `outer` that stands for this graph
    definition: Mapping[str, Json] = field(default_factory=dict)
    inner: dict[str, _Graph] = field(default_factory=dict)

    def full_id(self, node: str) -> str:
        return self.prefix + node


@dataclass(frozen=True, slots=True)
class _Value:
    """What a link resolves to when it ends in a widget and not in a node that runs."""

    value: Json


@dataclass(frozen=True, slots=True)
class _OwnWidget:
    """A subgraph's input that nothing is linked to and that has no value outside: the widget inside keeps its own."""


_Target = tuple[str, int] | _Value | _OwnWidget | None


def to_prompt(workflow: Mapping[str, Json]) -> Prompt:
    """The prompt that this workflow would queue.

    Parameters
    ----------
    workflow
        The JSON that ComfyUI saves: `nodes`, `links` and, for subgraphs, `definitions`.

    Raises
    ------
    ValueError
        If it is not a saved workflow, or its subgraphs have too many nodes together.
    """
    if not isinstance(workflow.get("nodes"), list):
        raise ValueError("This is no workflow as ComfyUI saves it: it has no list of nodes.")
    definitions = _definitions(workflow)
    if _count(workflow, definitions, 0, {}) > _MOST_NODES:
        raise ValueError(f"This workflow has more than {_MOST_NODES} nodes, counting each use of its subgraphs.")
    root = _graph(workflow, "", definitions, 0)
    converter = _Converter(root)
    return converter.prompt()


def _definitions(workflow: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    return {str(graph.get("id")): graph for graph in _mappings(_mapping(workflow.get("definitions")).get("subgraphs"))}


def _count(
    data: Mapping[str, Json], definitions: dict[str, Mapping[str, Json]], depth: int, known: dict[tuple[str, int], int]
) -> int:
    """How many nodes a graph has, with those of its subgraphs; `known` has what was counted before."""
    nodes = _mappings(data.get("nodes"))
    total = len(nodes)
    for node in nodes:
        kind = str(node.get("type"))
        if kind in definitions and depth < _MOST_DEPTH:
            if (kind, depth) not in known:
                known[kind, depth] = _count(definitions[kind], definitions, depth + 1, known)
            total += known[kind, depth]
    return total


def _graph(data: Mapping[str, Json], prefix: str, definitions: dict[str, Mapping[str, Json]], depth: int) -> _Graph:
    nodes = {str(node.get("id")): node for node in _mappings(data.get("nodes"))}
    links = data.get("links")
    rows = links.values() if isinstance(links, Mapping) else _list(links)
    graph = _Graph(prefix, nodes, dict(_links(rows)), definition=data)
    for node_id, node in nodes.items():
        definition = definitions.get(str(node.get("type")))
        if definition is not None and depth < _MOST_DEPTH:
            inner = _graph(definition, f"{prefix}{node_id}:", definitions, depth + 1)
            inner.outer, inner.use = graph, node
            graph.inner[node_id] = inner
    return graph


def _links(rows: object) -> Iterator[tuple[str, _Link]]:
    for row in rows if isinstance(rows, Sequence) else list(rows) if hasattr(rows, "__iter__") else ():
        if isinstance(row, Mapping):
            ends = (row.get("origin_id"), row.get("origin_slot"), row.get("target_id"), row.get("target_slot"))
            link_id = row.get("id")
        elif isinstance(row, Sequence) and len(row) >= 5:
            link_id, ends = row[0], (row[1], row[2], row[3], row[4])
        else:
            continue
        yield str(link_id), _Link(str(ends[0]), _int(ends[1]), str(ends[2]), _int(ends[3]))


class _Converter:
    def __init__(self, root: _Graph) -> None:
        self._root = root
        self._broadcast = self._broadcasts(root)
        self._prompts = self._broadcast_prompts(root)

    def prompt(self) -> Prompt:
        return dict(self._nodes(self._root))

    def _nodes(self, graph: _Graph) -> Iterator[tuple[str, dict[str, Json]]]:
        for node_id, node in graph.nodes.items():
            if _mode(node) in (_MUTED, _BYPASSED) or node.get("type") in (*_NOT_RUN, *rules.BROADCASTS):
                continue
            if node_id in graph.inner:
                yield from self._nodes(graph.inner[node_id])
                continue
            yield (
                graph.full_id(node_id),
                {
                    "class_type": str(node.get("type")),
                    "inputs": self._inputs(graph, node),
                    "_meta": {
                        "title": node.get("title") or node.get("type"),
                        "outputs": [
                            [str(out.get("name")), str(out.get("type"))] for out in _mappings(node.get("outputs"))
                        ],
                    },
                },
            )

    def _inputs(self, graph: _Graph, node: Mapping[str, Json]) -> dict[str, Json]:
        values = widget_values(node)
        inputs: dict[str, Json] = {}
        for slot in _mappings(node.get("inputs")):
            name = str(slot.get("name"))
            target = self._resolve_input(graph, slot)
            if slot.get("link") is None and _takes_broadcasts(node, slot):
                target = self._broadcast_to(slot)
                if name in values and (target is not None or "STRING" in self._broadcast):
                    values.pop(name)  # the widget's own value is not what is used
            if isinstance(target, _Value):
                values[name] = target.value
            elif isinstance(target, tuple):
                values.pop(name, None)
                inputs[name] = [target[0], target[1]]
            elif target is None and slot.get("link") is not None:
                values.pop(name, None)  # linked to what does not run
        return values | inputs

    def _resolve_input(self, graph: _Graph, slot: Mapping[str, Json]) -> _Target:
        link = slot.get("link")
        return None if link is None else self._resolve_link(graph, str(link), str(slot.get("type")), 0)

    def _resolve_link(self, graph: _Graph, link_id: str, wanted: str, step: int) -> _Target:
        link = graph.links.get(link_id)
        if link is None:
            return None
        if graph.use is not None and link.origin == "-10":
            return self._resolve_outside(graph, link.slot, wanted, step)
        return self._resolve(graph, link.origin, link.slot, wanted, step)

    def _resolve_outside(self, graph: _Graph, slot: int, wanted: str, step: int) -> _Target:
        """What a subgraph's input gets from outside: a link, else the value of its widget."""
        if graph.outer is None or graph.use is None:
            return None
        declared = _mappings(graph.definition.get("inputs"))
        name = str(declared[slot].get("name")) if 0 <= slot < len(declared) else ""
        outside = _mappings(graph.use.get("inputs"))
        found = next((entry for entry in outside if entry.get("name") == name), None)
        if found is None and slot < len(outside):
            found = outside[slot]
        if found is not None and found.get("link") is not None:
            target = self._resolve_link(graph.outer, str(found["link"]), wanted, step + 1)
            if not isinstance(target, _OwnWidget):
                return target
        values = widget_values(graph.use)
        if name in values:
            return _Value(values[name])
        return _OwnWidget() if found is None or found.get("link") is not None or found.get("widget") else None

    def _resolve(self, graph: _Graph, node_id: str, slot: int, wanted: str, step: int) -> _Target:
        node = graph.nodes.get(node_id)
        if node is None or step > _MOST_STEPS or _mode(node) == _MUTED:
            return None
        kind = node.get("type")
        if _mode(node) == _BYPASSED:
            return self._resolve_bypassed(graph, node, slot, wanted, step)
        if node_id in graph.inner:
            return self._resolve_inside(graph.inner[node_id], slot, wanted, step)
        if kind in _REROUTES:
            return self._first_link(graph, node, wanted, step)
        if kind in _SETTERS:
            return self._first_link(graph, node, wanted, step)
        if kind in _GETTERS:
            return self._resolve_getter(graph, node, wanted, step)
        if kind == "PrimitiveNode":
            values = _list(node.get("widgets_values"))
            return _Value(values[0]) if values else None
        return graph.full_id(node_id), slot

    def _first_link(self, graph: _Graph, node: Mapping[str, Json], wanted: str, step: int) -> _Target:
        for entry in _mappings(node.get("inputs")):
            if entry.get("link") is not None:
                return self._resolve_link(graph, str(entry["link"]), wanted, step + 1)
        return None

    def _resolve_inside(self, inner: _Graph, slot: int, wanted: str, step: int) -> _Target:
        for link_id, link in inner.links.items():
            if link.target == "-20" and link.target_slot == slot:
                return self._resolve_link(inner, link_id, wanted, step + 1)
        return None

    def _resolve_getter(self, graph: _Graph, node: Mapping[str, Json], wanted: str, step: int) -> _Target:
        names = _list(node.get("widgets_values"))
        scope: _Graph | None = graph
        while scope is not None and names:
            for other in scope.nodes.values():
                if other.get("type") in _SETTERS and _list(other.get("widgets_values"))[:1] == names[:1]:
                    return None if _mode(other) == _MUTED else self._first_link(scope, other, wanted, step + 1)
            scope = scope.outer
        return None

    def _resolve_bypassed(self, graph: _Graph, node: Mapping[str, Json], slot: int, wanted: str, step: int) -> _Target:
        """The input that passes to this output: the one in its place if the type fits, else the first that fits."""
        inputs, outputs = _mappings(node.get("inputs")), _mappings(node.get("outputs"))
        kind = str(outputs[slot].get("type")) if 0 <= slot < len(outputs) else wanted
        for entry in [*inputs[max(slot, 0) : slot + 1], *inputs]:
            if entry.get("type") in (kind, wanted) or "*" in (kind, entry.get("type")):
                link = entry.get("link")
                return None if link is None else self._resolve_link(graph, str(link), wanted, step + 1)
        return None

    def _broadcasts(self, graph: _Graph) -> dict[str, _Target]:
        """Per type, what the only node that broadcasts it (cg-use-everywhere) gives to unlinked inputs."""
        found: dict[str, list[_Target]] = {}
        for node in graph.nodes.values():
            if node.get("type") not in rules.BROADCASTS or _mode(node) in (_MUTED, _BYPASSED):
                continue
            if node.get("type") == rules.PROMPT_BROADCAST:
                continue
            restricted = node.get("type") == rules.RESTRICTED_BROADCAST
            for entry in _mappings(node.get("inputs")):
                link = None if entry.get("link") is None else graph.links.get(str(entry["link"]))
                if link is None:
                    continue
                outputs = _mappings(graph.nodes.get(link.origin, {}).get("outputs"))
                kind = str(outputs[link.slot].get("type")) if 0 <= link.slot < len(outputs) else str(entry.get("type"))
                target = None if restricted else self._resolve(graph, link.origin, link.slot, kind, 0)
                found.setdefault(kind, []).append(target)
        return {kind: targets[0] if len(targets) == 1 else None for kind, targets in found.items()}

    def _broadcast_prompts(self, graph: _Graph) -> list[_Target]:
        """What the only node that broadcasts prompts gives to inputs that are called positive and negative."""
        nodes = [node for node in graph.nodes.values() if node.get("type") == rules.PROMPT_BROADCAST]
        active = [node for node in nodes if _mode(node) not in (_MUTED, _BYPASSED)]
        if len(active) != 1:
            return []
        entries = _mappings(active[0].get("inputs"))[:2]
        return [self._resolve_input(graph, entry) for entry in entries]

    def _broadcast_to(self, slot: Mapping[str, Json]) -> _Target:
        """What an input without a link gets from the nodes that broadcast."""
        kind, name = str(slot.get("type")), str(slot.get("name"))
        if kind in _BROADCAST_TYPES:
            return self._broadcast.get(kind)
        for pattern, target in zip((rules.TAKES_POSITIVE, rules.TAKES_NEGATIVE), self._prompts, strict=False):
            if pattern.search(name) and kind in ("STRING", "CONDITIONING"):
                return target
        return None


def widget_values(node: Mapping[str, Json]) -> dict[str, Json]:
    """The values of a saved node's widgets by name, as far as the names are known."""
    values = node.get("widgets_values")
    if isinstance(values, Mapping):
        return {str(name): value for name, value in values.items()}
    values = _list(values)
    named = [str(_mapping(slot["widget"]).get("name")) for slot in _mappings(node.get("inputs")) if slot.get("widget")]
    proxies = [str(_list(entry)[-1]) for entry in _list(_mapping(node.get("properties")).get("proxyWidgets")) if entry]
    if proxies and len(proxies) == len(values):
        return {name: value for name, value in zip(proxies, values, strict=True) if proxies.count(name) == 1}
    kind = str(node.get("type"))
    for names in (named, rules.WIDGETS.get(kind, ()), rules.FORMER_WIDGETS.get(kind, ())):
        matched = _matched(names, values, whole=names is named)
        if matched is not None:
            return matched
    return {f"widget_{index}": value for index, value in enumerate(values) if value not in _CONTROL}


def _matched(names: Sequence[str], values: Sequence[Json], *, whole: bool) -> dict[str, Json] | None:
    """Pair names with values, where `control_after_generate` may follow a number without being named."""
    matched: dict[str, Json] = {}
    rest = list(names)
    before: Json = None
    for value in values:
        control = value in _CONTROL and isinstance(before, (int, float))
        before = value
        if control:
            if rest[:1] == ["control_after_generate"]:
                rest.pop(0)
            continue
        if not rest:
            if whole:
                return None
            break
        matched[rest.pop(0)] = value
    if not matched or (rest and whole) or not all(_fits(name, value) for name, value in matched.items()):
        return None
    return matched


_NUMBERS = re.compile(r"^(noise_)?seed$|^(steps|cfg|width|height|denoise|guidance|batch_size|clip_skip)$")
_TEXTS = re.compile(r"^text(_[gl])?$|^(positive|negative|sampler_name|scheduler|delimiter)$|^(ckpt|unet|lora)_name$")


def _fits(name: str, value: Json) -> bool:
    """Whether a value can be that of a widget with this name; positions shift between versions of a node."""
    if _NUMBERS.search(name):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if _TEXTS.search(name):
        return isinstance(value, str) and (name != "delimiter" or value not in ("true", "false"))
    return True


def _takes_broadcasts(node: Mapping[str, Json], slot: Mapping[str, Json]) -> bool:
    """Whether an input is open to what is broadcast: it is no widget, or one that was made an input."""
    if not slot.get("widget"):
        return True
    connectable = _mapping(_mapping(_mapping(node.get("properties")).get("ue_properties")).get("widget_ue_connectable"))
    if connectable:
        return bool(connectable.get(str(slot.get("name"))))
    # Old frontends list only those widgets among the inputs; new ones list all.
    widgets = [entry for entry in _mappings(node.get("inputs")) if entry.get("widget")]
    return len(widgets) < len([value for value in _list(node.get("widgets_values")) if value not in _CONTROL])


def _mode(node: Mapping[str, Json]) -> int:
    return _int(node.get("mode"))


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Json) -> list[Mapping[str, Json]]:
    return [entry for entry in _list(value) if isinstance(entry, Mapping)]
