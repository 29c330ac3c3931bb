"""The routes about other people's verdicts: give a file, adopt one, list and remove what was adopted.

Separate from `handlers.py`, like the routes of images: a resource of its own.
"""

from __future__ import annotations

from collections.abc import Coroutine

from ..learning.errors import InvalidRequest
from ..learning.exchange.share_format import read_shared
from .handlers import Api
from .responses import Refusal
from .schemas.base import Nothing
from .schemas.sharing import AdoptedResponse, AdoptRequest, ShareRequest, ShareResponse


async def share(api: Api, request: ShareRequest) -> ShareResponse:
    content = await api.runtime.run(lambda service: service.share(request.epsilon))
    return ShareResponse(file=read_shared(content))


async def adopt(api: Api, request: AdoptRequest) -> AdoptedResponse:
    name, file, weight = request.name, request.file, request.weight
    if file is None:
        await _known(api.runtime.run(lambda service: service.weigh_adopted(name, weight)))
    else:
        content = file.text()
        await api.runtime.run(lambda service: service.adopt(content, name=name, weight=weight))
    return await _adopted(api)


async def adopted(api: Api, request: Nothing) -> AdoptedResponse:
    return await _adopted(api)


async def remove(api: Api, request: Nothing, *, name: str) -> AdoptedResponse:
    await _known(api.runtime.run(lambda service: service.remove_adopted(name)))
    return await _adopted(api)


async def _adopted(api: Api) -> AdoptedResponse:
    return AdoptedResponse.model_validate({"adopted": await api.runtime.run(lambda service: service.adopted())})


async def _known(operation: Coroutine[None, None, None]) -> None:
    try:
        await operation
    except InvalidRequest as error:
        if error.code == "unknown_adopted":
            raise Refusal(404, error.code, error.message) from None
        raise
