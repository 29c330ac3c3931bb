"""What headers and sidecars of LoRAs say, as trainers and other packs write them, and hostile ones."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from context_checkpoint.checkpoints.header import Header, read_header
from context_checkpoint.checkpoints.inventory import CheckpointFiles, Detected
from context_checkpoint.checkpoints.lora_files import (
    LORAS,
    MOST_TAGS,
    MOST_TRIGGER_WORDS,
    LoraFile,
    LoraFiles,
    detect_lora,
    family_of_base,
    fits,
)
from context_checkpoint.demo.tiny_models.checkpoints import write_lora


class LoraSource:
    """A folder of LoRAs, listed as ComfyUI does."""

    detector = "a folder"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self, folder: str) -> list[str]:
        files = (file for file in self.folder.rglob("*.safetensors") if folder == LORAS)
        return sorted(file.relative_to(self.folder).as_posix() for file in files)

    def path(self, folder: str, name: str) -> Path | None:
        return self.folder / name if name in self.names(folder) else None

    def folders(self) -> list[str]:
        return [str(self.folder)]

    def detect(self, header: Header) -> Detected:
        return detect_lora(header)


@pytest.fixture
def loras(tmp_path: Path) -> LoraFiles:
    (tmp_path / "loras").mkdir()
    return LoraFiles(CheckpointFiles(LoraSource(tmp_path / "loras"), tmp_path / "lora_files.json", (LORAS,)))


@pytest.fixture
def folder(tmp_path: Path, loras: LoraFiles) -> Path:
    return tmp_path / "loras"


def write(file: Path, tensors: dict[str, tuple[int, ...]] | None = None, **metadata: object) -> Path:
    """A LoRA with these shapes and this metadata, whose values are JSON unless they are texts."""
    file.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: np.zeros(shape, np.float16) for name, shape in (tensors or {"x.lora_down.weight": (4, 8)}).items()}
    texts = {name.replace("__", "."): v if isinstance(v, str) else json.dumps(v) for name, v in metadata.items()}
    save_file(weights, file, texts)
    return file


def beside(file: Path, ending: str, content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    file.with_name(file.stem + ending).write_text(text, "utf-8")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sd_v1", "sd15"), ("SD 1.5", "sd15"), ("stable-diffusion-v1/lora", "sd15"), ("SD1", "sd15"),
        ("sd_v2_768_v", "sd2"), ("stable-diffusion-v2-768-v/lora", "sd2"),
        ("sdxl_base_v1-0", "sdxl"), ("stable-diffusion-xl-v1-base/lora", "sdxl"), ("SDXL 1.0", "sdxl"),
        ("Pony", "sdxl"), ("Illustrious", "sdxl"), ("NoobAI", "sdxl"), ("Pony V7", "auraflow"),
        ("sd3_m", "sd3"), ("SD 3.5 Large", "sd3"), ("stable-diffusion-3-medium/lora", "sd3"),
        ("flux1", "flux"), ("Flux.1 D", "flux"), ("flux-1-dev/lora", "flux"), ("Flux.2 D", "flux2"),
        ("flux2_klein_9b", "flux2"), ("Chroma", "chroma"), ("Hunyuan Video", "hunyuan_video"),
        ("Hunyuan 1", "hunyuan_dit"), ("Wan Video 14B t2v", "wan"), ("Qwen", "qwen_image"),
        ("qwen_image_2512", "qwen_image"),
        ("ZImageTurbo", "zimage"), ("Lumina", "unknown"), ("Other", "unknown"), ("", "unknown"), ("swan_v2", "unknown"),
    ],
)  # fmt: skip
def test_base_models_have_many_names(name: str, family: str) -> None:
    """Trainers', the model specification's, Civitai's and A1111's."""
    assert family_of_base(name) == family


ATTENTION = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"


@pytest.mark.parametrize(
    ("tensors", "family"),
    [
        ({f"{ATTENTION}.lora_down.weight": (4, 768)}, "sd15"),
        ({f"{ATTENTION}.lora_down.weight": (4, 768, 1, 1)}, "sd15"),
        ({f"{ATTENTION}.lora_down.weight": (4, 1024)}, "sd2"),
        ({f"{ATTENTION}.lora_down.weight": (4, 2048)}, "sdxl"),
        ({f"{ATTENTION}.hada_w1_b": (4, 2048)}, "sdxl"),
        ({"unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v.lora_A.weight": (4, 2048)}, "sdxl"),
        ({f"{ATTENTION}.lora_up.weight": (768, 4), f"{ATTENTION}.lora_down.weight": (4, 2048)}, "sdxl"),
        ({"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (4, 1280)}, "sdxl"),
        ({"lora_unet_double_blocks_0_img_attn_proj.lora_down.weight": (4, 3072)}, "flux"),
        ({"diffusion_model.single_blocks.3.linear1.lora_A.weight": (4, 3072)}, "flux"),
        ({"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (4, 3072)}, "flux"),
        ({"lora_unet_joint_blocks_0_x_block_attn_qkv.lora_down.weight": (4, 1536)}, "sd3"),
        ({"diffusion_model.double_blocks.0.img_attn_qkv.lora_A.weight": (4, 3072)}, "unknown"),
        (
            {
                "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": (4, 3072),
                "lora_unet_double_blocks_19_img_attn_qkv.lora_down.weight": (4, 3072),
            },
            "unknown",
        ),
        ({"diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight": (4, 6144)}, "unknown"),
        ({"x.lora_down.weight": (4, 8)}, "unknown"),
        ({"lora_unet_attn2_to_k.lora_down.weight": ()}, "unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_tensors_tell_the_family_where_no_metadata_does(tensors: dict[str, tuple[int, ...]], family: str) -> None:
    """Text channels of the U-Nets; blocks and width of the transformers, not those of Hunyuan Video or Flux 2."""
    assert detect_lora(Header(tensors)).family == family


def test_what_the_trainer_wrote_counts_before_the_tensors(folder: Path, loras: LoraFiles) -> None:
    """A sidecar's base model counts where neither says anything."""
    write(folder / "a.safetensors", {f"{ATTENTION}.lora_down.weight": (4, 768)}, ss_base_model_version="flux1")
    beside(write(folder / "b.safetensors"), ".metadata.json", {"base_model": "SDXL 1.0"})
    beside(write(folder / "c.safetensors", ss_base_model_version="sd_v1"), ".metadata.json", {"base_model": "Pony"})

    assert [(lora.family, lora.base_model) for lora in loras.list()] == [
        ("flux", "flux1"),
        ("sdxl", "SDXL 1.0"),
        ("sd15", "Pony"),
    ]


