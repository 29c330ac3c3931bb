"""The description of the routes says what they do, all of it, and so does docs/api.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.api.endpoint import Endpoint
from context_checkpoint.api.routes import ENDPOINTS, PREFIX, build_routes
from context_checkpoint.api.schemas.base import MOST_IMAGES
from context_checkpoint.learning.service import generation_log
from context_checkpoint.runtime.runtime import Runtime

from .conftest import Client

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


async def described(client: Client) -> dict[str, Any]:
    status, answer = await client.get("/openapi.json")
    assert status == 200
    return answer


async def test_every_route_is_described_and_nothing_else(client: Client, runtime: Runtime) -> None:
    """What is served and what is described come from one table."""
    served = {(route.method, route.path) for route in build_routes(runtime, None)}

    paths = (await described(client))["paths"]

    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == served


async def test_every_reference_leads_somewhere(client: Client) -> None:
    """Generators of clients follow them."""
    description = await described(client)

    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(description)))

    assert references <= set(description["components"]["schemas"])
    assert {"ErrorResponse", "RecommendRequest", "GenerationResponse"} <= references


async def test_operations_have_names_of_their_own(client: Client) -> None:
    """Generators of clients name functions by them."""
    paths = (await described(client))["paths"]

    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]

    assert len(set(names)) == len(names)


async def test_too_long_an_address_is_described_wherever_there_is_a_query(client: Client) -> None:
    """The HTTP server refuses it as text, also on routes that refuse a body as JSON."""
    paths = (await described(client))["paths"]

    queried = [operation for methods in paths.values() for operation in methods.values() if "parameters" in operation]
    of_queries = [each for each in queried if any(parameter["in"] == "query" for parameter in each["parameters"])]
    assert [each["operationId"] for each in of_queries if "text/plain" not in each["responses"]["400"]["content"]] == []
    assert set(paths[PREFIX + "/import"]["post"]["responses"]["400"]["content"]) == {"application/json", "text/plain"}


async def test_bodies_and_queries_and_refusals_are_described(client: Client) -> None:
    """Sizes and required fields are in it, so that a client can check before it sends."""
    description = await described(client)

    recommend = description["paths"][PREFIX + "/recommend"]["post"]
    assert recommend["requestBody"]["required"] is True
    assert {"200", "400", "413", "415", "422", "503"} <= set(recommend["responses"])
    request = description["components"]["schemas"]["RecommendRequest"]
    assert request["required"] == ["prompt"]
    assert request["additionalProperties"] is False
    assert request["properties"]["prompt"]["maxLength"] == 400_000
    explain = description["paths"][PREFIX + "/explain"]["get"]["parameters"]
    assert {parameter["name"]: parameter["required"] for parameter in explain}["prompt"] is True


def test_as_many_images_can_be_judged_as_a_generation_may_have() -> None:
    """The schemas' bound is a copy, because its source would cost ComfyUI's start SQLAlchemy's import."""
    assert MOST_IMAGES == generation_log.MOST_IMAGES


def unbounded(schema: Mapping[str, Any], place: str) -> Iterator[str]:
    """Each text, list and mapping of a JSON schema that may be of any size, by its place."""
    if schema.get("type") == "array" and "maxItems" not in schema:
        yield f"{place}: a list without end"
    if schema.get("type") == "string" and not {"maxLength", "enum", "const", "format"} & schema.keys():
        yield f"{place}: a text without end"
    if isinstance(schema.get("additionalProperties"), dict) and "maxProperties" not in schema:
        yield f"{place}: an object without end"
    for name, inner in schema.items():
        if name == "properties":
            for field, value in inner.items():
                yield from unbounded(value, f"{place}.{field}")
        elif isinstance(inner, dict) and name != "default":
            yield from unbounded(inner, f"{place}.{name}")
        elif isinstance(inner, list) and name != "enum":
            for choice in inner:
                if isinstance(choice, dict):
                    yield from unbounded(choice, place)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_everything_that_can_be_sent_has_a_largest_size(endpoint: Endpoint[Any]) -> None:
    """Each text, list and mapping, however deep; bodies as a whole have one too."""
    assert list(unbounded(endpoint.request.model_json_schema(), endpoint.request.__name__)) == []


def test_the_documentation_has_a_section_for_every_route_and_no_other() -> None:
    """docs/api.md and the table of endpoints move together."""
    documented = set(re.findall(r"^### `(GET|POST|DELETE) (/\S+)`$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))

    assert documented == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def test_the_documentation_names_every_field() -> None:
    """Each route's section mentions all that can be asked, and the answers' fields."""
    sections = dict(
        re.findall(
            r"^### `((?:GET|POST|DELETE) /\S+)`$(.*?)(?=^##|\Z)", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL
        )
    )

    missing = {
        (endpoint.path, field)
        for endpoint in ENDPOINTS
        for field in endpoint.request.model_fields
        if f"`{field}`" not in sections[f"{endpoint.method} {endpoint.path}"]
    }

    assert not missing
