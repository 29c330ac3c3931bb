"""What made an image, read from graphs. Pure functions of values: no ComfyUI, no I/O."""

from .graph import (
    Place,
    Reading,
    Unclear,
    image_sources,
    loader_file,
    read_graph,
    read_images,
    read_loader,
    read_samplers,
)
from .parameters import parameters_text
from .recipe import Lora, Recipe
from .workflow import to_prompt

__all__ = [
    "Lora",
    "Place",
    "Reading",
    "Recipe",
    "Unclear",
    "image_sources",
    "loader_file",
    "parameters_text",
    "read_graph",
    "read_images",
    "read_loader",
    "read_samplers",
    "to_prompt",
]
