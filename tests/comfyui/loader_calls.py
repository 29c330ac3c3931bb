"""A custom node folder for tests: counts what ComfyUI really loads and encodes, and which models are alive.

`test_loaders` puts it into a server's `custom_nodes`. It stands at `comfy.sd`'s loading function, below
every loader node, stock or ours, so that no cache of ours can hide a load from it.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import comfy.sd
from aiohttp import web
from server import PromptServer

_load = comfy.sd.load_checkpoint_guess_config
_encode = comfy.sd.CLIP.encode_from_tokens_scheduled
_calls: list[dict[str, object]] = []
_models: dict[int, tuple[str, weakref.ref]] = {}
_out_of_memory_times = 0
_encodings = 0


def _counting(path, *args, **kwargs):
    global _out_of_memory_times
    gc.collect()
    alive = sorted(name for name, model in _models.values() if model() is not None)
    _calls.append({"file": Path(path).name, "alive_before": alive})
    if _out_of_memory_times:
        _out_of_memory_times -= 1
        raise MemoryError("out of memory (by the test)")
    loaded = _load(path, *args, **kwargs)
    if loaded[0] is not None:
        _models[len(_calls)] = (Path(path).name, weakref.ref(loaded[0].model))
    return loaded


def _counting_encodings(*args, **kwargs):
    global _encodings
    _encodings += 1
    return _encode(*args, **kwargs)


comfy.sd.load_checkpoint_guess_config = _counting
comfy.sd.CLIP.encode_from_tokens_scheduled = _counting_encodings


@PromptServer.instance.routes.get("/loader_calls")
async def loader_calls(_request: web.Request) -> web.Response:
    """Tell the calls and encoded texts since the last request, and which models are alive now."""
    global _encodings
    gc.collect()
    encodings, _encodings = _encodings, 0
    calls, _calls[:] = list(_calls), []
    alive = sorted(name for name, model in _models.values() if model() is not None)
    return web.json_response({"calls": calls, "encodings": encodings, "alive": alive})


@PromptServer.instance.routes.post("/loader_calls/out_of_memory")
async def out_of_memory(request: web.Request) -> web.Response:
    """Let the next loads fail as a full memory would."""
    global _out_of_memory_times
    _out_of_memory_times = (await request.json())["times"]
    return web.json_response({})


NODE_CLASS_MAPPINGS: dict[str, type] = {}
