"""`RecommendedCheckpointLoader`: a plan's checkpoints as lists of MODEL, CLIP and VAE for a person's own graph.

Unlike the stock loader it keeps what it loaded between prompts, and a checkpoint that cannot be loaded drops out of the
lists instead of failing the prompt. All of a plan's checkpoints are in memory at once, since the lists hold them;
`MultiCheckpointSampler` needs only one at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from ..checkpoints.lora_stacks import read_stack
from ..learning.message import error_text, joined
from ..learning.names import shown_name
from ..learning.values import Recommendation
from .branch_loras import branch_loras
from .branch_nodes import NoCheckpointLeft, drop_out_message, drop_out_ui, message_ui, without_plan
from .comfy import execution
from .comfy.messages import show_on_node, with_parts_sent
from .loading.checkpoint_loading import CannotLoad, apply_loras, end_branch, load, loras_fingerprint, warm_first
from .recording.loaded_loras import remember
from .socket_types import LoraStackType, PlanType

if TYPE_CHECKING:
    from .comfy.checkpoint import Checkpoint

log = logging.getLogger(__name__)


class RecommendedCheckpointLoader(io.ComfyNode):
    """Loads a plan's checkpoints; ComfyUI then runs the rest of the graph once for each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="RecommendedCheckpointLoader",
            display_name="Recommended Checkpoint Loader",
            category="Context Checkpoint",
            description="Loads the recommended checkpoints for your own graph, which then runs once for "
            "each. Diffusion models give MODEL only. They stay in memory between prompts, within the limits in "
            "the settings.",
            search_aliases=["load checkpoint", "checkpoint loader", "recommended", "model"],
            not_idempotent=True,
            # Optional, so that a recommender that is bypassed or muted fails no prompt.
            inputs=[
                PlanType.Input("plan", optional=True, tooltip="From the Context Checkpoint Recommender."),
                LoraStackType.Input(
                    "lora_stack",
                    optional=True,
                    tooltip="LoRAs for every checkpoint, from any pack's stacker. One that is for another architecture "
                    "than a checkpoint's is left out for it, and named here.",
                ),
            ],
            outputs=[
                io.Model.Output(is_output_list=True),
                io.Clip.Output(is_output_list=True),
                io.Vae.Output(is_output_list=True),
                io.String.Output(
                    "ckpt_names",
                    is_output_list=True,
                    tooltip="The names of the loaded checkpoints. Connect it to the Feedback Recorder.",
                ),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, **_: Any) -> str:
        """Return a value that changes with LoRAs that could not be applied, so that a mended one is loaded."""
        return loras_fingerprint()

    @classmethod
    def execute(cls, plan: Recommendation | None = None, lora_stack: object = None) -> io.NodeOutput:
        if plan is None:
            return without_plan(cls)
        loaded: dict[str, Checkpoint] = {}
        dropped: dict[str, str] = {}
        for name in warm_first(dict.fromkeys(branch.checkpoint for branch in plan.all_branches)):
            with _dropping_out(name, dropped):
                loaded[name] = load(name, plan.needs)
        end_branch()
        stack = read_stack(lora_stack)
        left_out, branches = list(stack.problems), []
        for branch in plan.all_branches:
            if branch.checkpoint in loaded:
                fitting = branch_loras(branch, stack.loras)
                checkpoint, loras = apply_loras(branch.checkpoint, loaded[branch.checkpoint], fitting.loras)
                left_out += [*fitting.problems, *loras.problems]
                branches.append((branch.checkpoint, checkpoint, loras.loras))
        if not branches:
            raise with_parts_sent(NoCheckpointLeft(dropped))
        remember(execution.node_id(), plan, [loras for _, _, loras in branches])
        problems = joined(dict.fromkeys(left_out))
        if note := joined([drop_out_message(dropped), problems]):
            show_on_node(note)
        return io.NodeOutput(
            [checkpoint.model for _, checkpoint, _ in branches],
            [checkpoint.clip for _, checkpoint, _ in branches],
            [checkpoint.vae for _, checkpoint, _ in branches],
            [name for name, _, _ in branches],
            ui={**(drop_out_ui(dropped) or {}), **message_ui(problems)} or None,
        )


@contextmanager
def _dropping_out(name: str, dropped: dict[str, str]) -> Iterator[None]:
    try:
        yield
    except CannotLoad as error:
        log.warning("Checkpoint %s drops out of this generation: %s", shown_name(name), error)
        dropped[name] = error_text(error)
