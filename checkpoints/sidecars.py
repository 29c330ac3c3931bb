"""What the files beside a checkpoint say of its settings: those of Lora-Manager, Civitai Helper, A1111 and Forge.

Separate from `profiles`, which caches what is read, and from `lora_files`, which reads other things from the same
files. A sidecar holds whatever a website or another program wrote, so nothing of it is trusted: its length is bounded
before it is parsed, values that make no sense are dropped with the reason, and texts for people (notes, descriptions)
are not searched for settings.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from ..learning.message import Message, message
from ..learning.profiles import Known, from_sidecar, read_values
from ..recipes.samplers import sampler_and_scheduler
from ..recipes.settings import LONGEST_NAME, Settings, Value
from .families import UNKNOWN
from .name_rules import CLIP_SKIP_FAMILIES, GUIDED_FAMILIES, settings_of_name

LARGEST_BYTES = 8 * 2**20
"""Lora-Manager's files have some 10 to 200 kB; whole workflows in the images' data make them longer."""
_MOST_IMAGES = 200
_MOST_PROBLEMS = 5

PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "steps": (1, 150),
    "cfg": (0, 30),
    "width": (64, 4096),
    "height": (64, 4096),
    "clip_skip": (1, 12),
}
"""What A1111's sliders allow: a file that says more is not believed."""

ENDINGS: tuple[str, ...] = (".metadata.json", ".civitai.info", ".json", ".txt")
"""In the place of the checkpoint's own; the first that knows a setting counts."""

_CLIP_SKIP_BASES = re.compile(r"(?i)^(sd ?1|sd ?2|sdxl|pony|illustrious|noobai)")
_GUIDED_BASES = re.compile(r"(?i)^(flux|hunyuan video)")
_INFOTEXT = re.compile(r"(?:^|, )(Steps|CFG scale|Sampler|Schedule type|Clip skip|Size): ([^,\n]{1,100})")


SidecarState: TypeAlias = "tuple[tuple[str, int, int], ...]"
"""Name, size and modification time of each sidecar that is there."""


class UnreadableSidecarError(Exception):
    """The file cannot be read; the message is the reason, without the file's name."""


def read_sidecar(path: Path, family: str = UNKNOWN) -> tuple[Known, tuple[str, ...]]:
    """Read one sidecar: what it knows, and what of it could not be used.

    Raises
    ------
    UnreadableSidecarError
        If it is too long or not what its name says.
    OSError
        If it cannot be read.
    """
    text = read_text(path)
    if path.name.lower().endswith(".txt"):
        settings, problems = _of_infotext(text, family)
    else:
        settings, problems = _of_json(parsed(text), family)
    said = [message("sidecar_problem", "{file}: {problem}", file=path.name, problem=each) for each in problems]
    return Known(from_sidecar(path.name), settings), tuple(dict.fromkeys(said))[:_MOST_PROBLEMS]


def read_text(path: Path) -> str:
    """Read a sidecar, within bounds.

    Raises
    ------
    UnreadableSidecarError
        If it is too long.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise UnreadableSidecarError(
            message("sidecar_too_long", "it is longer than {most} MB", most=LARGEST_BYTES // 2**20)
        )
    return content.decode("utf-8-sig", "replace")


def parsed(text: str) -> Mapping[str, object]:
    """Parse a sidecar's table. Raises `UnreadableSidecarError` where it is none."""
    try:
        content = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise UnreadableSidecarError(message("sidecar_no_json", "it is not JSON")) from error
    if not isinstance(content, dict):
        raise UnreadableSidecarError(message("sidecar_no_table", "it is not a table of names and values"))
    return content


def _of_json(content: Mapping[str, object], family: str) -> tuple[Settings, list[str]]:
    """Read any of the three kinds; they share no name with another meaning."""
    civitai = content.get("civitai")
    version = civitai if isinstance(civitai, dict) else content
    base = _first_text(content.get("base_model"), version.get("baseModel"))
    problems: list[str] = []
    settings = Settings()
    sources = (
        _tips(content.get("usage_tips")),
        {"before": content.get("activation text"), "negative": content.get("negative text")},
        _of_images(version.get("images"), problems),
    )
    for values in sources:
        read, wrong = read_values({name: value for name, value in values.items() if value not in (None, "")})
        problems += wrong
        settings = settings.filled(read)
    settings = _fitting(_plausible(settings, problems), family, base, problems)
    return settings.filled(settings_of_name(base, family)), problems


def _first_text(*values: object) -> str:
    return next((value[:LONGEST_NAME] for value in values if isinstance(value, str) and value), "")


def _tips(tips: object) -> dict[str, object]:
    """Lora-Manager's `usage_tips`: a table, written as text."""
    if isinstance(tips, str):
        try:
            tips = json.loads(tips)
        except (ValueError, RecursionError):
            return {}
    if not isinstance(tips, dict):
        return {}
    return {name: tips.get(name) for name in ("steps", "cfg", "sampler", "scheduler", "clip_skip")}


def _of_images(images: object, problems: list[str]) -> dict[str, object]:
    """The most frequent value of each setting in the sample images of a version; among equals, the first."""
    if not isinstance(images, list):
        return {}
    metas = (image.get("meta") for image in images[:_MOST_IMAGES] if isinstance(image, dict))
    unusable: list[str] = []
    rows = [_of_meta(meta, unusable) for meta in metas if isinstance(meta, dict)]
    found: dict[str, object] = {}
    for names in (("steps",), ("cfg",), ("sampler", "scheduler"), ("width", "height"), ("clip_skip",)):
        values = _most_frequent(tuple(row.get(name) for name in names) for row in rows)
        found |= dict(zip(names, values, strict=False))
    if found.get("sampler") is None or found.get("scheduler") is None:  # else others were more frequent
        problems += unusable
    return found


