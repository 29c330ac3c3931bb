"""A pack for tests: counts what ComfyUI really loads and encodes, and which models are alive.

It stands at `comfy.sd`'s loading function, below
every loader node, stock or ours, so that no cache of ours can hide a load from it.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import comfy.sd
from aiohttp import web
from comfy.cli_args import args
from server import PromptServer

_load = comfy.sd.load_checkpoint_guess_config
_encode = comfy.sd.CLIP.encode_from_tokens_scheduled
_calls: list[dict[str, object]] = []
_models: list[tuple[str, weakref.ref]] = []
_out_of_memory_times = 0
_encodings = 0


def _alive() -> list[str]:
    gc.collect()
    return sorted(name for name, model in _models if model() is not None)


def _counting(path, *others, **kwargs):
    global _out_of_memory_times
    # A collection takes as long as loading a tiny checkpoint does.
    _calls.append({"file": Path(path).name, "alive_before": _alive() if args.cache_none else None})
    if _out_of_memory_times:
        _out_of_memory_times -= 1
        raise MemoryError("out of memory (by the test)")
    loaded = _load(path, *others, **kwargs)
    if loaded[0] is not None:
        _models.append((Path(path).name, weakref.ref(loaded[0].model)))
    return loaded


def _counting_encodings(*texts, **kwargs):
    global _encodings
    _encodings += 1
    return _encode(*texts, **kwargs)


comfy.sd.load_checkpoint_guess_config = _counting
comfy.sd.CLIP.encode_from_tokens_scheduled = _counting_encodings


@PromptServer.instance.routes.get("/loader_calls")
async def loader_calls(_request: web.Request) -> web.Response:
    """Tell the calls and encoded texts since the last request, and which models are alive now."""
    global _encodings
    encodings, _encodings = _encodings, 0
    calls, _calls[:] = list(_calls), []
    return web.json_response({"calls": calls, "encodings": encodings, "alive": _alive()})


@PromptServer.instance.routes.post("/loader_calls/out_of_memory")
async def out_of_memory(request: web.Request) -> web.Response:
    """Let the next loads fail as a full memory would."""
    global _out_of_memory_times
    _out_of_memory_times = (await request.json())["times"]
    return web.json_response({})


NODE_CLASS_MAPPINGS: dict[str, type] = {}
