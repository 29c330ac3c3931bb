"""Where images and checkpoints are, as the server that hosts the routes knows it.

A value, so that the routes read only folders that ComfyUI has or that were named when the server was started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..learning.errors import LearningError
from ..learning.message import message
from .models import ModelFile


def _none() -> Sequence[Path]:
    return ()


@dataclass(frozen=True, slots=True)
class ImageSources:
    """The folders that may be read, and how the checkpoints are listed.

    Parameters
    ----------
    folders
        By their names, such as `output`; absolute.
    model_files
        Lists the checkpoints that are there; it may block. Those that only the database knows are added.
    galleries
        Lists databases of galleries that lie elsewhere.
    """

    folders: Mapping[str, Path] = field(default_factory=dict)
    model_files: Callable[[], Sequence[ModelFile]] = field(default=tuple)
    galleries: Callable[[], Sequence[Path]] = field(default=_none)

    def find(self, root: str, below: str) -> Path:
        """The folder `below` one of these. Links in it are followed, as ComfyUI follows them.

        Raises
        ------
        UnknownFolder
            If it is none of these, leads out of it, or is not there.
        """
        path = self.folders.get(root)
        parts = PurePosixPath(below.replace("\\", "/"))
        is_below = not parts.is_absolute() and ".." not in parts.parts and not PureWindowsPath(below).drive
        if path is None or not is_below or "\0" in below:
            raise UnknownFolder(f"{root}/{below}" if below else root)
        folder = path / parts
        try:
            if folder.is_dir():
                return folder
        except (OSError, ValueError):
            pass
        raise UnknownFolder(f"{root}/{below}" if below else root)


class UnknownFolder(LearningError):
    """A folder that is not there, or not one that may be read."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            "unknown_folder",
            message(
                "unknown_folder",
                "There is no folder {folder} from which images may be imported. Choose one of those that are listed, "
                "or one below it.",
                folder=folder[:200],
            ),
        )