def _most_frequent(rows: Iterable[tuple[Value | None, ...]]) -> tuple[Value | None, ...]:
    counts = Counter(row for row in rows if row[0] is not None)
    return max(counts, key=counts.__getitem__, default=())


def _of_meta(meta: Mapping[str, object], problems: list[str]) -> dict[str, Value | None]:
    """One image's data, as Civitai gives it: A1111's names, some of them in a spelling of its own."""
    sampler, scheduler = _sampling(meta.get("sampler"), meta.get("Schedule type", meta.get("scheduler")), problems)
    width, height = _sides(meta.get("Size"))
    return {
        "steps": _number(meta.get("steps")),
        "cfg": _number(meta.get("cfgScale")),
        "sampler": sampler,
        "scheduler": scheduler,
        "width": width,
        "height": height,
        "clip_skip": _number(meta.get("clipSkip", meta.get("Clip skip"))),
    }


def _sampling(sampler: object, schedule: object, problems: list[str]) -> tuple[str | None, str | None]:
    if not isinstance(sampler, str) or not sampler.strip():
        return None, None
    named = schedule[:LONGEST_NAME].strip() if isinstance(schedule, str) else ""
    found, scheduler = sampler_and_scheduler(sampler[:LONGEST_NAME], named)
    found = found or _as_comfyui_spells(sampler)
    if found is None:
        _add(problems, message("sidecar_sampler", "ComfyUI has no sampler {name}", name=sampler[:LONGEST_NAME]))
        return None, None
    scheduler = scheduler or _as_comfyui_spells(named)
    if scheduler is None and named and named.lower() != "automatic":
        _add(problems, message("sidecar_scheduler", "ComfyUI has no scheduler {name}", name=named))
    return found, scheduler


def _as_comfyui_spells(name: str) -> str | None:
    """Take a name that may be another pack's, which may be installed: only the ComfyUI that runs can tell."""
    return name if re.fullmatch(r"[a-z0-9_]{1,40}", name) and name != "automatic" else None


def _add(problems: list[str], problem: Message) -> None:
    if len(problems) < _MOST_PROBLEMS:
        problems.append(problem)


def _sides(size: object) -> tuple[Value | None, Value | None]:
    found = (
        re.fullmatch(r"\s*([0-9]{1,5})\s*x\s*([0-9]{1,5})\s*", size)
        if isinstance(size, str) and len(size) < 30
        else None
    )
    return (int(found[1]), int(found[2])) if found else (None, None)


def _number(value: object) -> Value | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) < 20 and re.fullmatch(r"\s*[0-9]{1,6}(\.[0-9]{1,6})?\s*", value):
        return float(value)
    return None


def _of_infotext(text: str, family: str) -> tuple[Settings, list[str]]:
    """Read A1111's parameters (`Steps: 8, Sampler: DPM++ SDE Karras, ...`); any other text says nothing."""
    lines = [line for line in text[:100_000].splitlines() if line.startswith("Steps: ")]
    if not lines:
        return Settings(), []
    values = {name: value.strip() for name, value in _INFOTEXT.findall(lines[-1])}
    problems: list[str] = []
    sampler, scheduler = _sampling(values.get("Sampler"), values.get("Schedule type"), problems)
    width, height = _sides(values.get("Size"))
    read, wrong = read_values(
        {
            "steps": _number(values.get("Steps")),
            "cfg": _number(values.get("CFG scale")),
            "sampler": sampler,
            "scheduler": scheduler,
            "width": width,
            "height": height,
            "clip_skip": _number(values.get("Clip skip")),
        }
    )
    problems += wrong
    return _fitting(_plausible(read, problems), family, "", problems), problems


def _plausible(settings: Settings, problems: list[str]) -> Settings:
    kept = settings.known()
    for name, (least, most) in PLAUSIBLE.items():
        value = kept.get(name)
        if isinstance(value, int | float) and not least <= value <= most:
            problems.append(message("sidecar_value", "{name} {value} is not believed", name=name, value=f"{value:g}"))
            for other in ("width", "height") if name in ("width", "height") else (name,):
                kept.pop(other, None)
    return Settings(**kept)  # type: ignore[arg-type]


def _fitting(settings: Settings, family: str, base: str, problems: list[str]) -> Settings:
    """Without what means something else for this architecture."""
    kept = settings.known()
    if "cfg" in kept and (family in GUIDED_FAMILIES or (family == UNKNOWN and _GUIDED_BASES.match(base))):
        del kept["cfg"]
        problems.append(
            message("sidecar_guidance", "cfg is left out: of this architecture it is the guidance, not KSampler's cfg")
        )
    skips = family in CLIP_SKIP_FAMILIES or (family == UNKNOWN and _CLIP_SKIP_BASES.match(base))
    if "clip_skip" in kept and not skips:
        del kept["clip_skip"]
    return Settings(**kept)  # type: ignore[arg-type]


def names_of_sidecars(model: Path) -> Sequence[str]:
    """The names that a model's sidecars may have, in the order in which they count."""
    return [model.stem + ending for ending in ENDINGS]


def sidecars_of(model: Path) -> SidecarState:
    """The sidecars that a model has, in the order in which they count."""
    found = []
    for name in names_of_sidecars(model):
        try:
            status = model.with_name(name).stat()
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):  # a pipe would never end
            found.append((name, status.st_size, status.st_mtime_ns))
    return tuple(found)


def sidecars_in(folder: Path) -> SidecarState:
    """Those of a whole folder: one listing is much quicker than four questions per model."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(ENDINGS):
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        found.append((entry.name, status.st_size, status.st_mtime_ns))
    except OSError:
        pass  # it is listed again next time
    return tuple(sorted(found))
