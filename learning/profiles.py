"""The settings of a checkpoint (its profile), where each of them comes from, and which values a setting may have.

Pure. Separate from the readers of files and names (`checkpoints`) and from the person's own values
(`runtime.settings`), which know nothing of each other and are put together here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..recipes.samplers import sampler_and_scheduler, scheduler_name
from ..recipes.settings import LIMITS, LONGEST_NAME, LONGEST_WORDS, NAMES, SIZE, WORDS, Settings, Value
from .message import Message, message


@dataclass(frozen=True, slots=True)
class Known:
    """What one source says of a checkpoint's settings; `source` is for people to read: "its name"."""

    source: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class Profile:
    """A checkpoint's settings, the source of each known one by its name, and what could not be used."""

    settings: Settings = field(default_factory=Settings)
    sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def profile_of(known: Iterable[Known], problems: Iterable[str] = ()) -> Profile:
    """Take each setting from the first source that knows it."""
    values: dict[str, Value] = {}
    sources: dict[str, str] = {}
    for each in known:
        for name, value in each.settings.known().items():
            if name not in values:
                values[name], sources[name] = value, each.source
    return Profile(Settings(**values), sources, tuple(dict.fromkeys(problems)))  # type: ignore[arg-type]


def set_by_person() -> Message:
    return message("profile_by_person", "you set it")


def from_kept_images() -> Message:
    return message("profile_by_kept_images", "your kept images")


def from_question() -> Message:
    return message("profile_by_question", "another value, to compare")


def from_sidecar(file: str) -> Message:
    return message("profile_by_sidecar", "its sidecar file {file}", file=file)


def from_header() -> Message:
    return message("profile_by_header", "its header")


def from_name() -> Message:
    return message("profile_by_name", "its name")


def from_node() -> Message:
    return message("profile_by_node", "this node")


def checked(name: str, value: object) -> Value:
    """Give the value as `Settings` holds it. Samplers and schedulers in A1111's spelling get ComfyUI's.

    Raises
    ------
    ValueError
        If there is no such setting, or it may not have this value; the message names the choices.
    """
    if name in ("sampler", "scheduler", *WORDS):
        return _text(name, value)
    if name not in LIMITS:
        raise ValueError(
            message(
                "profile_unknown",
                "A checkpoint has no setting {name}; there are: {names}.",
                name=name[:LONGEST_NAME],
                names=", ".join(NAMES),
            )
        )
    least, most = LIMITS[name]
    number = None if isinstance(value, bool) or not isinstance(value, int | float) else value
    fits = number is not None and least <= number <= most  # neither infinity nor NaN does
    if name == "cfg":
        if number is not None and fits:
            return float(number)
        raise ValueError(
            message(
                "profile_number",
                "{name} is {value}; choose a number from {least} to {most}.",
                name=name,
                value=repr(value)[:LONGEST_NAME],
                least=int(least),
                most=int(most),
            )
        )
    if number is not None and fits and number == int(number):
        return int(number)
    raise ValueError(
        message(
            "profile_whole_number",
            "{name} is {value}; choose a whole number from {least} to {most}.",
            name=name,
            value=repr(value)[:LONGEST_NAME],
            least=int(least),
            most=int(most),
        )
    )


def _text(name: str, value: object) -> str:
    longest = LONGEST_WORDS if name in WORDS else LONGEST_NAME
    if not isinstance(value, str) or len(value) > longest or not value.strip():
        raise ValueError(
            message(
                "profile_text",
                "{name} is {value}; give a text of 1 to {most} characters.",
                name=name,
                value=repr(value)[:LONGEST_NAME],
                most=longest,
            )
        )
    text = value.replace("\x00", " ").encode("utf-8", "replace").decode("utf-8")
    if name in WORDS:
        return text
    text = text.strip()
    found = sampler_and_scheduler(text)[0] if name == "sampler" else scheduler_name(text)
    return found or text  # another pack's


def read_values(values: Mapping[str, object]) -> tuple[Settings, tuple[str, ...]]:
    """Read what is valid, and say what is not. None stands for a value that is not known.

    A sampler that names its schedule, such as `DPM++ 2M Karras`, gives the scheduler too where there is none.
    """
    read: dict[str, Value] = {}
    problems: list[str] = []
    for name, value in values.items():
        if value is None:
            continue
        try:
            read[name] = checked(name, value)
        except ValueError as error:
            problems.append(error.args[0])
    sampler = values.get("sampler")
    if isinstance(sampler, str) and "sampler" in read and "scheduler" not in read:
        scheduler = sampler_and_scheduler(sampler)[1]
        if scheduler:
            read["scheduler"] = scheduler
    for name, other in (SIZE, SIZE[::-1]):
        if name in read and other not in read:
            del read[name]
            problems.append(message("profile_half_size", "{name} alone is no size; give width and height.", name=name))
    return Settings(**read), tuple(problems)  # type: ignore[arg-type]


def strictly(values: Mapping[str, object]) -> Settings:
    """Read values that a person gives.

    Raises
    ------
    ValueError
        With the first problem.
    """
    settings, problems = read_values(values)
    if problems:
        raise ValueError(problems[0])
    return settings
