"""Pools: rules that say which checkpoints may be recommended, and what follows when none is left.

A pool is a rule and not a list of file names, so that a shared workflow works on a machine with other
checkpoints. This module is pure: it knows neither ComfyUI nor the disk, so that the nodes, the HTTP routes
and the tests decide alike. It refuses to guess: what it leaves out, it names together with the reason.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..learning.message import joined, message
from ..learning.spelling import stored_name
from ..learning.values import Recommendation, Stage, Strategy

AUTO = "auto"
ALL = "all"
UNKNOWN = "unknown"

FAMILIES: tuple[str, ...] = (
    "sd15",
    "sd2",
    "sdxl",
    "sd3",
    "flux",
    "flux2",
    "chroma",
    "auraflow",
    "pixart",
    "hunyuan_dit",
    "hidream",
    "lumina2",
    "zimage",
    "qwen_image",
    "omnigen2",
    "cosmos",
    "ltxv",
    "hunyuan_video",
    "wan",
    UNKNOWN,
)
"""The families a person can choose. A file may have another one; `auto` and `all` reach it too."""

_CLASSES: Mapping[str, str] = {
    "SD15": "sd15",
    "SD20": "sd2",
    "SDXL": "sdxl",
    "SSD1B": "sdxl",
    "Segmind_Vega": "sdxl",
    "KOALA_700M": "sdxl",
    "KOALA_1B": "sdxl",
    "SDXLRefiner": "sdxl_refiner",
    "FluxSchnell": "flux",
    "PixArtAlpha": "pixart",
    "PixArtSigma": "pixart",
    "HunyuanDiT": "hunyuan_dit",
    "HunyuanDiT1": "hunyuan_dit",
    "QwenImage": "qwen_image",
    "CosmosT2V": "cosmos",
    "CosmosT2IPredict2": "cosmos",
    "LTXAV": "ltxv",
    "HunyuanVideo": "hunyuan_video",
    "WAN21_T2V": "wan",
    "WAN22_T2V": "wan",
}
_GGUF = {"sd1": "sd15", "aura": "auraflow", "hyvid": "hunyuan_video"}

_NAMES_PER_REASON = 5


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
        return message(
            "unknown_family", "architecture not known from the file's header (family `all` takes it)"
        )
    return message("other_family", "architecture {family}, not {wanted}", family=family, wanted=wanted)


def _fallback(asked: str, files: Sequence[CheckpointFile], banned: Collection[str]) -> tuple[str, str]:
    asked = asked.strip()
    if not asked or asked.casefold() == "none":
        return "", ""
    wanted = _plain(asked)
    whole = [file for file in files if _plain(file.name) == wanted]
    found = whole or [file for file in files if _last_part(_plain(file.name)) == wanted]
    if not found:
        return "", message(
            "fallback_missing", "the fallback {name} is not among ComfyUI's checkpoints", name=asked
        )
    if stored_name(found[0].name) in banned:
        return "", message(
            "fallback_banned", "the fallback {name} is banned in the settings", name=found[0].name
        )
    if found[0].broken:
        return "", message(
            "fallback_broken",
            "the fallback {name} is broken: {problem}",
            name=found[0].name,
            problem=found[0].broken,
        )
    return found[0].name, ""


# --- names and patterns


@dataclass(frozen=True, slots=True)
class Patterns:
    """Globs over checkpoint names: `*` any characters, `?` one; everything else, brackets too, means itself.

    A pattern matches the whole relative name or its last part, in any case, with `/` and `\\` alike; one
    that ends in a slash matches all that lies in that folder. Brackets are plain because they are common in
    checkpoint names.
    """

    expressions: tuple[re.Pattern[str], ...]

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, text: str) -> Patterns:
        """Read patterns, one per line or separated by commas; a name with a comma needs its own line."""
        lines = [line.strip() for line in text.splitlines()]
        parts = [part.strip() for line in lines if "," in line for part in line.split(",")]
        return cls(tuple(_expression(glob) for glob in dict.fromkeys(lines + parts) if glob.strip(",")))

    def match(self, name: str) -> bool:
        """Tell whether any of the patterns means this checkpoint."""
        plain = _plain(name)
        last = _last_part(plain)
        return any(one.match(plain) or one.match(last) for one in self.expressions)

    def __bool__(self) -> bool:
        return bool(self.expressions)


def _expression(glob: str) -> re.Pattern[str]:
    plain = _plain(glob)
    if plain.endswith("/"):
        plain += "*"
    return re.compile(
        fnmatch.translate(plain.replace("[", "[[]"))
    )  # its stars do not backtrack, a plain .* does


def _plain(name: str) -> str:
    """Spell a name so that the same file compares equal: one Unicode form (macOS splits), slash, no case."""
    folded = unicodedata.normalize("NFC", name).replace("\\", "/").casefold()
    return unicodedata.normalize("NFC", folded).removeprefix("./")


def printable(name: str) -> str:
    """Spell a name that is no text (Linux allows any bytes) so that it can be shown and sent."""
    return name.encode(errors="backslashreplace").decode()


def _last_part(plain: str) -> str:
    return plain.rpartition("/")[2]


def family_of_class(class_name: str) -> str:
    """Shorten the name of ComfyUI's model class (`comfy.supported_models`) to a family.

    Variants that stand in for one another in the same graph share a family; one that needs other inputs
    (inpainting, editing, a refiner) has its own, as has a class that is newer than this table.
    """
    return _CLASSES.get(class_name, class_name.lower())


def family_of_gguf(architecture: str) -> str:
    """Shorten a GGUF file's `general.architecture`."""
    return _GGUF.get(architecture, architecture.lower() or UNKNOWN)


