"""The file of finished cells: one JSON object a line, appended when a cell is done.

That makes a run resumable, whatever stopped it: what is in the file is not played again. A cell belongs to
the code that played it, by a fingerprint of all files that can change its numbers; cells of other code stay
in the file and are not used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path

from .match import Cell

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
_NO_MATTER = {
    "measures.py",
    "figures.py",
    "picture.py",
    "table.py",
    "__main__.py",
    "timing.py",
    "results_file.py",
}
_LEARNING = ("prompts", "model", "policies", "recommendation", "values.py")


def default_path() -> Path:
    """In the user's cache, never in the repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "context-checkpoint" / "arena.jsonl"


def fingerprint() -> str:
    """Of the arena's players and worlds and of the pure part of `learning`."""
    files = [path for path in sorted(_HERE.rglob("*.py")) if path.name not in _NO_MATTER]
    for name in _LEARNING:
        path = _ROOT / "learning" / name
        files += sorted(path.glob("*.py")) if path.is_dir() else [path]
    digest = blake2b(digest_size=8)
    for path in files:
        digest.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class ResultsFile:
    """Cells of this code in a file of all cells.

    Parameters
    ----------
    variant
        What else identifies these cells among those of the same code, for example a shortened run.
    """

    def __init__(self, path: Path, variant: str = "", code: str | None = None) -> None:
        self._path = path
        self._key = f"{fingerprint() if code is None else code}{variant}"

    def cells(self) -> dict[tuple[str, str, int], Cell]:
        """All finished cells by world, player and seed. A torn last line (a run was killed) is no cell."""
        cells: dict[tuple[str, str, int], Cell] = {}
        if not self._path.exists():
            return cells
        for line in self._path.read_text("utf-8").splitlines():
            try:
                values = json.loads(line)
            except ValueError:
                continue
            if values.pop("code", None) == self._key:
                cell = Cell(**values)
                cells[cell.world, cell.player, cell.seed] = cell
        return cells

    def add(self, cells: Iterable[Cell]) -> None:
        """Append finished cells; they are on disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        torn = self._torn()
        with self._path.open("a", encoding="utf-8") as file:
            if torn:
                file.write("\n")
            for cell in cells:
                file.write(json.dumps({"code": self._key, **_rounded(cell)}, separators=(",", ":")) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _torn(self) -> bool:
        """Whether the last line has no end, because its writer was killed."""
        data = self._path.read_bytes() if self._path.exists() else b""
        return bool(data) and not data.endswith(b"\n")


def _rounded(cell: Cell) -> dict[str, object]:
    values = asdict(cell)
    for name in ("regret", "chance", "first"):
        values[name] = [round(number, 6) for number in values[name]]
    return values
