"""`ContextCheckpointRecommender`: from a prompt and a pool to the checkpoints worth using.

The node has no rule of its own: pools belong to `checkpoints.pool`, files to `checkpoints.inventory`, learning to the
service. It adds ComfyUI's side: inputs, caching, and that a failed recommendation is shown and stops no workflow.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from .. import runtime
from ..checkpoints.fallback import (
    empty_pool_message,
    fallback_recommendation,
    no_pool_line,
    unlearned_recommendation,
)
from ..checkpoints.families import FAMILIES
from ..checkpoints.pool import (
    ALL,
    ALL_PARTS,
    AUTO,
    CHECKPOINTS,
    CHECKPOINTS_AND_DIFFUSION_MODELS,
    FOLDERS,
    Part,
    Pool,
    PoolRules,
    select,
)
from ..learning.errors import LearningError
from ..learning.message import error_text, message
from ..learning.policies import POLICIES
from ..learning.values import MOST_BRANCHES, STAGES, Branch, Recommendation, Stage, Thresholds
from .branch_settings import as_ui
from .comfy.files import files
from .comfy.messages import with_parts_sent
from .learned_settings import branches_with_learned
from .loading.checkpoint_loading import costs
from .plan_state import plan_state
from .socket_types import PlanType

if TYPE_CHECKING:
    from ..learning.service.service import PreferenceService

log = logging.getLogger(__name__)

POLICY_AS_IN_SETTINGS = "default (as in settings)"
NO_FALLBACK = "none"
NEEDS_ALL = "CLIP and VAE"
NEEDS: Mapping[str, tuple[Part, ...]] = {NEEDS_ALL: ALL_PARTS, "CLIP": ("clip",), "VAE": ("vae",), "model only": ()}
_LARGEST_SEED = 0xFFFF_FFFF_FFFF_FFFF


class EmptyPoolError(ValueError):
    """No checkpoint is left to recommend, and there is no fallback; the message says what to change."""


class ContextCheckpointRecommender(io.ComfyNode):
    """Recommends one to three checkpoints for a prompt, learned from the images that people select and reject."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Describe the node. ComfyUI calls this for every listing of the nodes, so new files and settings show up."""
        return io.Schema(
            node_id="ContextCheckpointRecommender",
            display_name="Context Checkpoint Recommender",
            category="Context Checkpoint",
            description=(
                "Recommends which checkpoints to use for this prompt, learned from the images you selected and "
                "rejected: one if it is sure, two if it is fairly sure, three while it is still learning."
            ),
            search_aliases=[
                "checkpoint recommender",
                "context checkpoint",
                "model selection",
                "auto checkpoint",
            ],
            has_intermediate_output=True,  # a plan from ComfyUI's cache is shown again
            inputs=[*_pool_inputs(), *_choice_inputs()],
            outputs=[
                PlanType.Output(
                    "plan",
                    tooltip="For the other nodes of this pack: sampler, loader and recorder.",
                ),
                # The stock loader and most packs' loaders declare `ckpt_name` as a plain list of names.
                # ComfyUI's `validate_node_input` refuses a COMBO output there and lets only the any type in.
                io.AnyType.Output(
                    "ckpt_name",
                    is_output_list=True,
                    tooltip="Connect it to `ckpt_name` of any loader: your own graph then runs once for each.",
                ),
                io.Float.Output("confidence", tooltip="0 to 1: how sure it is that the first checkpoint is the best."),
                io.String.Output("strategy", tooltip="exploit, exploit_explore or explore."),
                io.String.Output("explanation", tooltip="The reason, in a sentence."),
                # A dynamic prompt is drawn once for this node's widget: an encoder that takes it from here gets the
                # same words.
                io.String.Output(
                    "prompt",
                    tooltip="The prompt as it was read. Connect it to your text encoder, so that both use one text.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(
        cls,
        fallback: str | None = None,
        exploit_threshold: float | None = None,
        explore_threshold: float | None = None,
    ) -> bool | str:
        """Check the thresholds unless they are linked.

        Naming `fallback` here keeps ComfyUI from refusing a checkpoint that only another machine has.
        """
        if exploit_threshold is None or explore_threshold is None:
            return True
        try:
            Thresholds(exploit_threshold, explore_threshold)
        except ValueError as error:
            return str(error)
        return True

    @classmethod
    async def fingerprint_inputs(cls, **inputs: Any) -> str:
        """Return a value that changes with what a plan depends on: the learned data, the checkpoints, the settings.

        As long as it and the seed stay the same, ComfyUI may serve the former plan and what depends on it.
        """
        return await plan_state()

    @classmethod
    async def execute(
        cls,
        prompt: str,
        family: str = AUTO,
        include: str = "",
        exclude: str = "",
        fallback: str = NO_FALLBACK,
        stage: Stage = "final",
        explore: bool = True,
        max_branches: int = MOST_BRANCHES,
        seed: int = 0,
        policy: str = POLICY_AS_IN_SETTINGS,
        exploit_threshold: float | None = None,
        explore_threshold: float | None = None,
        negative: str = "",
        folder: str = CHECKPOINTS,
        needs: str = NEEDS_ALL,
    ) -> io.NodeOutput:
        """Recommend. A failure is reported in the explanation, in the log and on the node."""
        parts = NEEDS.get(needs, ALL_PARTS)
        rules = PoolRules(family, include, exclude, "" if fallback == NO_FALLBACK else fallback, folder, parts)
        banned = runtime.current_settings().banned
        checkpoints = await asyncio.to_thread(files().list)
        pool = select(rules, checkpoints, banned)
        if pool.candidates:
            options = {
                "stage": stage,
                "explore": explore,
                "max_branches": max_branches,
                "seed": seed,
                "policy": None if policy == POLICY_AS_IN_SETTINGS else policy,
                "thresholds": _thresholds(exploit_threshold, explore_threshold),
                "negative": negative,
                "costs": await asyncio.to_thread(costs, pool.candidates),
            }
            fingerprints = {file.name: file.fingerprint for file in checkpoints}
            plan = await _recommend(prompt, pool, options, fingerprints)
        elif pool.fallback_used:
            log.info(no_pool_line(pool, stage))
            plan = fallback_recommendation(prompt, pool, stage)
        else:
            raise with_parts_sent(EmptyPoolError(empty_pool_message(rules, pool, files().folders())))
        plan = replace(plan, needs=parts)
        return io.NodeOutput(
            plan,
            list(plan.checkpoints),
            plan.confidence,
            plan.strategy,
            plan.explanation,
            prompt,
            ui={"context_checkpoint_plan": [await asyncio.to_thread(_as_ui, plan, await branches_with_learned(plan))]},
        )


async def _recommend(prompt: str, pool: Pool, options: dict[str, Any], fingerprints: dict[str, str]) -> Recommendation:
    async def recommend(service: PreferenceService) -> Recommendation:
        home.follow(await service.meet_files(fingerprints))
        return await service.recommend(prompt, pool.candidates, family=pool.family, **options)

    try:
        home = runtime.current()
        return await home.run(recommend)
    except LearningError as error:
        log.warning("Cannot recommend from what was learned: %s", error)
        reason = error_text(error)
    except Exception as error:  # the workflow continues, visibly without the learned data; the trace is for a report
        log.warning("Cannot recommend from what was learned", exc_info=True)
        reason = message(
            "doctor_mends",
            "{error}. `context-checkpoint doctor` says how to repair it.",
            error=f"{type(error).__name__}: {error}",
        )
    return unlearned_recommendation(
        prompt,
        pool,
        options["stage"],
        explore=options["explore"],
        max_branches=options["max_branches"],
        reason=reason,
    )


def _thresholds(exploit: float | None, explore: float | None) -> Thresholds:
    """Use the settings' thresholds where a script left them out."""
    if exploit is not None and explore is not None:
        return Thresholds(exploit, explore)
    defaults = runtime.current_settings().thresholds
    return Thresholds(
        defaults.exploit if exploit is None else exploit,
        defaults.explore if explore is None else explore,
    )


def _as_ui(plan: Recommendation, branches: Sequence[Branch]) -> dict[str, Any]:
    """Return what the node shows in the browser (`web/recommender/plan.mjs` reads it)."""
    # Late: it imports the policies, which ComfyUI's start does not need.
    from ..learning.recommendation.explanation import parts

    progress = plan.progress

    return {
        "checkpoints": list(plan.checkpoints),
        "confidence": plan.confidence,
        "evidence": plan.evidence,
        "clarity": plan.clarity,
        "strategy": plan.strategy,
        "explanation": plan.explanation,
        "explanation_parts": parts(plan),
        "progress": None if progress is None else asdict(progress),
        "fallback": plan.fallback,
        "policy": plan.policy,
        "keywords": [keyword.text for keyword in plan.keywords],
        "branches": [as_ui(branch) for branch in branches],
    }


# --- inputs; a script may leave out all but the prompt, and then gets the value that a new node shows


def _pool_inputs() -> list[io.Input]:
    """The prompt, and the rules, which the node folds away: it says them in a line."""
    return [
        io.String.Input(
            "prompt",
            multiline=True,
            dynamic_prompts=True,
            default="",
            tooltip="The positive prompt, typed or connected. Its words decide which verdicts count.",
        ),
        io.Combo.Input(
            "family",
            options=[AUTO, ALL, *FAMILIES],
            default=AUTO,
            optional=True,
            advanced=True,
            tooltip=(
                "The model architecture, read from the files' headers. auto: that of the first checkpoint "
                "that `include` matches. all: any, for graphs that work with any."
            ),
        ),
        io.String.Input(
            "include",
            default="",
            optional=True,
            advanced=True,
            placeholder="all, or e.g. portrait/*, *realis*",
            tooltip=(
                "Only checkpoints that match: name or folder with * and ?, separated by commas. "
                "Empty: all of the family."
            ),
        ),
        io.String.Input(
            "exclude",
            default="",
            optional=True,
            advanced=True,
            placeholder="none, or e.g. *inpaint*, *refiner*",
            tooltip="Leave out checkpoints that match. Written like `include`.",
        ),
        io.Combo.Input(
            "fallback",
            options=[NO_FALLBACK, *files().names()],
            default=NO_FALLBACK,
            optional=True,
            advanced=True,
            tooltip="The checkpoint to use if the rules leave none, or if the recommendation fails.",
        ),
    ]


def _choice_inputs() -> list[io.Input]:
    defaults = runtime.current_settings().thresholds
    return [
        io.Combo.Input(
            "stage",
            options=list(STAGES),
            default="final",
            optional=True,
            tooltip="draft always compares several checkpoints; standard and final depend on the confidence.",
        ),
        io.Boolean.Input(
            "explore",
            default=True,
            optional=True,
            tooltip="Off: always the one best checkpoint, at any stage and any confidence.",
        ),
        io.Int.Input(
            "max_branches",
            default=MOST_BRANCHES,
            min=1,
            max=MOST_BRANCHES,
            optional=True,
            tooltip="The most checkpoints to use at once.",
        ),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=_LARGEST_SEED,
            control_after_generate=True,
            optional=True,
            tooltip=(
                "Repeats random choices: those of a draft, before the first verdict, and of the policy "
                "`thompson`. With `fixed` a stock loader keeps its checkpoint between runs."
            ),
        ),
        io.Combo.Input(
            "policy",
            options=[POLICY_AS_IN_SETTINGS, *POLICIES],
            default=POLICY_AS_IN_SETTINGS,
            optional=True,
            advanced=True,
            tooltip="How to learn from the verdicts. The default is set in ComfyUI's settings.",
        ),
        _threshold_input("exploit_threshold", defaults.exploit, "Above this confidence, one checkpoint is used."),
        _threshold_input(
            "explore_threshold", defaults.explore, "Above this confidence, two are used; below it, three."
        ),
        # Last, so that the values of workflows saved without it keep their places.
        io.String.Input(
            "negative",
            default="",
            optional=True,
            placeholder="none",
            tooltip=(
                "The negative prompt, typed or connected, if its words should count too. They are learned "
                "separately from the prompt's."
            ),
        ),
        io.Combo.Input(
            "folder",
            options=[*FOLDERS, CHECKPOINTS_AND_DIFFUSION_MODELS],
            default=CHECKPOINTS,
            optional=True,
            advanced=True,
            tooltip=(
                "Which of ComfyUI's model folders to choose from. For UNETLoader: diffusion_models. unet_gguf is "
                "there if a pack that loads GGUF files is installed."
            ),
        ),
        io.Combo.Input(
            "needs",
            options=list(NEEDS),
            default=NEEDS_ALL,
            optional=True,
            advanced=True,
            tooltip=(
                "What a checkpoint must hold besides the model. Choose less if your graph loads a text encoder or "
                "a VAE of its own."
            ),
        ),
    ]


def _threshold_input(name: str, default: float, tooltip: str) -> io.Input:
    return io.Float.Input(
        name, default=default, min=0.0, max=1.0, step=0.01, optional=True, advanced=True, tooltip=tooltip
    )
