"""`ContextLoraRecommender`: LoRAs for each branch of a plan, in the plan and as stacks for a person's own graph.

The node has no rule of its own: which files fit belongs to `checkpoints.lora_files`, how stacks are joined to
`checkpoints.lora_stacks`, what is recommended to the service.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfy_api.latest import io

from .. import runtime
from ..checkpoints.families import UNKNOWN
from ..checkpoints.lora_files import LoraFile
from ..checkpoints.lora_stacks import Stack, joined_stack, read_stack
from ..learning.errors import LearningError
from ..learning.loras import LoraRecommendation, lora_key
from ..learning.message import Message, error_text, joined, message, parts_of
from ..learning.values import Branch, Recommendation
from ..recipes import Lora
from ..recipes.loras import tag_text, with_trigger_words
from .branch_loras import branch_loras
from .branch_nodes import message_ui, without_plan
from .branch_settings import as_ui
from .comfy.files import files, lora_files
from .comfy.messages import show_on_node
from .learned_settings import branches_with_learned
from .plan_state import plan_state
from .socket_types import LoraStackType, PlanType

log = logging.getLogger(__name__)

MOST_LORAS = 3


@dataclass(frozen=True, slots=True)
class Advised:
    """One branch with its LoRAs, those that were given and then the recommended ones, and what they follow from."""

    branch: Branch
    reasons: tuple[Message, ...]
    problems: tuple[str, ...]
    candidates: Mapping[str, LoraFile]
    answer: LoraRecommendation
    trigger_words: tuple[str, ...] = ()


class ContextLoraRecommender(io.ComfyNode):
    """Adds to a plan the LoRAs of each of its branches."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContextLoraRecommender",
            display_name="Context LoRA Recommender",
            category="Context Checkpoint",
            description="Gives each recommended checkpoint the LoRAs that fit it and this prompt: those that your "
            "verdicts and your kept images speak for, and before them the trigger words and tags of the LoRAs' files. "
            "Where nothing speaks for one, there is none.",
            search_aliases=["lora", "lora stack", "auto lora", "style"],
            has_intermediate_output=True,  # LoRAs from ComfyUI's cache are shown again
            inputs=[
                # Optional, so that a recommender that is bypassed or muted fails no prompt.
                PlanType.Input("plan", optional=True, tooltip="From the Context Checkpoint Recommender."),
                io.String.Input(
                    "include",
                    default="",
                    placeholder="all, or e.g. styles/*, *detail*",
                    tooltip="Only LoRAs that match: name or folder with * and ?, separated by commas. Empty: all that "
                    "fit the checkpoint.",
                ),
                io.String.Input(
                    "exclude",
                    default="",
                    placeholder="none, or e.g. *slider*, characters/*",
                    tooltip="Leave out LoRAs that match. Written like `include`.",
                ),
                io.Int.Input(
                    "most_loras",
                    default=2,
                    min=0,
                    max=MOST_LORAS,
                    tooltip="The most LoRAs to add to each checkpoint. All strengths together stay within 2, those of "
                    "the connected stack included.",
                ),
                io.Boolean.Input(
                    "explore",
                    default=False,
                    tooltip="Where one checkpoint is sure to be the best, draw a second image that differs in one "
                    "LoRA. Your verdict teaches whether it is better with it.",
                ),
                LoraStackType.Input(
                    "lora_stack",
                    optional=True,
                    tooltip="LoRAs that you chose, from any pack's stacker: they come first and stay as they are.",
                ),
            ],
            outputs=[
                PlanType.Output("plan", tooltip="With the LoRAs of each branch, for the other nodes of this pack."),
                LoraStackType.Output(
                    "lora_stack",
                    is_output_list=True,
                    tooltip="One stack per checkpoint, as in all lists here, for any pack's loader.",
                ),
                io.String.Output(
                    "trigger_words", is_output_list=True, tooltip="The trigger words of each checkpoint's LoRAs."
                ),
                io.String.Output(
                    "lora_tags", is_output_list=True, tooltip="The same LoRAs as text: `<lora:name:0.8>`."
                ),
                io.String.Output("explanation", tooltip="Why these LoRAs, or why none."),
                io.String.Output(
                    "prompt",
                    tooltip="The recommender's prompt, and after it the trigger words that it lacks: one text for all "
                    "checkpoints. For the sampler's `positive`, or your own text encoder.",
                ),
            ],
        )

    @classmethod
    async def fingerprint_inputs(cls, **_: Any) -> str:
        """Return a value that changes with what was learned, and with the LoRAs and their sidecar files."""
        found = repr((await plan_state(), await asyncio.to_thread(lora_files().list)))
        return hashlib.sha256(found.encode("utf-8", "surrogatepass")).hexdigest()

    @classmethod
    async def execute(
        cls,
        include: str = "",
        exclude: str = "",
        most_loras: int = 2,
        explore: bool = False,
        plan: Recommendation | None = None,
        lora_stack: object = None,
    ) -> io.NodeOutput:
        if plan is None:
            return without_plan(cls)
        stack = read_stack(lora_stack)
        rules = (include, exclude, most_loras)
        given = plan.branches or await branches_with_learned(plan)
        advised = [await _advised(plan, branch, stack, rules) for branch in given]
        if explore and len(advised) == 1 and not plan.fallback and not plan.picked:
            other = await asyncio.to_thread(_other, advised[0])
            if other is not None:
                advised.append(other)
                plan = replace(plan, strategy="exploit_explore")
        plan = replace(plan, branches=tuple(one.branch for one in advised))
        problems = joined(dict.fromkeys([*stack.problems, *(each for one in advised for each in one.problems)]))
        if problems:
            show_on_node(problems)
        explanation = joined(dict.fromkeys(reason for one in advised for reason in one.reasons))
        return io.NodeOutput(
            plan,
            [list(one.branch.loras) for one in advised],
            [", ".join(one.trigger_words) for one in advised],
            [tag_text(one.branch.loras) for one in advised],
            str(explanation),
            with_trigger_words(plan.prompt, (word for one in advised for word in one.trigger_words)),
            ui={"context_checkpoint_loras": [{"branches": [_as_ui(one) for one in advised]}], **message_ui(problems)},
        )


