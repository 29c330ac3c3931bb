"""The errors that leave `learning`.

Separate from the code that raises them so that a route, a node or the command line can catch them without
importing SQLAlchemy. Each carries a stable `code` for programs and a message for people that says what to do
next. An error that is none of these is a bug and is not caught here.
"""

from __future__ import annotations

from .message import message


class LearningError(Exception):
    """A request that cannot be answered, or a store that cannot answer.

    Attributes
    ----------
    code
        Stable, for programs: `unknown_generation`, `store_locked`, ...
    message
        For people; its last sentence says what to do next. A `message.Message` where it may be shown in a
        browser.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidRequest(LearningError):
    """A question that has no answer: no candidates, an unknown policy, a generation without images."""

    def __init__(self, message: str, code: str = "invalid_request") -> None:
        super().__init__(code, message)


class UnknownGeneration(LearningError):
    """No generation with this id has been logged in this database."""

    def __init__(self, generation_id: str) -> None:
        super().__init__(
            "unknown_generation",
            message(
                "unknown_generation",
                "No generation '{id}' is logged. Take the id from the recorder or the sampler, or list the "
                "logged ones with `context-checkpoint stats` or GET generations.",
                id=generation_id[:80],
            ),
        )


class UnknownImage(LearningError):
    """A verdict names an image or a checkpoint that the generation does not have."""

    def __init__(self, message: str) -> None:
        super().__init__("unknown_image", message)


class InvalidVerdict(LearningError):
    """A verdict contradicts itself or counts more images than were shown."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_verdict", message)


class StoreUnavailable(LearningError):
    """The database cannot be read or written now; nothing of the failed operation was stored.

    Attributes
    ----------
    temporary
        The cause may pass: a server that is away, a lock, a full disk. Until then work may wait in the outbox.
    """

    def __init__(self, code: str, message: str, *, temporary: bool = False) -> None:
        super().__init__(code, message)
        self.temporary = temporary

    def again(self) -> StoreUnavailable:
        """The same error, to be raised once more."""
        return StoreUnavailable(self.code, self.message, temporary=self.temporary)
