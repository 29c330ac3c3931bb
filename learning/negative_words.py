"""A word that is suggested for a negative prompt.

Separate from `values`, because only the question about negative words needs it. It refuses to know how they are
learned.
"""

from __future__ import annotations

from dataclasses import dataclass

from .message import Message


@dataclass(frozen=True, slots=True)
class SuggestedWord:
    """One word or tag that is worth adding to a negative prompt.

    Attributes
    ----------
    score
        `share` and twice `gain`: what the word adds to this negative prompt. It is more than one half.
    share
        The part of the images kept for such prompts that is expected to have it, in 0..1.
    gain
        By how much more of the images of such prompts are kept with it than without it, in −1..1; 0 where nothing is
        known.
    reason
        One sentence for people.
    """

    word: str
    score: float
    share: float
    gain: float
    reason: Message
