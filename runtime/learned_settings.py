"""What was learned of checkpoints' settings, for all that show or use it: the questions, and which answers count.

Separate from `learning`, which answers about one checkpoint and refuses to know files, and from `checkpoints.profiles`,
which puts what counts beside the other sources. Nothing fails because of what is asked here: where nothing can be read,
nothing was learned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from ..learning.names import stored_name
from ..learning.parameters import PARAMETERS, ParameterRecommendation, Value
from ..recipes.settings import SIZE, Settings

if TYPE_CHECKING:
    from ..learning.service.service import PreferenceService
    from .runtime import Runtime

log = logging.getLogger(__name__)

SURE = 0.5
"""Of one checkpoint's own images or verdicts, a value with a greater confidence is used before what its files say."""

STOCK = Settings(20, 7.0, "euler", "normal", 512, 512, 1)
"""Values to ask with where no node gives its own."""

Answers: TypeAlias = Mapping[str, Mapping[str, ParameterRecommendation]]
"""By a checkpoint's stored name and by the parameter."""


async def ask_about_settings(
    home: Runtime,
    prompt: str,
    known: Mapping[str, Settings],
    families: Callable[[], Mapping[str, str]],
    here: Settings = STOCK,
) -> Answers:
    """Ask what was learned for each checkpoint that has images whose settings are known.

    Parameters
    ----------
    known
        The settings of each checkpoint as they are without it.
    families
        Finds the families of checkpoints; may block on the disk.
    here
        What is used where `known` says nothing.
    """
    defaults = {stored_name(name): parameter_values(settings.filled(here)) for name, settings in known.items()}
    try:
        found = await asyncio.to_thread(families)

        async def ask(service: PreferenceService) -> Answers:
            drawn = await service.checkpoints_with_settings()
            return {
                name: await service.recommend_parameters(prompt, values, name, families=found)
                for name, values in defaults.items()
                if name in drawn
            }

        return await home.run(ask)
    except Exception as error:  # a workflow never fails because learning failed
        log.warning("What was learned of settings cannot be used: %s", error)
        return {}


def learned_settings(answers: Answers) -> dict[str, Settings]:
    """The values that are known well enough of each checkpoint, by its stored name."""
    return {
        name: settings_with(
            {
                each.name: each.value
                for each in of_checkpoint.values()
                if each.source in ("checkpoint", "verdicts") and each.confidence > SURE
            }
        )
        for name, of_checkpoint in answers.items()
    }


def parameter_values(settings: Settings) -> dict[str, Value]:
    """The values that are known, by parameter."""
    known = settings.known()
    if all(side in known for side in SIZE):
        known["size"] = f"{known['width']}x{known['height']}"
    return {name: known[name] for name in PARAMETERS if name in known}


def settings_with(values: Mapping[str, object]) -> Settings:
    """Settings with these values, by parameter."""
    fields = {name: value for name, value in values.items() if name != "size"}
    if "size" in values:
        fields.update(zip(SIZE, map(int, str(values["size"]).split("x")), strict=True))
    return Settings(**fields)  # type: ignore[arg-type]