async def _advised(plan: Recommendation, branch: Branch, given: Stack, rules: tuple[str, str, int]) -> Advised:
    """Ask for the LoRAs of one branch, and put them behind those that were given and fit."""
    include, exclude, most = rules
    fitting = await asyncio.to_thread(branch_loras, branch, given.loras)
    there = {lora_key(name) for name, _, _ in fitting.loras}
    found = await asyncio.to_thread(
        lora_files().candidates, await asyncio.to_thread(_family, branch.checkpoint), include, exclude
    )
    candidates = {each.name: each for each in found if lora_key(each.name) not in there}
    answer = await _ask(plan, branch.checkpoint, candidates.values(), most)
    loras = joined_stack(fitting.loras, [_with_clip(lora, candidates) for lora in answer.loras][:most])
    one = Advised(replace(branch, loras=loras), answer.reasons, fitting.problems, candidates, answer)
    return await asyncio.to_thread(_with_trigger_words, one)


def _family(checkpoint: str) -> str:
    file = files().find(checkpoint)
    return UNKNOWN if file is None else file.family


async def _ask(
    plan: Recommendation, checkpoint: str, candidates: Collection[LoraFile], most: int
) -> LoraRecommendation:
    """Ask what to use; a workflow never fails because learning failed."""
    if not most or not candidates:
        return LoraRecommendation((), 0.0, ())
    asked = tuple(each.candidate for each in candidates)
    try:
        families = {file.name: file.family for file in await asyncio.to_thread(files().list) if file.family != UNKNOWN}
        return await runtime.current().run(
            lambda service: service.recommend_loras(plan.prompt, checkpoint, asked, most=most, families=families)
        )
    except Exception as error:
        log.warning(
            "What was learned of LoRAs cannot be used: %s", error, exc_info=not isinstance(error, LearningError)
        )
        failed = message(
            "loras_not_asked", "What was learned of LoRAs cannot be used: {error}", error=error_text(error)
        )
        return LoraRecommendation((), 0.0, (failed,))


def _with_clip(lora: tuple[str, float], files: Mapping[str, LoraFile]) -> Lora:
    name, strength = lora
    clip = files[name].clip_strength
    return name, strength, strength if clip is None else clip


def _with_trigger_words(one: Advised) -> Advised:
    found = (lora_files().find(name) for name, _, _ in one.branch.loras)
    words = dict.fromkeys(word for file in found if file is not None for word in file.trigger_words)
    return replace(one, trigger_words=tuple(words))


def _other(one: Advised) -> Advised | None:
    """The same branch with one LoRA more or less, where one is worth a question. A given one stays."""
    asked, loras = one.answer.worth_trying, one.branch.loras
    if asked is None or asked not in one.candidates:
        return None
    changed = tuple(lora for lora in loras if lora[0] != asked)
    reason = message("lora_left_out", "{name} is left out, to compare.", name=asked)
    if changed == loras:
        strength = next(each.strength for each in one.answer.ranking if each.name == asked)
        changed = joined_stack(loras, [_with_clip((asked, strength), one.candidates)])
        reason = message("lora_tried", "{name} is tried, to compare.", name=asked)
    if changed == loras:
        return None
    return _with_trigger_words(replace(one, branch=replace(one.branch, loras=changed), reasons=(reason,)))


def _as_ui(one: Advised) -> dict[str, Any]:
    """Return what the node shows of a branch (`web/recommender/lora_nodes.mjs` reads it)."""
    return {
        **as_ui(one.branch),
        "reasons": list(one.reasons),
        "reason_parts": [list(parts_of(reason)) for reason in one.reasons],
        "trigger_words": list(one.trigger_words),
    }
