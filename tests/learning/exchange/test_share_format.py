"""The form of a shared file is what docs/share.schema.json says."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from context_checkpoint.learning import PreferenceService
from context_checkpoint.learning.exchange import share_format

from .test_line_format import _untitled

PUBLISHED = Path(__file__).parents[3] / "docs" / "share.schema.json"


async def test_the_published_schema_is_what_is_read_and_a_shared_file_fits_it(
    sqlite_service: PreferenceService,
) -> None:
    """For people who write such files."""
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    assert _untitled(schema) == _untitled(share_format.json_schema())

    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(await sqlite_service.share()))
