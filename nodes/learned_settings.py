"""What was learned of settings, for the branches of a plan: the values to use, and another one that is worth trying.

Separate from `branch_settings`, which knows files and what a person set. A plan never fails because of what is asked
here: where nothing can be read, nothing was learned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .. import runtime
from ..checkpoints.families import UNKNOWN
from ..checkpoints.profiles import allowed_names
from ..learning.names import stored_name
from ..learning.parameters import PARAMETERS, ParameterName, ParameterRecommendation, Value
from ..learning.profiles import from_question
from ..learning.recommendation.parameter_choice import most_open
from ..learning.values import Branch, Recommendation
from ..recipes.settings import SIZE, Settings
from .branch_settings import branches_of
from .comfy.files import files
from .comfy.graph import sampler_names, scheduler_names

log = logging.getLogger(__name__)

SURE = 0.5
"""Of one checkpoint's own images or verdicts, a value with a greater confidence is used before what its files say."""

_STOCK = Settings(20, 7.0, "euler", "normal", 512, 512, 1)
"""Values to ask with where no node gives its own."""

Answers = Mapping[str, Mapping[str, ParameterRecommendation]]
"""By a checkpoint's stored name and by the parameter."""


async def branches_with_learned(plan: Recommendation, here: Settings = _STOCK) -> tuple[Branch, ...]:
    """Return a plan's branches with their settings, those that were learned too; `here` as in `ask_about_settings`."""
    answers = await ask_about_settings(plan, await asyncio.to_thread(branches_of, plan), here)
    return await asyncio.to_thread(branches_of, plan, learned=learned_settings(answers))


async def ask_about_settings(plan: Recommendation, branches: Sequence[Branch], here: Settings) -> Answers:
    """Ask what was learned for each checkpoint of a plan.

    Parameters
    ----------
    branches
        With the settings that they have without it.
    here
        What is used where these say nothing.
    """
    try:
        families = {file.name: file.family for file in await asyncio.to_thread(files().list) if file.family != UNKNOWN}
        return {
            stored_name(branch.checkpoint): await runtime.current().run(
                lambda service, branch=branch: service.recommend_parameters(
                    plan.prompt,
                    _values(branch.settings.filled(here)),
                    branch.checkpoint,
                    families=families,
                )
            )
            for branch in branches
        }
    except Exception as error:  # a workflow never fails because learning failed
        log.warning("What was learned of settings cannot be used: %s", error)
        return {}


def learned_settings(answers: Answers) -> dict[str, Settings]:
    """The values that are known well enough of each checkpoint, by its stored name."""
    return {
        name: _settings(
            {
                each.name: each.value
                for each in of_checkpoint.values()
                if each.source in ("checkpoint", "verdicts") and each.confidence > SURE
            }
        )
        for name, of_checkpoint in answers.items()
    }


def with_question(plan: Recommendation, answers: Answers, may_change: str) -> Recommendation:
    """The plan with a second branch that tries another value of one setting.

    As it is where the checkpoint is still open, or no setting that may change has another value that is open.

    Parameters
    ----------
    may_change
        One of `checkpoints.profiles.MAY_CHANGE`. What the person set for the checkpoint is no question.
    """
    if len(plan.branches) != 1 or plan.fallback:
        return plan
    (branch,) = plan.branches
    settings = runtime.current_settings()
    by_person = settings.profiles.get(stored_name(branch.checkpoint), Settings())
    allowed = allowed_names(may_change, by_person)
    answered = answers.get(stored_name(branch.checkpoint), {}).values()
    drawn = _values(branch.settings)
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
    other = _settings({asked.name: others[asked.name]})
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


def _values(settings: Settings) -> dict[ParameterName, Value]:
    """The values that are known, by parameter."""
    known = settings.known()
    if all(side in known for side in SIZE):
        known["size"] = f"{known['width']}x{known['height']}"
    return {name: known[name] for name in PARAMETERS if name in known}


def _settings(values: Mapping[str, object]) -> Settings:
    """Settings with these values, by parameter."""
    fields = {name: value for name, value in values.items() if name != "size"}
    if "size" in values:
        fields.update(zip(SIZE, map(int, str(values["size"]).split("x")), strict=True))
    return Settings(**fields)  # type: ignore[arg-type]
