"""Which LoRAs each branch of a plan is drawn with: those of a connected stack, of the plan, and of the prompt's tags.

Both nodes that draw or load branches use this module. How stacks and tags are read belongs to `checkpoints.lora_stacks`
and `recipes.loras`; here is where they meet the files of the ComfyUI that runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..checkpoints.families import UNKNOWN
from ..checkpoints.lora_stacks import LoraNames, Stack, usable
from ..learning.message import message
from ..learning.values import Branch
from ..recipes import Lora
from ..recipes.loras import tags, without_tags
from .comfy.files import files, lora_files


@dataclass(frozen=True, slots=True)
class PromptTags:
    """A positive and a negative prompt without their tags, the LoRAs of the positive one, and what was left out."""

    positive: str
    negative: str
    loras: tuple[Lora, ...] = ()
    problems: tuple[str, ...] = ()


def read_tags(positive: str, negative: str) -> PromptTags:
    """Take the tags `<lora:name:0.8>` out of a branch's prompts."""
    problems: list[str] = []
    loras: list[Lora] = []
    for tag in tags(positive):
        if tag.readable:
            loras.append(tag.lora)
        else:
            problems.append(message("tag_strength", "{tag} is not applied: its strength is no number.", tag=tag.text))
    problems += [
        message(
            "tag_in_negative",
            "{tag} is not applied, because it is in the negative prompt. To turn a LoRA round, write a negative "
            "strength into the positive prompt.",
            tag=tag.text,
        )
        for tag in tags(negative)
    ]
    return PromptTags(without_tags(positive), without_tags(negative), tuple(loras), tuple(problems))


def branch_loras(branch: Branch, given: Sequence[Lora], tagged: Sequence[Lora] = ()) -> Stack:
    """Return the LoRAs of a branch as ComfyUI lists them, each once; blocks on the disk.

    Parameters
    ----------
    given
        Those of the connected stack, which count first.
    tagged
        Those of the prompt, which count last.
    """
    loras = [*given, *branch.loras, *tagged]
    if not loras:
        return Stack()
    known = lora_files()
    file = files().find(branch.checkpoint)
    family = UNKNOWN if file is None else file.family
    return usable(loras, LoraNames(known.names()), known.find, branch.checkpoint, family)
