"""What the HTTP routes may ask of the ComfyUI around them: its checkpoints, its kept loaders, its version.

Separate from `routes`, which also run without ComfyUI. Any method may block on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import runtime
from ..checkpoints.patterns import printable
from ..checkpoints.pool import CheckpointFile, Pool, PoolRules, families_of, select
from ..runtime.pending_picks import Pick, PickAnswer, pending_picks
from .comfy.files import ComfyCheckpoints, files
from .comfy.users import person


class ComfyHost:
    """The `handlers.Host` inside ComfyUI."""

    def candidates(self, rules: PoolRules) -> Pool:
        """Apply a pool's rules to ComfyUI's checkpoints."""
        return select(rules, files().list(), runtime.current_settings().banned)

    def folders(self) -> tuple[str, ...]:
        """Name the folders in which ComfyUI looks for checkpoints."""
        return files().folders()

    def files(self) -> Sequence[CheckpointFile]:
        """List ComfyUI's checkpoints, those that cannot be loaded too."""
        return files().list()

    def release_loaders(self) -> Mapping[str, Any]:
        """Let kept checkpoints go, and say which."""
        from .loading.loading import release  # late: only this needs ComfyUI's loading side

        return release()

    def pending(self) -> Sequence[Pick]:
        """Name the runs that wait for a pick."""
        return pending_picks().list(person())

    def answer_pick(self, pick_id: str, answer: PickAnswer) -> Pick:
        """Let one of them go on."""
        return pending_picks().answer(pick_id, answer, person())

    def describe(self) -> Mapping[str, Any]:
        """Tell what the doctor and the health route want to know of this ComfyUI."""
        known = files().list()
        return {
            "comfyui": ComfyCheckpoints.detector,
            "folders": list(files().folders()),
            "checkpoints": len(known),
            "families": families_of(known),
            "broken": {printable(file.name): file.broken for file in known if file.broken},
        }
