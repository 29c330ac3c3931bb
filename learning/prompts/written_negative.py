"""A negative prompt as the person wrote it, in one note beside a generation's keywords.

Keywords have one form for all spellings ("bad hand"), and only the negative prompt that a recommender was given makes
some. What is suggested should be spelled as the person spells it, and the words of a graph of their own count too. So
the log keeps, with weight 0, one more text: the tags as they were written, in the order of the alphabet. It teaches
nothing of checkpoints. Separate from `keywords`, whose forms it refuses to change. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from ..names import stored_text
from ..values import Keyword
from .keywords import MOST_NEGATIVE, NEGATIVE, negative_keywords, whole_tags

NOTE = NEGATIVE * 2
"""Begins a note, and no keyword."""

_MOST_BYTES = 1_500  # PostgreSQL's index takes no text of 2,700
_LONGEST_TAG, _MOST_WORDS = 40, 4
"""Letters and words, as keywords have them: a sentence is in no note."""
_SEPARATORS = re.compile(r"[,\n\u3001\u060c\uff0c]")
_SYNTAX = re.compile(r"<[^<>]*>|:\s*[+-]?\d*\.?\d+(?=\s*\))|(?<!\\)[()\[\]{}]")
"""Files, weights and brackets."""


def is_note(text: str) -> bool:
    """Tell whether a text of a log's keywords is a note."""
    return text.startswith(NOTE)


def written_note(negatives: Sequence[str | None]) -> tuple[Keyword, ...]:
    """The note for images with these negative prompts: the tags that all have; none where one is not known.

    >>> written_note(["(bad hands:1.2), Blurry", "blurry, bad hands, text"])
    (Keyword(text='--bad hands, blurry', weight=0.0),)
    """
    known = [_tags(negative) for negative in dict.fromkeys(negatives) if negative is not None]
    if None in negatives or not known:
        return ()
    common = [tag for tag in known[0] if all(tag in others for others in known[1:])][:MOST_NEGATIVE]
    kept, size = [], 0
    for tag in common:
        size += len(tag.encode()) + 2
        if size <= _MOST_BYTES:
            kept.append(tag)
    return (Keyword(NOTE + ", ".join(sorted(kept)), 0.0),) if kept else ()


def learned(words: Iterable[Keyword]) -> tuple[Keyword, ...]:
    """The keywords of a generation without its note."""
    return tuple(word for word in words if not is_note(word.text))


@lru_cache(maxsize=4096)  # most people paste one list into every prompt
def spellings(note: str) -> Mapping[str, str]:
    """What a note has: its tags in the form of keywords, and as they were written.

    >>> dict(spellings("--bad hands, blurry"))
    {'bad hand': 'bad hands', 'blurry': 'blurry'}
    """
    found: dict[str, str] = {}
    for tag in note[len(NOTE) :].split(", "):
        forms = whole_tags(word.text[len(NEGATIVE) :] for word in negative_keywords(tag))
        for form in forms:
            found.setdefault(form, tag if len(forms) == 1 else form)
    return found


@lru_cache(maxsize=64)
def _tags(negative: str) -> tuple[str, ...]:
    pieces = (" ".join(_SYNTAX.sub(" ", piece).split()) for piece in _SEPARATORS.split(stored_text(negative)))
    return tuple(dict.fromkeys(piece.casefold() for piece in pieces if _is_tag(piece)))


def _is_tag(piece: str) -> bool:
    """Tell whether a part of a negative prompt is a tag; an embedding is the name of a file."""
    short = len(piece) <= _LONGEST_TAG and len(piece.split()) <= _MOST_WORDS
    return short and "embedding:" not in piece.casefold() and any(character.isalnum() for character in piece)
