"""ComfyUI's folders of images: where a file may lie and how it is called, and whether files carry texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import folder_paths
from comfy.cli_args import args


@dataclass(frozen=True, slots=True)
class OutputPlace:
    """A folder under the output folder, the beginning of a file's name there, and the next free number."""

    folder: Path
    subfolder: str
    name: str
    counter: int


class OutsideOutputFolder(ValueError):
    """A prefix leads out of ComfyUI's output folder, or is no name of a file."""


def output_place(prefix: str, width: int, height: int) -> OutputPlace:
    """Find the place of a prefix, and make its folder.

    Raises
    ------
    OutsideOutputFolder
        If ComfyUI refuses it.
    OSError
        If the folder cannot be made or read.
    """
    try:
        folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
            prefix, folder_paths.get_output_directory(), width, height
        )
    except OSError:
        raise
    except Exception as error:  # ComfyUI raises a plain `Exception` here, and `ValueError` for another drive
        raise OutsideOutputFolder(prefix) from error
    return OutputPlace(Path(folder), subfolder, name, counter)


def texts_are_written() -> bool:
    """Whether files may say what made them: not with `--disable-metadata`."""
    return not args.disable_metadata


def image_folders() -> dict[str, Path]:
    """ComfyUI's folders of images that stay, by their type."""
    return {
        "output": Path(folder_paths.get_output_directory()).absolute(),
        "input": Path(folder_paths.get_input_directory()).absolute(),
    }


def custom_node_folders() -> list[Path]:
    """The folders in which packs lie."""
    return [Path(folder) for folder in folder_paths.get_folder_paths("custom_nodes")]
