"""How long it takes to read what made an image out of its file, beside decoding its pixels."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from context_checkpoint.recipes import examine_file, to_prompt

from .results import Result

FILES, READ, SIZE = 50, 10_000, 1024
TURNS = 5
EXAMPLES = Path(__file__).resolve().parent.parent / "example_workflows"
PARAMETERS = """(masterpiece:1.2), a castle by the sea, <lora:detail:0.8>, golden hour
Negative prompt: blurry, low quality, watermark
Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 1234567, Size: 832x1216, \
Model hash: 0123456789, Model: dream, Clip skip: 2, Version: v1.10.1"""


def measure(_installation: object = None) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        files = _write(Path(folder))
        all_read_s, computing_s = _seconds(lambda: [_read(files) for _ in range(READ // FILES)])
        sample = files[:10]
        ratios = [_seconds(lambda: _read(sample))[1] / _seconds(lambda: _decode(sample))[1] for _ in range(TURNS)]
    made_by = f"{FILES} files, half of them ComfyUI's and half A1111's, {SIZE}x{SIZE} of noise"
    return [
        Result("reading 10,000 PNGs", all_read_s, " s", 60, f"{made_by}, each {READ // FILES} times, on one core"),
        Result("reading 10,000 PNGs, computing", computing_s, " s", 60, "the same"),
        Result(
            "reading a PNG / decoding its pixels, computing",
            statistics.median(ratios),
            "",
            0.25,
            f"10 of these files, {TURNS} times in turn; Pillow decodes",
        ),
    ]


def _write(folder: Path) -> list[Path]:
    workflows = [json.loads(path.read_text("utf-8")) for path in sorted(EXAMPLES.glob("*.json"))]
    noise = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    files = []
    for number in range(FILES):
        texts = PngImagePlugin.PngInfo()
        if number % 2:
            texts.add_text("parameters", PARAMETERS)
        else:
            workflow = workflows[number // 2 % len(workflows)]
            texts.add_text("prompt", json.dumps(to_prompt(workflow)))
            texts.add_text("workflow", json.dumps(workflow))
        files.append(folder / f"ComfyUI_{number:05}_.png")
        Image.fromarray(noise).save(files[-1], pnginfo=texts, compress_level=1)
    return files


def _read(files: list[Path]) -> None:
    for file in files:
        examine_file(file)


def _decode(files: list[Path]) -> None:
    for file in files:
        with Image.open(file) as image:
            image.load()


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    """By the clock, and of computing."""
    began, began_computing = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - began_computing
