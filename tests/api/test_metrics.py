"""What a studio's monitoring reads: numbers, and nothing of anybody's prompts."""

from __future__ import annotations

import re
from typing import Any

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.runtime.runtime import Runtime

from .conftest import CANDIDATES, Client

LINE = re.compile(r'^(context_checkpoint_[a-z_]+)(?:\{[a-z_]+="[^"\n]*"(?:,[a-z_]+="[^"\n]*")*\})? (\S+)$')


async def samples(client: Client) -> dict[str, float]:
    response = await client.http.get(f"{PREFIX}/metrics")
    text = await response.text()
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "zebrafinch" not in text
    values = {}
    for line in text.splitlines():
        if not line.startswith("# "):
            assert LINE.match(line), line
            name, _, value = line.rpartition(" ")
            values[name] = float(value)
    return values


async def test_the_numbers_are_those_of_the_database_and_of_this_process(client: Client, runtime: Runtime) -> None:
    """In Prometheus' text form, each metric with its help and its type."""
    before = await samples(client)

    async def log(service: Any) -> str:
        recommendation = await service.recommend("a zebrafinch", CANDIDATES)
        return str(await service.log_generation(recommendation, dict.fromkeys(CANDIDATES, 1)))

    generation_id = await runtime.run(log)
    await client.post("/feedback", {"generation_id": generation_id, "selected": {CANDIDATES[0]: 1}})
    after = await samples(client)

    assert before["context_checkpoint_generations"] == 0
    assert {
        name.removeprefix("context_checkpoint_"): value
        for name, value in after.items()
        if value and "seconds" not in name and "info" not in name and "confidence" not in name
    } == {
        "generations": 1,
        "generations_judged": 1,
        "images": 3,
        "keywords": 1,
        "checkpoints": 3,
        "preferences": 1,
        'images_judged{verdict="selected"}': 1,
        'decisions_total{policy="bayesian",strategy="explore"}': 1,
        "generations_logged_total": 1,
        "verdicts_recorded_total": 1,
    }
    assert after["context_checkpoint_decision_seconds_total"] > 0


async def test_a_metric_is_told_what_it_is(client: Client) -> None:
    """Before its first sample, once."""
    text = await (await client.http.get(f"{PREFIX}/metrics")).text()

    described = re.findall(r"^# HELP (\S+) .+\n# TYPE (\S+) (gauge|counter)$", text, re.MULTILINE)
    names = [name for name, _, _ in described]
    assert [name for _, name, _ in described] == names
    assert len(set(names)) == len(names)
    assert {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[0] != "#"} <= set(names)
