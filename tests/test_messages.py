"""Every message of the server has a text in each language, and the English one is the code's own."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from pydantic import BaseModel, Field, ValidationError

from context_checkpoint.learning.message import Message, checked

ROOT = Path(__file__).parent.parent
MESSAGE_FUNCTION = "message"

LANGUAGES = ("en", "zh", "ja")


def texts(language: str) -> dict[str, str]:
    """The messages of the server, by their keys."""
    messages = json.loads((ROOT / "locales" / language / "main.json").read_text("utf-8"))["contextCheckpoint"]
    return {key.removeprefix("message_"): text for key, text in messages.items() if key.startswith("message_")}


def in_the_code() -> dict[str, str]:
    """Key and English template of each message in the code."""
    templates: dict[str, str] = {}
    rooms = ("api", "checkpoints", "cli", "images", "learning", "nodes", "runtime")
    for file in (file for room in rooms for file in ROOT.glob(f"{room}/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            values = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if node.func.id == MESSAGE_FUNCTION and len(values) == 2:
                key, template = map(str, values)
                assert templates.setdefault(key, template) == template, f"{key} has two templates"
    return templates


def test_the_english_texts_are_those_of_the_code() -> None:
    """Translators work from them; one that the code no longer has is gone from them too. A few join messages, or
    are the browser's own."""
    stated = {key: text for key, text in texts("en").items() if not key.startswith("check_")}
    apart = {"space", "colon", "semicolon"} | {"no_answer", "no_workflow", "no_node", "no_fit"}
    apart |= {"several_uses", "chosen_outside", "shown_outside", "prompt_apart"}
    apart |= {"run_no_recommender", "run_prompt_computed"}
    messages = in_the_code()
    assert len(messages) > 80
    assert {key: text for key, text in stated.items() if key not in apart} == messages


class Checked(BaseModel):
    """One field for each refusal that a person can meet in the panel."""

    whole: int = Field(default=0, ge=0, le=5)
    words: str = Field(default="", max_length=3)
    needed: bool


@pytest.mark.parametrize(
    "values",
    [
        {"needed": True, "whole": -1},
        {"needed": True, "whole": 6},
        {"needed": True, "whole": 1.5},
        {"needed": True, "whole": "x"},
        {"needed": True, "words": "long"},
        {},
    ],
    ids=str,
)
def test_what_pydantic_refuses_is_in_the_texts(values: dict[str, object]) -> None:
    """In pydantic's English, so that a release of it with other words is noticed."""
    with pytest.raises(ValidationError) as refused:
        Checked.model_validate(values)
    refusal = checked(refused.value.errors()[0])
    (part,) = refusal.parts
    for language in LANGUAGES:
        text = texts(language)[part["key"]].format(**part["values"])
        assert (text == str(refusal)) == (language == "en")


def test_a_message_of_ours_inside_pydantics_keeps_its_parts() -> None:
    """A validator's ValueError comes without pydantic's "Value error"."""
    own = Message("is not so", [{"text": "is not so", "key": "example", "values": {}}])
    assert checked({"type": "value_error", "msg": "Value error, is not so", "ctx": {"error": ValueError(own)}}) == own
