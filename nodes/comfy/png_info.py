"""Reaches what ComfyUI's savers write into the images of a run: the prompt's `extra_pnginfo`.

ComfyUI hands one dictionary to all nodes of a run that ask for it, and its savers write each key into the file. A node
that runs can put a key there. But a node whose result comes from the cache does not run, so each prompt's dictionary is
remembered here from the moment it is queued, by the id of the prompt. The reference is weak: it ends with the run.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Collection, Mapping
from typing import Any
from weakref import WeakValueDictionary

from server import PromptServer


class PngInfo(dict[str, Any]):
    """The `extra_pnginfo` of one run, and the prompt that it belongs to. Copies are plain dictionaries.

    Attributes
    ----------
    prompt
        ComfyUI's prompt in API form.
    announced
        What the pack remembers of this run, by a node's id: the generation of its former result.
    signatures
        By a node's id, what its result depends on.
    state
        What plans depend on, as it was when the run began; empty before somebody asks.
    """

    __slots__ = ("__weakref__", "announced", "prompt", "signatures", "state")

    def __init__(self, content: Mapping[str, Any], prompt: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.prompt = prompt
        self.announced: dict[str, str] = {}
        self.signatures: dict[str, str] = {}
        self.state = ""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(dict(self), memo)


_of_prompts: WeakValueDictionary[str, PngInfo] = WeakValueDictionary()


def remember_png_info(classes: Collection[str], key: str) -> None:
    """Remember the dictionary of each prompt that has a node of these classes, and give it one where it has none.

    `key` is the pack's own: what a client sends under it is of an earlier run and is dropped.
    """

    def remember(queued: dict[str, Any]) -> dict[str, Any]:
        prompt, extra = queued.get("prompt"), queued.get("extra_data", {})
        content = extra.get("extra_pnginfo") if isinstance(extra, dict) else ""
        if not isinstance(prompt, dict) or not (content is None or isinstance(content, dict)):
            return queued
        if not any(isinstance(node, dict) and node.get("class_type") in classes for node in prompt.values()):
            return queued
        info = PngInfo({name: value for name, value in (content or {}).items() if name != key}, prompt)
        prompt_id = queued.get("prompt_id") or str(uuid.uuid4())  # as ComfyUI would give it
        _of_prompts[str(prompt_id)] = info
        return {**queued, "prompt_id": prompt_id, "extra_data": {**extra, "extra_pnginfo": info}}

    PromptServer.instance.add_on_prompt_handler(remember)


def png_info(prompt_id: str) -> PngInfo | None:
    """The dictionary of a prompt that waits or runs."""
    return _of_prompts.get(prompt_id)
