"""What made an image, read from its file. The only part of `recipes` that does I/O; it never decodes pixels."""

from .problem import Problem, Unreadable
from .provenance import Provenance, RunGeneration
from .reading import FileReading, examine_file, read_file

__all__ = ["FileReading", "Problem", "Provenance", "RunGeneration", "Unreadable", "examine_file", "read_file"]
