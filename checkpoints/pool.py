"""Pools: rules that say which checkpoints may be recommended, and what follows when none is left.

A pool is a rule and not a list of file names, so that a shared workflow works on a machine with other
checkpoints. This module is pure: it knows neither ComfyUI nor the disk, so that the nodes, the HTTP routes
and the tests decide alike. It refuses to guess: what it leaves out, it names together with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..learning.message import message
from ..learning.names import stored_name
from .families import UNKNOWN
from .patterns import Patterns, _last_part, _plain, printable

AUTO = "auto"
ALL = "all"


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """One file as ComfyUI lists it. `broken` says why it cannot be loaded, if so; `fingerprint` knows it by
    its content, "" where that was not looked at."""

    name: str
    family: str = UNKNOWN
    broken: str = ""
    fingerprint: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PoolRules:
    """What a person asks for.

    Attributes
    ----------
    family
        `auto` (that of the first included checkpoint), `all`, or a family's short name.
    include, exclude
        Globs, one per line or separated by commas, see `matches`. An empty `include` includes everything.
    fallback
        The checkpoint to use where nothing is left, with or without its folder.
    """

    family: str = AUTO
    include: str = ""
    exclude: str = ""
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Pool:
    """Which checkpoints a rule leaves, in ComfyUI's order, and what it left out.

    Attributes
    ----------
    family
        What `auto` came to; the rule's own family otherwise.
    excluded
        Reason to names, for people to read.
    fallback
        The fallback as ComfyUI spells it; empty if none was asked for or it cannot be used.
    fallback_problem
        Why the fallback that was asked for cannot be used.
    """

    candidates: tuple[str, ...]
    family: str
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fallback: str = ""
    fallback_problem: str = ""

    @property
    def fallback_used(self) -> bool:
        """Whether the fallback stands in because nothing else is left."""
        return not self.candidates and bool(self.fallback)


def select(rules: PoolRules, files: Sequence[CheckpointFile], banned: Iterable[str] = ()) -> Pool:
    """Apply the rules to the files; never fails, an empty pool is an answer too.

    `banned` names checkpoints that a person wants in no pool, whatever the rules.
    """
    never = set(map(stored_name, banned))
    include, exclude = Patterns.of(rules.include), Patterns.of(rules.exclude)
    excluded: dict[str, list[str]] = {}  # a reason that is a message compares as its text
    usable: list[CheckpointFile] = []
    for file in files:
        if stored_name(file.name) in never:
            excluded.setdefault(message("banned", "banned in the settings"), []).append(file.name)
        elif include and not include.match(file.name):
            excluded.setdefault(message("not_included", "not matched by include"), []).append(file.name)
        elif exclude.match(file.name):
            excluded.setdefault(message("excluded", "matched by exclude"), []).append(file.name)
        elif file.broken:
            broken = message("broken", "broken: {problem}", problem=file.broken)
            excluded.setdefault(broken, []).append(file.name)
        else:
            usable.append(file)
    family = _family(rules.family, usable)
    for file in usable:
        if family not in (ALL, file.family):
            excluded.setdefault(_other_family(file.family, family), []).append(file.name)
    fallback, problem = _fallback(rules.fallback, files, never)
    return Pool(
        candidates=tuple(file.name for file in usable if family in (ALL, file.family)),
        family=family,
        excluded={reason: tuple(map(printable, names)) for reason, names in excluded.items()},
        fallback=fallback,
        fallback_problem=problem,
    )


def _family(asked: str, usable: Sequence[CheckpointFile]) -> str:
    if asked != AUTO:
        return asked
    known = [file.family for file in usable if file.family != UNKNOWN]
    return known[0] if known else UNKNOWN if usable else AUTO


def _other_family(family: str, wanted: str) -> str:
    if family == UNKNOWN:
        return message("unknown_family", "architecture not known from the file's header (family `all` takes it)")
    return message("other_family", "architecture {family}, not {wanted}", family=family, wanted=wanted)


def _fallback(asked: str, files: Sequence[CheckpointFile], banned: Collection[str]) -> tuple[str, str]:
    asked = asked.strip()
    if not asked or asked.casefold() == "none":
        return "", ""
    wanted = _plain(asked)
    whole = [file for file in files if _plain(file.name) == wanted]
    found = whole or [file for file in files if _last_part(_plain(file.name)) == wanted]
    if not found:
        return "", message("fallback_missing", "the fallback {name} is not among ComfyUI's checkpoints", name=asked)
    if stored_name(found[0].name) in banned:
        return "", message("fallback_banned", "the fallback {name} is banned in the settings", name=found[0].name)
    if found[0].broken:
        return "", message(
            "fallback_broken",
            "the fallback {name} is broken: {problem}",
            name=found[0].name,
            problem=found[0].broken,
        )
    return found[0].name, ""


def families_of(files: Iterable[CheckpointFile]) -> dict[str, int]:
    """Count the usable files of each family, most first, for the doctor and the health route."""
    return dict(Counter(file.family for file in files if not file.broken).most_common())
