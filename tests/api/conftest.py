"""The real runtime on a real SQLite file, served by the real application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from context_checkpoint import runtime as composition
from context_checkpoint.api.routes import PREFIX
from context_checkpoint.api.standalone import build_app
from context_checkpoint.checkpoints.inventory import CheckpointFiles
from context_checkpoint.checkpoints.lora_files import LORAS, LoraFile, LoraFiles
from context_checkpoint.checkpoints.pool import CheckpointFile, Pool, PoolRules, select
from context_checkpoint.checkpoints.profiles import FileProfiles, FromFiles, SamplerNames
from context_checkpoint.cli.folder import FolderCheckpoints, FolderLoras
from context_checkpoint.images.models import ModelFile
from context_checkpoint.images.sources import ImageSources
from context_checkpoint.learning.values import Cost
from context_checkpoint.recipes.samplers import SAMPLERS, SCHEDULERS
from context_checkpoint.runtime.pending_picks import Pick, PickAnswer, UnknownPick
from context_checkpoint.runtime.runtime import Runtime

CANDIDATES = ["epicrealismXL.safetensors", "dreamShaperXL.safetensors", "juggernautXL.safetensors"]


@pytest.fixture
def runtime(tmp_path: Path, place_new_file: Callable[[Path], Path]) -> Iterator[Runtime]:
    composition.reset()
    composition.configure(data_directory=tmp_path / "data")
    place_new_file(Path(composition.current().database))
    yield composition.current()
    composition.reset()


@dataclass(frozen=True, slots=True)
class Client:
    """Asks the routes and hands back status and JSON."""

    http: TestClient[Any, Any]

    async def get(self, path: str, **params: Any) -> tuple[int, Any]:
        return await self._told(await self.http.get(PREFIX + path, params=params))

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        return await self._told(await self.http.post(PREFIX + path, data=json.dumps(body), headers=headers))

    async def delete(self, path: str) -> tuple[int, Any]:
        return await self._told(await self.http.delete(PREFIX + path))

    @staticmethod
    async def _told(response: ClientResponse) -> tuple[int, Any]:
        assert response.content_type == "application/json"
        return response.status, await response.json()


@pytest.fixture
async def client(runtime: Runtime) -> AsyncIterator[Client]:
    async with TestClient(TestServer(build_app(runtime))) as http:
        yield Client(http)


@dataclass(slots=True)
class FolderHost:
    """A `Host` over a folder of files, with the real pool rules: what ComfyUI's adapter is inside ComfyUI."""

    folder: Path
    released: list[str] = field(default_factory=list)
    known_costs: dict[str, Cost] = field(default_factory=dict)

    def candidates(self, rules: PoolRules) -> Pool:
        return select(rules, self.files())

    def folders(self) -> Sequence[str]:
        return [str(self.folder)]

    def files(self) -> Sequence[CheckpointFile]:
        return CheckpointFiles(FolderCheckpoints(self.folder), store=None).list()

    def costs(self, names: Sequence[str]) -> Mapping[str, Cost]:
        return {name: cost for name, cost in self.known_costs.items() if name in names}

    def loras(self, family: str, include: str, exclude: str) -> Sequence[LoraFile]:
        loras = CheckpointFiles(FolderLoras(self.folder.parent / LORAS), store=None, folders=[LORAS])
        return LoraFiles(loras).candidates(family, include, exclude)

    def known_settings(self, name: str) -> FromFiles:
        return FileProfiles(CheckpointFiles(FolderCheckpoints(self.folder), store=None)).of(name)

    def sampler_names(self) -> SamplerNames:
        return SamplerNames(SAMPLERS, SCHEDULERS)

    def release_loaders(self) -> Mapping[str, Any]:
        return {"checkpoints": self.released}

    def pending(self) -> Sequence[Pick]:
        return ()

    def answer_pick(self, pick_id: str, answer: PickAnswer) -> Pick:
        raise UnknownPick(pick_id)

    def image_sources(self) -> ImageSources:
        return ImageSources({"output": self.folder.parent / "output"}, self._model_files)

    def _model_files(self) -> Sequence[ModelFile]:
        return [ModelFile(file.name, self.folder / file.name, file.fingerprint) for file in self.files()]

    def describe(self) -> Mapping[str, Any]:
        return {"comfyui": "0.0"}


async def log_generation(runtime: Runtime, prompt: str = "photorealistic portrait", **images: int) -> str:
    """Log a generation as the sampler does: `images` per checkpoint, by name without ending."""
    recommendation = await runtime.run(lambda service: service.recommend(prompt, CANDIDATES))
    counts = {f"{name}.safetensors": count for name, count in images.items()} or dict.fromkeys(CANDIDATES, 1)
    return await runtime.run(
        lambda service: service.log_generation(recommendation, counts, session_id="tests", prompt_id="p-1")
    )


def error(answer: Any) -> dict[str, Any]:
    """The inside of a refusal's envelope, whose shape is checked."""
    assert set(answer) == {"error"}
    assert set(answer["error"]) == {"code", "message", "parts", "details"}
    assert answer["error"]["message"]
    assert "".join(part["text"] for part in answer["error"]["parts"]) == answer["error"]["message"]
    return answer["error"]
