"""What the HTTP routes use of ComfyUI: its checkpoints, the loaded models, the waiting runs, its version.

Separate from `api`, which also runs without ComfyUI. Every method may block on the disk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..checkpoints.lora_files import LoraFile
from ..checkpoints.patterns import printable
from ..checkpoints.pool import CheckpointFile, Pool, PoolRules, families_of, select
from ..checkpoints.profiles import FromFiles, SamplerNames
from ..learning.values import Cost
from ..runtime.pending_picks import Pick, PickAnswer, pending_picks
from .comfy.files import ComfyCheckpoints, file_profiles, files, lora_files, model_path
from .comfy.graph import sampler_names, scheduler_names
from .comfy.output_folder import custom_node_folders, image_folders
from .comfy.users import current_user

if TYPE_CHECKING:
    from ..images.models import ModelFile
    from ..images.sources import ImageSources


class ComfyHost:
    """The `handlers.Host` inside ComfyUI."""

    def candidates(self, rules: PoolRules) -> Pool:
        """Apply a pool's rules to ComfyUI's checkpoints."""
        return select(rules, files().list(), runtime.current_settings().banned)

    def folders(self) -> tuple[str, ...]:
        """List ComfyUI's checkpoint folders."""
        return files().folders()

    def files(self) -> Sequence[CheckpointFile]:
        """List ComfyUI's checkpoints, including those that cannot be loaded."""
        return files().list()

    def costs(self, names: Sequence[str]) -> Mapping[str, Cost]:
        """Say what an image of each checkpoint takes, as far as known."""
        from .loading.checkpoint_loading import costs  # late: as in release_loaders

        return costs(names)

    def loras(self, family: str, include: str, exclude: str) -> Sequence[LoraFile]:
        """List ComfyUI's LoRAs that fit checkpoints of a family, by globs."""
        return lora_files().candidates(family, include, exclude)

    def known_settings(self, name: str) -> FromFiles:
        """Say what a checkpoint's files know of its settings."""
        return file_profiles().of(name)

    def sampler_names(self) -> SamplerNames:
        """Name the samplers and schedulers that this ComfyUI has, other packs' too."""
        return SamplerNames(sampler_names(), scheduler_names())

    def release_loaders(self) -> Mapping[str, Any]:
        """Release the checkpoints in memory, and return which."""
        from .loading.checkpoint_loading import release  # late: only this needs ComfyUI's model loading

        return release()

    def pending(self) -> Sequence[Pick]:
        """List the runs that wait for a pick."""
        return pending_picks().list(current_user())

    def answer_pick(self, pick_id: str, answer: PickAnswer) -> Pick:
        """Answer one of them, which then continues."""
        return pending_picks().answer(pick_id, answer, current_user())

    def image_sources(self) -> ImageSources:
        """Say which folders of images may be read: ComfyUI's own."""
        from ..images.sources import ImageSources  # late: ComfyUI's start needs none of it

        return ImageSources(image_folders(), _model_files, _galleries)

    def describe(self) -> Mapping[str, Any]:
        """Describe this ComfyUI for the doctor and the health route."""
        checkpoints = files().list()
        return {
            "comfyui": ComfyCheckpoints.detector,
            "folders": list(files().folders()),
            "checkpoints": len(checkpoints),
            "families": families_of(checkpoints),
            "broken": {printable(file.name): file.broken for file in checkpoints if file.broken},
        }


def _model_files() -> list[ModelFile]:
    from ..images.models import ModelFile

    return [ModelFile(file.name, model_path(file.folder, file.name), file.fingerprint) for file in files().list()]


def _galleries() -> list[Path]:
    """infinite-image-browsing keeps its database in its own folder."""
    return [path for folder in custom_node_folders() for path in sorted(folder.glob("*/iib.db"))]
