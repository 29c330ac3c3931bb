"""What a recommender's plan depends on besides its inputs, as one value.

Separate from the recommender, because ComfyUI's cache is not the only one who asks: what a cached result of the other
nodes belongs to depends on it too.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging

from .. import runtime
from .branch_settings import settings_fingerprint
from .comfy.files import files

log = logging.getLogger(__name__)


async def plan_state() -> str:
    """Return a value that changes with the learned data, the checkpoints, their settings and the pack's."""
    try:
        learned = await runtime.current().run(lambda service: service.learned_version())
    except Exception:  # the recommender reports it when it runs
        log.debug("Cannot read the version of the learned data", exc_info=True)
        learned = "unavailable"
    settings = runtime.current_settings()
    checkpoints = await asyncio.to_thread(files().list)
    profiles = await asyncio.to_thread(settings_fingerprint)  # the recommender shows them
    state = (learned, settings.policy, settings.thresholds, settings.pinned, settings.banned, checkpoints, profiles)
    return hashlib.sha256(repr(state).encode()).hexdigest()