def test_tags_are_shares_of_the_images(folder: Path, loras: LoraFiles) -> None:
    """Of all folders together; without a count of images, of the most frequent tag."""
    folders = {"10_a": {"1girl": 8, " ink  wash": 10, "x" * 101: 9}, "5_b": {"1girl": 2, "sea": 1}}
    images = {"10_a": {"n_repeats": 10, "img_count": 10}, "5_b": {"n_repeats": 5, "img_count": 10}}
    write(folder / "a.safetensors", ss_tag_frequency=folders, ss_dataset_dirs=images)
    write(folder / "b.safetensors", ss_tag_frequency=folders)

    first, second = loras.list()

    assert first.tags == {"1girl": 0.5, "ink wash": 0.5, "sea": 0.05}
    assert second.tags == {"1girl": 1.0, "ink wash": 1.0, "sea": 0.1}


def test_the_most_frequent_tags_are_kept(folder: Path, loras: LoraFiles) -> None:
    """However many there are."""
    write(folder / "a.safetensors", ss_tag_frequency={"a": {f"tag {n}": n + 1 for n in range(5000)}})

    (lora,) = loras.list()

    assert len(lora.tags) == MOST_TAGS
    assert next(iter(lora.tags)) == "tag 4999"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "[]", '{"a": 5}', '{"a": {"x": -1, "y": "7", "z": 1.5, "": 3, "w": true}}', '{"a": null}'],
    ids=range(7),
)
def test_tags_that_make_no_sense_are_none(text: str, folder: Path, loras: LoraFiles) -> None:
    """A header holds what anybody wrote."""
    write(folder / "a.safetensors", ss_tag_frequency=text, ss_dataset_dirs=text)

    (lora,) = loras.list()

    assert lora.tags == {}
    assert lora.unusable == ""


def test_lora_managers_sidecar(folder: Path, loras: LoraFiles) -> None:
    """Trigger words, preferred strengths and base model; its tips are JSON inside JSON."""
    content = {
        "base_model": "Illustrious",
        "usage_tips": '{"strength": 0.7, "clip_strength": 0.4, "strength_min": 0.5}',
        "civitai": {"trainedWords": ["ink style,  monochrome", "ink style", 5, ""], "baseModel": "SDXL 1.0"},
    }
    beside(write(folder / "sdxl/ink.safetensors"), ".metadata.json", content)

    assert loras.find("sdxl/ink.safetensors") == LoraFile(
        "sdxl/ink.safetensors", "sdxl", "Illustrious", ("ink style", "monochrome"), {}, 0.7, 0.4
    )


def test_civitai_helpers_sidecar_and_a1111s(folder: Path, loras: LoraFiles) -> None:
    """The first file that says a thing counts, as with checkpoints."""
    file = write(folder / "ink.safetensors", modelspec__trigger_phrase="header words")
    beside(file, ".civitai.info", {"trainedWords": [], "baseModel": "Flux.1 D"})
    beside(file, ".json", {"activation text": "<lora:ink:1> ink, wash", "preferred weight": 0.9, "sd version": "SD1"})

    assert loras.find("ink.safetensors") == LoraFile("ink.safetensors", "flux", "Flux.1 D", ("ink", "wash"), {}, 0.9)


def test_the_headers_trigger_phrase_is_what_is_left(folder: Path, loras: LoraFiles) -> None:
    """Where no sidecar names words."""
    write(folder / "ink.safetensors", modelspec__trigger_phrase="ohwx woman, red", modelspec__architecture="sd3")

    (lora,) = loras.list()

    assert lora.trigger_words == ("ohwx woman", "red")
    assert lora.family == "sd3"


