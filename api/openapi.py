"""The OpenAPI description, made from the endpoints, so that it says what they do.

Separate from `routes.py` because it only reads the table. It refuses nothing and adds nothing of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .schemas.base import ErrorResponse, RequestModel

Json = dict[str, Any]
JSON, LINES, TEXT, CSV = "application/json", "application/jsonl", "text/plain", "text/csv"
_REFERENCE = "#/components/schemas/{model}"
_TOO_LONG: Json = {
    "description": "The address is longer than the HTTP server reads (8190 bytes), which says so itself.",
    "content": {TEXT: {"schema": {"type": "string"}}},
}


class Described(Protocol):
    """What the description needs to know of an endpoint."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def summary(self) -> str: ...
    @property
    def request(self) -> type[RequestModel]: ...
    @property
    def response(self) -> type[BaseModel]: ...
    @property
    def form(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def refusals(self) -> Mapping[int, str]: ...


def describe(endpoints: Iterable[Described], *, prefix: str, version: str) -> Json:
    """Build the OpenAPI 3.1 document of `endpoints`, whose paths are below `prefix`."""
    endpoints = list(endpoints)
    references, definitions = models_json_schema(
        [
            *((endpoint.request, "validation") for endpoint in endpoints),
            *((endpoint.response, "serialization") for endpoint in endpoints),
            (ErrorResponse, "serialization"),
        ],
        ref_template=_REFERENCE,
    )
    schemas: Json = definitions["$defs"]
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        request = references[(endpoint.request, "validation")]
        operation: Json = {
            "operationId": _operation_id(endpoint),
            "summary": endpoint.summary,
            "responses": {
                str(endpoint.status): _content(
                    "The response.",
                    references[(endpoint.response, "serialization")],
                    {"lines_out": LINES, "text": TEXT, "csv_out": CSV}.get(endpoint.form, JSON),
                ),
                **{
                    str(status): _content(text, references[(ErrorResponse, "serialization")])
                    for status, text in sorted(endpoint.refusals.items())
                },
            },
        }
        if endpoint.method != "POST" or endpoint.form != "json":
            operation["parameters"] = _parameters(schemas[request["$ref"].rpartition("/")[2]])
            refused = operation["responses"].get("400")  # by a body too
            operation["responses"]["400"] = _TOO_LONG if refused is None else _either(refused, _TOO_LONG)
        if endpoint.form == "lines_in":
            body = {"schema": {"type": "string", "description": "One JSON object per line: docs/data.md."}}
            operation["requestBody"] = {"required": True, "content": {LINES: body}}
        elif endpoint.method == "POST":
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": request}}}
        if in_path := _path_parameters(endpoint.path):
            operation["parameters"] = in_path + operation.get("parameters", [])
        paths.setdefault(prefix + endpoint.path, {})[endpoint.method.lower()] = operation
    # Query models are spelled out as parameters; only what is referred to belongs in the components.
    return {
        "openapi": "3.1.0",
        "info": {"title": "Context Checkpoint", "version": version},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation_id(endpoint: Described) -> str:
    words = endpoint.path.strip("/").replace(".json", "").replace("/", "_").replace(".", "_")
    words = words.replace("{", "by_").replace("}", "")
    return f"{endpoint.method.lower()}_{words}"


def _content(description: str, schema: Any, kind: str = JSON) -> Json:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _either(first: Json, second: Json) -> Json:
    """One response for two that have the same status and other types of content."""
    return {
        "description": f"{first['description']} Or: {second['description']}",
        "content": {**first["content"], **second["content"]},
    }


def _path_parameters(path: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _parameters(schema: Json) -> list[Json]:
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema.get("properties", {}).items()
    ]
