"""The published schema of exported lines: whoever writes such files may go by it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.exchange import line_format

from .test_transfer import BAD, exported, one_judged

DOCS = Path(__file__).parents[3] / "docs"
# What a schema cannot say: how many lines there are, that marks fit the images, what lies outside of time.
BEYOND_A_SCHEMA = {
    *("marks do not fit", "outside of time", "no zone"),
    *("empty", "cut off", "a line too many", "two files in one", "a later version"),
}


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    published = json.loads((DOCS / "export.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(published)
    return Draft202012Validator(published)


def _untitled(schema: Any) -> Any:
    """Titles are Pydantic's, and differ between its versions."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
        return {key: _untitled(value) for key, value in kept.items()}
    return [_untitled(each) for each in schema] if isinstance(schema, list) else schema


def test_the_published_schema_is_what_is_read() -> None:
    """`line_format.json_schema` makes docs/export.schema.json."""
    published = json.loads((DOCS / "export.schema.json").read_text("utf-8"))

    assert _untitled(published) == _untitled(line_format.json_schema())


async def test_every_exported_line_fits_it(service: PreferenceService, schema: Draft202012Validator) -> None:
    """Anonymous ones too."""
    for _ in range(3):
        await one_judged(service)
    for anonymous in (False, True):
        lines = await exported(service, anonymous=anonymous)
        assert len(lines) == 4
        for line in lines:
            schema.validate(json.loads(line))


@pytest.mark.parametrize("case", sorted(set(BAD) - BEYOND_A_SCHEMA))
async def test_a_line_that_is_refused_for_its_form_does_not_fit_it(
    sqlite_service: PreferenceService, schema: Draft202012Validator, case: str
) -> None:
    """As far as it is JSON at all."""
    for _ in range(3):
        await one_judged(sqlite_service)
    lines = BAD[case][0](await exported(sqlite_service))

    fit = []
    for line in lines:
        try:
            fit.append(schema.is_valid(json.loads(line)))
        except (ValueError, RecursionError):
            fit.append(False)
    assert not all(fit)


def test_the_document_shows_lines_that_fit_it_and_names_every_field(schema: Draft202012Validator) -> None:
    """Its two examples, and its table."""
    page = (DOCS / "data.md").read_text("utf-8")
    section = page.partition("\n## Export and import\n")[2].partition("\n## ")[0]
    examples = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", section, re.DOTALL)]
    fields = {*line_format.Header.model_fields, *line_format.PortableGeneration.model_fields}

    assert len(examples) == 2
    line_format.read_generation(json.dumps(examples[1]).encode(), 2)
    schema.validate(examples[1])
    schema.validate({**examples[0], "database": "5f0c"})
    assert [field for field in sorted(fields) if f"`{field}`" not in section and f'"{field}"' not in section] == []
