"""`GET statistics.csv`: all that was learned per keyword and checkpoint, for a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from context_checkpoint.api.routes import PREFIX
from context_checkpoint.learning.service import service as service_module
from context_checkpoint.learning.values import ImageFile
from context_checkpoint.runtime.runtime import Runtime

from .conftest import Client

EVIL = ("=HYPERLINK(1).safetensors", "+1.safetensors", '@a "b", c.safetensors', "モデル.safetensors")


async def teach(runtime: Runtime, prompt: str, negative: str = "") -> None:
    async def judge(service: service_module.PreferenceService) -> None:
        plan = await service.recommend(prompt, EVIL, stage="draft", negative=negative)
        generation = await service.log_generation(plan, [ImageFile(name) for name in EVIL])
        await service.record_feedback(generation, selected_images=[0], rejected_images=[1, 2, 3])

    await runtime.run(judge)


async def downloaded(client: Client, **params: str) -> tuple[list[list[str]], bytes]:
    async with client.http.get(PREFIX + "/statistics.csv", params=params) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["Content-Disposition"] == 'attachment; filename="context-checkpoint.csv"'
        content = await response.read()
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))), content


async def test_every_row_comes_once_however_many_pages_there_are(
    client: Client, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the table has them, by keyword and checkpoint; read two at a time."""
    await teach(runtime, "castle in the sea", "blurry")
    await teach(runtime, "old castle")
    whole, _ = await downloaded(client)
    monkeypatch.setattr(service_module, "_ROWS_AT_ONCE", 2)

    (heading, *rows), _ = await downloaded(client)
    pairs, count = await runtime.run(lambda service: service.pairs(limit=500))

    assert [heading, *rows] == whole
    assert heading == ["keyword", "checkpoint", "selected", "total", "rate", "rounds"]
    assert len(rows) == count == len({tuple(row[:2]) for row in rows})
    table = {(row.keyword, row.checkpoint): (row.selected, row.total) for row in pairs}
    assert {(row[0].lstrip("'"), row[1].lstrip("'")): (float(row[2]), float(row[3])) for row in rows} == table
    castle = next(row for row in rows if row[:2] == ["castle", f"'{EVIL[0]}"])
    assert castle[2:5] == ["2", "2", "1.0000"]


async def test_no_cell_of_text_can_be_taken_for_a_formula(client: Client, runtime: Runtime) -> None:
    """Names and keywords, those of a negative prompt too; quotes and commas stay in their cell."""
    await teach(runtime, "castle", "blurry")

    (_, *rows), _ = await downloaded(client)

    texts = {cell for row in rows for cell in row[:2]}
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]
    assert {"'-blurry", *(f"'{name}" for name in EVIL[:3]), EVIL[3]} <= texts


async def test_a_spreadsheet_sees_that_it_is_utf_8(client: Client, runtime: Runtime) -> None:
    """By the byte order mark, once; lines end as RFC 4180 has it."""
    await teach(runtime, "castle")

    _, content = await downloaded(client)

    assert content.startswith(b"\xef\xbb\xbfkeyword,")
    assert content.count(b"\xef\xbb\xbf") == 1
    assert "モデル.safetensors".encode() in content
    assert content.endswith(b"\r\n")


async def test_the_filters_are_those_of_the_table(client: Client, runtime: Runtime) -> None:
    """A part of either text, a keyword, a checkpoint; where nothing fits, the heading alone."""
    await teach(runtime, "castle in the sea")

    found = [
        (await downloaded(client, **params))[0][1:]
        for params in ({"search": "SEA"}, {"keyword": "castle"}, {"checkpoint": EVIL[3]}, {"search": "nothing"})
    ]

    assert {row[0] for row in found[0]} == {"sea"}
    assert {row[0] for row in found[1]} == {"castle"}
    assert {row[1] for row in found[2]} == {EVIL[3]}
    assert found[3] == []
