"""The SHA-256 of a model's file where a program has written it beside the file; nothing is ever hashed here.

Galleries and Civitai know a model by the first ten hex digits of this hash. To compute it takes reading the whole file,
several gigabytes, which has no place in saving an image. Model managers have done it once and keep the result in a
small file beside the model. Separate from `inventory`, whose fingerprint identifies a file on this machine only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

SHORT = 10
"""How many hex digits A1111 and Civitai write."""

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_LARGEST_SIDECAR_BYTES = 4_000_000
_ROUNDED_BYTES = 1024
"""Civitai gives sizes in KiB."""


def known_sha256(model: Path) -> str | None:
    """Look for the hash of a model's file in `.sha256`, `.metadata.json` and `.civitai.info` beside it.

    `.metadata.json` is ComfyUI-Lora-Manager's, `.civitai.info` that of Civitai Helper and others. One that states
    another size is of a former file. Returns 64 lower-case hex digits, or None where no such file knows.
    """
    try:
        size = model.stat().st_size
    except OSError:
        return None
    for found in (_in_text(model), _in_lora_manager(model, size), _in_civitai(model, size)):
        if found:
            return found
    return None


def _in_text(model: Path) -> str | None:
    for path in (model.with_suffix(".sha256"), model.with_name(f"{model.name}.sha256")):
        found = _SHA256.search(_read(path))
        if found:
            return found[0].lower()
    return None


def _in_lora_manager(model: Path, size: int) -> str | None:
    stated = _json(model.with_suffix(".metadata.json"))
    if stated.get("size") not in (None, 0, size):
        return None
    return _as_hash(stated.get("sha256"))


def _in_civitai(model: Path, size: int) -> str | None:
    files = _json(model.with_suffix(".civitai.info")).get("files")
    for file in files if isinstance(files, list) else []:
        if not isinstance(file, Mapping) or not isinstance(file.get("hashes"), Mapping):
            continue
        stated_kib = file.get("sizeKB")
        if isinstance(stated_kib, (int, float)) and abs(stated_kib * 1024 - size) < _ROUNDED_BYTES:
            return _as_hash(file["hashes"].get("SHA256"))
    return None


def short_hashes(models: Iterable[tuple[str, Path | None]]) -> dict[str, str]:
    """By name, the beginning of the hash of each file that has a known one."""
    found = {name: known_sha256(path) for name, path in models if path is not None}
    return {name: known[:SHORT] for name, known in found.items() if known}


def _as_hash(value: object) -> str | None:
    return value.lower() if isinstance(value, str) and _SHA256.fullmatch(value) else None


def _json(path: Path) -> Mapping[str, object]:
    try:
        content = json.loads(_read(path) or "{}")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, Mapping) else {}


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_SIDECAR_BYTES:
            return ""
        return path.read_text("utf-8", "replace")
    except (OSError, ValueError):
        return ""
