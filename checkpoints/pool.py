"""Pools: rules that decide which checkpoints may be recommended.

A pool is a rule and not a list of file names, so that a shared workflow works on a machine with other checkpoints. This
module is pure: it knows neither ComfyUI nor the disk, so that the nodes, the HTTP routes and the tests decide in the
same way. It does not guess: whatever it excludes, it names with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..learning.message import message
from ..learning.names import comparable, last_part, stored_name
from .families import UNKNOWN, needs_other_inputs
from .patterns import Patterns, printable

AUTO = "auto"
ALL = "all"

CHECKPOINTS, DIFFUSION_MODELS, GGUF = "checkpoints", "diffusion_models", "unet_gguf"
FOLDERS = (CHECKPOINTS, DIFFUSION_MODELS, GGUF)
"""ComfyUI's names of its model folders; the last one is there where a pack that loads GGUF files adds it."""
CHECKPOINTS_AND_DIFFUSION_MODELS = f"{CHECKPOINTS}+{DIFFUSION_MODELS}"

Part: TypeAlias = Literal["clip", "vae"]
ALL_PARTS: tuple[Part, ...] = ("clip", "vae")


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """One file as ComfyUI lists it.

    Attributes
    ----------
    broken
        Why it cannot be loaded; empty if it can.
    fingerprint
        Identifies its content; empty if the file was not read.
    folder
        Which of ComfyUI's model folders lists it.
    lacks
        The parts besides the diffusion model that the file does not hold, as far as its header says.
    unfinished
        Why it is left out until it has changed: it is still being written. Empty if it is not.
    said
        What its header says of how the model is used: `modelspec.title`, `modelspec.resolution` and the like.
    """

    name: str
    family: str = UNKNOWN
    broken: str = ""
    fingerprint: str = field(default="", compare=False)
    folder: str = CHECKPOINTS
    lacks: tuple[Part, ...] = ()
    unfinished: str = ""
    said: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class PoolRules:
    """The rules that a person sets.

    Attributes
    ----------
    family
        `auto` (that of the first included checkpoint that text alone drives), `all`, or a family's short name.
    include, exclude
        Globs, one per line or separated by commas, see `Patterns`. An empty `include` includes everything.
    fallback
        The checkpoint to use if none is left, with or without its folder.
    folder
        One of `FOLDERS`, or `CHECKPOINTS_AND_DIFFUSION_MODELS`.
    needs
        The parts that a checkpoint must hold besides the diffusion model. Files of the other folders hold none, and are
        not asked for them.
    """

    family: str = AUTO
    include: str = ""
    exclude: str = ""
    fallback: str = ""
    folder: str = CHECKPOINTS
    needs: tuple[Part, ...] = ALL_PARTS


@dataclass(frozen=True, slots=True)
class Pool:
    """The checkpoints that the rules leave, in ComfyUI's order, and those that they exclude.

    Attributes
    ----------
    family
        The family that `auto` resolved to; otherwise the rule's own.
    excluded
        The names by reason, for people to read.
    fallback
        The fallback as ComfyUI spells it; empty if none was set or it cannot be used.
    fallback_problem
        Why the fallback that was set cannot be used.
    """

    candidates: tuple[str, ...]
    family: str
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fallback: str = ""
    fallback_problem: str = ""

    @property
    def fallback_used(self) -> bool:
        """Whether the fallback is used because nothing else is left."""
        return not self.candidates and bool(self.fallback)


