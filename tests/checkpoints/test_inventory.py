"""What is stored about checkpoint files, and when it is read again."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from context_checkpoint.checkpoints.fallback import empty_pool_message
from context_checkpoint.checkpoints.header import fingerprint
from context_checkpoint.checkpoints.inventory import CheckpointFiles
from context_checkpoint.checkpoints.pool import CheckpointFile, PoolRules, select

from .conftest import SD3, SDXL, FolderSource, write_header


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "data" / "checkpoint_files.json"


@pytest.fixture
def files(source: FolderSource, store: Path) -> CheckpointFiles:
    return CheckpointFiles(source, store)


def test_files_are_listed_with_their_family(files: CheckpointFiles, models: Path) -> None:
    """In the source's order, with names as ComfyUI spells them."""
    write_header(models / "b.safetensors", SD3)
    write_header(models / "sub folder" / "[1] é, ポニー.safetensors", SDXL)
    (models / "old.ckpt").write_bytes(b"\x80\x02")

    assert files.list() == (
        CheckpointFile("b.safetensors", "sd3"),
        CheckpointFile("old.ckpt", "unknown"),
        CheckpointFile(os.path.join("sub folder", "[1] é, ポニー.safetensors"), "sdxl"),  # noqa: PTH118 - a name
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are always text")
def test_a_name_that_is_no_text_is_broken(files: CheckpointFiles, models: Path) -> None:
    """A Latin-1 name unpacked on Linux; ComfyUI lists it and can neither load it nor speak of it."""
    name = os.fsdecode(b"caf\xe9.safetensors")
    write_header(models / name, SD3)

    (file,) = files.list()

    assert "rename it" in file.broken
    message = empty_pool_message(PoolRules(), select(PoolRules(), [file]), ["/models"])
    assert "caf\\udce9.safetensors" in message


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are always text")
def test_a_folder_that_is_no_text_is_stored_too(tmp_path: Path, store: Path) -> None:
    """The checkpoints' own names are fine there."""
    source = FolderSource(tmp_path / os.fsdecode(b"mod\xe8les"))
    write_header(source.folder / "a.safetensors", SD3)

    CheckpointFiles(source, store).list()

    assert CheckpointFiles(source, store).list() == (CheckpointFile("a.safetensors", "sd3"),)
    assert source.detections == 1


def test_known_files_are_not_looked_at_again_even_by_the_next_process(
    source: FolderSource, store: Path, models: Path
) -> None:
    """Headers are read once in the life of a file."""
    write_header(models / "a.safetensors", SD3)
    CheckpointFiles(source, store).list()

    again = CheckpointFiles(source, store)

    assert again.list() == again.list() == (CheckpointFile("a.safetensors", "sd3"),)
    assert source.detections == 1


def test_a_changed_file_is_looked_at_again(files: CheckpointFiles, models: Path) -> None:
    """Replacing a file under the same name may change its family."""
    write_header(models / "a.safetensors", SD3)
    files.list()

    write_header(models / "a.safetensors", SDXL)

    assert files.list() == (CheckpointFile("a.safetensors", "sdxl"),)


def test_a_newer_comfyui_reads_everything_again(source: FolderSource, store: Path, models: Path) -> None:
    """It may know an architecture that the former one did not."""
    write_header(models / "a.safetensors", SD3)
    CheckpointFiles(source, store).list()

    source.detector = "a newer folder"
    CheckpointFiles(source, store).list()

    assert source.detections == 2


def test_a_corrupt_header_makes_a_file_broken_with_the_reason(files: CheckpointFiles, models: Path) -> None:
    """It is known before anybody waits for it to load."""
    path = write_header(models / "a.safetensors", SD3, missing=10)
    an_hour_ago = path.stat().st_mtime - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))

    (file,) = files.list()

    assert "cut short" in file.broken


@pytest.mark.parametrize("content", [b"", b"1234", bytes(2000), None], ids=["empty", "a part", "zeros", "cut short"])
def test_a_file_that_is_being_written_waits_until_it_is_whole(
    files: CheckpointFiles, models: Path, content: bytes | None
) -> None:
    """It is neither recommended nor broken; an hour later it is."""
    path = models / "a.safetensors"
    path.write_bytes(content) if content is not None else write_header(path, SD3, missing=10)
    (file,) = files.list()
    assert (file.broken, file.unfinished) == ("", "it is still being written")
    assert select(PoolRules(family="all"), [file]).excluded == {"it is still being written": ("a.safetensors",)}

    an_hour_ago = path.stat().st_mtime - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))
    assert files.list()[0].broken

    write_header(path, SD3)
    assert files.list() == (CheckpointFile("a.safetensors", "sd3"),)


@pytest.mark.parametrize("ending", [".aria2", ".part", ".crdownload"])
def test_a_file_that_is_being_downloaded_waits(files: CheckpointFiles, models: Path, ending: str) -> None:
    """Downloaders reserve the place and write the header first; a file of their own says that they are at it."""
    write_header(models / "a.safetensors", SD3)
    beside = models / f"a.safetensors{ending}"
    beside.write_bytes(b"state")
    waiting = next(file for file in files.list() if file.name == "a.safetensors")
    assert waiting.unfinished == f"it is still being downloaded (a.safetensors{ending} is there)"
    beside.unlink()
    assert files.list() == (CheckpointFile("a.safetensors", "sd3"),)


