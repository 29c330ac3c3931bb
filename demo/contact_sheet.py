"""One PNG with all prompts of the demonstration: a column per kind, a row per prompt, with its images and verdict.

Separate from the report because it needs Pillow. Without images it shows the checkpoints' colours, as the title says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .person import SUBJECTS
from .report import JudgedPrompt
from .tiny_models.networks import Color

THUMB, GAP, CAPTION, MARGIN, HEAD = 76, 6, 16, 20, 84
CELL = (3 * THUMB + 2 * GAP, THUMB + CAPTION)
PAPER, INK, FAINT = (250, 249, 246), (34, 34, 38), (128, 128, 134)
SELECTED = (24, 148, 84)


def save(played: Sequence[JudgedPrompt], colors: Mapping[str, Color], title: str, path: Path) -> Path:
    """Draw the sheet and save it; returns the path."""
    columns = {kind: [judged for judged in played if judged.prompt.kind == kind] for kind in SUBJECTS}
    rows = max(map(len, columns.values()))
    pitch = (CELL[0] + 2 * MARGIN, CELL[1] + 2 * GAP + 4)
    sheet = Image.new("RGB", (len(columns) * pitch[0] + MARGIN, HEAD + rows * pitch[1] + MARGIN), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 14), title, INK, ImageFont.load_default(20))
    legend = "Green frame: selected. Pale: rejected. Under each row: branches and confidence."
    pen.text((MARGIN, 40), legend, FAINT, ImageFont.load_default(13))
    for column, (kind, prompts) in enumerate(columns.items()):
        left = MARGIN + column * pitch[0]
        pen.text((left, HEAD - 22), kind, INK, ImageFont.load_default(15))
        for row, judged in enumerate(prompts):
            _cell(sheet, pen, (left, HEAD + row * pitch[1]), judged, colors)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def _cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    judged: JudgedPrompt,
    colors: Mapping[str, Color],
) -> None:
    left, top = corner
    for position, name in enumerate(judged.generated.made_by[:3]):
        place = (left + position * (THUMB + GAP), top)
        thumb = _thumb(judged, position, colors[name])
        if position in judged.verdict.rejected:
            thumb = Image.blend(thumb, Image.new("RGB", thumb.size, PAPER), 0.6)
        sheet.paste(thumb, place)
        if position in judged.verdict.selected:
            pen.rectangle((place[0] - 2, place[1] - 2, place[0] + THUMB + 1, place[1] + THUMB + 1), None, SELECTED, 3)
    caption = f"{judged.branches} branch{'es' if judged.branches > 1 else ''}, {judged.generated.confidence:.2f}"
    pen.text((left, top + THUMB + 3), caption, FAINT, ImageFont.load_default(11))


def _thumb(judged: JudgedPrompt, position: int, color: Color) -> Image.Image:
    if judged.generated.images:
        return Image.fromarray(judged.generated.images[position]).resize((THUMB, THUMB))
    red, green, blue = (round(255 * part) for part in color)
    return Image.fromarray(np.full((THUMB, THUMB, 3), (red, green, blue), np.uint8))
