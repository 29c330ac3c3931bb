"""Time by the number of generations as an SVG, both axes logarithmic; by hand, as the arena's picture is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

WIDTH, HEIGHT, LEFT, TOP = 460, 260, 60, 20
LOWEST_MS, HIGHEST_MS = 0.05, 1000.0
CURVES = {
    "recommend 12 p50": ("recommendation of 12, median", "#1f77b4"),
    "recommend 12 p99": ("recommendation of 12, 99 % within", "#7fb3dd"),
    "recommend 12 again, same seed p50": ("the same question again", "#17becf"),
    "recommend 200 p50": ("recommendation of 200, median", "#2ca02c"),
    "verdict p50": ("verdict committed, median", "#d62728"),
    "open": ("open", "#9467bd"),
    "panel: preferences, first page": ("panel, preferences", "#ff7f0e"),
    "panel: overview": ("panel, overview", "#8c564b"),
    "panel: progress": ("panel, progress", "#e377c2"),
}


def draw(measured: Mapping[int, Mapping[str, float]]) -> str:
    sizes = sorted(measured)
    wide, high = WIDTH + LEFT + 230, HEIGHT + TOP + 50
    font = 'font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" {font}>',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
    ]
    for power in range(-1, 4):
        y = _y(10.0**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}h{WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>')
    for size in sizes:
        x = _x(size, sizes)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT + TOP + 18}" text-anchor="middle">{size:,}</text>')
    parts.append(f'<text x="{LEFT + WIDTH / 2}" y="{HEIGHT + TOP + 38}" text-anchor="middle">generations</text>')
    for place, (name, (label, color)) in enumerate(CURVES.items()):
        points = " ".join(f"{_x(size, sizes):.1f},{_y(measured[size][name]):.1f}" for size in sizes)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        y = TOP + 12 + place * 18
        parts.append(f'<path d="M{LEFT + WIDTH + 12} {y - 4}h16" stroke="{color}" stroke-width="2"/>')
        parts.append(f'<text x="{LEFT + WIDTH + 34}" y="{y}">{escape(label)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _x(size: int, sizes: list[int]) -> float:
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])
    share = (math.log10(size) - first) / (last - first) if last > first else 0.5
    return LEFT + WIDTH * (0.04 + 0.92 * share)


def _y(milliseconds: float) -> float:
    lowest, highest = math.log10(LOWEST_MS), math.log10(HIGHEST_MS)
    share = (math.log10(min(max(milliseconds, LOWEST_MS), HIGHEST_MS)) - lowest) / (highest - lowest)
    return TOP + HEIGHT * (1.0 - share)
