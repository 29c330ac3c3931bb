"""The stock loader opens tiny checkpoints, and the colour of an image identifies its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from context_checkpoint.demo.comfyui.server import ComfyServer, Picture
from context_checkpoint.demo.comfyui.stock_graph import by_hand
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints
from context_checkpoint.demo.tiny_models.networks import Color

OCHRE: Color = (0.75, 0.5, 0.3)


def draw(server: ComfyServer, checkpoint: str, **options: Any) -> Picture:
    (picture,) = server.images(server.run(by_hand(checkpoint, **options)))
    return picture


@pytest.mark.parametrize("name", ["orange", "teal", "pink"])
def test_a_checkpoint_makes_images_of_its_colour(name: str, comfy: ComfyServer) -> None:
    """Those that the demonstration does not have; it checks the other six."""
    picture = draw(comfy, f"{name}.safetensors")

    assert tiny_checkpoints.made_by(picture.mean_color, tiny_checkpoints.NINE_COLORS) == name


@pytest.mark.parametrize("name", ["text/ink.safetensors", "sd15/paint.safetensors"])
def test_the_families_with_a_text_encoder_draw_what_the_prompt_says(name: str, comfy: ComfyServer) -> None:
    """Another prompt gives another picture; the same prompt and seed give the same."""
    cat = draw(comfy, name, prompt="a cat")
    again = draw(comfy, name, prompt="a cat")
    dog = draw(comfy, name, prompt="a dog on mars")

    assert np.array_equal(cat.pixels, again.pixels)
    assert not np.array_equal(cat.pixels, dog.pixels)


def test_a_tiny_lora_changes_the_picture(comfy: ComfyServer) -> None:
    """A LoRA of some kilobytes is found, loaded and applied by the stock node."""
    tiny_checkpoints.write_lora(comfy.base_directory / "models" / "loras" / "style.safetensors", "sd15")
    plain = draw(comfy, "sd15/paint.safetensors")

    styled = draw(comfy, "sd15/paint.safetensors", loras=[("style.safetensors", 1.0, 1.0)])

    assert not np.array_equal(plain.pixels, styled.pixels)


def test_sdxl_and_flux_load_and_draw_too(comfy: ComfyServer) -> None:
    """Flux, whose file has no text encoder, borrows that of an SD3 file."""
    folder: Path = comfy.checkpoints / "large"
    tiny_checkpoints.write(folder / "xl.safetensors", "sdxl", color=OCHRE)
    tiny_checkpoints.write(folder / "flux.safetensors", "flux", color=OCHRE)

    pictures = [
        draw(comfy, "large/xl.safetensors"),
        draw(comfy, "large/flux.safetensors", text_encoder="red.safetensors"),
    ]

    for path in folder.iterdir():
        path.unlink()  # the shared server's pools are the other tests'
    for picture in pictures:
        assert tiny_checkpoints.made_by(picture.mean_color, {"ochre": OCHRE}) == "ochre"
