"""Stacks of LoRAs: reads those that other packs give, joins them, and finds the files that they name.

A stack is what the sockets LORA_STACK carry: names with a strength on the model and one on the text encoder. Pure, and
separate from `lora_files`, which reads files: whoever has a list of names can resolve and join. Nothing that a person
gave is left out in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from numbers import Real

from ..learning.loras import lora_key
from ..learning.message import message
from ..learning.names import last_part, shown_name
from ..recipes.loras import LONGEST_LORA_NAME, MOST_LORAS, real
from ..recipes.recipe import Lora
from .families import UNKNOWN
from .lora_files import LoraFile, fits

MOST_STRENGTH = 2.0
"""The sum of the strengths on the model, without their signs, up to which LoRAs are added to a stack. More than two at
full strength rarely look like anything; what a person gave is never reduced."""

_NONE = ("", "none")


@dataclass(frozen=True, slots=True)
class Stack:
    """LoRAs in the order in which they are applied, and what could not be used, for people to read."""

    loras: tuple[Lora, ...] = ()
    problems: tuple[str, ...] = ()


def read_stack(value: object) -> Stack:
    """Read what a LORA_STACK socket carries.

    Packs give None, lists or tuples, entries named "None", strengths as whole numbers or texts, and none for the text
    encoder.

    >>> read_stack([["ink.safetensors", "0.8", 1], ("None", 1.0, 1.0)]).loras
    (('ink.safetensors', 0.8, 1.0),)
    """
    if value is None:
        return Stack()
    entries = value if isinstance(value, (list, tuple)) else [value]
    if entries and isinstance(entries[0], str):  # one entry without a list around it
        entries = [entries]
    loras: list[Lora] = []
    problems: list[str] = []
    for entry in entries[:MOST_LORAS]:
        read = _entry(entry)
        if read is None:
            problems.append(
                message(
                    "stack_entry",
                    "An entry of the LoRA stack cannot be read and is left out: {entry}. It should be a name and two "
                    "strengths.",
                    entry=shown_name(repr(entry)[:100]),
                )
            )
        else:
            loras += read
    return Stack(tuple(loras), tuple(dict.fromkeys(problems)))


def _entry(entry: object) -> list[Lora] | None:
    """The LoRA of one entry, or none; None where it cannot be read."""
    if entry is None:
        return []
    if not isinstance(entry, (list, tuple)) or not entry:
        return None
    name, *strengths = entry
    if name is None or (isinstance(name, str) and name.strip().lower() in _NONE):
        return []
    model = _strength(strengths[0]) if strengths else 1.0
    clip = _strength(strengths[1]) if len(strengths) > 1 else model
    if not isinstance(name, str) or len(name) > LONGEST_LORA_NAME or model is None or clip is None:
        return None
    return [] if model == 0 == clip else [(name, model, clip)]


def _strength(value: object) -> float | None:
    return real(float(value) if isinstance(value, Real) and not isinstance(value, bool) else value)


def joined_stack(given: Sequence[Lora], more: Iterable[Lora], most: float = MOST_STRENGTH) -> tuple[Lora, ...]:
    """Add LoRAs to a given stack: the given ones first and untouched, none twice, and none that is too much.

    >>> joined_stack([("a/ink.pt", 1.5, 1.5)], [("A/Ink", 1, 1), ("b", 0.8, 0.8), ("c", 0.5, 1)])
    (('a/ink.pt', 1.5, 1.5), ('c', 0.5, 1))

    Parameters
    ----------
    most
        The sum of all strengths on the model, without their signs, that an added one must not exceed.
    """
    loras = list(given)
    total = sum(abs(strength) for _, strength, _ in loras)
    there = {lora_key(name) for name, _, _ in loras}
    for lora in more:
        if lora_key(lora[0]) not in there and total + abs(lora[1]) <= most + 1e-9:
            loras.append(lora)
            there.add(lora_key(lora[0]))
            total += abs(lora[1])
    return tuple(loras)


class LoraNames:
    """Finds the files that names mean, among those that ComfyUI lists."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = tuple(names)
        self._whole: dict[str, list[str]] = {}
        self._last: dict[str, list[str]] = {}
        for name in self._exact:
            plain = lora_key(name)
            self._whole.setdefault(plain, []).append(name)
            self._last.setdefault(last_part(plain), []).append(name)

    def matching(self, name: str) -> Sequence[str]:
        """The files that a name may mean, the likeliest first: as written, with its folder, else without."""
        if name in self._exact:
            return [name]
        plain = lora_key(name)
        return self._whole.get(plain) or self._last.get(last_part(plain), [])


def usable(
    loras: Iterable[Lora],
    names: LoraNames,
    find: Callable[[str], LoraFile | None],
    checkpoint: str,
    family: str = UNKNOWN,
) -> Stack:
    """Take the LoRAs that can be applied to a checkpoint, by their names in ComfyUI's list, each once.

    Parameters
    ----------
    loras
        In the order in which they count; where one is there twice, the first counts.
    family
        The checkpoint's.
    """
    taken: dict[str, Lora] = {}
    problems: list[str] = []
    for name, model, clip in loras:
        file, problem = _usable_file(name, names, find, checkpoint, family)
        if file is None:
            problems.append(problem)
            continue
        first = taken.setdefault(lora_key(file), (file, model, clip))
        if first[1:] != (model, clip):
            problems.append(
                message(
                    "lora_twice",
                    "{name} is named more than once: it is applied with {strength}, not also with {other}.",
                    name=file,
                    strength=_shown(first),
                    other=_shown((file, model, clip)),
                )
            )
    return Stack(tuple(taken.values()), tuple(dict.fromkeys(problems)))


def _usable_file(
    name: str, names: LoraNames, find: Callable[[str], LoraFile | None], checkpoint: str, family: str
) -> tuple[str | None, str]:
    """The file that a name means for this checkpoint; or None, and why there is none."""
    files = [file for match in names.matching(name) if (file := find(match)) is not None]
    if not files:
        return None, lora_missing(name)
    fitting = [file for file in files if fits(file.family, family)]
    whole = [file for file in fitting if not file.unusable]
    if whole:
        return whole[0].name, ""
    if fitting:
        return None, lora_broken(fitting[0].name, fitting[0].unusable)
    return None, message(
        "lora_other_family",
        "The LoRA {name} is for {family}, so it is left out for {checkpoint} ({other}).",
        name=files[0].name,
        family=files[0].family,
        checkpoint=checkpoint,
        other=family,
    )


def lora_missing(name: str) -> str:
    """Say that no file has this name."""
    return message(
        "lora_missing",
        "There is no LoRA {name} in ComfyUI's folders, so it is not applied. Check its spelling, or put the file "
        "there.",
        name=name,
    )


def lora_broken(name: str, problem: str) -> str:
    """Say that a file cannot be read, and what to do."""
    return message(
        "lora_broken",
        "The LoRA {name} cannot be applied: {problem}. The images are made without it. Download it again, or remove "
        "it.",
        name=name,
        problem=problem,
    )


def _shown(lora: Lora) -> str:
    _, model, clip = lora
    return f"{model:g}" if model == clip else f"{model:g}:{clip:g}"
