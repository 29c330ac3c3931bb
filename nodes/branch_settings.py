"""What each branch of a plan is drawn with: the checkpoint's own settings, where they are known.

Both nodes that need it use this module: `ContextSettingsRecommender`, which writes it into the plan, and
`MultiCheckpointSampler`, which works it out by itself where the plan says nothing. Which source counts first belongs to
`checkpoints.profiles`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from .. import runtime
from ..checkpoints.profiles import ALL_BUT_SIZE, FromFiles, SamplerNames, complete_profile, with_profile
from ..learning.message import message, parts_of
from ..learning.names import stored_name
from ..learning.profiles import Profile
from ..learning.values import Branch, Recommendation
from ..recipes.settings import Settings
from .comfy.files import file_profiles
from .comfy.graph import sampler_names, scheduler_names

log = logging.getLogger(__name__)


def branches_of(
    plan: Recommendation,
    may_change: str = ALL_BUT_SIZE,
    otherwise: Settings | None = None,
    learned: Mapping[str, Settings] | None = None,
) -> tuple[Branch, ...]:
    """Return a plan's branches with their settings, in its order.

    Parameters
    ----------
    may_change, otherwise
        See `with_profile`.
    learned
        What the kept images of each checkpoint were drawn with, by its stored name.
    """
    profiles, branches = runtime.current_settings().profiles, []
    for branch in plan.all_branches:
        name = stored_name(branch.checkpoint)
        by_person = profiles.get(name, Settings())
        profile = known_profile(branch.checkpoint, by_person, (learned or {}).get(name))
        branches.append(with_profile(branch, profile, by_person, may_change, otherwise))
    return tuple(branches)


def known_profile(checkpoint: str, by_person: Settings, learned: Settings | None = None) -> Profile:
    """Return what is known of a checkpoint's settings. A failure is said in it, and what the person set holds."""
    names = SamplerNames(sampler_names(), scheduler_names())
    try:
        found = file_profiles().of(checkpoint)
    except Exception as error:  # whatever is wrong with files beside a checkpoint, its images can be drawn
        log.warning("Cannot read what the files of %s say of its settings", checkpoint, exc_info=True)
        reason = f"{type(error).__name__}: {error}"
        problem = message("profile_not_read", "Its files could not be read for its settings: {error}", error=reason)
        found = FromFiles(problems=(problem,))
    return complete_profile(found, by_person=by_person, learned=learned, names=names)


def settings_fingerprint() -> str:
    """Return a value that changes with what a person set for any checkpoint, and with any sidecar file."""
    try:
        state = (runtime.current_settings().profiles, file_profiles().state())
    except Exception:  # `known_profile` reports it
        log.debug("Cannot read the state of the checkpoints' settings", exc_info=True)
        return "unavailable"
    return hashlib.sha256(repr(state).encode("utf-8", "surrogatepass")).hexdigest()


def as_ui(branch: Branch) -> dict[str, Any]:
    """Return what the browser shows of a branch, in the shape of `POST /recommend`'s `branches`; and its LoRAs."""
    return {
        "checkpoint": branch.checkpoint,
        "settings": branch.settings.known(),
        "sources": dict(branch.sources),
        "source_parts": {name: list(parts_of(source)) for name, source in branch.sources.items()},
        "problems": list(branch.problems),
        "problem_parts": [list(parts_of(problem)) for problem in branch.problems],
        "loras": [list(lora) for lora in branch.loras],
    }
