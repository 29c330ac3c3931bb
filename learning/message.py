"""Texts for people, in English and in parts that can be translated.

A message is a `str`, so code that logs, prints or compares it need not know this module. It also has a stable key
and values: the browser looks the key up in `locales/` (`message_<key>`) and falls back to the English words.
Separate from the errors because not every message is one: why a checkpoint is broken, what a recorder notes. It
refuses to know any language but English.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from .names import shown_name, shown_text


class _Words(TypedDict):
    text: str


class Part(_Words, total=False):
    """English words (`text`), and the key and values of their translation.

    A value is a text, a number or a list of parts. Without a key, `text` needs no translation: a name, a space.
    """

    key: str
    values: dict[str, Any]


class Message(str):
    """An English text that knows its parts; joined together they are the text."""

    __slots__ = ("parts",)
    parts: tuple[Part, ...]

    def __new__(cls, text: str, parts: Iterable[Part] = ()) -> Message:
        self = super().__new__(cls, text)
        self.parts = tuple(parts)
        return self


def message(key: str, template: str, /, **values: object) -> Message:
    """Fill in `template`, whose translations are in `locales/` under `message_<key>`.

    >>> message("example", "{name} has {size} bytes.", name="a.safetensors", size=7)
    'a.safetensors has 7 bytes.'
    """
    shown = {name: _shown(value) for name, value in values.items()}
    text = template.format(**shown)
    translatable = {name: list(parts_of(v)) if isinstance(v, Message) else v for name, v in shown.items()}
    return Message(text, [Part(text=text, key=key, values=translatable)])


def joined(texts: Iterable[str], by: str = " ") -> Message:
    """Join texts, whether they are messages or not; empty ones are left out.

    `by` is one of `_BETWEEN`.
    """
    parts: list[Part] = []
    kept = [as_shown(text) for text in texts if text]
    for text in kept:
        if parts:
            parts.append(Part(text=by, key=_BETWEEN[by]))
        parts += parts_of(text)
    return Message(by.join(kept), parts)


_BETWEEN = {" ": "space", ": ": "colon", "; ": "semicolon"}
"""Keys of the separators, which not every language writes in the same way."""


def parts_of(text: str) -> tuple[Part, ...]:
    """The parts of any text; a plain one is a single part without a key."""
    if isinstance(text, Message):
        return text.parts
    return (Part(text=text),) if text else ()


def error_text(error: BaseException) -> str:
    """The text of an error, with its parts where it was raised with a message."""
    text = error.args[0] if error.args else ""
    return text if isinstance(text, Message) else str(error)


_CHECKED: Mapping[str, tuple[str, ...]] = {
    "greater_than_equal": ("ge",),
    "less_than_equal": ("le",),
    "int_from_float": (),
    "int_parsing": (),
    "int_type": (),
    "float_type": (),
    "string_type": (),
    "bool_type": (),
    "missing": (),
    "string_too_long": ("max_length",),
    "too_long": ("max_length",),
    "json_invalid": (),
}
"""Kinds of pydantic's errors that people meet in a browser, with the values that their texts use."""


def checked(problem: Mapping[str, Any]) -> Message:
    """One of pydantic's `ValidationError.errors()` as a message, in its own English words."""
    raised = problem.get("ctx", {}).get("error")
    if isinstance(raised, ValueError):
        reason = error_text(raised)
        return reason if isinstance(reason, Message) else Message(reason, parts_of(reason))
    text, kind = problem["msg"], problem["type"]
    if kind not in _CHECKED:
        return Message(text, parts_of(text))
    values = {name: problem["ctx"][name] for name in _CHECKED[kind]}
    return Message(text, [Part(text=text, key=f"check_{kind}", values=values)])


def _shown(value: object) -> object:
    """A value as people see it: a name, or what another program said in lines. A message is shown already."""
    if isinstance(value, (Message, int, float)):
        return value
    text = str(value)
    return shown_text(text) if "\n" in text else shown_name(text)


def as_shown(text: str) -> str:
    """A text with its names as people see them; a message has them so already."""
    return text if isinstance(text, Message) else shown_text(text)
