"""`ContextSettingsRecommender`: the settings of each of a plan's checkpoints, in the plan and as lists.

The node has no rule of its own: `branch_settings` works the settings out. The lists run in parallel with the
recommender's `ckpt_name`, so that a person's own graph draws each checkpoint with its own settings.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from comfy_api.latest import io

from ..checkpoints.profiles import MAY_CHANGE
from ..learning.values import Recommendation
from ..recipes.settings import Settings
from ..runtime.learned_settings import learned_settings
from .branch_nodes import without_plan
from .branch_settings import as_ui, branches_of, settings_fingerprint
from .comfy.graph import sampler_names, scheduler_names
from .learned_settings import ask_about_plan, with_question
from .negative_words import as_ui as words_as_ui
from .negative_words import suggested_words, with_words
from .socket_types import PlanType


class ContextSettingsRecommender(io.ComfyNode):
    """Adds to a plan what each of its checkpoints is drawn with."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ContextSettingsRecommender",
            display_name="Context Settings Recommender",
            category="Context Checkpoint",
            description="Gives each recommended checkpoint its own steps, cfg, sampler, scheduler, size, clip skip and "
            "words: what you set for it, what your kept images used, what its sidecar files, its name and its header "
            "say, else what is set here.",
            search_aliases=["settings", "profile", "steps cfg sampler", "lightning", "turbo"],
            has_intermediate_output=True,  # settings from ComfyUI's cache are shown again
            inputs=[
                # Optional, so that a recommender that is bypassed or muted fails no prompt.
                PlanType.Input("plan", optional=True, tooltip="From the Context Checkpoint Recommender."),
                io.Combo.Input(
                    "may_change",
                    options=list(MAY_CHANGE),
                    default=MAY_CHANGE[0],
                    tooltip="Which settings may be a checkpoint's own. The others are those of this node in the lists, "
                    "and those of the sampler in the plan.",
                ),
                io.Int.Input("steps", default=20, min=1, max=10000, tooltip="Where nothing is known."),
                io.Float.Input(
                    "cfg", default=7.0, min=0.0, max=100.0, step=0.1, round=0.01, tooltip="Where nothing is known."
                ),
                io.Combo.Input("sampler_name", options=sampler_names(), tooltip="Where nothing is known."),
                io.Combo.Input("scheduler", options=scheduler_names(), tooltip="Where nothing is known."),
                io.Int.Input(
                    "width", default=512, min=16, max=16384, step=8, tooltip="In pixels, where nothing is known."
                ),
                io.Int.Input(
                    "height", default=512, min=16, max=16384, step=8, tooltip="In pixels, where nothing is known."
                ),
                io.Int.Input(
                    "clip_skip",
                    default=1,
                    min=1,
                    max=24,
                    tooltip="Where nothing is known. 1: as the model does by itself; 2: the last layer but one of the "
                    "text encoder.",
                ),
                io.String.Input(
                    "negative",
                    multiline=True,
                    dynamic_prompts=True,
                    default="",
                    optional=True,
                    tooltip="Your negative prompt; each checkpoint's own words are added to it.",
                ),
                # New widgets come last, so that the values of workflows saved without them keep their places.
                io.Boolean.Input(
                    "explore",
                    default=False,
                    optional=True,
                    tooltip="Where one checkpoint is sure to be the best, draw a second image with another value of "
                    "one setting that you have used. Your verdict teaches which value is better.",
                ),
                io.Boolean.Input(
                    "suggest_negative",
                    default=False,
                    optional=True,
                    tooltip="Add the words to the negative prompt that your kept images of such prompts had in their "
                    "negative prompts and that yours lacks.",
                ),
            ],
            outputs=[
                PlanType.Output("plan", tooltip="With the settings of each branch, for the Multi-Checkpoint Sampler."),
                io.Int.Output("steps", is_output_list=True, tooltip="One entry per checkpoint, as in all lists here."),
                io.Float.Output("cfg", is_output_list=True),
                # As `ckpt_name` of the recommender: KSampler's combos take no COMBO output, but any type.
                io.AnyType.Output("sampler_name", is_output_list=True, tooltip="Connect it to KSampler's."),
                io.AnyType.Output("scheduler", is_output_list=True, tooltip="Connect it to KSampler's."),
                io.Int.Output("width", is_output_list=True),
                io.Int.Output("height", is_output_list=True),
                io.String.Output(
                    "positive",
                    is_output_list=True,
                    tooltip="The recommender's prompt with each checkpoint's own words before and after it.",
                ),
                io.String.Output(
                    "negative",
                    is_output_list=True,
                    tooltip="The negative prompt with each checkpoint's own words, then the suggested ones.",
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        """Return a value that changes with the settings of any checkpoint."""
        return settings_fingerprint()

    @classmethod
    async def execute(
        cls,
        may_change: str,
        steps: int,
        cfg: float,
        sampler_name: str,
        scheduler: str,
        width: int,
        height: int,
        clip_skip: int,
        negative: str = "",
        plan: Recommendation | None = None,
        explore: bool = False,
        suggest_negative: bool = False,
    ) -> io.NodeOutput:
        if plan is None:
            return without_plan(cls)
        here = Settings(steps, cfg, sampler_name, scheduler, width, height, clip_skip)
        answers = await ask_about_plan(plan, here)
        learned = learned_settings(answers)
        plan = replace(plan, branches=await asyncio.to_thread(branches_of, plan, may_change, here, learned))
        if explore:
            plan = with_question(plan, answers, may_change)
        words = await suggested_words(plan, negative) if suggest_negative else ()
        plan = with_words(plan, negative, words)
        branches = plan.branches
        whole = [branch.settings.filled(here) for branch in branches]
        lists = ([getattr(one, name) for one in whole] for name in _LISTS)
        return io.NodeOutput(
            plan,
            *lists,
            [one.positive_with(plan.prompt) for one in whole],
            [one.negative_with(negative) for one in whole],
            ui={
                "context_checkpoint_settings": [
                    {"branches": [as_ui(branch) for branch in branches], "negative_words": words_as_ui(words)}
                ]
            },
        )


_LISTS = ("steps", "cfg", "sampler", "scheduler", "width", "height")
"""Those that are the settings themselves, in the order of the outputs."""
