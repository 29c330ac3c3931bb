"""Cells as text: one table per world, and how the default policy compares with its figures and its peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from context_checkpoint.learning.policies import DEFAULT_POLICY, POLICIES

from .figures import BOOSTERS_MAY_COST, FIGURES, RECOVERY_AIM, RECOVERY_PROMPTS, Figure
from .match import Cell
from .measures import Estimate, Window, advantage, exploited, lead, recovery, window
from .players import PLAYERS
from .worlds import WORLDS, World

Players = Mapping[str, Sequence[Cell]]

BLIND = ("global", "thompson-blind", "thompson-blind-own")
INFORMED = ("informed",)
PEERS = {name for name, entrant in PLAYERS.items() if entrant.peer and not entrant.foresight}


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
        row = [PLAYERS[name].label if name in PLAYERS else name]
        for first, last in spans:
            result = window(cells, first, last)
            row += [str(result.share), f"{result.images.mean:.2f}"]
            if world.valued:
                row.append(str(result.first))
        alone = exploited(cells)
        row += [f"{alone.rounds}", f"{alone.confidence:.2f}", f"{alone.hits:.2f}"] if alone.rounds else ["-"] * 3
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines)


def report(world: World, players: Players) -> str:
    """The table of one world, and how the default policy stands to its figures and to its peers."""
    seeds = max(len(cells) for cells in players.values())
    lines = [f"### {world.name}", "", f"{world.description[0].upper()}{world.description[1:]}; {seeds} seeds.", ""]
    lines += [world_table(world, players), ""]
    remarks = [
        *against_figures(world, players),
        *first_against_blind(world, players),
        *lost_against(world, players),
    ]
    return "\n".join([*lines, *(f"- {line}" for line in remarks)]).rstrip()


def against_figures(world: World, players: Players) -> list[str]:
    """One line per figure of this world: what was reached, and whether that is what it must be or the aim."""
    cells = players.get(DEFAULT_POLICY)
    if not cells:
        return []
    lines = []
    for span in world.windows:
        figure = FIGURES.get((world.name, span))
        if figure and min(cell.prompts for cell in cells) >= span[1]:
            result = window(cells, *span)
            reached = f"{result.share.mean:.3f} at {result.images.mean:.2f} images"
            lines.append(f"{DEFAULT_POLICY} {span[0]}-{span[1]}: {reached} [{figure}]: {_met(result, figure)}")
    if world.flip and min(cell.prompts for cell in cells) > world.flip:
        lines += _recovered(players, world.flip)
    return lines


def first_against_blind(world: World, players: Players) -> list[str]:
    """Where utilities are ratings: what the first recommendation is worth against the prompt-blind ones."""
    cells = players.get(DEFAULT_POLICY)
    if not cells or not world.valued:
        return []
    span = world.windows[0]
    ours = window(cells, *span).first
    lines = []
    for name in (name for name in BLIND if name in players):
        theirs = window(players[name], *span).first
        ahead = lead(cells, players[name], *span)
        sure = "" if -ahead.mean > 2 * ahead.error else ", within the error"
        verdict = "not below" if ahead.mean >= 0.0 else f"BELOW by {Estimate(-ahead.mean, ahead.error)}{sure}"
        lines.append(f"first recommendation of {DEFAULT_POLICY} {ours}, of {name} {theirs}: {verdict}")
    return lines


def boosters_cost(played: Mapping[str, Players]) -> list[str]:
    """How much more regret the default policy has when the same wishes are written with boosters."""
    plain, boosted = (played.get(name, {}).get(DEFAULT_POLICY) for name in ("styles", "boosters"))
    if not plain or not boosted:
        return []
    lines = []
    for span in WORLDS["styles"].windows:
        dearer = advantage(plain, boosted, *span)
        part = dearer.mean / max(window(plain, *span).share.mean, 1e-9)
        aim = f"[{BOOSTERS_MAY_COST:.0%} of it]"
        lines.append(f"boosters cost {DEFAULT_POLICY} {dearer} in {span[0]}-{span[1]}, {part:+.0%} {aim}")
    return lines


def _recovered(players: Players, flip: int) -> list[str]:
    lines = []
    for name in (name for name in players if name in POLICIES):
        took = recovery(players[name], flip)
        prompts = f"{took} prompts" if took is not None else "never"
        aim = f"[{RECOVERY_PROMPTS}, aim {RECOVERY_AIM}]"
        lines.append(f"{name}: back to within 20 % of the regret before the flip in {prompts} {aim}")
    ours = players.get(DEFAULT_POLICY)
    for name in (name for name in players if ours and name in INFORMED):
        took = recovery(players[name], flip, of=ours)
        prompts = f"{took} prompts" if took is not None else "never"
        lines.append(f"{name}: within 20 % of what {DEFAULT_POLICY} had before the flip in {prompts}")
    return lines


def lost_against(world: World, players: Players) -> list[str]:
    """A line for each peer that has less regret than the default policy at no more images."""
    cells = players.get(DEFAULT_POLICY)
    if not cells:
        return []
    lines = []
    for span in (span for span in world.windows if span[1] <= _shortest(players)):
        ours = window(cells, *span)
        for name, theirs in players.items():
            result = window(theirs, *span)
            if name in PEERS and result.images.mean <= ours.images.mean + 0.005:
                less = advantage(theirs, cells, *span)
                if less.mean > 0.0:
                    sure = "" if less.mean > 2 * less.error else ", within the error"
                    lines.append(f"{name} beats {DEFAULT_POLICY} in {span[0]}-{span[1]} by {less}{sure}")
    return lines


def _met(result: Window, figure: Figure) -> str:
    share, images = result.share.mean, result.images.mean
    if share <= figure.aim and images <= figure.aim_images:
        return "aim reached"
    if share <= figure.must and images <= figure.must_images:
        return "must reached"
    return "MISSED"


def _shortest(players: Players) -> int:
    return min((cell.prompts for cells in players.values() for cell in cells), default=0)


def grouped(cells: Mapping[tuple[str, str, int], Cell], names: Sequence[str]) -> dict[str, dict[str, list[Cell]]]:
    """Cells by world and player, in the order of `WORLDS` and of `names`."""
    groups: dict[str, dict[str, list[Cell]]] = {}
    for world in WORLDS:
        for name in names:
            own = [cell for (at, who, _), cell in sorted(cells.items()) if (at, who) == (world, name)]
            if own:
                groups.setdefault(world, {})[name] = own
    return groups
