"""Cells as text: one table per world, with the figures that the default policy is held to beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from context_checkpoint.learning.policies import DEFAULT_POLICY

from .figures import FIGURES, Figure
from .match import Cell
from .measures import Window, exploited, window
from .players import PLAYERS
from .worlds import WORLDS, World

Players = Mapping[str, Sequence[Cell]]


def world_table(world: World, players: Players) -> str:
    """A Markdown table: a row per player, regret share and images per window, exploit rounds."""
    spans = [(first, last) for first, last in world.windows if first < _shortest(players)]
    titles = ["player"]
    for first, last in spans:
        titles += [f"regret {first}-{last}", "images"]
        if world.valued:
            titles.append("first is worth")
    titles += ["exploits", "confidence", "hits"]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for name, cells in players.items():
        row = [PLAYERS[name].told if name in PLAYERS else name]
        for first, last in spans:
            held = window(cells, first, last)
            row += [str(held.share), f"{held.images.mean:.2f}"]
            if world.valued:
                row.append(str(held.first))
        alone = exploited(cells)
        row += (
            [f"{alone.rounds}", f"{alone.confidence:.2f}", f"{alone.hits:.2f}"] if alone.rounds else ["-"] * 3
        )
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def against_figures(world: World, players: Players) -> list[str]:
    """One line per figure of this world: what was reached, and whether it must or could be better."""
    cells = players.get(DEFAULT_POLICY)
    lines = []
    for span in world.windows:
        figure = FIGURES.get((world.name, span))
        if figure and cells and min(cell.prompts for cell in cells) >= span[1]:
            held = window(cells, *span)
            lines.append(
                f"{DEFAULT_POLICY} {span[0]}-{span[1]}: {_said(held)} [{figure}]: {_met(held, figure)}"
            )
    return lines


def _said(held: Window) -> str:
    return f"{held.share.mean:.3f} at {held.images.mean:.2f} images"


def _met(held: Window, figure: Figure) -> str:
    share, images = held.share.mean, held.images.mean
    if share <= figure.aim and images <= figure.aim_images:
        return "aim reached"
    if share <= figure.must and images <= figure.must_images:
        return "must reached"
    return "MISSED"


def _shortest(players: Players) -> int:
    return min((cell.prompts for cells in players.values() for cell in cells), default=0)


def grouped(
    cells: Mapping[tuple[str, str, int], Cell], names: Sequence[str]
) -> dict[str, dict[str, list[Cell]]]:
    """Cells by world and player, in the order of `WORLDS` and of `names`."""
    found: dict[str, dict[str, list[Cell]]] = {}
    for world in WORLDS:
        for name in names:
            held = [cell for (at, who, _), cell in sorted(cells.items()) if (at, who) == (world, name)]
            if held:
                found.setdefault(world, {})[name] = held
    return found
