"""Holds a run until a person has picked, and says when not to.

A node that waits holds ComfyUI's whole queue, so each way to wait for ever is closed here: with no browser to
answer it never begins, unless that was asked for; a browser that went away is given a minute to come back;
there is a time limit; an interrupt ends it at once. What becomes of the images is the recorder's to say.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ...runtime.pending_picks import PendingGeneration, Pick, PickAnswer, pending_picks
from ..comfy import adapter as comfy_adapter
from ..comfy.users import person

log = logging.getLogger(__name__)

PENDING_CHANGED = "context_checkpoint.pending"
"""Sent to every browser when a run begins or ends to wait; it carries nothing: `GET pending` tells which."""

_LOOK_EVERY_S = 0.1
_BROWSER_MAY_BE_AWAY_S = 60.0
"""A page that reloads, or a connection that drops, is back long before."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: `timeout_s` 0 is without limit."""

    timeout_s: float
    without_browser: bool


async def wait_for_pick(rounds: Sequence[PendingGeneration], patience: Patience, workflow_id: str) -> PickAnswer | None:
    """Wait for an answer; None if nobody could or did give one.

    Raises
    ------
    comfy.model_management.InterruptProcessingException
        If the run is interrupted while it waits.
    """
    session_id = comfy_adapter.session_id()
    if not (patience.without_browser or comfy_adapter.is_connected(session_id)):
        log.info("No browser is connected to this run, so it does not wait for a pick")
        return None
    now = datetime.now(timezone.utc)
    pick = Pick(
        id=uuid.uuid4().hex,
        node_id=comfy_adapter.node_id(),
        workflow_id=workflow_id,
        prompt_id=comfy_adapter.prompt_id(),
        session_id=session_id,
        waiting_since=now,
        waits_until=now + timedelta(seconds=patience.timeout_s) if patience.timeout_s > 0 else None,
        rounds=tuple(rounds),
        user=person(),
    )
    answered = pending_picks().open(pick)
    comfy_adapter.tell_browsers(PENDING_CHANGED)
    log.info("Waiting for a pick among %d images (%s)", pick.images, pick.id)
    try:
        # The executor checks no interrupt while it awaits a node, so this does.
        limit = _Limit(patience, session_id)
        while not answered.is_set() and not limit.reached():
            comfy_adapter.throw_if_interrupted()
            await asyncio.sleep(_LOOK_EVERY_S)
    finally:
        # Here and not above: an answer may come in between the last look and this.
        answer = pending_picks().close(pick.id)
        comfy_adapter.tell_browsers(PENDING_CHANGED)
    return answer


class _Limit:
    """Whether to give up, asked again and again."""

    def __init__(self, patience: Patience, session_id: str) -> None:
        self._patience = patience
        self._session_id = session_id
        self._began_s = self._seen_s = time.monotonic()

    def reached(self) -> bool:
        now_s = time.monotonic()
        if self._patience.without_browser or comfy_adapter.is_connected(self._session_id):
            self._seen_s = now_s
        if 0 < self._patience.timeout_s <= now_s - self._began_s:
            log.info("Nobody picked within %g s; the run goes on", self._patience.timeout_s)
            return True
        if now_s - self._seen_s > _BROWSER_MAY_BE_AWAY_S:
            log.info("The browser that queued this run is gone; it goes on without a pick")
            return True
        return False