@pytest.mark.parametrize("weight", [0, 12, -7, "x", None, True, "1e400", [1]], ids=str)
def test_a_strength_that_makes_no_sense_is_none(weight: object, folder: Path, loras: LoraFiles) -> None:
    """A1111 writes 0 where nobody set it."""
    beside(write(folder / "a.safetensors"), ".json", {"preferred weight": weight})

    assert loras.list()[0].strength is None


@pytest.mark.parametrize("content", ["[" * 100_000, "no json", "[]", "5", "x" * (9 * 2**20)], ids=range(5))
def test_an_unreadable_sidecar_is_said_and_the_lora_stays(content: str, folder: Path, loras: LoraFiles) -> None:
    """With what its header says."""
    beside(write(folder / "a.safetensors", ss_base_model_version="flux1"), ".metadata.json", content)

    (lora,) = loras.list()

    assert (lora.family, lora.unusable) == ("flux", "")
    assert lora.problems[0].startswith("a.metadata.json: it is ")


def test_long_words_are_bounded(folder: Path, loras: LoraFiles) -> None:
    """Whatever a website wrote."""
    words = [f"word {number}, {'y' * 1000}" for number in range(3000)]
    beside(
        write(folder / "a.safetensors"),
        ".metadata.json",
        {"civitai": {"trainedWords": words}, "base_model": "z" * 5000},
    )

    (lora,) = loras.list()

    assert len(lora.trigger_words) == MOST_TRIGGER_WORDS
    assert max(map(len, lora.trigger_words)) <= 200
    assert len(lora.base_model) == 200


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_beside_a_lora_is_not_read(folder: Path, loras: LoraFiles) -> None:
    """It would never end."""
    os.mkfifo(write(folder / "a.safetensors").with_name("a.json"))

    assert len(loras.list()) == 1


def test_a_changed_sidecar_is_read_again(folder: Path, loras: LoraFiles) -> None:
    """And a header is read once, also by the next process."""
    file = write(folder / "a.safetensors", ss_base_model_version="sd_v1")
    before = loras.list()
    beside(file, ".json", {"activation text": "ink"})

    assert (before[0].trigger_words, loras.list()[0].trigger_words) == ((), ("ink",))
    again = CheckpointFiles(LoraSource(folder), folder.parent / "lora_files.json", (LORAS,))
    assert LoraFiles(again).list() == loras.list()


def test_candidates_are_of_the_family_by_globs_and_whole(folder: Path, loras: LoraFiles) -> None:
    """One of unknown family fits any checkpoint; the same file under two names is one."""
    write(folder / "xl/a.safetensors", ss_base_model_version="sdxl_base_v1-0")
    (folder / "xl/copy.safetensors").write_bytes((folder / "xl/a.safetensors").read_bytes())
    write(folder / "any.safetensors")
    write(folder / "old/b.safetensors", ss_base_model_version="sd_v1")
    (folder / "broken.safetensors").write_bytes(b"<html>" * 100)

    def found(family: str, **globs: Any) -> list[str]:
        return [lora.name for lora in loras.candidates(family, **globs)]

    assert found("sdxl") == ["any.safetensors", "xl/a.safetensors"]
    assert found("sd15_inpaint") == ["any.safetensors", "old/b.safetensors"]
    assert found("unknown") == ["any.safetensors", "old/b.safetensors", "xl/a.safetensors"]
    assert found("sdxl", include="xl/*", exclude="*.pt") == ["xl/a.safetensors"]
    assert found("sdxl", exclude="any*") == ["xl/a.safetensors"]
    assert "web page" in str(loras.find("broken.safetensors"))


def test_no_file_outside_the_folders_is_opened(folder: Path, loras: LoraFiles) -> None:
    """A client may send any name."""
    write(folder.parent / "secret.safetensors")

    assert loras.find("../secret.safetensors") is None


@pytest.mark.parametrize(
    ("lora", "checkpoint", "fitting"),
    [
        ("sdxl", "sdxl", True), ("sdxl", "sd15", False), ("unknown", "sd15", True), ("sdxl", "unknown", True),
        ("sd15", "sd15_inpaint", True), ("flux", "chroma", True), ("chroma", "flux", True), ("flux", "flux2", False),
        ("flux", "fluxinpaint", True), ("sdxl", "kolors", True),
    ],
)  # fmt: skip
def test_a_lora_fits_unless_it_is_known_not_to(lora: str, checkpoint: str, fitting: bool) -> None:
    """What is not known stays in: the person chose it."""
    assert fits(lora, checkpoint) is fitting


@pytest.mark.parametrize("family", ["sd15", "sd3"])
def test_tiny_loras_say_what_kohyas_do(family: Any, tmp_path: Path) -> None:
    """The tests in a ComfyUI use them."""
    header = read_header(write_lora(tmp_path / "a.safetensors", family, tags={"ink": 3, "sea": 1}))

    assert header is not None
    assert detect_lora(header).family == family
    assert json.loads(detect_lora(header).said["lora.tags"]) == {"ink": 1.0, "sea": 0.3333}
