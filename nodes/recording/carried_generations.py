"""Has the files of other savers carry the generations of a run: stock SaveImage writes them as a chunk.

ComfyUI's savers write the queued prompt, which holds a plan and no checkpoint. So the node that logs a generation puts
its id and its checkpoints into what those savers write (`add`). If ComfyUI takes that node's result from its cache,
the node does not run; then `announce` puts the generation of that result there, before anything runs.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..comfy import execution
from ..comfy.png_info import PngInfo, png_info
from ..plan_state import plan_state
from ..saving.image_bytes import OWN_KEY
from ..saving.texts import OWN_VERSION, generation_entry
from ..socket_types import GenerationReference

log = logging.getLogger(__name__)

LOGGING_NODES = ("MultiCheckpointSampler", "FeedbackRecorder", "SavePickedImages")

_CAPACITY = 500
_made: OrderedDict[str, dict[str, dict[str, Any]]] = OrderedDict()
"""By signature: the generations that a node with this signature made last, by the node that logged each."""


def add(reference: GenerationReference, node: str, logged_by: str, extra_pnginfo: object) -> None:
    """Have what is saved from now on carry a generation.

    Parameters
    ----------
    node
        The node of the prompt whose result the generation is.
    logged_by
        What identifies it among the generations of that node, such as the id of a sub-node.
    extra_pnginfo
        What ComfyUI hands to the node; a prompt without one carries nothing.
    """
    if not reference.generation_id or not isinstance(extra_pnginfo, dict):
        return
    entry, former = generation_entry(reference), ""
    run = png_info(execution.prompt_id())
    if run is not None:
        former = run.announced.pop(logged_by, "")
        if signature := run.signatures.get(node, ""):
            _made.setdefault(signature, {})[logged_by] = entry
            _made.move_to_end(signature)
            while len(_made) > _CAPACITY:
                _made.popitem(last=False)
    _carry(extra_pnginfo, entry, former)


async def announce(node: str) -> None:
    """Have what is saved carry the generations that a node's cached result belongs to, if it has one.

    ComfyUI asks every node of a prompt for its fingerprint before anything runs; the nodes call this there. If the node
    runs after all, `add` replaces what was announced. The result in the cache is taken for the last one with the same
    signature: all that is upstream, and the state that plans depend on.
    """
    run = png_info(execution.prompt_id())
    if run is None:
        return
    try:
        run.state = run.state or await plan_state()
        run.signatures[node] = signature = _signature(run.prompt, node, run.state)
        for logged_by, entry in _made.get(signature, {}).items():
            run.announced[logged_by] = entry["generation"]
            _carry(run, entry, "")
    except Exception:  # no saved file is worth a failing prompt
        log.warning("Files of this run may lack their generation", exc_info=True)


def _carry(info: dict[str, Any] | PngInfo, entry: Mapping[str, Any], former: str) -> None:
    carried = info.get(OWN_KEY, {}).get("generations", [])
    others = [each for each in carried if each["generation"] not in (entry["generation"], former)]
    info[OWN_KEY] = {"version": OWN_VERSION, "generations": [*others, dict(entry)]}


def _signature(prompt: Mapping[str, Any], node: str, state: str) -> str:
    upstream: dict[str, Any] = {}
    waiting = [node]
    while waiting:
        name = waiting.pop()
        if name in upstream or name not in prompt:
            continue
        inputs = prompt[name].get("inputs", {})
        upstream[name] = (prompt[name].get("class_type"), inputs)
        waiting += [str(value[0]) for value in inputs.values() if isinstance(value, list) and len(value) == 2]
    content = json.dumps([node, state, upstream], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
