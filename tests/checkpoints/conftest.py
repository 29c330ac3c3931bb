"""A folder of real checkpoint files as a `CheckpointSource`, for what must work without a ComfyUI."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest

from context_checkpoint.checkpoints.header import Header
from context_checkpoint.checkpoints.inventory import Detected
from context_checkpoint.checkpoints.pool import CHECKPOINTS


class FolderSource:
    """Lists a folder as ComfyUI does; detects families by a tensor that only one of them has."""

    detector = "a folder"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.detections = 0

    def names(self, folder: str) -> list[str]:
        if folder != CHECKPOINTS:
            return []
        return sorted(str(file.relative_to(self.folder)) for file in self.folder.rglob("*") if file.is_file())

    def path(self, folder: str, name: str) -> Path | None:
        file = self.folder / name
        return file if folder == CHECKPOINTS and file.is_file() else None

    def folders(self) -> list[str]:
        return [str(self.folder)]

    def detect(self, header: Header) -> Detected:
        self.detections += 1
        if header.architecture:
            return Detected(header.architecture)
        if any("joint_blocks" in name for name in header.shapes):
            return Detected("sd3")
        return Detected("sdxl" if any("label_emb" in name for name in header.shapes) else "unknown")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """An empty folder for checkpoints."""
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def source(models: Path) -> FolderSource:
    return FolderSource(models)


def write_header(path: Path, tensors: Mapping[str, list[int]], *, missing: int = 0) -> Path:
    """Write a safetensors file of float16 zeros in these shapes, with `missing` bytes cut off its end."""
    header, end = {}, 0
    for name, shape in tensors.items():
        size = 2
        for length in shape:
            size *= length
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end - missing)
    return path


SD3 = {"model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight": [192, 64]}
SDXL = {"model.diffusion_model.label_emb.0.0.weight": [1280, 2816]}
