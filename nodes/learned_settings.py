"""What was learned of settings, for the branches of a plan: the values to use, and another one that is worth trying.

Separate from `branch_settings`, which knows files and what a person set, and from `runtime.learned_settings`, which
asks and knows no plan.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from .. import runtime
from ..checkpoints.pool import known_families
from ..checkpoints.profiles import allowed_names
from ..learning.errors import LearningError
from ..learning.names import stored_name
from ..learning.parameters import ParameterName
from ..learning.profiles import from_question
from ..learning.recommendation.parameter_choice import most_open
from ..learning.values import Branch, Recommendation
from ..recipes.settings import SIZE, Settings
from ..runtime.learned_settings import (
    STOCK,
    Answers,
    ask_about_settings,
    learned_settings,
    parameter_values,
    settings_with,
)
from .branch_settings import branches_of
from .comfy.files import files
from .comfy.graph import sampler_names, scheduler_names

log = logging.getLogger(__name__)


async def branches_with_learned(plan: Recommendation, here: Settings = STOCK) -> tuple[Branch, ...]:
    """Return a plan's branches with their settings, those that were learned too; `here` as in `ask_about_settings`."""
    answers = await ask_about_plan(plan, here)
    return await asyncio.to_thread(branches_of, plan, learned=learned_settings(answers))


async def ask_about_plan(plan: Recommendation, here: Settings) -> Answers:
    """Ask what was learned for each checkpoint of a plan; `here` as in `ask_about_settings`."""
    branches = await asyncio.to_thread(branches_of, plan)
    known = {branch.checkpoint: branch.settings for branch in branches}
    try:
        home = runtime.current()
    except LearningError as error:  # a prompt of an unknown user
        log.warning("What was learned of settings cannot be used: %s", error)
        return {}
    return await ask_about_settings(home, plan.prompt, known, lambda: known_families(files().list()), here)


def with_question(plan: Recommendation, answers: Answers, may_change: str) -> Recommendation:
    """The plan with a second branch that tries another value of one setting.

    As it is where the checkpoint is still open, or no setting that may change has another value that is open.

    Parameters
    ----------
    may_change
        One of `checkpoints.profiles.MAY_CHANGE`. What the person set for the checkpoint is no question.
    """
    if len(plan.branches) != 1 or plan.fallback or plan.picked:
        return plan
    (branch,) = plan.branches
    settings = runtime.current_settings()
    by_person = settings.profiles.get(stored_name(branch.checkpoint), Settings())
    allowed = allowed_names(may_change, by_person)
    answered = answers.get(stored_name(branch.checkpoint), {}).values()
    drawn = parameter_values(branch.settings)
    # What seems best but is not sure enough to be drawn is itself the value to try.
    others = {each.name: each.worth_trying if each.value == drawn.get(each.name) else each.value for each in answered}
    asked = most_open(
        (
            each
            for each in answered
            if _is_open(each.name, allowed, by_person) and _is_there(each.name, others[each.name])
        ),
        settings.exploit_threshold,
    )
    if asked is None:
        return plan
    other = settings_with({asked.name: others[asked.name]})
    sources = {**branch.sources, **dict.fromkeys(other.known(), from_question())}
    second = replace(branch, settings=other.filled(branch.settings), sources=sources)
    return replace(plan, branches=(branch, second), strategy="exploit_explore")


def _is_open(name: ParameterName, allowed: Sequence[str], by_person: Settings) -> bool:
    fields = SIZE if name == "size" else (name,)
    return all(field in allowed and getattr(by_person, field) is None for field in fields)


def _is_there(name: ParameterName, value: object) -> bool:
    """Whether this ComfyUI has a value: images that were imported may name another program's samplers."""
    names = {"sampler": sampler_names, "scheduler": scheduler_names}.get(name)
    return names is None or value in names()
