"""The runs that wait for a person's pick, and how a pick reaches them.

Separate from the node that waits and from the routes that take the answer: they run on different threads and meet only
here, and there is no ComfyUI in it. It refuses a second answer to one run, and decides nothing about images.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..learning.errors import InvalidVerdict, LearningError
from ..learning.message import message
from ..learning.values import ImageFile


class UnknownPick(LearningError):
    """No run waits for a pick of this id, or no longer."""

    def __init__(self, pick_id: str) -> None:
        super().__init__(
            "unknown_pick",
            message(
                "unknown_pick",
                "No run waits for a pick '{id}': it was answered, timed out or was interrupted. Ask GET "
                "pending which ones wait; a verdict on a run that is over goes to POST feedback.",
                id=pick_id[:80],
            ),
        )


@dataclass(frozen=True, slots=True)
class PendingGeneration:
    """The images of one generation; `first` is the number of the first of them in the whole pick."""

    generation_id: str
    first: int
    images: tuple[ImageFile, ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """One run that waits.

    Attributes
    ----------
    node_id, workflow_id
        Where it waits, as ComfyUI's frontend calls it; `workflow_id` is empty where a script queued it.
    session_id
        The client that queued it.
    waits_until
        When it goes on without an answer; None: never.
    user
        Whose it is, where ComfyUI tells users apart; nobody else sees it.
    """

    id: str
    node_id: str
    workflow_id: str
    prompt_id: str
    session_id: str
    waiting_since: datetime
    waits_until: datetime | None
    rounds: tuple[PendingGeneration, ...]
    user: str = ""

    @property
    def images(self) -> int:
        """How many images there are to pick from, in all generations."""
        return sum(len(part.images) for part in self.rounds)


@dataclass(frozen=True, slots=True)
class PickAnswer:
    """Numbers of images, counted from 0 over all generations; `send_all` hands all on and judges none."""

    selected: frozenset[int] = frozenset()
    rejected: frozenset[int] = frozenset()
    send_all: bool = False


class PendingPicks:
    """Thread-safe; one per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, Pick] = {}
        self._answers: dict[str, PickAnswer] = {}
        self._answered: dict[str, threading.Event] = {}

    def open(self, pick: Pick) -> threading.Event:
        """Make a pick answerable; the event is set once it is answered."""
        answered = threading.Event()
        with self._lock:
            self._waiting[pick.id] = pick
            self._answered[pick.id] = answered
        return answered

    def close(self, pick_id: str) -> PickAnswer | None:
        """Stop waiting, however it ended, and return the answer if there is one."""
        with self._lock:
            self._waiting.pop(pick_id, None)
            self._answered.pop(pick_id, None)
            return self._answers.pop(pick_id, None)

    def list(self, user: str = "") -> tuple[Pick, ...]:
        """The picks that wait for a user, the longest waiting first."""
        with self._lock:
            return tuple(pick for pick in self._waiting.values() if pick.user == user)

    def answer(self, pick_id: str, answer: PickAnswer, user: str = "") -> Pick:
        """Let a run of a user go on.

        Raises
        ------
        UnknownPick
            If it does not wait, or no longer, or belongs to another user.
        InvalidVerdict
            If the answer contradicts itself or names an image that the run does not have; it goes on waiting.
        """
        with self._lock:
            pick = self._waiting.get(pick_id)
            if pick is None or pick.user != user:
                raise UnknownPick(pick_id)
            _check(answer, pick.images)
            del self._waiting[pick_id]
            self._answers[pick_id] = answer
            self._answered[pick_id].set()
        return pick


def _check(answer: PickAnswer, images: int) -> None:
    if both := answer.selected & answer.rejected:
        raise InvalidVerdict(
            message(
                "pick_both",
                "Image {images} is both selected and rejected: name it once.",
                images=_numbers(both),
            )
        )
    if unknown := [number for number in answer.selected | answer.rejected if number >= images]:
        raise InvalidVerdict(
            message(
                "pick_no_image",
                "There is no image {unknown}: the run that waits has {images}, counted from 0.",
                unknown=_numbers(unknown),
                images=images,
            )
        )


def _numbers(numbers: Sequence[int] | frozenset[int]) -> str:
    return ", ".join(str(number) for number in sorted(numbers))


_pending = PendingPicks()


def pending_picks() -> PendingPicks:
    """The picks of this process, which the recorder and the routes share."""
    return _pending
