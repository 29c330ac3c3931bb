"""What made an image, read from graphs and from files. Knows no ComfyUI; only `files` does I/O."""

from .files import FileReading, Problem, Provenance, Unreadable, examine_file, read_file
from .graph import Place, Reading, Unclear, loader_file, read_graph, read_images, read_loader, read_samplers
from .recipe import Lora, Recipe
from .workflow import to_prompt

__all__ = [
    "FileReading",
    "Lora",
    "Place",
    "Problem",
    "Provenance",
    "Reading",
    "Recipe",
    "Unclear",
    "Unreadable",
    "examine_file",
    "loader_file",
    "read_file",
    "read_graph",
    "read_images",
    "read_loader",
    "read_samplers",
    "to_prompt",
]
