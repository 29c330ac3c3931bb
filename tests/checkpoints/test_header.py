"""What is read from a checkpoint's header, and how a file that cannot be a checkpoint is recognised."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_checkpoint.checkpoints.header import BrokenCheckpointError, read_header
from context_checkpoint.demo.tiny_models import checkpoints as tiny_checkpoints

from .conftest import SD3, write_header


def with_header(path: Path, text: bytes, length: int | None = None) -> Path:
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text)
    return path


def test_names_and_shapes_of_a_real_checkpoint_are_read(models: Path) -> None:
    """The tiny checkpoints of the demonstration are files that ComfyUI loads."""
    tiny_checkpoints.write(models / "a.safetensors", "sd3", seed=1)

    header = read_header(models / "a.safetensors")

    assert header is not None
    assert header.shapes["model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight"] == (192, 64)
    assert header.shapes["first_stage_model.vae_scale"] == ()


def test_pickles_are_not_opened(models: Path) -> None:
    """Reading a pickle runs it; its family stays unknown instead."""
    (models / "old.ckpt").write_bytes(b"\x80\x02csystem\nexit\n")

    assert read_header(models / "old.ckpt") is None


def test_a_file_cut_short_is_broken_with_both_sizes(models: Path) -> None:
    """An interrupted download, the most common broken checkpoint."""
    file = write_header(models / "a.safetensors", SD3, missing=1000)

    with pytest.raises(BrokenCheckpointError, match=r"cut short: [\d,]+ of [\d,]+ bytes"):
        read_header(file)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "only 0 bytes"),
        (b"1234567", "only 7 bytes"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>" * 4, "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(200), "a pickle"),
        (bytes(200), "begins with zeros"),
        ((2).to_bytes(8, "little") + bytes(200), "not JSON"),
        (b"\xff" * 200, "not a safetensors file"),
    ],
)
def test_the_real_format_of_a_file_is_named(models: Path, content: bytes, reason: str) -> None:
    """The reason says what to do about it."""
    (models / "a.safetensors").write_bytes(content)

    with pytest.raises(BrokenCheckpointError, match=reason):
        read_header(models / "a.safetensors")


@pytest.mark.parametrize(
    "header",
    [
        b"[1, 2]",
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        b"{}",
        b'{"__metadata__": {"a": "b"}}',
        b'{"a": 1}',
        b'{"a": {"dtype": "F16", "shape": [-1], "data_offsets": [0, 2]}}',
        b'{"a": {"dtype": "F16", "shape": [true], "data_offsets": [0, 2]}}',
        b'{"a": {"dtype": "F16", "shape": [1], "data_offsets": [0]}}',
        b'{"a": {"dtype": "F16", "shape": [1], "data_offsets": "01"}}',
        b'{"a": {"dtype": "F16", "data_offsets": [0, 2]}}',
    ],
)
def test_a_garbled_header_is_broken_and_nothing_worse(models: Path, header: bytes) -> None:
    """Whatever is in the folder, listing it must not fail."""
    with pytest.raises(BrokenCheckpointError):
        read_header(with_header(models / "a.safetensors", header))


def test_a_header_that_claims_to_be_huge_is_not_read(models: Path) -> None:
    """A corrupt file must not decide how much memory is allocated."""
    file = with_header(models / "a.safetensors", b"{}", length=99_999_999)

    with pytest.raises(BrokenCheckpointError, match="cut short"):
        read_header(file)


@given(st.binary(max_size=300))
def test_random_bytes_never_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Only `BrokenCheckpointError` leaves the reader, so that the listing can rely on it."""
    file = tmp_path_factory.getbasetemp() / "random.safetensors"
    for whole in (content, struct.pack("<Q", len(content)) + content):
        file.write_bytes(whole)
        with pytest.raises(BrokenCheckpointError):
            read_header(file)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
        max_leaves=12,
    )
)
def test_random_json_never_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    """Valid JSON of any form is a garbled header, unless it happens to describe tensors that are there."""
    file = with_header(tmp_path_factory.getbasetemp() / "random_json.safetensors", json.dumps({"a": content}).encode())

    with pytest.raises(BrokenCheckpointError):
        read_header(file)


def gguf(key: bytes, value: bytes, kind: int = 8) -> bytes:
    pair = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", kind, len(value)) + value
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair


def test_a_gguf_file_names_its_own_architecture(models: Path) -> None:
    """Its tensors have other names, but it names its architecture."""
    (models / "a.gguf").write_bytes(gguf(b"general.architecture", b"flux"))

    header = read_header(models / "a.gguf")

    assert header is not None
    assert header.architecture == "flux"


@pytest.mark.parametrize(
    "content",
    [gguf(b"general.name", b"x"), gguf(b"general.architecture", b"", kind=4), b"GGUFgeneral.architecture"],
)
def test_a_gguf_file_without_an_architecture_is_unknown(models: Path, content: bytes) -> None:
    """Cut short or written by another program: the family is unknown."""
    (models / "a.gguf").write_bytes(content)

    header = read_header(models / "a.gguf")

    assert header is not None
    assert header.architecture == ""


def test_a_file_that_is_gguf_only_by_name_is_broken(models: Path) -> None:
    """The format begins with its own name."""
    (models / "a.gguf").write_bytes(b"something else")

    with pytest.raises(BrokenCheckpointError, match="not a GGUF file"):
        read_header(models / "a.gguf")
