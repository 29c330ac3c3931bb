"""Folders of images as people have them, and a database of one's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from context_checkpoint.images.galleries import find_galleries
from context_checkpoint.images.learn import Learned, learn
from context_checkpoint.images.models import ModelFile, Models
from context_checkpoint.images.progress import OnProgress, silent
from context_checkpoint.images.ratings import Ratings
from context_checkpoint.images.survey import Folder, Learnable, Survey, read_images, survey
from context_checkpoint.runtime.runtime import Runtime
from tests.recipes.files import making

NOON_S = datetime(2026, 1, 31, 12, tzinfo=timezone.utc).timestamp()
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


@dataclass
class Gallery:
    """A folder of images, each with other pixels."""

    root: Path
    made: int = 0

    def add(
        self,
        name: str,
        model: str | None = "dream.safetensors",
        *,
        prompt: str = "a castle",
        minutes: float = 0,
        stars: int | None = None,
        chunk: object = None,
        texts: tuple[bytes, ...] | None = None,
    ) -> Path:
        """Write an image that ComfyUI made so many minutes after noon."""
        self.made += 1
        if texts is None:
            graph = making.graph(model) if model else {}
            if graph:
                graph["2"]["inputs"]["text"] = prompt  # type: ignore[index]
            texts = (making.text_chunk("prompt", json.dumps(graph)),) if graph else ()
        if chunk is not None:
            texts = (making.text_chunk("context_checkpoint", json.dumps(chunk)), *texts)
        if stars is not None:
            texts = (*texts, making.itxt_chunk(making.XMP_IN_PNG, making.xmp(f'xmp:Rating="{stars}"')))
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(making.png(*texts, width=8 + self.made, height=8))
        self.date(file, minutes)
        return file

    def date(self, file: Path, minutes: float) -> None:
        os.utime(file, (NOON_S + 60 * minutes, NOON_S + 60 * minutes))


@dataclass
class Learner:
    """Surveys and imports a folder into a database of its own."""

    runtime: Runtime
    output: Path
    names: tuple[str, ...] = ("dream.safetensors", "real.safetensors", "xl/photo.safetensors")
    models: Models | None = None
    folder_of: dict[str, Any] = field(default_factory=dict)

    def folder(self, path: Path | None = None) -> Folder:
        where = path or self.output
        return Folder(where, Ratings(where, find_galleries(where)), {"output": self.output}, **self.folder_of)

    def survey(
        self, path: Path | None = None, on_progress: OnProgress = silent, now: datetime = NOW
    ) -> tuple[Survey, list[Learnable]]:
        models = self.models or Models(ModelFile(name) for name in self.names)
        folder = self.folder(path)
        return survey(folder, read_images(folder, on_progress), models, self.runtime, on_progress, now)

    def learn(self, batch: str = "mine", path: Path | None = None, on_progress: OnProgress = silent) -> Learned:
        _, images = self.survey(path)
        return learn(self.folder(path), images, batch, self.runtime, on_progress)

    def do(self, operation: Callable[..., Any]) -> Any:
        return self.runtime.run_blocking(operation)


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    root = tmp_path / "output"
    root.mkdir()
    return Gallery(root)


@pytest.fixture
def learner(tmp_path: Path, gallery: Gallery) -> Iterator[Learner]:
    runtime = Runtime(tmp_path / "data")
    try:
        yield Learner(runtime, gallery.root)
    finally:
        runtime.close()
