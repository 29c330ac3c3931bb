"""Messages: a text for people that other languages can say too."""

from __future__ import annotations

import copy
import pickle

from context_checkpoint.learning.message import Message, error_text, joined, message, parts_of


def test_a_message_is_its_english_text() -> None:
    """Whoever prints, logs or compares it need not know what it is."""
    said = message("cut", "{name} has {size} bytes.", name="{size}.gguf", size=7)
    assert said == "{size}.gguf has 7 bytes."
    assert said.parts == ({"text": said, "key": "cut", "values": {"name": "{size}.gguf", "size": 7}},)


def test_a_message_within_a_message_keeps_its_own_parts() -> None:
    """A reason is told in the same language as what it is the reason for."""
    said = message("dropped", "Out: {why}.", why=message("cut", "cut short"))
    assert said == "Out: cut short."
    assert said.parts[0]["values"] == {"why": [{"text": "cut short", "key": "cut", "values": {}}]}


def test_texts_in_a_row_are_the_parts_in_a_row() -> None:
    """Names among them are no language; what is empty leaves no space behind."""
    said = joined(["a.safetensors", "", message("cut", "cut short")], by=": ")
    assert said == "a.safetensors: cut short"
    assert [(part["text"], part.get("key")) for part in said.parts] == [
        ("a.safetensors", None),
        (": ", "colon"),
        ("cut short", "cut"),
    ]
    assert "".join(part["text"] for part in said.parts) == said


def test_any_text_has_parts() -> None:
    """One without a key stands for itself; no text has none."""
    assert parts_of("as it is") == ({"text": "as it is"},)
    assert parts_of("") == ()


def test_an_error_keeps_what_it_was_raised_with() -> None:
    """`str` of an error is the text alone."""
    said = message("cut", "cut short")
    assert error_text(ValueError(said)) is said
    assert error_text(KeyError("gone")) == "'gone'"


def test_a_message_survives_copies() -> None:
    """ComfyUI's caches and processes may copy what nodes hand on."""
    said = message("cut", "cut short")
    for other in (copy.deepcopy(said), pickle.loads(pickle.dumps(said))):  # noqa: S301
        assert isinstance(other, Message)
        assert (other, other.parts) == (said, said.parts)
