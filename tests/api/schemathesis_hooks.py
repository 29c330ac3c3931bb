"""What Schemathesis does not know by itself: how JSON Lines are written and read."""

from __future__ import annotations

import json
from typing import Any

import schemathesis

LINES = "application/jsonl"


@schemathesis.serializer(LINES)
def written(_context: Any, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")


@schemathesis.deserializer(LINES)
def read(_context: Any, response: Any) -> str:
    text: str = response.content.decode()
    return text
