"""What goes to other people and what comes from them, over HTTP."""

from __future__ import annotations

from .conftest import CANDIDATES, Client


async def test_what_is_shared_can_be_adopted_weighed_and_removed(client: Client) -> None:
    """The file that one route gives is the body of the other."""
    status, shared = await client.post("/share", {"epsilon": 2.0})
    assert (status, shared["file"]["epsilon"]) == (200, 2.0)

    status, adopted = await client.post("/adopt", {"name": "anna/ben.json", "file": shared["file"]})
    assert (status, [each["name"] for each in adopted["adopted"]]) == (200, ["anna/ben.json"])
    _, weighed = await client.post("/adopt", {"name": "anna/ben.json", "weight": 0.25})
    assert weighed["adopted"][0]["weight"] == 0.25
    assert await client.get("/adopt") == (200, weighed)
    assert await client.delete("/adopt/anna%2Fben.json") == (200, {"adopted": []})
    status, refused = await client.delete("/adopt/anna%2Fben.json")
    assert (status, refused["error"]["code"]) == (404, "unknown_adopted")
    assert (await client.post("/adopt", {"name": "nobody"}))[0] == 404


async def test_a_start_that_was_adopted_decides_what_leads(client: Client) -> None:
    """And the explanation says where it is from, in a part of its own."""
    words = {"anime": [-5_000, 5_000, 9_000, 5_000, -5_000, 5_000]}
    file = {
        "format": "context-checkpoint-share",
        "version": 1,
        "checkpoints": [{"name": name} for name in CANDIDATES],
        "words": words,
    }
    await client.post("/adopt", {"name": "anna.json", "file": file})

    _, plan = await client.post("/recommend", {"prompt": "anime", "candidates": CANDIDATES})

    assert plan["checkpoints"][0] == CANDIDATES[1]
    assert plan["explanation_parts"]["grounds"]["taught_by"] == ["anna.json"]


async def test_a_file_of_another_form_is_refused_by_its_field(client: Client) -> None:
    """Before anything is stored."""
    bad = {"format": "context-checkpoint-share", "version": 1, "checkpoints": [], "words": {"anime": [1]}}

    assert (await client.post("/adopt", {"name": "x", "file": bad}))[0] == 422
    assert (await client.post("/adopt", {"name": "x", "file": {**bad, "words": {}, "version": 9}}))[0] == 422
    assert (await client.post("/share", {"epsilon": 0}))[0] == 422
    assert await client.get("/adopt") == (200, {"adopted": []})
