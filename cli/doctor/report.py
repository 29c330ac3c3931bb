"""What the doctor reports: one result per check, as text and as JSON.

Separate from the checks so that each of them, and the printing, depends on nothing else.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...learning.message import as_shown
from ...learning.reports import CopyReport

State = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. The names are those of the JSON; `mend` says what to do where it is not good."""

    area: str
    name: str
    found: str
    state: State = "good"
    mend: str = ""


def copy_line(copy: CopyReport) -> str:
    """What a copy of the database, or a damaged file, holds."""
    generations, verdicts = (
        f"{'?' if count is None else format(count, ',')} {what}"
        for count, what in ((copy.generations, "generations"), (copy.verdicts, "verdicts"))
    )
    state = f"not sound ({copy.problem})" if copy.problem else "sound"
    return f"{copy.made_at:%Y-%m-%d %H:%M} UTC, {copy.kind}, {generations}, {verdicts}, {state}: {copy.name}"


def recomputing(how_far: str) -> Check:
    """After an update that changed the formula, or where `--rebuild` was interrupted."""
    progress = f"being recomputed, {how_far}; until then recommendations use the former ones"
    return Check("database", "statistics", progress, "note")


@dataclass(frozen=True, slots=True)
class Report:
    """All checks, in the order they were made."""

    checks: tuple[Check, ...]

    @property
    def good(self) -> bool:
        return all(check.state != "bad" for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        return {"good": self.good, "checks": [asdict(check) for check in self.checks]}

    def as_text(self) -> str:
        """One line per check, grouped by area, with what to do below what is wrong."""
        lines: list[str] = []
        area = ""
        for check in self.checks:
            if check.area != area:
                area = check.area
                lines += ["", area] if lines else [area]
            mark = {"good": "  ", "note": "- ", "bad": "! "}[check.state]
            lines.append(f"  {mark}{check.name}: {as_shown(check.found)}")
            if check.mend:
                lines.append(f"      -> {as_shown(check.mend)}")
        bad = sum(check.state == "bad" for check in self.checks)
        summary = "All is well." if self.good else f"{bad} problem{'s' if bad > 1 else ''}, marked !"
        return "\n".join([*lines, "", summary])
