"""Placeholders in a file name's prefix."""

from __future__ import annotations

from datetime import datetime

import pytest

from context_checkpoint.nodes.saving.file_name import filled_in

PROMPT = {
    "1": {"class_type": "KSampler", "inputs": {"seed": 7, "model": ["2", 0]}, "_meta": {"title": "First pass"}},
    "2": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a/b.safetensors"}},
}
NOW = datetime(2026, 3, 9, 5, 4, 3)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("ComfyUI", "ComfyUI"),
        ("%date:yyyy-MM-dd%/x", "2026-03-09/x"),
        ("%date:d.M.yy hh-mm-ss%", "9.3.26 05-04-03"),
        ("%KSampler.seed%", "7"),
        ("%First pass.seed%", "7"),
        ("%CheckpointLoaderSimple.ckpt_name%", "a_b.safetensors"),
        ("%KSampler.model% %Nobody.seed%", "%KSampler.model% %Nobody.seed%"),
        ("%checkpoint%_%width%x%height%_%year%", "写真 v1_%width%x%height%_%year%"),
    ],
)
def test_placeholders_are_filled_in(prefix: str, expected: str) -> None:
    """Those of ComfyUI's server, and those that name nothing, stay as they are."""
    assert filled_in(prefix, PROMPT, "sdxl/写真 v1.safetensors", NOW) == expected


def test_an_unknown_checkpoint_has_a_name_too() -> None:
    """So that the file has one."""
    assert filled_in("%checkpoint%", {}, "", NOW) == "unknown"


def test_a_long_name_leaves_room_for_the_rest() -> None:
    """A name of a file has at most 255 bytes, and a character of some scripts takes three."""
    name = filled_in("%checkpoint%", {}, f"{'写' * 200}.safetensors", NOW)

    assert name == "写" * 50


def test_a_value_makes_no_folder() -> None:
    """Whatever is in another node's input, it stays one part of the name."""
    prompt = {"1": {"class_type": "Text", "inputs": {"text": '../../etc: "x"\n'}}}

    assert filled_in("%Text.text%", prompt, "", NOW) == ".._.._etc_ _x__"