# --- an empty pool, and a failed recommendation


def no_pool_line(pool: Pool, stage: Stage) -> str:
    """Say, for the log and the explanation, that the fallback stands in for an empty pool."""
    return message(
        "no_pool",
        "No checkpoint pool for {family}_{stage}, using default: {name}",
        family=pool.family,
        stage=stage,
        name=pool.fallback,
    )


def empty_pool_message(rules: PoolRules, pool: Pool, folders: Iterable[str]) -> str:
    """Say where was looked, by which rule, what it left out and what to do, for a pool without fallback."""
    left_out = sum(len(names) for names in pool.excluded.values())
    nowhere = message("no_folder", "no folder at all")
    said = [
        message("no_checkpoint_left", "No checkpoint is left to recommend."),
        message(
            "looked_in",
            "Looked in {folders}: {count} files.",
            folders=", ".join(folders) or nowhere,
            count=left_out or message("no_files", "no"),
        ),
        message(
            "the_rule",
            "The rule: family {family}, include {include}, exclude {exclude}.",
            family=rules.family,
            include=_quoted(rules.include) or message("everything", "everything"),
            exclude=_quoted(rules.exclude) or message("nothing", "nothing"),
        ),
    ]
    if pool.excluded:
        reasons = (joined([reason, _some(names)], by=": ") for reason, names in pool.excluded.items())
        said.append(message("left_out", "Left out: {reasons}.", reasons=joined(reasons, by="; ")))
    if pool.fallback_problem:
        said.append(message("and_fallback", "And {problem}.", problem=pool.fallback_problem))
    said.append(
        message("loosen_rule", "Loosen the rule or choose a fallback checkpoint.")
        if left_out
        else message("put_checkpoint", "Put a checkpoint there.")
    )
    return joined(said)


def _quoted(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"'{', '.join(lines)}'" if lines else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_PER_REASON])
    more = len(names) - _NAMES_PER_REASON
    return message("some_names", "{names} and {count} more", names=shown, count=more) if more > 0 else shown


def fallback_recommendation(prompt: str, pool: Pool, stage: Stage) -> Recommendation:
    """Recommend an empty pool's fallback; the caller logs `no_pool_line`, which is its explanation too."""
    return _bypass(prompt, (pool.fallback,), "exploit", pool.family, stage, no_pool_line(pool, stage))


def unlearned_recommendation(
    prompt: str, pool: Pool, stage: Stage, *, explore: bool, max_branches: int, reason: str
) -> Recommendation:
    """Recommend without what was learned, as asking it failed: the fallback, else the first candidates."""
    if pool.fallback:
        names: tuple[str, ...] = (pool.fallback,)
    else:
        names = pool.candidates[: max_branches if explore or stage == "draft" else 1]
    strategy: Strategy = "exploit" if len(names) == 1 else "explore"
    what = "the fallback" if pool.fallback else "the first of the pool"
    explanation = f"Nothing learned was used: {reason} Using {what} instead: {', '.join(names)}"
    return replace(_bypass(prompt, names, strategy, pool.family, stage, explanation), problem=reason)


def _bypass(
    prompt: str, names: tuple[str, ...], strategy: Strategy, family: str, stage: Stage, explanation: str
) -> Recommendation:
    return Recommendation(
        prompt=prompt,
        checkpoints=names,
        confidence=0.0,
        strategy=strategy,
        scores={},
        policy="",
        keywords=(),
        explanation=explanation,
        stage=stage,
        family=family,
        fallback=True,
    )


def families_of(files: Iterable[CheckpointFile]) -> dict[str, int]:
    """Count the usable files of each family, most first, for the doctor and the health route."""
    return dict(Counter(file.family for file in files if not file.broken).most_common())
