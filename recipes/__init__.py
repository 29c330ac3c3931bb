"""What made an image, read from graphs and from files. Knows no ComfyUI; only `files` does I/O."""

from .files import FileReading, Problem, Provenance, RunGeneration, Unreadable, examine_file, read_file
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
from .samplers import sampler_and_scheduler, scheduler_name
from .settings import Settings
from .workflow import to_prompt

__all__ = [
    "FileReading",
    "Lora",
    "Place",
    "Problem",
    "Provenance",
    "Reading",
    "Recipe",
    "RunGeneration",
    "Settings",
    "Unclear",
    "Unreadable",
    "examine_file",
    "image_sources",
    "loader_file",
    "parameters_text",
    "read_file",
    "read_graph",
    "read_images",
    "read_loader",
    "read_samplers",
    "sampler_and_scheduler",
    "scheduler_name",
    "to_prompt",
]
