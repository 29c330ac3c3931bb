"""Requests made from the description of the routes: what it allows, what it just forbids, and rubbish.

Separate from the test that sends them: this is how a JSON schema becomes a Hypothesis strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

NASTY = (
    "",
    " ",
    "\x00",
    "\ud800",
    "'; DROP TABLE generation_logs; --",
    '" OR 1=1 --',
    "%_\\",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "C:\\Windows\\system32",
    "{{7*7}}${7*7}",
    "\u202etxt.exe",
    "a" * 70_000,
    "1e999",
    "-1",
    "NaN",
)
RUBBISH: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(NASTY) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to one route."""

    method: str
    path: str
    query: Mapping[str, str]
    body: object
    """Sent as JSON, or as it is where it is bytes; None for no body."""
    content_type: str


def requests(
    description: Mapping[str, Any], path: str, method: str, known: Mapping[str, Any]
) -> st.SearchStrategy[Request]:
    """Requests to one operation; `known` are values of fields that exist."""
    operation = description["paths"][path][method]
    schemas = description["components"]["schemas"]
    parameters = {
        parameter["name"]: _fitting(parameter["schema"], schemas) | RUBBISH
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    in_path = path
    bodies: st.SearchStrategy[object] = st.none()
    kinds = st.just("application/json")
    if "requestBody" in operation:
        ((kind, content),) = operation["requestBody"]["content"].items()
        bodies = _bodies(content["schema"], schemas, known)
        kinds = st.sampled_from([kind, kind, kind, "text/plain", "application/x-www-form-urlencoded"])
    query = st.fixed_dictionaries({}, optional={name: value.map(_short) for name, value in parameters.items()})
    return st.builds(
        Request,
        st.just(method.upper()),
        st.sampled_from(["none", "0", "%00", "a" * 300]).map(lambda id_: in_path.replace("{id}", id_)),
        query | st.dictionaries(st.text(max_size=8), st.sampled_from(NASTY).map(_short), max_size=3),
        bodies,
        kinds,
    )


def _short(value: object) -> str:
    """A line of a request has a largest length of its own, which the server holds before any of us."""
    return str(value)[:300]


def _bodies(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], known: Mapping[str, Any]
) -> st.SearchStrategy[object]:
    fitting = _fitting(schema, schemas)
    # With few fields at once, and some that exist, a request gets past the checks and into the store.
    sparse = st.tuples(fitting, st.sets(st.integers(0, 30), max_size=2)).map(
        lambda drawn: _sparse(drawn[0], drawn[1], known)
    )
    spoiled = st.tuples(fitting, st.text(max_size=12), RUBBISH).map(_spoiled)
    raw = st.binary(max_size=200) | st.sampled_from(
        [
            b"[" * 50_000,
            b'{"a":' * 20_000,
            b'{"prompt": "\\ud800"}',
            b'{"prompt": 1e400}',
            b"\xff\xfe",
            b"null",
        ]
    )
    return sparse | sparse | sparse | fitting | spoiled | RUBBISH | raw


def _sparse(body: object, places: set[int], known: Mapping[str, Any]) -> object:
    if not isinstance(body, dict) or not body:
        return body
    names = sorted(body)
    kept = {names[place % len(names)]: body[names[place % len(names)]] for place in places}
    return {**kept, **{name: known[name] for name in names if name in known}}


def _spoiled(parts: tuple[object, str, object]) -> object:
    body, name, value = parts
    if not isinstance(body, dict) or not body:
        return value
    chosen = sorted(body)[len(name) % len(body)] if len(name) % 3 else name
    return {**body, chosen: value}


def _fitting(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema allows, nasty texts among them, and numbers at its edges."""
    if "$ref" in schema:
        return _fitting(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([_fitting(choice, schemas) for choice in schema[several]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _typed(schema, schemas)


def _typed(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    match schema.get("type"):
        case "object":
            return _objects(schema, schemas)
        case "array":
            items = _fitting(schema.get("items", {}), schemas)
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=4)
        case "string":
            most, least = schema.get("maxLength", 100), schema.get("minLength", 0)
            nasty = [text for text in NASTY if least <= len(text) <= most] or ["a"]
            edge = st.just("b" * min(most, 20_000))
            return st.sampled_from(nasty) | edge | st.text(min_size=least, max_size=min(most, 30))
        case "integer":
            low = schema.get("minimum", -(2**70))
            return st.integers(low, schema.get("maximum", 2**70)) | st.sampled_from([low, 0, 2**63])
        case "number":
            return st.floats(schema.get("minimum", -1e308), schema.get("maximum", 1e308))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return RUBBISH


def _objects(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    properties = {name: _fitting(inner, schemas) for name, inner in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    more = schema.get("additionalProperties")
    if not properties and isinstance(more, Mapping):
        return st.dictionaries(st.sampled_from(NASTY) | st.text(max_size=10), _fitting(more, schemas), max_size=3)
    return st.fixed_dictionaries(
        {name: value for name, value in properties.items() if name in required},
        optional={name: value for name, value in properties.items() if name not in required},
    )
