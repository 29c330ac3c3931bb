"""The curves as an SVG: regret and images per prompt over time in each world, and calibration.

Written by hand, a few hundred lines of text, so that the docs need no plotting library and a change of one
curve is a readable difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy

from context_checkpoint.learning.policies import DEFAULT_POLICY

from .match import Cell
from .measures import calibration, curve
from .players import PLAYERS
from .wishes import Numbers
from .worlds import WORLDS

Played = Mapping[str, Mapping[str, Sequence[Cell]]]

WIDTH, HEIGHT = 250, 150
_MARGIN, _GAP, _HEAD = 40, 46, 70
_COLUMNS = 3
_MOST_REGRET = 1.5
_LINE, _WORD = 9, 60
_FONT = 'font-family="sans-serif" font-size="10"'
_INK, _FAINT = "#333", "#999"
_COLORS = (
    "#d62728", "#8c564b", "#e377c2", "#111", "#7f7f7f", "#bcbd22", "#ff7f0e", "#1f77b4", "#17becf", "#2ca02c",
    "#9467bd", "#6b8e23", "#4682b4", "#b8860b", "#708090", "#5f9ea0",
    "#4b0082", "#a0522d", "#2f4f4f", "#c71585", "#556b2f",
)  # fmt: skip


def draw(played: Played) -> str:
    """One panel per world (regret as a share of three at random), then images per prompt and calibration."""
    colors = {name: _COLORS[place % len(_COLORS)] for place, name in enumerate(PLAYERS)}
    panels = [_regret(world, players, colors) for world, players in played.items()]
    panels += [_images(played), _calibration(played)]
    rows = -(-len(panels) // _COLUMNS)
    names = [name for name in PLAYERS if any(name in players for players in played.values())]
    wide = _COLUMNS * (WIDTH + _GAP) + _MARGIN
    high = _HEAD + rows * (HEIGHT + _GAP + 10)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" {_FONT}>',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
        *_legend(names, colors),
    ]
    for place, panel in enumerate(panels):
        x = _MARGIN + place % _COLUMNS * (WIDTH + _GAP)
        y = _HEAD + place // _COLUMNS * (HEIGHT + _GAP + 10)
        parts.append(f'<g transform="translate({x},{y})">{panel}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _legend(names: Sequence[str], colors: Mapping[str, str]) -> list[str]:
    parts = []
    for place, name in enumerate(names):
        x, y = _MARGIN + place % 6 * 140, 14 + place // 6 * 14
        parts.append(f'<path d="M{x} {y - 3}h14" stroke="{colors[name]}" stroke-width="{_stroke(name)}"/>')
        parts.append(f'<text x="{x + 18}" y="{y}">{escape(name)}</text>')
    return parts


def _regret(world: str, players: Mapping[str, Sequence[Cell]], colors: Mapping[str, str]) -> str:
    last = max(cell.prompts for cells in players.values() for cell in cells)
    parts = [_frame(f"{world}: regret / three at random", last, _MOST_REGRET, (0.5, 1.0))]
    for name in sorted(players, key=lambda name: name == DEFAULT_POLICY):  # ours on top
        at, share, _ = _thinned(*curve(players[name]))
        parts.append(_line(at / last, share / _MOST_REGRET, colors[name], _stroke(name)))
    return "".join(parts)


def _images(played: Played) -> str:
    """How many checkpoints the default policy shows, in all worlds; a line's world is named at its end."""
    defaults = {world: players[DEFAULT_POLICY] for world, players in played.items() if DEFAULT_POLICY in players}
    last = max((cell.prompts for cells in defaults.values() for cell in cells), default=1)
    parts = [_frame(f"{DEFAULT_POLICY}: checkpoints shown per prompt", last, 3.2, (1, 2, 3))]
    ends = []
    for place, (world, cells) in enumerate(defaults.items()):
        at, _, shown = _thinned(*curve(cells))
        color = _COLORS[place % len(_COLORS)]
        parts.append(_line(at / last, shown / 3.2, color, 1.2))
        ends.append((HEIGHT * (1 - shown[-1] / 3.2) - 2, at[-1] / last * WIDTH, world, color))
    labels: list[tuple[float, float]] = []
    for y, x, world, color in sorted(ends):
        # One under the other, where lines end close together.
        low = max([y, *(above + _LINE for at, above in labels if abs(at - x) < _WORD)])
        labels.append((x, low))
        anchor = "end" if x > WIDTH / 2 else "start"
        parts.append(f'<text x="{x:.0f}" y="{low:.0f}" fill="{color}" text-anchor="{anchor}">{world}</text>')
    return "".join(parts)


def _thinned(*lines: Numbers) -> list[Numbers]:
    """At most some sixty points a line: a curve is smooth over more than it leaves out."""
    step = max(1, len(lines[0]) // 40)
    return [line[::step] for line in lines]


def _calibration(played: Played) -> str:
    """Rounds that showed one checkpoint: stated confidence against how often it was a favourite.

    Above the diagonal the policy keeps more than it promises. Simulated worlds only: in the others one
    picture stands for a checkpoint, and its luck for the favourite.
    """
    parts = [
        _frame("shown alone: hits against confidence", 1, 1.0, (0.5, 1.0)),
        f'<path d="M0 {HEIGHT}L{WIDTH} 0" stroke="{_FAINT}" stroke-dasharray="3 3"/>',
    ]
    for name, color in ((DEFAULT_POLICY, "#d62728"), ("counts", "#8c564b"), ("global", "#e377c2")):
        cells = [
            cell for world, players in played.items() if not WORLDS[world].valued for cell in players.get(name, ())
        ]
        for one in calibration(cells) if cells else ():
            size = 1.5 + min(4.0, one.rounds**0.5 / 40)
            x, y = WIDTH * one.confidence, HEIGHT * (1 - one.hits)
            title = f"<title>{name}: {one.rounds} rounds</title>"
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{color}">{title}</circle>')
    return "".join(parts)


def _frame(title: str, last: float, most: float, ticks: Sequence[float]) -> str:
    parts = [
        f'<path d="M0 0V{HEIGHT}H{WIDTH}" fill="none" stroke="{_INK}"/>',
        f'<text y="-6" font-weight="bold">{escape(title)}</text>',
        f'<text x="{WIDTH}" y="{HEIGHT + 12}" text-anchor="end" fill="{_FAINT}">{last:g}</text>',
    ]
    for tick in ticks:
        y = HEIGHT * (1 - tick / most)
        parts.append(f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="-4" y="{y + 3:.1f}" text-anchor="end" fill="{_FAINT}">{tick:g}</text>')
    return "".join(parts)


def _line(x: Numbers, y: Numbers, color: str, width: float) -> str:
    heights = numpy.clip(1.0 - y, 0.0, 1.0)
    points = " ".join(f"{WIDTH * across:.0f},{HEIGHT * up:.1f}" for across, up in zip(x, heights, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{width}"/>'


def _stroke(name: str) -> float:
    return 2.4 if name == DEFAULT_POLICY else 1.0
