"""Holds a run until a person has picked, and decides when not to wait.

A node that waits holds ComfyUI's whole queue, so nothing may make it wait for ever. Without a browser to answer it does
not wait, unless that was asked for; a browser that disconnected has a minute to come back; there is a time limit; an
interrupt ends the wait at once. Any tab can answer, not only the one that queued the run. What happens to the images is
the recorder's decision.
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
from ..comfy import execution, users
from ..comfy.messages import send_event

log = logging.getLogger(__name__)

PENDING_CHANGED = "context_checkpoint.pending"
"""The event that every browser gets when a run begins or ends to wait. It is empty: `GET pending` lists the runs."""

_POLL_INTERVAL_S = 0.1
_RECONNECT_TIMEOUT_S = 60.0
"""A page that reloads, or a connection that drops, is back long before."""


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """How long to wait (`timeout_s` 0 is without limit), and whether also without a browser."""

    timeout_s: float
    without_browser: bool


async def wait_for_pick(
    generations: Sequence[PendingGeneration], limits: WaitLimits, workflow_id: str
) -> PickAnswer | None:
    """Wait for an answer; None if nobody could or did give one.

    Raises
    ------
    comfy.model_management.InterruptProcessingException
        If the run is interrupted while it waits.
    """
    session_id = execution.session_id()
    if not (limits.without_browser or _can_be_answered(session_id, workflow_id)):
        log.info("No browser is connected, so this run does not wait for a pick")
        return None
    now = datetime.now(timezone.utc)
    pick = Pick(
        id=uuid.uuid4().hex,
        node_id=execution.node_id(),
        workflow_id=workflow_id,
        prompt_id=execution.prompt_id(),
        session_id=session_id,
        waiting_since=now,
        waits_until=now + timedelta(seconds=limits.timeout_s) if limits.timeout_s > 0 else None,
        rounds=tuple(generations),
        user=users.current_user(),
    )
    answered = pending_picks().open(pick)
    send_event(PENDING_CHANGED)
    log.info("Waiting for a pick among %d images (%s)", pick.images, pick.id)
    try:
        # The executor checks no interrupt while it awaits a node, so this does.
        deadline = _Deadline(limits, session_id, workflow_id)
        while not answered.is_set() and not deadline.passed():
            execution.throw_if_interrupted()
            await asyncio.sleep(_POLL_INTERVAL_S)
    finally:
        # Here and not above: an answer may come in between the last check and this.
        answer = pending_picks().close(pick.id)
        send_event(PENDING_CHANGED)
    return answer


def _can_be_answered(session_id: str, workflow_id: str) -> bool:
    """Whether a browser is connected that lists the run: that which queued it or, unless users are separate, any other.

    A socket does not say whose it is. A script's prompt has no workflow; it must not stop the queue for everybody.
    """
    if execution.is_connected(session_id):
        return True
    return workflow_id != "" and not users.are_separate() and execution.any_is_connected()


class _Deadline:
    """Whether to stop waiting, asked at every poll."""

    def __init__(self, limits: WaitLimits, session_id: str, workflow_id: str) -> None:
        self._limits = limits
        self._session_id, self._workflow_id = session_id, workflow_id
        self._started_s = self._connected_s = time.monotonic()

    def passed(self) -> bool:
        now_s = time.monotonic()
        if self._limits.without_browser or _can_be_answered(self._session_id, self._workflow_id):
            self._connected_s = now_s
        if 0 < self._limits.timeout_s <= now_s - self._started_s:
            log.info("Nobody picked within %g s; the run continues", self._limits.timeout_s)
            return True
        if now_s - self._connected_s > _RECONNECT_TIMEOUT_S:
            log.info("No browser is connected any more; the run continues without a pick")
            return True
        return False
