"""What a person is told, in English and in parts, so that another language can say it too.

A message is a `str`, so that whoever logs, prints or compares it need not know this module. It has a stable
key and values beside its English words: the browser looks the key up in `locales/` (`message_<key>`) and
falls back to the words. Separate from the errors because not every message is one: why a checkpoint is
broken, what a recorder notes. It knows no language but English.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict


class _Words(TypedDict):
    text: str


class Part(_Words, total=False):
    """Words in English (`text`), and by which key and values to say them in another language.

    A value is a text or a number, or parts again. Without a key, `text` is no language: a name, a space.
    """

    key: str
    values: dict[str, Any]


class Message(str):
    """An English text that knows its parts; joined together they are the text."""

    __slots__ = ("parts",)
    parts: tuple[Part, ...]

    def __new__(cls, text: str, parts: Iterable[Part] = ()) -> Message:
        made = super().__new__(cls, text)
        made.parts = tuple(parts)
        return made


def message(key: str, template: str, /, **values: object) -> Message:
    """Say `template`, which a translator finds in `locales/` under `message_<key>`.

    >>> message("example", "{name} has {size} bytes.", name="a.safetensors", size=7)
    'a.safetensors has 7 bytes.'
    """
    text = template.format(**values)
    error_text = {name: _value(value) for name, value in values.items()}
    return Message(text, [Part(text=text, key=key, values=error_text)])


def joined(texts: Iterable[str], by: str = " ") -> Message:
    """Put texts in a row, those that are messages and those that are not; empty ones are left out.

    `by` is one of `_BETWEEN`.
    """
    parts: list[Part] = []
    kept = [text for text in texts if text]
    for text in kept:
        if parts:
            parts.append(Part(text=by, key=_BETWEEN[by]))
        parts += parts_of(text)
    return Message(by.join(kept), parts)


_BETWEEN = {" ": "space", ": ": "colon", "; ": "semicolon"}
"""Not every language writes them so."""


def parts_of(text: str) -> tuple[Part, ...]:
    """The parts of any text; one that is no message is a single part without a key."""
    if isinstance(text, Message):
        return text.parts
    return (Part(text=text),) if text else ()


def error_text(error: BaseException) -> str:
    """What an error says, with its parts where it was raised with a message."""
    said = error.args[0] if error.args else ""
    return said if isinstance(said, Message) else str(error)


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
"""Refusals of pydantic's that a person meets in a browser, with what of their context is said."""


def checked(problem: Mapping[str, Any]) -> Message:
    """What pydantic found wrong (one of `ValidationError.errors()`), in its own English words."""
    raised = problem.get("ctx", {}).get("error")
    if isinstance(raised, ValueError):
        said = error_text(raised)
        return said if isinstance(said, Message) else Message(said, parts_of(said))
    text, kind = problem["msg"], problem["type"]
    if kind not in _CHECKED:
        return Message(text, parts_of(text))
    values = {name: problem["ctx"][name] for name in _CHECKED[kind]}
    return Message(text, [Part(text=text, key=f"check_{kind}", values=values)])


def _value(value: object) -> object:
    if isinstance(value, Message):
        return list(value.parts)
    return value if isinstance(value, (int, float)) else str(value)
