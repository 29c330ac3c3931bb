"""The routes of a person's images: survey and import a folder, ask how far that is, list imports, take one back.

Separate from `handlers.py` because an import goes on after its response: it runs in a thread (`images.jobs`), one at a
time per person. Which folders may be read is for the host to say, never for the request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from ..images.galleries import find_galleries
from ..images.hashes import ComputedHashes
from ..images.image_import import HASHES_FILE, ImportOutcome, batch_of_folder, import_images
from ..images.jobs import Job, Jobs
from ..images.models import ModelFile, Models
from ..images.progress import OnProgress
from ..images.ratings import Ratings
from ..images.sources import ImageSources
from ..images.survey import Folder
from ..learning.errors import InvalidRequest
from ..runtime.runtime import Runtime
from .handlers import Api
from .responses import Refusal
from .schemas.base import Nothing
from .schemas.images import (
    ImagesImportRequest,
    ImagesImportResponse,
    ImportBatchResponse,
    ImportsResponse,
    ImportUndoneResponse,
    RootResponse,
    job_response,
)

_jobs = Jobs()


async def start(api: Api, request: ImagesImportRequest) -> ImagesImportResponse:
    """Begin an import, or its dry run."""
    runtime, sources = api.runtime, api.image_sources
    folder = await asyncio.to_thread(sources.find, request.root, request.folder)
    job = Job(request.root, request.folder, request.batch.strip() or batch_of_folder(folder), request.dry_run)

    def work(on_progress: OnProgress) -> ImportOutcome:
        galleries = find_galleries(folder, sources.folders[request.root], sources.galleries())
        computed = ComputedHashes(runtime.data_directory / HASHES_FILE)
        read = Folder(folder, Ratings(folder, galleries), sources.folders, computed if request.hash else None)
        models = Models(_models(sources, runtime), computed.known)
        return import_images(read, models, job.batch, runtime, on_progress, dry_run=job.dry_run)

    return job_response(_jobs.start(_owner(runtime), job, work))


async def progress(api: Api, request: Nothing, *, id: str) -> ImagesImportResponse:  # noqa: A002 - the path's
    return job_response(_jobs.find(_owner(api.runtime), id))


async def cancel(api: Api, request: Nothing, *, id: str) -> ImagesImportResponse:  # noqa: A002
    owner = _owner(api.runtime)
    return job_response(await asyncio.to_thread(_jobs.cancel, owner, id))


async def imports(api: Api, request: Nothing) -> ImportsResponse:
    runtime = api.runtime
    batches = await runtime.run(lambda service: service.imports())
    return ImportsResponse(
        imports=tuple(ImportBatchResponse.model_validate(batch) for batch in batches),
        running=tuple(job_response(job) for job in _jobs.all(_owner(runtime))),
        roots=tuple(RootResponse(name=name, path=str(path)) for name, path in api.image_sources.folders.items()),
    )


async def undo(api: Api, request: Nothing, *, name: str) -> ImportUndoneResponse:
    try:
        generations = await api.runtime.run(lambda service: service.undo_import(name))
    except InvalidRequest as error:
        if error.code == "unknown_import":
            raise Refusal(404, error.code, error.message) from None
        raise
    return ImportUndoneResponse(name=name, generations=generations)


def _models(sources: ImageSources, runtime: Runtime) -> list[ModelFile]:
    """The checkpoints that are there; where the host knows no files, those that the database knows."""
    files = list(sources.model_files())
    if files:
        return files
    return [ModelFile(name) for name in runtime.run_blocking(lambda service: service.images_shown())]


def _owner(runtime: Runtime) -> Hashable:
    return runtime.data_directory, runtime.database
