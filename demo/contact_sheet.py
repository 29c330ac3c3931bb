"""One PNG with all rounds: a column per kind of prompt, a row per prompt, who drew what, and what was kept.

Separate from the telling in words because it needs Pillow and pictures. Where nobody drew, it shows the
checkpoints' colours and says so across the top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .person import SUBJECTS
from .story import Played
from .tiny_models.networks import Color

THUMB, GAP, CAPTION, MARGIN, HEAD = 76, 6, 16, 20, 84
CELL = (3 * THUMB + 2 * GAP, THUMB + CAPTION)
PAPER, INK, FAINT = (250, 249, 246), (34, 34, 38), (128, 128, 134)
KEPT = (24, 148, 84)


def save(played: Sequence[Played], colors: Mapping[str, Color], title: str, path: Path) -> Path:
    """Draw the sheet and save it; returns the path."""
    columns = {kind: [round_ for round_ in played if round_.wish.kind == kind] for kind in SUBJECTS}
    rows = max(map(len, columns.values()))
    pitch = (CELL[0] + 2 * MARGIN, CELL[1] + 2 * GAP + 4)
    sheet = Image.new("RGB", (len(columns) * pitch[0] + MARGIN, HEAD + rows * pitch[1] + MARGIN), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 14), title, INK, ImageFont.load_default(20))
    legend = "Green frame: kept. Pale: thrown away. Under each row: branches and confidence."
    pen.text((MARGIN, 40), legend, FAINT, ImageFont.load_default(13))
    for column, (kind, rounds) in enumerate(columns.items()):
        left = MARGIN + column * pitch[0]
        pen.text((left, HEAD - 22), kind, INK, ImageFont.load_default(15))
        for row, round_ in enumerate(rounds):
            _cell(sheet, pen, (left, HEAD + row * pitch[1]), round_, colors)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def _cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    round_: Played,
    colors: Mapping[str, Color],
) -> None:
    left, top = corner
    for position, name in enumerate(round_.drawn.drawn_by[:3]):
        place = (left + position * (THUMB + GAP), top)
        thumb = _thumb(round_, position, colors[name])
        if position in round_.verdict.rejected:
            thumb = Image.blend(thumb, Image.new("RGB", thumb.size, PAPER), 0.6)
        sheet.paste(thumb, place)
        if position in round_.verdict.selected:
            pen.rectangle((place[0] - 2, place[1] - 2, place[0] + THUMB + 1, place[1] + THUMB + 1), None, KEPT, 3)
    caption = f"{round_.branches} branch{'es' if round_.branches > 1 else ''}, {round_.drawn.confidence:.2f}"
    pen.text((left, top + THUMB + 3), caption, FAINT, ImageFont.load_default(11))


def _thumb(round_: Played, position: int, color: Color) -> Image.Image:
    if round_.drawn.pictures:
        return Image.fromarray(round_.drawn.pictures[position]).resize((THUMB, THUMB))
    red, green, blue = (round(255 * part) for part in color)
    return Image.fromarray(np.full((THUMB, THUMB, 3), (red, green, blue), np.uint8))
