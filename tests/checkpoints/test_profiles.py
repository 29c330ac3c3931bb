"""Which of a checkpoint's files counts first, and when they are read again."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path

import pytest

from context_checkpoint.checkpoints.inventory import CheckpointFiles
from context_checkpoint.checkpoints.profiles import FileProfiles, FromFiles, of_name
from context_checkpoint.learning.profiles import Profile, profile_of
from context_checkpoint.recipes.settings import Settings

from .conftest import FolderSource


@pytest.fixture
def profiles(source: FolderSource, tmp_path: Path) -> FileProfiles:
    return FileProfiles(CheckpointFiles(source, tmp_path / "checkpoint_files.json"))


def put(models: Path, name: str, metadata: dict[str, str] | None = None, tensor: str = "label_emb") -> Path:
    """A checkpoint with a header."""
    header = {tensor: {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}, "__metadata__": metadata or {}}
    text = json.dumps(header).encode()
    (models / name).write_bytes(struct.pack("<Q", len(text)) + text + b"\0\0")
    return models / name


def profile(found: FromFiles) -> Profile:
    return profile_of(found.known, found.problems)


def test_a_sidecar_counts_before_the_name_and_the_name_before_the_header(profiles: FileProfiles, models: Path) -> None:
    """Each setting from the first that knows it."""
    put(models, "xl_lightning_4step.safetensors", {"modelspec.resolution": "1024x1024", "modelspec.title": "Turbo"})
    (models / "xl_lightning_4step.metadata.json").write_text('{"usage_tips": "{\\"cfg\\": 2}"}')
    (models / "xl_lightning_4step.civitai.info").write_text('{"images": [{"meta": {"cfgScale": 5, "clipSkip": 2}}]}')

    found = profile(profiles.of("xl_lightning_4step.safetensors"))

    assert found.settings == Settings(4, 2.0, "euler", "sgm_uniform", 1024, 1024, 2)
    assert found.sources == {
        "steps": "its name",
        "cfg": "its sidecar file xl_lightning_4step.metadata.json",
        "sampler": "its name",
        "scheduler": "its name",
        "width": "its header",
        "height": "its header",
        "clip_skip": "its sidecar file xl_lightning_4step.civitai.info",
    }


def test_a_v_prediction_tensor_is_seen_in_the_header(profiles: FileProfiles, models: Path) -> None:
    """As NoobAI's models and those made from them have it."""
    path = put(models, "noob.safetensors")
    content = {name: {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]} for name in ("label_emb", "v_pred")}
    text = json.dumps(content).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0\0")

    found = profile(profiles.of("noob.safetensors"))

    assert found.settings == Settings(28, 4.5, "euler")
    assert found.sources["cfg"] == "its header"


def test_a_sidecar_is_read_again_when_it_changes(profiles: FileProfiles, models: Path) -> None:
    """Written, changed or deleted by another program while ComfyUI runs."""
    put(models, "red.safetensors")
    sidecar = models / "red.metadata.json"
    states = [profiles.state()]
    seen = [profile(profiles.of("red.safetensors")).settings.steps]
    for text in ('{"usage_tips": "{\\"steps\\": 8}"}', '{"usage_tips": "{\\"steps\\": 12}"}', None):
        sidecar.unlink() if text is None else sidecar.write_text(text)
        states.append(profiles.state())
        seen.append(profile(profiles.of("red.safetensors")).settings.steps)

    assert seen == [None, 8, 12, None]
    assert states[0] == states[3]
    assert len({repr(state) for state in states}) == 3


def test_a_sidecar_that_did_not_change_is_not_read_again(profiles: FileProfiles, models: Path) -> None:
    """By its size and its time, as the inventory does."""
    put(models, "red.safetensors")
    sidecar = models / "red.metadata.json"
    sidecar.write_text('{"usage_tips": "{\\"steps\\": 8}"}')
    status = sidecar.stat()
    first = profiles.of("red.safetensors")
    sidecar.write_text('{"usage_tips": "{\\"steps\\": 9}"}')
    os.utime(sidecar, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert profiles.of("red.safetensors") is first


def test_a_broken_sidecar_is_said_and_the_next_one_counts(profiles: FileProfiles, models: Path) -> None:
    """Never a failure."""
    put(models, "red.safetensors")
    (models / "red.metadata.json").write_text("<html>")
    (models / "red.civitai.info").write_text('{"images": [{"meta": {"steps": 7}}]}')

    found = profile(profiles.of("red.safetensors"))

    assert found.settings == Settings(steps=7)
    assert found.problems == ("red.metadata.json: it is not JSON",)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_what_is_no_regular_file_is_not_opened(profiles: FileProfiles, models: Path) -> None:
    """Reading a pipe would wait for ever; a folder has no content."""
    put(models, "red.safetensors")
    os.mkfifo(models / "red.json")
    (models / "red.txt").mkdir()

    assert profile(profiles.of("red.safetensors")) == Profile()


def test_of_a_file_that_is_not_there_the_name_is_known(profiles: FileProfiles) -> None:
    """As it is without any ComfyUI."""
    assert profiles.of("sdxl_lightning_4step.safetensors") == of_name("sdxl_lightning_4step.safetensors")
    assert profile(of_name("sdxl_lightning_4step.safetensors")).settings.steps == 4
