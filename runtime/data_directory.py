"""Where the data lies outside of ComfyUI.

Separate from `process`, which asks, because a command line that is started anywhere has to find the folder that
ComfyUI gives the pack. It only looks at paths; nothing is created here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SYSTEM_USER = "__context_checkpoint"  # what ComfyUI's folder_paths.get_system_user_directory makes of our name


def find_data_directory() -> Path:
    """The folder for the data: in a ComfyUI that can be found, else in the user's own folder for data."""
    comfyui = find_comfyui()
    return comfyui / "user" / _SYSTEM_USER if comfyui else _user_data_folder() / "context_checkpoint"


def find_comfyui() -> Path | None:
    """The folder of a ComfyUI: as `COMFYUI_PATH` says, above this pack, or where comfy-cli installs one."""
    for folder in _comfyui_folders():
        if (folder / "main.py").is_file() and (folder / "custom_nodes").is_dir():
            return folder
    return None


def _comfyui_folders() -> list[Path]:
    configured = os.environ.get("COMFYUI_PATH")
    above = Path(__file__).absolute().parents[3]  # not resolved: the pack may be a link in custom_nodes
    return [*([Path(configured).expanduser()] if configured else []), above, Path.home() / "comfy" / "ComfyUI"]


def _user_data_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
