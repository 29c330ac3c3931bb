"""What made an image, read from graphs. Pure functions of values: no ComfyUI, no I/O."""

from .graph import Place, Reading, Unclear, loader_file, read_graph, read_images, read_loader, read_samplers
from .recipe import Lora, Recipe
from .workflow import to_prompt

__all__ = [
    "Lora",
    "Place",
    "Reading",
    "Recipe",
    "Unclear",
    "loader_file",
    "read_graph",
    "read_images",
    "read_loader",
    "read_samplers",
    "to_prompt",
]
