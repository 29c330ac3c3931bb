"""Messages: a text for people that other languages can say too."""

from __future__ import annotations

import copy
import pickle

from context_checkpoint.learning.message import Message, error_text, joined, message, parts_of


def test_a_message_is_its_english_text() -> None:
    """Whoever prints, logs or compares it need not know what it is."""
    text = message("cut", "{name} has {size} bytes.", name="{size}.gguf", size=7)
    assert text == "{size}.gguf has 7 bytes."
    assert text.parts == ({"text": text, "key": "cut", "values": {"name": "{size}.gguf", "size": 7}},)


def test_a_message_within_a_message_keeps_its_own_parts() -> None:
    """A reason is translated with the message that it is a part of."""
    text = message("dropped", "Out: {why}.", why=message("cut", "cut short"))
    assert text == "Out: cut short."
    assert text.parts[0]["values"] == {"why": [{"text": "cut short", "key": "cut", "values": {}}]}


def test_texts_in_a_row_are_the_parts_in_a_row() -> None:
    """Names among them are no language; what is empty leaves no space behind."""
    text = joined(["a.safetensors", "", message("cut", "cut short")], by=": ")
    assert text == "a.safetensors: cut short"
    assert [(part["text"], part.get("key")) for part in text.parts] == [
        ("a.safetensors", None),
        (": ", "colon"),
        ("cut short", "cut"),
    ]
    assert "".join(part["text"] for part in text.parts) == text


def test_any_text_has_parts() -> None:
    """One without a key stands for itself; no text has none."""
    assert parts_of("as it is") == ({"text": "as it is"},)
    assert parts_of("") == ()


def test_an_error_keeps_what_it_was_raised_with() -> None:
    """`str` of an error is the text alone."""
    text = message("cut", "cut short")
    assert error_text(ValueError(text)) is text
    assert error_text(KeyError("gone")) == "'gone'"


def test_a_message_survives_copies() -> None:
    """ComfyUI's caches and processes may copy what nodes hand on."""
    text = message("cut", "cut short")
    for other in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):  # noqa: S301
        assert isinstance(other, Message)
        assert (other, other.parts) == (text, text.parts)