def select(rules: PoolRules, files: Sequence[CheckpointFile], banned: Iterable[str] = ()) -> Pool:
    """Apply the rules to the files. Never fails: an empty pool is a valid result.

    `banned` names checkpoints that are in no pool, whatever the rules.
    """
    banned_names = set(map(stored_name, banned))
    folders = rules.folder.split("+")
    files = [file for file in files if file.folder in folders]
    include, exclude = Patterns.of(rules.include), Patterns.of(rules.exclude)
    excluded: dict[str, list[str]] = {}  # a reason that is a message compares as its text
    usable: list[CheckpointFile] = []
    for file in files:
        if stored_name(file.name) in banned_names:
            excluded.setdefault(message("banned", "banned in the settings"), []).append(file.name)
        elif include and not include.match(file.name):
            excluded.setdefault(message("not_included", "not matched by include"), []).append(file.name)
        elif exclude.match(file.name):
            excluded.setdefault(message("excluded", "matched by exclude"), []).append(file.name)
        elif file.broken:
            broken = message("broken", "broken: {problem}", problem=file.broken)
            excluded.setdefault(broken, []).append(file.name)
        elif file.unfinished:
            excluded.setdefault(file.unfinished, []).append(file.name)
        elif lacking := _lacking(file, rules.needs):
            excluded.setdefault(lacking, []).append(file.name)
        else:
            usable.append(file)
    family = _family(rules.family, usable)
    candidates: dict[str, str] = {}  # names by content
    for file in usable:
        if family not in (ALL, file.family):
            excluded.setdefault(_other_family(file.family, family), []).append(file.name)
        elif (first := candidates.setdefault(file.fingerprint or file.name, file.name)) != file.name:
            same = message("same_file", "the same file as {name}", name=printable(first))
            excluded.setdefault(same, []).append(file.name)
    fallback, problem = _fallback(rules.fallback, files, banned_names)
    return Pool(
        candidates=tuple(candidates.values()),
        family=family,
        excluded={reason: tuple(map(printable, names)) for reason, names in excluded.items()},
        fallback=fallback,
        fallback_problem=problem,
    )


def _family(family: str, usable: Sequence[CheckpointFile]) -> str:
    if family != AUTO:
        return family
    known = [file.family for file in usable if file.family != UNKNOWN]
    for_text = [family for family in known if not needs_other_inputs(family)]
    return next(iter(for_text or known), UNKNOWN if usable else AUTO)


def _lacking(file: CheckpointFile, needs: Collection[Part]) -> str:
    """Why a file is left out that lacks a part; empty if it lacks none that is needed."""
    lacks = [part for part in needs if part in file.lacks]
    if file.folder != CHECKPOINTS or not lacks:
        return ""
    if lacks == ["vae"]:
        return message("lacks_vae", "without a VAE (`needs` says whether that matters)")
    if lacks == ["clip"]:
        return message("lacks_clip", "without a text encoder (`needs` says whether that matters)")
    return message("lacks_both", "without a text encoder and a VAE (`needs` says whether that matters)")


def _other_family(family: str, wanted: str) -> str:
    if family == UNKNOWN:
        return message("unknown_family", "architecture not known from the file's header (family `all` takes it)")
    return message("other_family", "architecture {family}, not {wanted}", family=family, wanted=wanted)


def _fallback(fallback: str, files: Sequence[CheckpointFile], banned: Collection[str]) -> tuple[str, str]:
    fallback = fallback.strip()
    if not fallback or fallback.casefold() == "none":
        return "", ""
    name = comparable(fallback)
    matches = [file for file in files if comparable(file.name) == name]
    matches = matches or [file for file in files if last_part(comparable(file.name)) == name]
    if not matches:
        return "", message("fallback_missing", "the fallback {name} is not among ComfyUI's checkpoints", name=fallback)
    file = matches[0]
    if stored_name(file.name) in banned:
        return "", message("fallback_banned", "the fallback {name} is banned in the settings", name=file.name)
    if file.broken:
        return "", message(
            "fallback_broken", "the fallback {name} is broken: {problem}", name=file.name, problem=file.broken
        )
    return file.name, ""


def known_families(files: Iterable[CheckpointFile]) -> dict[str, str]:
    """The family of each file whose family is known, by its name."""
    return {file.name: file.family for file in files if file.family != UNKNOWN}


def families_of(files: Iterable[CheckpointFile]) -> dict[str, int]:
    """Count the usable files of each family, most first, for the doctor and the health route."""
    return dict(Counter(file.family for file in files if not file.broken).most_common())
