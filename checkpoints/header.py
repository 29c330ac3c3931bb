"""Reads a checkpoint file's header: the names and shapes of its tensors, no weights.

Separate from `inventory`, which stores the result, so that formats can be added here alone. Pickles (`.ckpt`, `.pt`)
are not opened: reading one means running it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard

from ..learning.message import message

MOST_HEADER_BYTES = 100_000_000
"""The limit of the safetensors format; its reader refuses anything longer."""

_SMALL_BYTES = 16 * 2**20
_SAMPLES, _SAMPLE_BYTES = 8, 65_536
_GGUF_START_BYTES = 65_536
_ARCHITECTURE_KEY = b"general.architecture"
_GGUF_STRING = 8


class BrokenCheckpointError(Exception):
    """The file cannot be a checkpoint; the message is the reason, without the file's name."""


class CutShortError(BrokenCheckpointError):
    """A part of the file is missing: a download that was broken off, or one that goes on."""


@dataclass(frozen=True, slots=True)
class Header:
    """Names and shapes of the tensors, and for a GGUF file the architecture that it names."""

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    architecture: str = ""


def fingerprint(path: Path) -> str:
    """Return a hash of a file's size, header and samples of its weights, which identifies its content.

    The header and the size alone do not suffice: two fine-tunes of one model have the same tensors in the same places.
    So some of the weights, at even distances, are read too. A small file is read completely.

    Raises
    ------
    OSError
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= _SMALL_BYTES:
            digest.update(file.read())
            return digest.hexdigest()[:32]
        for sample in range(_SAMPLES + 1):
            file.seek(max(0, size - _SAMPLE_BYTES) * sample // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:32]


def read_header(path: Path) -> Header | None:
    """Read a checkpoint's header; None for a format that cannot be read safely.

    Raises
    ------
    BrokenCheckpointError
        If the file is cut short, garbled, or not of the format that its name says.
    OSError
        If it cannot be read.
    """
    if path.suffix.lower() in (".safetensors", ".sft"):
        return _safetensors(path)
    if path.suffix.lower() == ".gguf":
        return _gguf(path)
    return None


def _safetensors(path: Path) -> Header:
    """Read https://huggingface.co/docs/safetensors#format: a length (u64, little endian), then JSON."""
    with path.open("rb") as file:
        start = file.read(8)
        size = path.stat().st_size
        if len(start) < 8:
            raise CutShortError(message("file_too_short", "the file has only {bytes} bytes", bytes=size))
        if not any(start):
            raise CutShortError(message("only_zeros", "it begins with zeros: the download was not finished"))
        (length,) = struct.unpack("<Q", start)
        if length > min(MOST_HEADER_BYTES, size - 8):
            raise BrokenCheckpointError(_not_safetensors(start + file.read(56), length, size))
        text = file.read(length)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenCheckpointError(message("header_no_json", "the file's header is garbled (not JSON)")) from error
    if not isinstance(content, dict):
        raise BrokenCheckpointError(message("header_no_table", "the file's header is garbled (not a table of tensors)"))
    return _tensors(content, 8 + length, size)


def _not_safetensors(start: bytes, length: int, size: int) -> str:
    beginning = start.lstrip().lower()
    if beginning.startswith((b"<!doctype", b"<html")):
        return message("web_page", "it is a web page, not a model: the download needs a login or a direct link")
    if beginning.startswith(b"version https://git-lfs"):
        return message("lfs_pointer", "it is a Git LFS pointer, not the model: fetch it with `git lfs pull`")
    if beginning.startswith((b"pk\x03\x04", b"\x80\x02")):
        return message("pickle", "it is a pickle under the name of a safetensors file")
    if 0 < length <= MOST_HEADER_BYTES:
        cut_short = message(
            "header_cut_short",
            "the file is cut short: {there} bytes are there, the header alone needs {needed}",
            there=f"{size:,}",
            needed=f"{length + 8:,}",
        )
        raise CutShortError(cut_short)
    return message("no_safetensors", "it is not a safetensors file (impossible header length)")


def _tensors(content: Mapping[str, object], data_at: int, size: int) -> Header:
    shapes: dict[str, tuple[int, ...]] = {}
    metadata: Mapping[str, str] = {}
    end = data_at
    for name, entry in content.items():
        if not isinstance(entry, dict):
            raise _garbled(name)
        if name == "__metadata__":
            metadata = {key: str(value) for key, value in entry.items()}
            continue
        shape, offsets = entry.get("shape"), entry.get("data_offsets")
        if not (_are_sizes(shape) and _are_sizes(offsets) and len(offsets) == 2):
            raise _garbled(name)
        shapes[name] = tuple(shape)
        end = max(end, data_at + offsets[1])
    if not shapes:
        raise BrokenCheckpointError(message("no_tensors", "the file holds no tensors"))
    if end > size:
        raise CutShortError(
            message(
                "file_cut_short",
                "the file is cut short: {there} of {all} bytes are there",
                there=f"{size:,}",
                all=f"{end:,}",
            )
        )
    return Header(shapes, metadata)


def _garbled(name: str) -> BrokenCheckpointError:
    return BrokenCheckpointError(message("header_garbled", "the file's header is garbled at '{name}'", name=name[:80]))


def _are_sizes(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and size >= 0 for size in value)


def _gguf(path: Path) -> Header:
    """Read `general.architecture`, which writers put first; the tensors' names are not ComfyUI's."""
    with path.open("rb") as file:
        start = file.read(_GGUF_START_BYTES)
    if not start.startswith(b"GGUF"):
        raise BrokenCheckpointError(message("no_gguf", "it is not a GGUF file"))
    at = start.find(_ARCHITECTURE_KEY)
    value = start[at + len(_ARCHITECTURE_KEY) :] if at >= 0 else b""
    if len(value) < 12:
        return Header()
    kind, length = struct.unpack("<IQ", value[:12])
    if kind != _GGUF_STRING or length > 64:
        return Header()
    return Header(architecture=value[12 : 12 + length].decode("utf-8", "replace"))