def test_a_checkpoint_marked_broken_stays_so_until_it_changes(source: FolderSource, store: Path, models: Path) -> None:
    """A restart does not make it load; a new download may."""
    file = write_header(models / "a.safetensors", SD3)
    CheckpointFiles(source, store).mark_broken("a.safetensors", "it holds no\ntext encoder")

    restarted = CheckpointFiles(source, store)
    assert restarted.broken("a.safetensors") == "it holds no text encoder"
    os.utime(file, ns=(1, 1))

    assert restarted.broken("a.safetensors") == ""
    assert restarted.list() == (CheckpointFile("a.safetensors", "sd3"),)


def test_a_broken_mark_keeps_the_family(files: CheckpointFiles, models: Path) -> None:
    """So that the message can say what is missing from which pool."""
    write_header(models / "a.safetensors", SD3)
    files.list()

    files.mark_broken("a.safetensors", "no VAE")

    assert files.list() == (CheckpointFile("a.safetensors", "sd3", "no VAE"),)


def test_marking_a_file_that_is_gone_does_nothing(files: CheckpointFiles) -> None:
    """It was deleted while it was being loaded."""
    files.mark_broken("gone.safetensors", "no such file")

    assert files.list() == ()
    assert "not there" in files.broken("gone.safetensors")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"detector": 1}', '{"detector": "a folder, rules 1", "files": {"x": {"size": 1}}}'],
)
def test_a_garbled_store_is_no_failure(source: FolderSource, store: Path, models: Path, content: str) -> None:
    """The store can be recreated from the files, and is."""
    write_header(models / "a.safetensors", SD3)
    store.parent.mkdir()
    store.write_text(content)

    assert CheckpointFiles(source, store).list() == (CheckpointFile("a.safetensors", "sd3"),)
    assert len(json.loads(store.read_text())["files"]) == 1


def test_a_store_that_cannot_be_written_is_no_failure(
    source: FolderSource, tmp_path: Path, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file has the folder's name, which stops root too; the process still stores in memory."""
    write_header(models / "a.safetensors", SD3)
    (tmp_path / "data").write_text("in the way")
    files = CheckpointFiles(source, tmp_path / "data" / "checkpoint_files.json")
    caplog.set_level(logging.INFO)

    assert files.list() == files.list() == (CheckpointFile("a.safetensors", "sd3"),)
    assert source.detections == 1
    assert "read again next time" in caplog.text


def test_no_half_written_store_is_left_behind(files: CheckpointFiles, store: Path, models: Path) -> None:
    """It is written under another name and moved into place."""
    write_header(models / "a.safetensors", SD3)

    files.list()

    assert [file.name for file in store.parent.iterdir()] == ["checkpoint_files.json"]


def test_threads_may_list_and_mark_at_once(files: CheckpointFiles, store: Path, models: Path) -> None:
    """The server's routes and the worker that runs prompts share it."""
    names = [f"{number:02}.safetensors" for number in range(20)]
    for name in names:
        write_header(models / name, SD3)
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            files.list()
            files.mark_broken(name, f"{name} is broken")
            files.list()
        except BaseException as error:  # a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert {file.broken for file in files.list()} == {f"{name} is broken" for name in names}
    assert len(json.loads(store.read_text())["files"]) == 20


def test_a_known_file_is_not_opened_again(
    source: FolderSource, store: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in a new process either: what its header says is remembered."""
    for number in range(20):
        write_header(models / f"{number:03}.safetensors", SDXL)
    CheckpointFiles(source, store).list()

    monkeypatch.setattr("context_checkpoint.checkpoints.inventory.read_header", None)
    monkeypatch.setattr("context_checkpoint.checkpoints.inventory.fingerprint", None)
    known = CheckpointFiles(source, store).list()

    assert len(known) == 20
    assert {file.family for file in known} == {"sdxl"}


def test_a_fingerprint_tells_content_from_names(files: CheckpointFiles, models: Path) -> None:
    """A copy has the same; other weights behind the same header and in as many bytes have another."""
    write_header(models / "a.safetensors", SD3)
    content = (models / "a.safetensors").read_bytes()
    (models / "sub").mkdir()
    (models / "sub" / "copy.safetensors").write_bytes(content)
    (models / "tuned.safetensors").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    prints = {file.name.replace("\\", "/"): file.fingerprint for file in files.list()}

    assert len(prints["a.safetensors"]) == 32
    assert prints["sub/copy.safetensors"] == prints["a.safetensors"] != prints["tuned.safetensors"]


def test_of_a_large_file_the_header_the_ends_and_samples_are_looked_at(tmp_path: Path) -> None:
    """However large it is, about half a megabyte is read; holes cost nothing here."""
    size = 64 * 2**20
    paths = [tmp_path / name for name in ("a", "end", "header", "longer")]
    for path in paths:
        with path.open("wb") as file:
            file.truncate(size + (path.name == "longer"))
            file.seek({"end": size - 1, "header": 100}.get(path.name, 0))
            file.write({"end": b"x", "header": b"x"}.get(path.name, b"\x00"))

    assert len({fingerprint(path) for path in paths}) == 4
