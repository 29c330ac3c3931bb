"""What a client takes back is gone, and a request that names nothing, or two things, takes back nothing."""

from __future__ import annotations

from typing import Any

import pytest

from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client


async def logged(client: Client, runtime: Runtime, prompt: str) -> str:
    async def log(service: Any) -> str:
        recommendation = await service.recommend(prompt, CANDIDATES)
        return str(await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1)))

    generation_id = await runtime.run(log)
    await client.post("/feedback", {"generation_id": generation_id, "selected": {CANDIDATES[0]: 1}})
    return generation_id


async def test_each_kind_of_forgetting(client: Client, runtime: Runtime) -> None:
    """A generation, a keyword, the prompts, what is old, everything."""
    first = await logged(client, runtime, "anime girl")
    await logged(client, runtime, "anime boy")
    await logged(client, runtime, "a harbour at dusk")
    nothing = {"generations": 0, "traces": []}

    assert await client.post("/forget", {"older_than_days": 1}) == (200, nothing)
    assert await client.post("/forget", {"generation_id": first}) == (200, nothing | {"generations": 1})
    assert (await client.post("/forget", {"keyword": "anime"}))[1]["generations"] == 1
    assert (await client.post("/forget", {"prompts": True}))[1]["generations"] == 1
    assert (await client.get("/health"))[1]["judged"] == 2
    assert (await client.post("/forget", {"everything": True}))[1]["generations"] == 2
    assert (await client.get("/health"))[1]["generations"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"everything": False},
        {"prompts": True, "everything": True},
        {"keyword": ""},
        {"older_than_days": -1},
    ],
)
async def test_what_names_not_one_thing_is_422_and_forgets_nothing(
    client: Client, runtime: Runtime, body: dict[str, Any]
) -> None:
    """Nobody loses all by a slip."""
    await logged(client, runtime, "anime girl")

    status, response = await client.post("/forget", body)

    assert (status, response["error"]["code"]) == (422, "invalid_request")
    assert (await client.get("/health"))[1]["judged"] == 1


async def test_what_is_not_known_is_told(client: Client) -> None:
    """404 for a generation, 422 for a keyword."""
    assert (await client.post("/forget", {"generation_id": "0" * 32}))[0] == 404
    status, response = await client.post("/forget", {"keyword": "nothing"})
    assert (status, response["error"]["code"]) == (422, "unknown_keyword")
